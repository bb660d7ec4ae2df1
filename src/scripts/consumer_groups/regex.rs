//! `kafka-consumer-groups --validate-regex`

use crate::scripts::out;

/// What RE2 says of a mistake, by what ours says of it.
const MISTAKES: [(&str, &str); 8] = [
    (
        "repetition operator missing expression",
        "missing argument to repetition operator",
    ),
    ("unclosed group", "missing closing )"),
    ("unclosed character class", "missing closing ]"),
    (
        "incomplete escape sequence",
        "trailing backslash at end of expression",
    ),
    ("look-around", "invalid or unsupported Perl syntax"),
    ("invalid repetition count range", "invalid repeat count"),
    ("invalid character class range", "invalid character class range"),
    ("unrecognized escape sequence", "invalid escape sequence"),
];

/// Says whether the cluster would take the expression (RE2's syntax, which is also that of the `regex` crate).
pub(super) fn validate(text: &str) {
    match mistake(text) {
        None => out(&format!("The regular expression `{text}` is valid.")),
        Some(mistake) => out(&format!("The regular expression `{text}` is invalid: {mistake}.")),
    }
}

fn mistake(text: &str) -> Option<String> {
    let error = match regex::Regex::new(text) {
        Ok(_) => return repeats_twice(text).then(|| "invalid nested repetition operator".to_owned()),
        Err(error) => error.to_string(),
    };
    let known = MISTAKES.iter().find(|(ours, _)| error.contains(ours));
    Some(known.map_or_else(
        || {
            let last = error.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        },
        |(_, theirs)| (*theirs).to_owned(),
    ))
}

/// `a**` and the like, which RE2 refuses; `a*?` is a lazy repetition. Operators behind a backslash or within brackets are
/// plain characters.
fn repeats_twice(text: &str) -> bool {
    let mut before = ' ';
    let mut lazy = false;
    let mut in_class = false;
    let mut escaped = false;
    for character in text.chars() {
        if escaped {
            escaped = false;
            before = ' ';
            continue;
        }
        let repeats = !in_class && "*+?".contains(character);
        if repeats && "*+?".contains(before) && (character != '?' || lazy) {
            return true;
        }
        lazy = repeats && "*+?".contains(before);
        match character {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        // `(?` begins a group's flags: that question mark repeats nothing.
        before = if in_class || (before == '(' && character == '?') {
            ' '
        } else {
            character
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_in_re2s_words() {
        let told = |text: &str| mistake(text).unwrap_or_default();
        assert_eq!(told("a.*"), "");
        assert_eq!(told("(?i)a+?"), "");
        assert_eq!(told("a(*"), "missing argument to repetition operator");
        assert_eq!(told("[a"), "missing closing ]");
        assert_eq!(told("(a"), "missing closing )");
        assert_eq!(told("a\\"), "trailing backslash at end of expression");
        assert_eq!(told("(?=x)"), "invalid or unsupported Perl syntax");
        assert_eq!(told("a{3,1}"), "invalid repeat count");
        assert_eq!(told("[z-a]"), "invalid character class range");
        assert_eq!(told("a**"), "invalid nested repetition operator");
    }
}
