//! The JSON Lines form of records: what `velo consume --output jsonl` writes and `velo produce --jsonl` reads.
//!
//! One object a line: `topic`, `partition`, `offset`, `timestamp` (ms since 1970-01-01 UTC), `timestamp_type`
//! (`create` or `append`), `key`, `headers` (a list of `name` and `value`), `value`. A null is `null`. Bytes that are no
//! UTF-8 stand as base64 in `key_base64` or `value_base64` instead.

use crate::kafka::consumer::Record;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// Appends a record as one line, with its value as it was decoded, if it was.
pub fn write(record: &Record<'_>, decoded: Option<&RawValue>, line: &mut Vec<u8>) {
    // Writing to memory cannot fail, and neither can these keys and values.
    let _ = serde_json::to_writer(&mut *line, &Line { record, decoded });
    line.push(b'\n');
}

struct Line<'a> {
    record: &'a Record<'a>,
    decoded: Option<&'a RawValue>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("topic", record.topic())?;
        map.serialize_entry("partition", &record.partition())?;
        map.serialize_entry("offset", &record.offset())?;
        if let Some((time, append)) = record.timestamp() {
            map.serialize_entry("timestamp", &time)?;
            map.serialize_entry("timestamp_type", if append { "append" } else { "create" })?;
        }
        bytes(&mut map, "key", "key_base64", record.key())?;
        if record.headers().next().is_some() {
            map.serialize_entry("headers", &HeaderList(record))?;
        }
        match self.decoded {
            Some(json) => map.serialize_entry("value", json)?,
            None => bytes(&mut map, "value", "value_base64", record.value())?,
        }
        map.end()
    }
}

struct HeaderList<'a>(&'a Record<'a>);

impl Serialize for HeaderList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for (name, value) in self.0.headers() {
            list.serialize_element(&HeaderEntry(name, value))?;
        }
        list.end()
    }
}

struct HeaderEntry<'a>(&'a [u8], Option<&'a [u8]>);

impl Serialize for HeaderEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &String::from_utf8_lossy(self.0))?;
        bytes(&mut map, "value", "value_base64", self.1)?;
        map.end()
    }
}

fn bytes<M: SerializeMap>(
    map: &mut M,
    as_text: &str,
    as_base64: &str,
    bytes: Option<&[u8]>,
) -> Result<(), M::Error> {
    match bytes.map(std::str::from_utf8) {
        None => map.serialize_entry(as_text, &()),
        Some(Ok(text)) => map.serialize_entry(as_text, text),
        Some(Err(_)) => map.serialize_entry(as_base64, &STANDARD.encode(bytes.unwrap_or_default())),
    }
}

/// A record read from a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a null.
    pub value: Option<Vec<u8>>,
    /// Names and values.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970-01-01 UTC.
    pub timestamp: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    // Where the record was read: it goes where it is sent now, so these are allowed and not used.
    #[serde(default, rename = "topic")]
    _topic: Option<String>,
    #[serde(default, rename = "partition")]
    _partition: Option<i32>,
    #[serde(default, rename = "offset")]
    _offset: Option<i64>,
    #[serde(default, rename = "timestamp_type")]
    _timestamp_type: Option<String>,
    timestamp: Option<i64>,
    key: Option<String>,
    key_base64: Option<String>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Option<String>>,
    value_base64: Option<String>,
    #[serde(default)]
    headers: Vec<InputHeader>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputHeader {
    name: String,
    value: Option<String>,
    value_base64: Option<String>,
}

/// Tells `"value": null` from no value at all.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Reads a line.
///
/// # Errors
/// The text says what is wrong with it.
pub fn parse(line: &[u8]) -> Result<Parsed, String> {
    let input: Input = serde_json::from_slice(line).map_err(|error| {
        // serde_json counts lines within this one; ours is the number that helps.
        let words = error.to_string();
        words.split(" at line ").next().unwrap_or(&words).to_owned()
    })?;
    if input.value.is_none() && input.value_base64.is_none() {
        return Err("no `value`; write \"value\": null for a null".to_owned());
    }
    Ok(Parsed {
        key: either("key", input.key, input.key_base64)?,
        value: either("value", input.value.flatten(), input.value_base64)?,
        headers: input
            .headers
            .into_iter()
            .map(|header| Ok((header.name, either("value", header.value, header.value_base64)?)))
            .collect::<Result<_, String>>()?,
        timestamp: input.timestamp,
    })
}

fn either(name: &str, text: Option<String>, base64: Option<String>) -> Result<Option<Vec<u8>>, String> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(format!("both `{name}` and `{name}_base64`")),
        (Some(text), None) => Ok(Some(text.into_bytes())),
        (None, Some(base64)) => STANDARD
            .decode(base64)
            .map(Some)
            .map_err(|error| format!("`{name}_base64` is no base64: {error}")),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_key_value_headers_and_time() {
        let line = br#"{"topic":"t","partition":3,"offset":9,"timestamp":5,"timestamp_type":"create",
            "key":"k","headers":[{"name":"a","value":"1"},{"name":"b","value":null}],"value_base64":"//4="}"#;
        let parsed = parse(line).unwrap();
        assert_eq!(parsed.key.as_deref(), Some(b"k".as_slice()));
        assert_eq!(parsed.value.as_deref(), Some([255, 254].as_slice()));
        assert_eq!(parsed.headers[1], ("b".to_owned(), None));
        assert_eq!(parsed.timestamp, Some(5));
        assert_eq!(parse(br#"{"value":null}"#).unwrap(), Parsed::default());
    }

    #[test]
    fn a_line_that_cannot_be_a_record_says_why() {
        for (line, why) in [
            (r#"{"key":"k"}"#, "no `value`"),
            (r#"{"valeu":"v"}"#, "unknown field `valeu`"),
            ("hello", "expected value"),
            (r#"{"value":"v","value_base64":"dg=="}"#, "both"),
            (r#"{"value_base64":"?"}"#, "no base64"),
        ] {
            let error = parse(line.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
