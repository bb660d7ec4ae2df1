//! Pictures: drawings of characters, each with one sentence that says the same.
//!
//! ````text
//! ```picture The producer writes to a topic, from which the consumer reads.
//!   producer ──▶ topic ──▶ consumer
//! ```
//! ````

use console::measure_text_width;

/// How wide a picture is at most, in columns: with the margin of a code block it fits a terminal of 80.
pub const WIDEST: usize = 74;

/// What an opening fence of a picture begins with.
const FENCE: &str = "```picture";

/// The sentence of a picture, empty when it has none; `None` when the line opens no picture.
pub fn sentence(fence: &str) -> Option<&str> {
    let rest = fence.strip_prefix(FENCE)?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
}

/// What is wrong with the pictures of a text, a sentence each.
pub fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut drawn = false;
    for line in text.lines() {
        if line.starts_with("```") {
            let sentence = sentence(line);
            drawn = sentence.is_some();
            if sentence.is_some_and(|sentence| !sentence.ends_with(['.', '?', '!'])) {
                faults.push("a picture has no sentence that says the same".to_owned());
            }
        } else if drawn && measure_text_width(line) > WIDEST {
            let width = measure_text_width(line);
            faults.push(format!(
                "a picture is {width} columns wide, {WIDEST} at most are wanted: {}",
                line.trim()
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_and_not_bytes() {
        let line = "▶".repeat(WIDEST);
        assert_eq!(
            faults(&format!("```picture So.\n{line}\n```")),
            Vec::<String>::new()
        );
        let wide = faults(&format!("```picture So.\n{line}─\n```"));
        assert!(wide[0].starts_with("a picture is 75 columns wide"), "{wide:?}");
        // In a block of code it is the reader's own affair.
        assert_eq!(faults(&format!("```\n{line}─\n```")), Vec::<String>::new());
    }

    #[test]
    fn a_picture_without_its_sentence_is_told() {
        assert_eq!(faults("```picture\na\n```").len(), 1);
        assert_eq!(faults("```picture no full stop\na\n```").len(), 1);
    }
}
