//! From a line to a record.

use crate::commands::jsonl::{self, Parsed};
use crate::kafka::producer::NewRecord;

/// A key and a value.
pub type Parts<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// How lines are read.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// One JSON object a line.
    pub jsonl: bool,
    /// What stands between key and value.
    pub key_separator: Option<Vec<u8>>,
    /// The key of every record.
    pub key: Option<Vec<u8>>,
    /// A key or value that means null.
    pub null_marker: Option<Vec<u8>>,
    /// Headers of every record.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Shape {
    /// Reads a line and gives the record to `take`.
    ///
    /// # Errors
    /// The text says why the line is no record.
    pub fn read<T>(&self, line: &[u8], take: impl FnOnce(&NewRecord<'_>) -> T) -> Result<T, String> {
        if self.jsonl {
            let Parsed {
                key,
                value,
                headers,
                timestamp,
            } = jsonl::parse(line)?;
            return Ok(take(&NewRecord {
                key: key.as_deref(),
                value: value.as_deref(),
                headers: &headers,
                timestamp,
            }));
        }
        let (key, value) = self.split(line)?;
        Ok(take(&NewRecord {
            key,
            value,
            headers: &self.headers,
            timestamp: None,
        }))
    }

    /// Whether each line is no more than a key and a value, so that [`Shape::split`] tells all of it.
    pub fn is_plain(&self) -> bool {
        !self.jsonl && self.headers.is_empty()
    }

    /// The key and the value in a line that is not JSON.
    ///
    /// # Errors
    /// The text says why the line is no record.
    pub fn split<'a>(&'a self, line: &'a [u8]) -> Result<Parts<'a>, String> {
        let (key, value) = match &self.key_separator {
            Some(separator) => {
                let (key, value) = split_once(line, separator).ok_or_else(|| {
                    format!("no key separator `{}` in it", String::from_utf8_lossy(separator))
                })?;
                (self.unless_null(key), value)
            }
            None => (self.key.as_deref(), line),
        };
        Ok((key, self.unless_null(value)))
    }

    fn unless_null<'a>(&self, part: &'a [u8]) -> Option<&'a [u8]> {
        (self.null_marker.as_deref() != Some(part)).then_some(part)
    }
}

fn split_once<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = line
        .windows(separator.len())
        .position(|window| window == separator)?;
    Some((line.get(..at)?, line.get(at + separator.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(shape: &Shape, line: &str) -> Result<(Option<String>, Option<String>), String> {
        let text = |part: Option<&[u8]>| part.map(|part| String::from_utf8(part.to_vec()).unwrap());
        shape.read(line.as_bytes(), |record| (text(record.key), text(record.value)))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_line_is_split_at_its_first_separator() {
        let shape = Shape {
            key_separator: Some(b"::".to_vec()),
            null_marker: Some(b"-".to_vec()),
            ..Shape::default()
        };
        assert_eq!(read(&shape, "a::b::c"), Ok((some("a"), some("b::c"))));
        assert_eq!(read(&shape, "a::"), Ok((some("a"), some(""))));
        assert_eq!(read(&shape, "a::-"), Ok((some("a"), None)));
        assert_eq!(read(&shape, "-::b"), Ok((None, some("b"))));
        assert!(read(&shape, "a:b").unwrap_err().contains("`::`"));
    }

    #[test]
    fn a_plain_line_is_a_value() {
        assert_eq!(read(&Shape::default(), "a:b"), Ok((None, some("a:b"))));
        assert_eq!(read(&Shape::default(), ""), Ok((None, some(""))));
    }
}
