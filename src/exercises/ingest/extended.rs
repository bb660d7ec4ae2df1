//! MongoDB's extended JSON: kinds of BSON that JSON has not, written as objects with one `$` name.
//!
//! Version 2 in both forms, canonical and relaxed, is read by the `bson` crate. Version 1, which MongoDB's source connector
//! writes by default, differs in two kinds, which are brought to version 2 first. Plain numbers are not its business: they
//! keep all their digits, as without extended JSON.

use super::document::{self, Json, Member};
use mongodb::bson::{Bson, RawBson, RawJavaScriptCodeWithScope};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The names by which a kind is told.
const KINDS: [&str; 16] = [
    "$oid",
    "$date",
    "$numberInt",
    "$numberLong",
    "$numberDouble",
    "$numberDecimal",
    "$binary",
    "$uuid",
    "$regularExpression",
    "$timestamp",
    "$minKey",
    "$maxKey",
    "$undefined",
    "$symbol",
    "$code",
    "$dbPointer",
];
/// What version 1 calls a regular expression. The name is an operator's too, so only both of these make one.
const OLD_REGEX: [&str; 2] = ["$regex", "$options"];
/// So much of a malformed value is shown.
const SHOWN: usize = 100;

/// Whether an object stands for one value of a kind that JSON has not.
pub fn is_value(members: &[Member<'_>]) -> bool {
    let has = |name: &str| members.iter().any(|(key, _)| key == name);
    KINDS.into_iter().any(has) || (members.len() == 2 && OLD_REGEX.into_iter().all(has))
}

/// The value that an object stands for.
///
/// # Errors
/// Why it stands for none, in words.
pub fn convert(raw: &RawValue, members: &[Member<'_>], depth: usize) -> Result<RawBson, String> {
    let malformed = |why: String| {
        let shown: String = raw.get().chars().take(SHOWN).collect();
        format!("malformed extended JSON {shown}: {why}")
    };
    if let Some(code) = code_with_scope(members, depth)? {
        return Ok(code);
    }
    let value: Value = serde_json::from_str(raw.get()).map_err(|error| malformed(error.to_string()))?;
    let value = Bson::try_from(of_version_2(value)).map_err(|error| malformed(error.to_string()))?;
    match &value {
        // Rust reads a number that is too big as infinity.
        Bson::Double(number) if number.is_infinite() && !raw.get().contains("Infinity") => {
            return Err(malformed("the number is bigger than any double".to_owned()));
        }
        Bson::Document(_) => return Err(malformed("it has other names too".to_owned())),
        _ => {}
    }
    RawBson::try_from(value).map_err(|error| malformed(error.to_string()))
}

/// The scope of code is a document like any other.
fn code_with_scope(members: &[Member<'_>], depth: usize) -> Result<Option<RawBson>, String> {
    let [(one, code), (other, scope)] = members else {
        return Ok(None);
    };
    let (code, scope) = match (one.as_ref(), other.as_ref()) {
        ("$code", "$scope") => (code, scope),
        ("$scope", "$code") => (scope, code),
        _ => return Ok(None),
    };
    match (
        document::convert(code, Json::Plain, depth + 1)?,
        document::convert(scope, Json::Extended, depth + 1)?,
    ) {
        (RawBson::String(code), RawBson::Document(scope)) => Ok(Some(RawBson::JavaScriptCodeWithScope(
            RawJavaScriptCodeWithScope { code, scope },
        ))),
        _ => Ok(None),
    }
}

/// `{"$binary": BASE64, "$type": HEX}` and `{"$regex": PATTERN, "$options": LETTERS}` as version 2 writes them.
fn of_version_2(value: Value) -> Value {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let pair = value.as_object().is_some_and(|object| object.len() == 2);
    match (text("$binary"), text("$type"), text("$regex"), text("$options")) {
        (Some(base64), Some(kind), None, None) if pair => {
            json!({"$binary": {"base64": base64, "subType": format!("{kind:0>2}")}})
        }
        (None, None, Some(pattern), Some(options)) if pair => {
            json!({"$regularExpression": {"pattern": pattern, "options": options}})
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::raw::cstr;
    use mongodb::bson::spec::BinarySubtype;
    use mongodb::bson::{Binary, DateTime, DbPointer, JavaScriptCodeWithScope, Regex, Timestamp, doc};

    fn read(json: &str) -> Result<Bson, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let value = document::convert(raw, Json::Extended, 1)?;
        Ok(Bson::try_from(value).unwrap())
    }

    fn binary(subtype: BinarySubtype, bytes: &[u8]) -> Bson {
        Bson::Binary(Binary {
            subtype,
            bytes: bytes.to_vec(),
        })
    }

    fn regex() -> Bson {
        Bson::RegularExpression(Regex {
            pattern: cstr!("^a").into(),
            options: cstr!("im").into(),
        })
    }

    #[test]
    fn numbers_ids_and_dates_are_read_in_each_form() {
        let oid = ObjectId::parse_str("5d505646cf6d4fe581014ab2").unwrap();
        let date = Bson::DateTime(DateTime::from_millis(1_565_546_054_692));
        for (json, value) in [
            (r#"{"$oid":"5d505646cf6d4fe581014ab2"}"#, Bson::ObjectId(oid)),
            (r#"{"$date":"2019-08-11T17:54:14.692Z"}"#, date.clone()),
            (r#"{"$date":"2019-08-11T19:54:14.692+02:00"}"#, date.clone()),
            (r#"{"$date":{"$numberLong":"1565546054692"}}"#, date.clone()),
            (r#"{"$date":1565546054692}"#, date),
            (
                r#"{"$date":{"$numberLong":"-1"}}"#,
                Bson::DateTime(DateTime::from_millis(-1)),
            ),
            (r#"{"$numberInt":"42"}"#, Bson::Int32(42)),
            (r#"{"$numberLong":"42"}"#, Bson::Int64(42)),
            (r#"{"$numberDouble":"42.0"}"#, Bson::Double(42.0)),
            (
                r#"{"$numberDouble":"-Infinity"}"#,
                Bson::Double(f64::NEG_INFINITY),
            ),
            (
                r#"{"$numberDecimal":"1.50"}"#,
                Bson::Decimal128("1.50".parse().unwrap()),
            ),
            // Plain ones keep to the narrowest kind that has all digits.
            ("42", Bson::Int32(42)),
            ("4200000000", Bson::Int64(4_200_000_000)),
            (
                "42000000000000000000",
                Bson::Decimal128("42000000000000000000".parse().unwrap()),
            ),
        ] {
            assert_eq!(read(json), Ok(value), "{json}");
        }
        assert!(matches!(read(r#"{"$numberDouble":"NaN"}"#), Ok(Bson::Double(number)) if number.is_nan()));
    }

    #[test]
    fn all_other_kinds_are_read_too_and_those_of_version_1() {
        let pointer = r#"{"$dbPointer":{"$ref":"a.b","$id":{"$oid":"5d505646cf6d4fe581014ab2"}}}"#;
        let uuid = b"\xc8\xed\xab\xc3\xf7\x38\x4c\xa3\xb6\x8d\xab\x92\xa9\x14\x78\xa3";
        let stamp = Bson::Timestamp(Timestamp {
            time: 7,
            increment: 9,
        });
        for (json, value) in [
            (
                r#"{"$binary":{"base64":"AQI=","subType":"00"}}"#,
                binary(BinarySubtype::Generic, &[1, 2]),
            ),
            (
                r#"{"$binary":"AQI=","$type":"00"}"#,
                binary(BinarySubtype::Generic, &[1, 2]),
            ),
            (
                r#"{"$type":"5","$binary":"AQI="}"#,
                binary(BinarySubtype::Md5, &[1, 2]),
            ),
            (
                r#"{"$uuid":"c8edabc3-f738-4ca3-b68d-ab92a91478a3"}"#,
                binary(BinarySubtype::Uuid, uuid),
            ),
            (
                r#"{"$regularExpression":{"pattern":"^a","options":"im"}}"#,
                regex(),
            ),
            (r#"{"$regex":"^a","$options":"im"}"#, regex()),
            (r#"{"$timestamp":{"t":7,"i":9}}"#, stamp),
            (r#"{"$minKey":1}"#, Bson::MinKey),
            (r#"{"$maxKey":1}"#, Bson::MaxKey),
            (r#"{"$undefined":true}"#, Bson::Undefined),
            (r#"{"$symbol":"s"}"#, Bson::Symbol("s".into())),
            (r#"{"$code":"f()"}"#, Bson::JavaScriptCode("f()".into())),
            (
                r#"{"$code":"f()","$scope":{"n":18446744073709551615,"d":{"$numberInt":"1"}}}"#,
                Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
                    code: "f()".into(),
                    scope: doc! {"n": Bson::Decimal128("18446744073709551615".parse().unwrap()), "d": 1},
                }),
            ),
        ] {
            assert_eq!(read(json), Ok(value), "{json}");
        }
        assert!(matches!(read(pointer), Ok(Bson::DbPointer(DbPointer { .. }))));
    }

    #[test]
    fn what_only_looks_like_it_is_a_document() {
        for (json, value) in [
            (r#"{"oid":"x"}"#, doc! {"oid": "x"}),
            (
                r#"{"$ref":"people","$id":{"$numberInt":"7"}}"#,
                doc! {"$ref": "people", "$id": 7},
            ),
            (r#"{"$regex":"^a"}"#, doc! {"$regex": "^a"}),
            (r#"{"a":[{"b":{"$numberLong":"1"}}]}"#, doc! {"a": [{"b": 1_i64}]}),
        ] {
            assert_eq!(read(json), Ok(Bson::Document(value)), "{json}");
        }
    }

    #[test]
    fn a_malformed_value_is_refused_with_the_reason() {
        for json in [
            r#"{"$oid":"123"}"#,
            r#"{"$oid":5}"#,
            r#"{"$oid":"5d505646cf6d4fe581014ab2","x":1}"#,
            r#"{"$date":"yesterday"}"#,
            r#"{"$date":{"$numberLong":"1.5"}}"#,
            r#"{"$numberInt":"3000000000"}"#,
            r#"{"$numberInt":3}"#,
            r#"{"$numberLong":"9223372036854775808"}"#,
            r#"{"$numberDouble":"many"}"#,
            r#"{"$numberDouble":"1e999"}"#,
            r#"{"$numberDecimal":"12345678901234567890123456789012345"}"#,
            r#"{"$binary":{"base64":"?","subType":"00"}}"#,
            r#"{"$binary":"AQI="}"#,
            r#"{"$uuid":"no"}"#,
            r#"{"$timestamp":{"t":-1,"i":0}}"#,
            r#"{"$minKey":2}"#,
            r#"{"$undefined":false}"#,
            r#"{"$code":"f()","$scope":5}"#,
            r#"{"$code":5}"#,
        ] {
            let said = read(json).expect_err(json);
            assert!(
                said.starts_with(&format!("malformed extended JSON {json}: ")),
                "{said}"
            );
        }
    }
}
