//! What the topology reads of a station's record: which station it is, and whether it has bikes.

use crate::exercises::velib::memory::needed;
use crate::exercises::velib::told::whole;
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {} offset {}", self.partition, self.offset)
    }
}

/// A station as one record tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sight<'a> {
    /// The city's contract.
    #[serde(borrow, rename = "contract_name")]
    pub contract: Cow<'a, str>,
    /// Unique within a contract only.
    #[serde(deserialize_with = "needed")]
    pub number: i64,
    /// Bikes that can be taken, if it says so.
    #[serde(default, deserialize_with = "whole")]
    available_bikes: Option<i64>,
    /// When the station was last heard from, in milliseconds since 1970-01-01 UTC, if it ever was.
    #[serde(default, deserialize_with = "whole")]
    pub last_update: Option<i64>,
}

impl<'a> Sight<'a> {
    /// Reads a record's value.
    ///
    /// # Errors
    /// When it is no station, in words.
    pub fn read(value: &'a [u8]) -> Result<Self, String> {
        let sight: Sight<'a> = serde_json::from_slice(value).map_err(|error| error.to_string())?;
        if sight.contract.is_empty() {
            return Err("its `contract_name` is empty".to_owned());
        }
        Ok(sight)
    }

    /// Whether there is no bike; none when the record does not say.
    pub fn is_empty(&self) -> Option<bool> {
        self.available_bikes
            .filter(|bikes| *bikes >= 0)
            .map(|bikes| bikes == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_is_what_has_contract_and_number_and_may_say_nothing_of_its_bikes() {
        let read = |json: &'static str| Sight::read(json.as_bytes()).map(|sight| sight.is_empty());
        let odd =
            r#"{"number": 5.0, "contract_name": "Lyon \u00e9", "available_bikes": 0, "position": null}"#;
        assert_eq!(read(odd), Ok(Some(true)));
        assert_eq!(
            Sight::read(odd.as_bytes()).map(|sight| (sight.contract.into_owned(), sight.number)),
            Ok(("Lyon é".to_owned(), 5))
        );
        for (bikes, empty) in [
            ("3", Some(false)),
            ("null", None),
            ("1.5", None),
            ("-1", None),
            ("\"0\"", None),
        ] {
            let json = format!(r#"{{"number":1,"contract_name":"Lyon","available_bikes":{bikes}}}"#);
            assert_eq!(Sight::read(json.as_bytes()).unwrap().is_empty(), empty, "{bikes}");
        }
        assert_eq!(read(r#"{"number":1,"contract_name":"Lyon"}"#), Ok(None));
        for none in [
            "",
            "null",
            "hello",
            "[]",
            r#"{"number":1}"#,
            r#"{"contract_name":"Lyon"}"#,
            r#"{"number":1,"contract_name":""}"#,
            r#"{"number":1.5,"contract_name":"Lyon"}"#,
            r#"{"number":1,"contract_name":7}"#,
        ] {
            assert!(read(none).is_err(), "{none}");
        }
    }
}
