//! Text folded at its words to the width of a terminal.

use crate::i18n::Labels;
use console::{Term, measure_text_width};

/// The width of a terminal that does not tell it.
const UNTOLD: usize = 80;
/// Narrower than this nothing is folded for: every word would stand alone.
const NARROWEST: usize = 20;

/// Where talk on stderr is folded: at the terminal's width; nowhere when it goes to a file or a program, which have none.
pub fn width_of_stderr() -> Option<usize> {
    width_of(&Term::stderr())
}

/// The same for stdout.
pub fn width_of_stdout() -> Option<usize> {
    width_of(&Term::stdout())
}

fn width_of(term: &Term) -> Option<usize> {
    term.is_term().then(|| {
        let told = term.size_checked().map(|(_, columns)| usize::from(columns));
        told.filter(|columns| *columns > 0)
            .unwrap_or(UNTOLD)
            .max(NARROWEST)
    })
}

/// A notice of one or more lines, each folded. Those that are indented, and hints, are there to be copied: they stay whole,
/// and so do those with colours, which were laid out before.
pub fn notice(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| {
        let fits = measure_text_width(line) <= width;
        if fits
            || line.starts_with([' ', '\t'])
            || Labels::split(line, |labels| labels.hint).is_some()
            || line.contains('\x1b')
        {
            return line.to_owned();
        }
        // The words under `error:` line up with the causes below.
        let hanging =
            Labels::split(line, |labels| labels.what).map_or(0, |(label, _)| measure_text_width(label));
        fold(line, width, hanging).join("\n")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A failure as it is printed, folded: its causes under one another, its hints whole.
pub fn failure(text: &str, width: usize) -> String {
    let lines = text
        .split('\n')
        .map(|line| match Labels::split(line, |labels| labels.why) {
            Some((label, why)) => {
                let indent = measure_text_width(label);
                let folded = fold(why, width.saturating_sub(indent).max(NARROWEST), 0);
                format!("{label}{}", folded.join(&format!("\n{}", " ".repeat(indent))))
            }
            None => notice(line, width),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Folds at spaces; lines after the first begin with `hanging` spaces. Code between backticks stays on one line.
pub fn fold(text: &str, width: usize, hanging: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        let length = measure_text_width(&line) + 1 + measure_text_width(&word);
        if !line.trim().is_empty() && length > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(hanging)));
            line.push_str(&word);
        } else {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines.push(line);
    lines
}

/// Words, a piece of code between backticks being one; what a no-break space joins is one, too.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_code = false;
    for word in text.split_ascii_whitespace() {
        match words.last_mut() {
            Some(last) if in_code => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        if word.matches('`').count() % 2 == 1 {
            in_code = !in_code;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_folded_at_words_and_what_is_to_be_copied_is_not() {
        let text = "Nothing yet: group iabd-readers is new and starts at the end. To start, add\n  velo consume a \
                    --from-beginning --group iabd-readers\nhint: velo topic list --internal --output plain";
        assert_eq!(
            notice(text, 40),
            "Nothing yet: group iabd-readers is new\nand starts at the end. To start, add\n  velo consume a \
             --from-beginning --group iabd-readers\nhint: velo topic list --internal --output plain"
        );
    }

    #[test]
    fn a_failure_s_causes_line_up() {
        let text = "error: topic `velib-stations` cannot have 3 partitions\n  why: it has 10 already, and partitions \
                    can be added\nhint: velo topic alter velib-stations --partitions 11";
        assert_eq!(
            failure(text, 40),
            "error: topic `velib-stations` cannot\n       have 3 partitions\n  why: it has 10 already, and partitions\n       \
             can be added\nhint: velo topic alter velib-stations --partitions 11"
        );
    }
}
