//! Text in lines of one width, both edges even, as argparse4j fills its messages and help.

/// The column where the explanation of an option begins.
const INDENT: usize = 25;

/// Fills `text` into lines of `width`; the first begins at column `offset`, the others with `indent`. All but the last
/// are stretched by spaces between words.
pub fn wrapped(text: &str, width: usize, offset: usize, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    let mut used = offset;
    for piece in pieces(text) {
        let length = piece.chars().count();
        if used + length > width {
            lines.push_str(&stretched(&line, width, used));
            lines.push('\n');
            lines.push_str(indent);
            line.clear();
            used = indent.len();
        }
        line.push_str(piece);
        used += length;
    }
    lines.push_str(&line);
    lines
}

/// A row of a help: what it is about, and the explanation beside or beneath it.
pub fn indented(title: &str, help: &str, width: usize) -> String {
    if help.is_empty() {
        return format!("  {title}\n");
    }
    let gap = if title.chars().count() <= INDENT - 4 {
        " ".repeat(INDENT - 2 - title.chars().count())
    } else {
        format!("\n{:INDENT$}", "")
    };
    format!(
        "  {title}{gap}{}\n",
        wrapped(help, width, INDENT, &" ".repeat(INDENT))
    )
}

/// The text cut where a line may end: after spaces, and after punctuation before a letter.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let after_space = before == ' ' && character != ' ';
        let after_sign = "-.:,".contains(before) && character.is_alphabetic();
        if at > start && (after_space || after_sign) {
            pieces.extend(text.get(start..at));
            start = at;
        }
        before = character;
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}

/// A line that ends at `width` instead of `used`: without spaces at its ends, its gaps widened, those in the middle more.
fn stretched(line: &str, width: usize, used: usize) -> String {
    let trimmed = line.trim_matches(' ');
    let used = used.saturating_sub(line.len() - trimmed.len());
    let gaps = trimmed
        .split(' ')
        .filter(|word| !word.is_empty())
        .count()
        .saturating_sub(1);
    if gaps == 0 {
        return trimmed.to_owned();
    }
    let wanted = width.saturating_sub(used);
    let (each, rest) = (wanted / gaps, wanted % gaps);
    let first = (gaps - rest).div_ceil(2);
    let mut text = String::new();
    let mut gap = 0;
    let mut within = false;
    for character in trimmed.chars() {
        if character == ' ' && !within {
            let more = usize::from((first..first + rest).contains(&gap));
            text.push_str(&" ".repeat(each + more));
            gap += 1;
        }
        within = character == ' ';
        text.push(character);
    }
    text
}
