//! Java's property format: what `java.util.Properties` reads.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// The settings of a text in Java's property format: `name=value`, `name: value` or `name value`, comments with `#` or
/// `!`, lines that end in an odd number of backslashes go on in the next, and backslashes quote as in Java (`\t`, `\n`,
/// `\u00e9`, `\:`). The last of two values for one name counts.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    logical_lines(text).iter().map(|line| setting(line)).collect()
}

/// The lines without comments and empty ones, continued lines joined, leading white space gone.
fn logical_lines(text: &str) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.split(['\n', '\r']) {
        let line = line.trim_start_matches(is_white);
        if !goes_on && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let (content, more) = match line.strip_suffix('\\') {
            Some(content) if backslashes_before_end(line) % 2 == 1 => (content, true),
            _ => (line, false),
        };
        match joined.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(content),
            None => joined.push(content.to_owned()),
        }
        // The line end `\r\n` leaves an empty line between, which ends nothing.
        goes_on = more || (goes_on && line.is_empty());
    }
    joined
}

fn backslashes_before_end(line: &str) -> usize {
    line.chars()
        .rev()
        .take_while(|character| *character == '\\')
        .count()
}

fn is_white(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

fn setting(line: &str) -> (String, String) {
    let mut rest = line.chars().peekable();
    let mut name = String::new();
    while let Some(character) =
        rest.next_if(|character| !is_white(*character) && !matches!(character, '=' | ':'))
    {
        push(&mut name, character, &mut rest);
    }
    while rest.next_if(|character| is_white(*character)).is_some() {}
    if rest.next_if(|character| matches!(character, '=' | ':')).is_some() {
        while rest.next_if(|character| is_white(*character)).is_some() {}
    }
    let mut value = String::new();
    while let Some(character) = rest.next() {
        push(&mut value, character, &mut rest);
    }
    (name, value)
}

/// Adds a character, or what a backslash and the characters after it stand for.
fn push(text: &mut String, character: char, rest: &mut Peekable<Chars<'_>>) {
    if character != '\\' {
        text.push(character);
        return;
    }
    match rest.next() {
        Some('t') => text.push('\t'),
        Some('n') => text.push('\n'),
        Some('r') => text.push('\r'),
        Some('f') => text.push('\u{c}'),
        Some('u') => text.push(unicode(rest)),
        Some(other) => text.push(other),
        None => {}
    }
}

/// The character of `\uXXXX`; two halves of a surrogate pair make one. Java refuses the whole file for a wrong digit;
/// here the replacement character shows where it is.
fn unicode(rest: &mut Peekable<Chars<'_>>) -> char {
    let first = unit(rest);
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    let second = match (rest.next_if_eq(&'\\'), rest.next_if_eq(&'u')) {
        (Some(_), Some(_)) => unit(rest),
        _ => 0,
    };
    if !(0xdc00..0xe000).contains(&second) {
        return char::REPLACEMENT_CHARACTER;
    }
    let pair = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn unit(rest: &mut Peekable<Chars<'_>>) -> u32 {
    let mut unit = 0;
    for _ in 0..4 {
        let Some(digit) = rest
            .next_if(char::is_ascii_hexdigit)
            .and_then(|digit| digit.to_digit(16))
        else {
            return u32::MAX;
        };
        unit = unit * 16 + digit;
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_java_reads_it() {
        let text = "# comment \\\na=1\r\n  ! another\r\nb : two words\nc three\nd=x\\\n   y \\\n\te=z\n\
                    f\\ g\\=h = \\ spaced \nback=c:\\\\dir\\\\\nurl=http\\://host\nempty\nu=\\u00e9\\ud83d\\ude80\n\
                    crlf=1,\\\r\n  2\r\na=last";
        let expected = [
            ("a", "last"),
            ("b", "two words"),
            ("back", "c:\\dir\\"),
            ("c", "three"),
            ("crlf", "1,2"),
            ("d", "xy e=z"),
            ("empty", ""),
            ("f g=h", " spaced "),
            ("u", "é🚀"),
            ("url", "http://host"),
        ];
        let read = parse(text);
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn wrong_escapes_end_nothing() {
        let read = parse("a=\\uZZZZ\nb=\\ud83d!\nc=\\");
        assert_eq!(read["a"], "\u{fffd}ZZZZ");
        assert_eq!(read["b"], "\u{fffd}!");
        assert_eq!(read["c"], "");
    }
}
