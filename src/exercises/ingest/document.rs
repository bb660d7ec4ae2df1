//! From the JSON of a record to the BSON of a document, with nothing rounded: whole numbers stay whole whatever their
//! length, and what cannot be kept is refused with a reason.

use super::{Identity, extended};
use crate::kafka::group_consumer::Received;
use mongodb::bson::raw::{CStr, cstr};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Decimal128, RawArrayBuf, RawBson, RawDocumentBuf};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// The longest document that MongoDB keeps, in bytes of BSON.
pub const LARGEST: usize = 16 * 1024 * 1024;
/// What the bytes of a document are more than those of its JSON, often.
const ROOM: usize = 100;
/// How deep MongoDB lets documents be nested.
const DEEPEST: usize = 100;

/// What JSON is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// What it is.
    Plain,
    /// MongoDB's extended JSON: `{"$oid": …}` is an ObjectId, and so on.
    Extended,
}

/// What a record asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The record.
    pub record: Received,
    /// The document's `_id`.
    pub id: RawBson,
    /// The document, which begins with the `_id`; none deletes.
    pub document: Option<RawDocumentBuf>,
}

/// The `_id` of a record's document: topic id, partition and offset name a record for ever.
pub fn record_id(topic_id: &str, record: &Received) -> String {
    format!("{topic_id}:{}:{}", record.partition, record.offset)
}

/// Reads what a record asks for: the `_id` and the document, which begins with it; no document deletes.
///
/// # Errors
/// Why it can never be kept, in words, for the dead letter.
pub fn read(
    record: &Received,
    identity: &Identity,
    json: Json,
    topic_id: &str,
) -> Result<(RawBson, Option<RawDocumentBuf>), String> {
    let Some(value) = record.value.as_deref() else {
        return match identity {
            Identity::Key => Ok((key_id(record)?, None)),
            _ => Err("no value (a tombstone), and only --id key can tell what it deletes".to_owned()),
        };
    };
    let text = std::str::from_utf8(value)
        .map_err(|error| format!("not UTF-8: a wrong byte at {}", error.valid_up_to()))?;
    let members = members(text)?;
    if json == Json::Extended && extended::is_value(&members) {
        return Err("not a document: extended JSON of a single value".to_owned());
    }
    let id = match identity {
        Identity::Record => RawBson::String(record_id(topic_id, record)),
        Identity::Key => key_id(record)?,
        Identity::Field(name) => {
            let found = members.iter().find(|(key, _)| key == name);
            let (_, raw) = found.ok_or_else(|| format!("no field `{name}` to be the _id"))?;
            let id = convert(raw, json, 1)?;
            if !names_a_document(&id) {
                return Err(format!("the field `{name}` cannot be an _id: {raw}"));
            }
            id
        }
    };
    let own = members.iter().any(|(key, _)| key == "_id");
    if own && !matches!(identity, Identity::Field(name) if name == "_id") {
        return Err("it has an _id of its own, which only --id _id keeps".to_owned());
    }
    let mut bytes = Vec::with_capacity(value.len() + ROOM);
    bytes.extend_from_slice(RawDocumentBuf::new().as_bytes());
    let mut document = RawDocumentBuf::from_bytes(bytes).map_err(|error| error.to_string())?;
    document.append(cstr!("_id"), &id);
    for (key, raw) in &members {
        if key != "_id" {
            append(&mut document, key, raw, json, 1)?;
        }
    }
    let size = document.as_bytes().len();
    if size > LARGEST {
        return Err(format!(
            "too big: {size} bytes as a document, and MongoDB keeps {LARGEST}"
        ));
    }
    Ok((id, Some(document)))
}

/// Whether a value tells documents apart: `null` does not, MongoDB takes no array, and what looks like an operator, or is a
/// regular expression, would find other documents to replace.
fn names_a_document(id: &RawBson) -> bool {
    match id {
        RawBson::Null | RawBson::Undefined | RawBson::Array(_) | RawBson::RegularExpression(_) => false,
        RawBson::Document(document) => {
            let mut names = document.iter().map_while(Result::ok);
            !names.any(|(name, _)| name.as_str().starts_with('$'))
        }
        _ => true,
    }
}

fn key_id(record: &Received) -> Result<RawBson, String> {
    let key = record
        .key
        .clone()
        .ok_or("no key to be the _id, as --id key wants")?;
    Ok(match String::from_utf8(key) {
        Ok(text) => RawBson::String(text),
        Err(bytes) => RawBson::Binary(Binary {
            subtype: BinarySubtype::Generic,
            bytes: bytes.into_bytes(),
        }),
    })
}

/// A JSON string; borrowed unless it has escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A name and its value, not read yet.
pub type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// A JSON object's members in order; the last of a name counts, in the place of the first.
struct Members<'a>(Vec<Member<'a>>);

/// So many names are found sooner by looking at each than by a table.
const FEW: usize = 16;

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<Member<'de>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Self::Value = Vec::with_capacity(FEW);
                let mut places: HashMap<Cow<'de, str>, usize> = HashMap::new();
                while let Some((Text(key), raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    if members.len() >= FEW && places.is_empty() {
                        let named = members.iter().enumerate();
                        places.extend(named.map(|(at, (key, _))| (key.clone(), at)));
                    }
                    let place = if members.len() < FEW {
                        members.iter().position(|(known, _)| *known == key)
                    } else {
                        places.get(&key).copied()
                    };
                    match place.and_then(|at| members.get_mut(at)) {
                        Some(member) => member.1 = raw,
                        None => {
                            if members.len() >= FEW {
                                places.insert(key.clone(), members.len());
                            }
                            members.push((key, raw));
                        }
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Collect).map(Members)
    }
}

fn members(text: &str) -> Result<Vec<Member<'_>>, String> {
    let begin = text.trim_start().chars().next();
    let Members(members) = serde_json::from_str(text).map_err(|error| match begin {
        None => "not JSON: it is empty".to_owned(),
        Some(_) if error.is_data() => "not a JSON object".to_owned(),
        Some(_) => format!("not JSON: {error}"),
    })?;
    Ok(members)
}

fn append(
    document: &mut RawDocumentBuf,
    key: &str,
    raw: &RawValue,
    json: Json,
    depth: usize,
) -> Result<(), String> {
    let key: &CStr = key
        .try_into()
        .map_err(|_| format!("a field's name holds a NUL, which MongoDB cannot keep: {key:?}"))?;
    if raw.get().starts_with('"') {
        document.append(key, text(raw)?.as_ref());
    } else {
        document.append(key, convert(raw, json, depth)?);
    }
    Ok(())
}

fn text(raw: &RawValue) -> Result<Cow<'_, str>, String> {
    let found: Result<Text<'_>, _> = serde_json::from_str(raw.get());
    found.map(|Text(text)| text).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> String {
    format!("not JSON: {error}")
}

/// The BSON of a JSON value that stands so deep in a document.
///
/// # Errors
/// Why MongoDB cannot keep it, in words.
pub fn convert(raw: &RawValue, json: Json, depth: usize) -> Result<RawBson, String> {
    if depth > DEEPEST {
        return Err(format!("nested more than {DEEPEST} levels deep"));
    }
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let members = members(text)?;
            if json == Json::Extended && extended::is_value(&members) {
                return extended::convert(raw, &members, depth);
            }
            let mut document = RawDocumentBuf::new();
            for (key, raw) in &members {
                append(&mut document, key, raw, json, depth + 1)?;
            }
            RawBson::Document(document)
        }
        Some(b'[') => {
            let mut array = RawArrayBuf::new();
            for raw in serde_json::from_str::<Vec<&RawValue>>(text).map_err(unreadable)? {
                array.push(convert(raw, json, depth + 1)?);
            }
            RawBson::Array(array)
        }
        Some(b'"') => RawBson::String(self::text(raw)?.into_owned()),
        Some(b't') => RawBson::Boolean(true),
        Some(b'f') => RawBson::Boolean(false),
        Some(b'n') => RawBson::Null,
        _ => number(text)?,
    })
}

/// The narrowest of BSON's kinds that keeps the number: whole ones as int, long or decimal, others as double.
fn number(text: &str) -> Result<RawBson, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(i32::try_from(whole).map_or(RawBson::Int64(whole), RawBson::Int32));
    }
    if text.contains(['.', 'e', 'E'])
        && let Ok(real) = text.parse::<f64>()
        && real.is_finite()
    {
        return Ok(RawBson::Double(real));
    }
    text.parse::<Decimal128>()
        .map(RawBson::Decimal128)
        .map_err(|_| format!("the number {text} has more digits than MongoDB keeps"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::{Bson, Document, doc};

    fn record(key: Option<&str>, value: Option<&[u8]>) -> Received {
        Received {
            partition: 1,
            offset: 42,
            timestamp: None,
            key: key.map(|key| key.as_bytes().to_vec()),
            value: value.map(<[u8]>::to_vec),
            headers: Vec::new(),
        }
    }

    fn document(identity: &Identity, record: &Received) -> Result<Document, String> {
        let (_, document) = read(record, identity, Json::Plain, "T")?;
        let document = document.ok_or("deletes")?;
        Document::try_from(document).map_err(|error| error.to_string())
    }

    fn of(text: &str) -> Result<Document, String> {
        document(&Identity::Record, &record(None, Some(text.as_bytes())))
    }

    #[test]
    fn every_json_value_becomes_a_document_of_the_same_values() {
        let found =
            of(r#" {"a": {"b": [1, null, {"c": "é\u00e9"}]}, "t": true, "a.b": "$x", "d": -0.5, "": 1} "#);
        let expected = doc! {
            "_id": "T:1:42", "a": {"b": [1, Bson::Null, {"c": "éé"}]}, "t": true, "a.b": "$x", "d": -0.5, "": 1
        };
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        let found =
            of(r#"{"a": 9007199254740993, "b": 18446744073709551615, "c": 2147483648, "d": 7}"#).unwrap();
        assert_eq!(found.get("a"), Some(&Bson::Int64(9_007_199_254_740_993)));
        assert_eq!(found.get("b").unwrap().to_string(), "18446744073709551615");
        assert_eq!(found.get("c"), Some(&Bson::Int64(2_147_483_648)));
        assert_eq!(found.get("d"), Some(&Bson::Int32(7)));
        let digits = "1".repeat(40);
        assert!(
            of(&format!(r#"{{"a": {digits}}}"#))
                .unwrap_err()
                .contains("more digits")
        );
    }

    #[test]
    fn the_last_of_two_members_of_a_name_counts() {
        assert_eq!(
            of(r#"{"a": 1, "b": 2, "a": 3}"#),
            Ok(doc! {"_id": "T:1:42", "a": 3, "b": 2})
        );
    }

    #[test]
    fn what_cannot_be_kept_is_told_why() {
        let big = format!(r#"{{"a": "{}"}}"#, "x".repeat(LARGEST));
        let deep = format!(r#"{{"a": {}{}}}"#, "[".repeat(200), "]".repeat(200));
        for (text, reason) in [
            ("", "it is empty"),
            ("Ana", "not JSON"),
            ("[1]", "not a JSON object"),
            ("12", "not a JSON object"),
            ("{\"a\": 1} x", "not JSON"),
            (r#"{"a": "\ud800"}"#, "not JSON"),
            (r#"{"a\u0000b": 1}"#, "NUL"),
            (r#"{"_id": 1}"#, "--id _id"),
            (&big, "too big"),
            (&deep, "nested"),
        ] {
            let said = of(text).unwrap_err();
            assert!(said.contains(reason), "{said}");
        }
        let latin = document(&Identity::Record, &record(None, Some(b"{\"a\": \"\xe9\"}")));
        assert_eq!(latin, Err("not UTF-8: a wrong byte at 7".to_owned()));
    }

    #[test]
    fn the_id_comes_from_the_key_or_a_field_when_asked_for() {
        let keyed = record(Some("ana"), Some(br#"{"dni": 5}"#));
        assert_eq!(
            document(&Identity::Key, &keyed),
            Ok(doc! {"_id": "ana", "dni": 5})
        );
        let field = Identity::Field("dni".to_owned());
        assert_eq!(document(&field, &keyed), Ok(doc! {"_id": 5, "dni": 5}));
        for none in ["null", "[1]", r#"{"$gt": 0}"#] {
            let value = format!("{{\"dni\": {none}}}");
            let said = document(&field, &record(None, Some(value.as_bytes()))).unwrap_err();
            assert_eq!(said, format!("the field `dni` cannot be an _id: {none}"));
        }
        let own = record(None, Some(br#"{"a": 1, "_id": 9}"#));
        assert_eq!(
            document(&Identity::Field("_id".to_owned()), &own),
            Ok(doc! {"_id": 9, "a": 1})
        );
        let gone = record(Some("ana"), None);
        assert_eq!(read(&gone, &Identity::Key, Json::Plain, "T").unwrap().1, None);
        assert!(
            read(&gone, &Identity::Record, Json::Plain, "T")
                .unwrap_err()
                .contains("tombstone")
        );
        assert!(
            read(&own, &Identity::Key, Json::Plain, "T")
                .unwrap_err()
                .contains("no key")
        );
    }

    #[test]
    fn extended_json_is_read_only_when_asked_for_and_names_a_document() {
        let own = Identity::Field("_id".to_owned());
        let value =
            br#"{"_id": {"$oid": "5d505646cf6d4fe581014ab2"}, "when": {"$date": "2020-01-01T00:00:00Z"}}"#;
        let exported = record(None, Some(value));
        let (id, document) = read(&exported, &own, Json::Extended, "T").unwrap();
        assert!(matches!(id, RawBson::ObjectId(_)));
        let document = Document::try_from(document.unwrap()).unwrap();
        assert!(matches!(document.get("when"), Some(Bson::DateTime(_))));
        assert!(
            read(&exported, &own, Json::Plain, "T")
                .unwrap_err()
                .contains("cannot be an _id")
        );
        // What would find other documents to replace.
        let pattern = br#"{"_id": {"$regularExpression": {"pattern": ".", "options": ""}}}"#;
        let said = read(&record(None, Some(pattern)), &own, Json::Extended, "T").unwrap_err();
        assert!(said.contains("cannot be an _id"), "{said}");
        let single = record(None, Some(br#"{"$oid": "5d505646cf6d4fe581014ab2"}"#));
        let said = read(&single, &Identity::Record, Json::Extended, "T").unwrap_err();
        assert!(said.contains("not a document"), "{said}");
    }
}
