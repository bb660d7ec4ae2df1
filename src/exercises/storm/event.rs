//! What the topology tells of a station.

use super::station::Position;
use serde_json::{Value, json};
use std::sync::Arc;

/// What happened to a station's bikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The last bike went.
    Empty,
    /// A bike came.
    NoLongerEmpty,
}

impl Event {
    /// That of a station that is now empty, or now is not, and was the other before.
    pub fn of(empty: bool) -> Self {
        if empty { Event::Empty } else { Event::NoLongerEmpty }
    }

    /// Its words in tuples and lines.
    pub fn words(self) -> &'static str {
        match self {
            Event::Empty => "station is empty",
            Event::NoLongerEmpty => "station is no longer empty",
        }
    }
}

/// An event and when the station said so, in milliseconds since 1970-01-01 UTC, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Told {
    /// What happened.
    pub event: Event,
    /// The station's `last_update`.
    pub last_update: Option<i64>,
}

/// An event with all that its tuple carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The city's contract.
    pub contract: Arc<str>,
    /// The station's number in it.
    pub number: i64,
    /// What happened, and when.
    pub told: Told,
    /// Where the record stands that is its cause.
    pub cause: Position,
}

impl Report {
    /// As `--output json` and output topics tell it.
    pub fn to_json(&self) -> Value {
        json!({
            "contract": &*self.contract,
            "number": self.number,
            "event": self.told.event.words(),
            "last_update": self.told.last_update,
            "partition": self.cause.partition,
            "offset": self.cause.offset,
        })
    }

    /// A line for people.
    pub fn to_line(&self) -> String {
        format!("{}: {} ({})", self.told.event.words(), self.number, self.contract)
    }
}
