//! What an API says of its stations, which need not be what JCDecaux says: only what names a station is asked for, the rest
//! is handed on as it came.

use super::Station;
use crate::bom;
use crate::exercises::json::compact;
use crate::failure::Outcome;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// So much of what an API says is told.
const SHOWN: usize = 200;
/// Where APIs put their reason when they refuse, the plainest first.
const REASONS: [&str; 6] = [
    "error_description",
    "message",
    "detail",
    "error",
    "title",
    "status",
];

/// A station as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    number: i64,
    contract_name: String,
    stands: Option<i64>,
    json: String,
}

/// The stations of one answer, and what is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Those with number and contract.
    pub stations: Vec<Told>,
    /// For each of the others, which it is and what it lacks.
    pub skipped: Vec<String>,
}

impl Told {
    /// One of the simulated city.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(station: &Station) -> Outcome<Self> {
        Ok(Told {
            number: station.number,
            contract_name: station.contract_name.clone(),
            stands: Some(station.available_bike_stands),
            json: station.to_json()?,
        })
    }

    /// Unique within a contract.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// `CONTRACT/NUMBER`: unique among all cities.
    pub fn id(&self) -> String {
        format!("{}/{}", self.contract_name, self.number)
    }

    /// Stands that can take a bike, if it says so.
    pub fn stands(&self) -> Option<i64> {
        self.stands
    }

    /// The record's value: the station's JSON in one line, as it was told.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// Reads an API's answer: an array of stations.
///
/// # Errors
/// When it is no array; what it says instead.
pub fn read(body: &[u8]) -> Result<Answer, String> {
    let all: Vec<&RawValue> = serde_json::from_slice(bom::skip(body)).map_err(|error| match said(body) {
        Some(said) => format!("it says: {said}"),
        None => error.to_string(),
    })?;
    let mut answer = Answer::default();
    for (place, raw) in all.into_iter().enumerate() {
        match station(raw) {
            Ok(told) => answer.stations.push(told),
            Err(why) => answer
                .skipped
                .push(format!("station {} of the answer: {why}", place + 1)),
        }
    }
    Ok(answer)
}

/// What names a station, and what is counted.
#[derive(Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "whole")]
    number: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    contract_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    available_bike_stands: Option<i64>,
}

fn station(raw: &RawValue) -> Result<Told, String> {
    let named: Named = match raw.get().starts_with('{') {
        true => serde_json::from_str(raw.get()).map_err(|error| error.to_string())?,
        false => return Err(format!("it is {}", cut(raw.get()))),
    };
    let about = match (named.number, &named.contract_name, named.name) {
        (Some(number), _, _) => format!(" (number {number})"),
        (None, _, Some(name)) => format!(" (`{}`)", cut(&name)),
        (None, Some(contract), None) => format!(" (of `{}`)", cut(contract)),
        (None, None, None) => String::new(),
    };
    Ok(Told {
        number: named.number.ok_or_else(|| format!("no `number`{about}"))?,
        contract_name: named
            .contract_name
            .filter(|name| !name.is_empty())
            .ok_or_else(|| format!("no `contract_name`{about}"))?,
        stands: named.available_bike_stands,
        json: String::from_utf8(compact(raw.get().as_bytes())).map_err(|error| error.to_string())?,
    })
}

/// A whole number, however it is written; none for anything else.
///
/// # Errors
/// When it is no JSON.
pub fn whole<'de, D: Deserializer<'de>>(value: D) -> Result<Option<i64>, D::Error> {
    /// Up to here each whole number is a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = Value::deserialize(value)?;
    Ok(value.as_i64().or_else(|| {
        let real = value.as_f64()?;
        (real.fract() == 0.0 && real.abs() <= EXACT).then_some(real as i64)
    }))
}

/// A text; none for anything else.
///
/// # Errors
/// When it is no JSON.
pub fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// What an answer that is no list of stations says, in a line; none when it is empty.
pub fn said(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bom::skip(body));
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return Some(cut(&reason(&value).unwrap_or_else(|| value.to_string())));
    }
    if text.starts_with('<') {
        return Some(match title(text) {
            Some(title) => format!("a web page, `{}`", cut(&title)),
            None => "a web page".to_owned(),
        });
    }
    Some(cut(text))
}

fn reason(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => REASONS.iter().find_map(|name| reason(object.get(*name)?)),
        Value::Array(all) if all.len() == 1 => reason(all.first()?),
        _ => None,
    }
}

fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let from = lower.find("<title")?;
    let from = from + lower.get(from..)?.find('>')? + 1;
    let length = lower.get(from..)?.find("</title")?;
    let title = page.get(from..from + length)?.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

/// In one line, and no longer than anybody reads.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_number_and_contract_is_handed_on_as_it_came_and_the_rest_is_named() {
        let body = r#"[
            {"number": 1, "contract_name": "Lyon", "position": null, "available_bike_stands": 2.5, "status": 7},
            {"number": 2.0, "contract_name": "Lyon", "available_bike_stands": 4},
            {"contract_name": "Lyon", "name": "BELLECOUR"},
            {"number": 4, "contract_name": null},
            {"number": 4.5, "contract_name": "Lyon"},
            {"number": "5", "contract_name": ""},
            null, [1], 7,
            {"number": 9, "contract_name": "Lyon", "name": "a \"b\" c", "big": 18446744073709551616}
        ]"#;
        let answer = read(body.as_bytes()).unwrap();
        let told: Vec<(String, Option<i64>)> = answer
            .stations
            .iter()
            .map(|told| (told.id(), told.stands()))
            .collect();
        let expected = [("Lyon/1", None), ("Lyon/2", Some(4)), ("Lyon/9", None)];
        assert_eq!(told, expected.map(|(id, stands)| (id.to_owned(), stands)));
        assert_eq!(
            answer.stations[0].json(),
            r#"{"number":1,"contract_name":"Lyon","position":null,"available_bike_stands":2.5,"status":7}"#
        );
        assert!(
            answer.stations[2]
                .json()
                .ends_with(r#""name":"a \"b\" c","big":18446744073709551616}"#)
        );
        assert_eq!(
            answer.skipped,
            [
                "station 3 of the answer: no `number` (`BELLECOUR`)",
                "station 4 of the answer: no `contract_name` (number 4)",
                "station 5 of the answer: no `number` (of `Lyon`)",
                "station 6 of the answer: no `number` (of ``)",
                "station 7 of the answer: it is null",
                "station 8 of the answer: it is [1]",
                "station 9 of the answer: it is 7",
            ]
        );
    }

    #[test]
    fn an_answer_that_is_no_list_is_told_as_what_it_says() {
        for (body, expected) in [
            (r#"{"error":"Unauthorized"}"#, "Unauthorized"),
            (
                r#"{"error":{"code":7,"message":"quota exceeded"}}"#,
                "quota exceeded",
            ),
            (r#"{"errors":["a","b"]}"#, r#"{"errors":["a","b"]}"#),
            (r#"["too many requests"]"#, "too many requests"),
            (r#""later""#, "later"),
            (
                "<!DOCTYPE html>\n<html><head><TITLE>\n502 Bad\n Gateway</TITLE>",
                "a web page, `502 Bad Gateway`",
            ),
            ("<html>", "a web page"),
            ("Service\nUnavailable\n", "Service Unavailable"),
            ("\u{feff}oops", "oops"),
        ] {
            assert_eq!(said(body.as_bytes()).as_deref(), Some(expected), "{body}");
        }
        assert_eq!(said(b" \n"), None);
        assert_eq!(
            said("x".repeat(900).as_bytes()).map(|said| said.chars().count()),
            Some(SHOWN + 1)
        );
        assert_eq!(
            read(br#"{"error":"Unauthorized"}"#).unwrap_err(),
            "it says: Unauthorized"
        );
        assert!(read(b"").unwrap_err().contains("EOF"));
    }

    #[test]
    fn a_byte_order_mark_before_the_list_is_no_part_of_it() {
        let body = "\u{feff}[{\"number\":1,\"contract_name\":\"Lyon\"}]";
        assert_eq!(read(body.as_bytes()).unwrap().stations.len(), 1);
    }
}
