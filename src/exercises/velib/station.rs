//! A station as JCDecaux's API tells it, and the real answer that the offline source begins with.

use crate::failure::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One real answer of the API; `data/README.md` names its source and licence.
const SNAPSHOT: &str = include_str!("data/stations-toulouse-2016-05-22.json");

/// What [`Station::status`] says of a station that lends bikes.
pub const OPEN: &str = "OPEN";

/// What [`Station::status`] says of a station that does not.
pub const CLOSED: &str = "CLOSED";

/// Where a station is, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
}

/// A station. Serialises with the API's field order; fields we do not know survive, after those we do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// Unique within a contract only.
    pub number: i64,
    /// The city's contract, `Toulouse`.
    pub contract_name: String,
    /// The station's name, with its number in front.
    pub name: String,
    /// The street.
    pub address: String,
    /// Where it is.
    pub position: Position,
    /// Whether it takes bank cards.
    pub banking: bool,
    /// Whether returning a bike here earns time (stations uphill).
    pub bonus: bool,
    /// All stands, those out of service included.
    pub bike_stands: i64,
    /// Stands that can take a bike.
    pub available_bike_stands: i64,
    /// Bikes that can be taken.
    pub available_bikes: i64,
    /// `OPEN` or `CLOSED`.
    pub status: String,
    /// When the API last heard from the station, in milliseconds since 1970-01-01 UTC; none if it never did.
    pub last_update: Option<i64>,
    /// Whatever else the API says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Station {
    /// Whether it lends and takes bikes.
    pub fn is_open(&self) -> bool {
        self.status == OPEN
    }

    /// `CONTRACT/NUMBER`: unique among all cities.
    pub fn id(&self) -> String {
        format!("{}/{}", self.contract_name, self.number)
    }

    /// The record's value: the station's JSON in one line.
    ///
    /// # Errors
    /// When a number of the API cannot be written as JSON.
    pub fn to_json(&self) -> Outcome<String> {
        serde_json::to_string(self)
            .map_err(|error| Failure::request("cannot write a station as JSON").because(error))
    }
}

/// Reads the API's answer: an array of stations.
///
/// # Errors
/// When it is anything else.
pub fn parse_stations(json: &[u8]) -> Outcome<Vec<Station>> {
    serde_json::from_slice(json)
        .map_err(|error| Failure::request("the answer is not a list of stations").because(error))
}

/// The 280 stations of Toulouse on 22 May 2016.
///
/// # Errors
/// Never in a program that passed its tests.
pub fn snapshot() -> Outcome<Vec<Station>> {
    parse_stations(SNAPSHOT.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_station_of_the_snapshot_is_written_back_byte_for_byte() {
        let written: Vec<String> = snapshot()
            .unwrap()
            .iter()
            .map(|station| station.to_json().unwrap())
            .collect();
        let read: Vec<&str> = SNAPSHOT
            .lines()
            .map(|line| line.trim_end_matches(','))
            .filter(|line| line.starts_with('{'))
            .collect();
        assert_eq!(written.len(), 280);
        assert_eq!(written, read);
    }

    #[test]
    fn fields_that_only_the_live_api_has_survive() {
        let line = SNAPSHOT.lines().nth(1).unwrap().trim_end_matches(",");
        let with_more = line.replace("\"status\"", "\"overflow\":{\"bikes\":3},\"status\"");
        let station: Station = serde_json::from_str(&with_more).unwrap();
        assert!(
            station
                .to_json()
                .unwrap()
                .ends_with(",\"overflow\":{\"bikes\":3}}")
        );
    }
}
