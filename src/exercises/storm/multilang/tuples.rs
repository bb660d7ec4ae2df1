//! Where in a tuple the station and its record's position are. Whoever writes the topology decides what the tuples hold; the
//! names of their fields tell.

use crate::exercises::storm::{Position, Sight};
use serde_json::value::RawValue;

/// What a record's value is called: by ours, by KafkaSpout, by others.
const STATION: [&str; 4] = ["station", "value", "json", "record"];
/// What its place is called.
const PARTITION: &str = "partition";
const OFFSET: &str = "offset";

/// Which elements of a tuple are which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    station: Option<usize>,
    partition: Option<usize>,
    offset: Option<usize>,
}

impl Layout {
    /// That of tuples whose fields have these names.
    pub(super) fn of(names: &[String]) -> Self {
        let find = |wanted: &str| names.iter().position(|name| name == wanted);
        Layout {
            station: STATION.iter().find_map(|name| find(name)),
            partition: find(PARTITION),
            offset: find(OFFSET),
        }
    }

    /// That of tuples of which nothing is known.
    pub(super) const UNKNOWN: Layout = Layout {
        station: None,
        partition: None,
        offset: None,
    };

    /// Whether a record that comes again can be told by its place.
    pub(super) fn has_position(self) -> bool {
        self.offset.is_some()
    }

    /// The station's JSON, which may stand in the tuple as such or as a text.
    pub(super) fn station(self, tuple: &[&RawValue]) -> Option<String> {
        let is_one = |raw: &&&RawValue| {
            let text = raw.get();
            text.starts_with('{') || text.starts_with("\"{")
        };
        let found = match self.station {
            Some(at) => tuple.get(at),
            // Without a name, what looks like one.
            None => tuple.iter().rfind(is_one),
        };
        let text = found?.get();
        match text.starts_with('{') {
            true => Some(text.to_owned()),
            false => serde_json::from_str(text).ok(),
        }
    }

    /// Where the record stands. Without an offset a station's own time is its place, which its records share while it says
    /// the same.
    pub(super) fn position(self, tuple: &[&RawValue], sight: &Sight<'_>) -> Option<Position> {
        let number = |at: Option<usize>| {
            let raw = tuple.get(at?)?.get();
            // Some serializers write numbers as text.
            raw.trim_matches('"').parse::<i64>().ok()
        };
        let offset = match self.offset {
            Some(_) => number(self.offset)?,
            None => sight.last_update?,
        };
        let partition = number(self.partition).and_then(|number| i32::try_from(number).ok());
        Some(Position {
            partition: partition.unwrap_or(0),
            offset,
        })
    }
}
