//! `--format`: a pattern with a place for each part of a record, as kcat has it.

use super::output::Shown;
use crate::failure::{Failure, Outcome};
use crate::kafka::consumer::Record;
use crate::ui::foreign::Guard;
use std::io::Write;

/// What the help says of patterns.
pub const HELP: &str = "\
Patterns of --format:
  %t topic        %k key            %T timestamp (ms since 1970-01-01 UTC)
  %p partition    %K key's length   %h headers (name=value,…)
  %o offset       %v value          %% a per cent sign
                  %S value's length \\n \\t \\r \\\\ \\0 \\xHH as usual
A null prints as `null`, its length as -1. A line feed follows each record unless the pattern ends with one of its own.

Records by --output: `plain` (the default) is the value; `table`, also called `pretty`, is for people: a line about \
the record, then its value, laid out; `json` and `jsonl` are JSON Lines, which `velo produce TOPIC --jsonl` reads: \
one object a line with topic, partition, offset, timestamp, timestamp_type (create or append), key, headers ([{name, \
value}]), value; bytes that are no UTF-8 stand as base64 in key_base64 or value_base64. With --decode the value stands there \
as the JSON that it was decoded to.";

/// What stands for a null.
pub const NULL: &[u8] = b"null";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    KeyLength,
    Value,
    ValueLength,
    Headers,
}

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it has a `%` or `\` that means nothing.
    pub fn parse(pattern: &str) -> Outcome<Self> {
        let mut parts = Vec::new();
        let mut text = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => text.extend(escape(&mut characters).ok_or_else(|| wrong(pattern))?),
                '%' => match part(characters.next()).ok_or_else(|| wrong(pattern))? {
                    Part::Text(sign) => text.extend(sign),
                    part => {
                        if !text.is_empty() {
                            parts.push(Part::Text(std::mem::take(&mut text)));
                        }
                        parts.push(part);
                    }
                },
                other => text.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        if !matches!(text.last(), Some(b'\n' | b'\0')) {
            text.push(b'\n');
        }
        parts.push(Part::Text(text));
        Ok(Pattern(parts))
    }

    /// The key, a separator, the value.
    pub fn key_and_value(separator: &str) -> Self {
        Pattern(vec![
            Part::Key,
            Part::Text(separator.as_bytes().to_vec()),
            Part::Value,
            Part::Text(b"\n".to_vec()),
        ])
    }

    /// Appends a record: the pattern's own text as it is, what is the record's as `guard` lets it pass.
    pub fn write(&self, shown: Shown<'_>, guard: Guard, out: &mut Vec<u8>) {
        let record = shown.record;
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Topic => out.extend_from_slice(record.topic().as_bytes()),
                Part::Partition => number(out, i64::from(record.partition())),
                Part::Offset => number(out, record.offset()),
                Part::Timestamp => number(out, record.timestamp().map_or(-1, |(time, _)| time)),
                Part::Key => guard.put(record.key().unwrap_or(NULL), out),
                Part::KeyLength => length(out, record.key()),
                Part::Value => guard.put(shown.value().unwrap_or(NULL), out),
                Part::ValueLength => length(out, shown.value()),
                Part::Headers => headers(record, guard, out),
            }
        }
    }
}

/// Appends headers as `name=value`, separated by commas.
pub fn headers(record: &Record<'_>, guard: Guard, out: &mut Vec<u8>) {
    for (at, (name, value)) in record.headers().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        guard.put(name, out);
        out.push(b'=');
        guard.put(value.unwrap_or(NULL), out);
    }
}

fn number(out: &mut Vec<u8>, number: i64) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{number}");
}

fn length(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    number(
        out,
        bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
    );
}

fn part(letter: Option<char>) -> Option<Part> {
    Some(match letter? {
        't' => Part::Topic,
        'p' => Part::Partition,
        'o' => Part::Offset,
        'T' => Part::Timestamp,
        'k' => Part::Key,
        'K' => Part::KeyLength,
        'v' | 's' => Part::Value,
        'S' => Part::ValueLength,
        'h' => Part::Headers,
        '%' => Part::Text(b"%".to_vec()),
        _ => return None,
    })
}

fn escape(characters: &mut std::str::Chars<'_>) -> Option<Vec<u8>> {
    Some(vec![match characters.next()? {
        'n' => b'\n',
        't' => b'\t',
        'r' => b'\r',
        '0' => b'\0',
        '\\' => b'\\',
        'x' => {
            let digits: String = characters.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16).ok()?
        }
        _ => return None,
    }])
}

fn wrong(pattern: &str) -> Failure {
    Failure::usage(format!("`{pattern}` is not a pattern"))
        .because("a `%` or `\\` in it has no meaning; `velo consume --help` lists those that have one")
        .hint("velo consume TOPIC --format '%k: %v'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_text_and_places_and_ends_a_line() {
        assert_eq!(
            Pattern::parse("%k\\t%%%v").unwrap().0,
            vec![
                Part::Key,
                Part::Text(b"\t%".to_vec()),
                Part::Value,
                Part::Text(b"\n".to_vec())
            ]
        );
        assert_eq!(Pattern::parse("%v\\x00").unwrap().0[1], Part::Text(vec![0]));
    }

    #[test]
    fn a_sign_without_meaning_is_refused() {
        for pattern in ["%q", "100%", "\\q", "\\xzz"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
