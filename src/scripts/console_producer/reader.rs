//! Kafka's `LineMessageReader`: a line becomes headers, a key and a value.

use crate::kafka::producer::NewRecord;
use crate::scripts::Ending;
use crate::scripts::client_properties::Properties;
use regex::Regex;

/// Headers as the producer takes them.
type Headers = Vec<(String, Option<Vec<u8>>)>;

/// How lines are read.
pub struct LineReader {
    parse_key: bool,
    parse_headers: bool,
    ignore_error: bool,
    key_separator: String,
    headers_delimiter: String,
    headers_separator: Regex,
    headers_key_separator: String,
    null_marker: Option<String>,
}

impl LineReader {
    /// A reader with these properties.
    ///
    /// # Errors
    /// When two separators are the same, or the headers' one is no regular expression.
    pub fn new(properties: &Properties) -> Result<Self, Ending> {
        let text = |name: &str, default: &str| {
            properties
                .get(name)
                .map_or_else(|| default.to_owned(), Clone::clone)
        };
        let truth = |name: &str| {
            properties
                .get(name)
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
        };
        let separator = text("headers.separator", ",");
        let reader = LineReader {
            parse_key: truth("parse.key"),
            parse_headers: truth("parse.headers"),
            ignore_error: truth("ignore.error"),
            key_separator: text("key.separator", "\t"),
            headers_delimiter: text("headers.delimiter", "\t"),
            headers_separator: Regex::new(&separator)
                .map_err(|_| refused(format!("headers.separator is no regular expression: {separator}")))?,
            headers_key_separator: text("headers.key.separator", ":"),
            null_marker: properties.get("null.marker").cloned(),
        };
        reader.check(&separator)?;
        Ok(reader)
    }

    fn check(&self, separator: &str) -> Result<(), Ending> {
        let named = [
            ("headers.delimiter", self.headers_delimiter.as_str()),
            ("headers.separator", separator),
            ("headers.key.separator", &self.headers_key_separator),
        ];
        for (at, (name, value)) in named.iter().enumerate() {
            if let Some((other, _)) = named.iter().skip(at + 1).find(|(_, other)| other == value) {
                return Err(refused(format!("{name} and {other} may not be equal")));
            }
        }
        let [delimiter, separator, key_separator] = named;
        for (name, value) in [
            ("key.separator", self.key_separator.as_str()),
            separator,
            delimiter,
            key_separator,
        ] {
            if self.null_marker.as_deref() == Some(value) {
                return Err(refused(format!("null.marker and {name} may not be equal")));
            }
        }
        Ok(())
    }

    /// Reads a line and gives the record to `take`.
    ///
    /// # Errors
    /// When a separator is missing and errors are not ignored.
    pub fn read<T>(
        &self,
        line: &str,
        number: usize,
        take: impl FnOnce(&NewRecord<'_>) -> T,
    ) -> Result<T, Ending> {
        let cut = |enabled: bool, rest: &'_ str, separator: &str, name: &str| {
            if !enabled {
                return Ok(None);
            }
            match rest.find(separator) {
                Some(at) => Ok(Some((at, at + separator.len()))),
                None if self.ignore_error => Ok(None),
                None => Err(refused(format!(
                    "No {name} found on line number {number}: '{line}'"
                ))),
            }
        };
        let mut rest = line;
        let mut headers = Headers::new();
        if let Some((end, next)) = cut(
            self.parse_headers,
            rest,
            &self.headers_delimiter,
            "headers delimiter",
        )? {
            headers = self.headers(rest.get(..end).unwrap_or_default(), number)?;
            rest = rest.get(next..).unwrap_or_default();
        }
        let mut key = None;
        if let Some((end, next)) = cut(self.parse_key, rest, &self.key_separator, "key separator")? {
            key = self.unless_null(rest.get(..end).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
        }
        Ok(take(&NewRecord {
            key: key.map(str::as_bytes),
            value: self.unless_null(rest).map(str::as_bytes),
            headers: &headers,
            timestamp: None,
        }))
    }

    fn unless_null<'a>(&self, part: &'a str) -> Option<&'a str> {
        (self.null_marker.as_deref() != Some(part)).then_some(part)
    }

    fn headers(&self, text: &str, number: usize) -> Result<Headers, Ending> {
        if self.unless_null(text).is_none() {
            return Ok(Headers::new());
        }
        self.pairs(text)
            .into_iter()
            .map(|pair| match pair.split_once(&self.headers_key_separator) {
                Some((name, _)) if self.unless_null(name).is_none() => Err(refused(format!(
                    "Header keys should not be equal to the null marker '{name}' as they can't be null"
                ))),
                Some((name, value)) => {
                    let value = self.unless_null(value).map(|value| value.as_bytes().to_vec());
                    Ok((name.to_owned(), value))
                }
                None if self.ignore_error => Ok((pair.to_owned(), None)),
                None => Err(refused(format!(
                    "No header key separator found in pair '{pair}' on line number {number}"
                ))),
            })
            .collect()
    }

    /// Splits as Java does: no empty part at the end, none before a separator of no length at the beginning. Of a text
    /// without a separator remains the text, of separators alone nothing.
    fn pairs<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let mut parts = Vec::new();
        let mut from = 0;
        for found in self.headers_separator.find_iter(text) {
            if found.end() > 0 {
                parts.push(text.get(from..found.start()).unwrap_or_default());
                from = found.end();
            }
        }
        parts.push(text.get(from..).unwrap_or_default());
        while (from > 0 || parts.len() > 1) && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        parts
    }
}

fn refused(why: impl std::fmt::Display) -> Ending {
    Ending::failure(format!("org.apache.kafka.common.KafkaException: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = (Option<String>, Option<String>, Vec<(String, Option<String>)>);

    fn reader(properties: &[(&str, &str)]) -> Result<LineReader, Ending> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        LineReader::new(&properties.iter().map(owned).collect())
    }

    fn read(properties: &[(&str, &str)], line: &str) -> Result<Seen, Ending> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        reader(properties)?.read(line, 3, |record| {
            (
                record.key.map(text),
                record.value.map(text),
                record
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_deref().map(text)))
                    .collect(),
            )
        })
    }

    #[test]
    fn headers_key_and_value_are_told_apart() {
        let all = [
            ("parse.key", " TRUE"),
            ("parse.headers", "true"),
            ("null.marker", "-"),
        ];
        let some = |text: &str| Some(text.to_owned());
        let (key, value, headers) = read(&all, "a:1,b:-,,\tk\tv\tw").unwrap();
        assert_eq!((key, value), (some("k"), some("v\tw")));
        assert_eq!(headers, [("a".to_owned(), some("1")), ("b".to_owned(), None)]);
        assert_eq!(
            read(&all, ",,\tk\tv").unwrap(),
            (some("k"), some("v"), Vec::new())
        );
        assert!(read(&all, "\tk\tv").is_err());
        assert_eq!(read(&all, "-\t-\t-").unwrap(), (None, None, Vec::new()));
    }

    #[test]
    fn what_is_missing_is_named_or_ignored() {
        let key = ("parse.key", "true");
        assert_eq!(
            read(&[key], "a").unwrap_err().stderr,
            "org.apache.kafka.common.KafkaException: No key separator found on line number 3: 'a'"
        );
        let ignored = read(&[key, ("ignore.error", "true")], "a").unwrap();
        assert_eq!(ignored, (None, Some("a".to_owned()), Vec::new()));
        assert!(reader(&[("headers.separator", ":")]).is_err_and(|refusal| {
            refusal
                .stderr
                .contains("headers.separator and headers.key.separator may")
        }));
    }
}
