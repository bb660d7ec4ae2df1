//! What a monitor remembers of the stations, and what a new record changes in it. Pure: no Kafka, no clock.
//!
//! As in the classic program, one process has one memory: a record is compared with the last one of that station, no
//! matter which of its partitions that came from. But every note says which partition it came from, because partitions
//! change hands: a partition takes its notes along, and leaves none behind.
//!
//! - With keys, a station is in one partition, so its notes are always where its records are: every change is found once.
//! - Without keys, a station's records are in all partitions. One monitor with all of them still finds every change
//!   once. Two monitors each see a part of the records, so each finds the changes by itself: most are reported twice,
//!   some of them a few rounds late and added up. That is the lesson, not a mistake of the memory.
//!
//! Two partitions are read in no certain order. A record from another partition than the last one, and written earlier
//! (by its timestamp) than it, is old news and changes nothing. Within a partition the order of the offsets counts alone.

use super::told::{text, whole};
use crate::kafka::group_consumer::Received;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashMap;

/// The part of a station's record that monitors look at. Without the first three it is of no use to them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sighting {
    /// Unique within a contract only.
    #[serde(deserialize_with = "needed")]
    pub number: i64,
    /// The city's contract.
    pub contract_name: String,
    /// Stands that can take a bike.
    #[serde(deserialize_with = "needed")]
    pub available_bike_stands: i64,
    /// The street.
    #[serde(default, deserialize_with = "text")]
    pub address: Option<String>,
    /// The station's name, for want of a street.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// Bikes that can be taken.
    #[serde(default, deserialize_with = "whole")]
    pub available_bikes: Option<i64>,
    /// When the API last heard from the station, in milliseconds since 1970-01-01 UTC.
    #[serde(default, deserialize_with = "whole")]
    pub last_update: Option<i64>,
}

/// A whole number, however it is written, which must be there.
///
/// # Errors
/// When it is anything else.
pub fn needed<'de, D: Deserializer<'de>>(value: D) -> Result<i64, D::Error> {
    whole(value)?.ok_or_else(|| D::Error::custom("no whole number where one is needed"))
}

impl Sighting {
    /// `CONTRACT/NUMBER`: unique among all cities.
    pub fn station(&self) -> String {
        format!("{}/{}", self.contract_name, self.number)
    }

    /// Where it is, in words: its street, else its name, else its number.
    pub fn address(&self) -> String {
        let words = self.address.as_ref().or(self.name.as_ref());
        words.map_or_else(|| format!("station {}", self.number), Clone::clone)
    }
}

/// What is remembered of one station in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Free stands.
    pub stands: i64,
    /// Bikes, if any record has said so yet.
    pub bikes: Option<i64>,
    /// The timestamp of the record that said so.
    pub timestamp: Option<i64>,
    /// Its offset.
    pub offset: i64,
    /// What the group had committed for the partition when this was written: a smaller commit found later means that
    /// someone moved the group back on purpose.
    pub committed: i64,
}

/// A station's notes are kept by partition and station.
pub type Place = (i32, String);

/// What a record told that was not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// More (or, negative, fewer) free stands than before; 0 at first sight.
    pub change: i64,
    /// There were bikes before, and now there is none.
    pub ran_empty: bool,
    /// What to remember.
    pub note: Note,
}

/// The last of a station among all partitions of this process.
#[derive(Debug, Clone, Copy)]
struct Last {
    partition: i32,
    stands: i64,
    bikes: Option<i64>,
    timestamp: Option<i64>,
}

/// A monitor's memory.
#[derive(Debug, Default)]
pub struct Memory {
    notes: HashMap<Place, Note>,
    last: HashMap<String, Last>,
}

impl Memory {
    /// Takes over notes of a partition, in the order in which they were written.
    pub fn restore(&mut self, place: Place, note: Note) {
        let (partition, station) = &place;
        let newer = self
            .last
            .get(station)
            .is_none_or(|last| last.partition == *partition || last.timestamp <= note.timestamp);
        if newer {
            self.last.insert(
                station.clone(),
                Last {
                    partition: *partition,
                    stands: note.stands,
                    bikes: note.bikes,
                    timestamp: note.timestamp,
                },
            );
        }
        self.notes.insert(place, note);
    }

    /// Looks at what a record tells. `committed` is what the group has committed for its partition. None when the
    /// record tells nothing new, or was looked at before.
    pub fn look(&mut self, record: &Received, committed: i64, sighting: &Sighting) -> Option<News> {
        let &Received {
            partition,
            offset,
            timestamp,
            ..
        } = record;
        let station = sighting.station();
        let place = (partition, station.clone());
        let noted = self.notes.get(&place).copied();
        if noted.is_some_and(|note| offset <= note.offset) {
            return None;
        }
        let before = self.last.get(&station).copied();
        if before.is_some_and(|last| {
            last.partition != partition && timestamp.is_some() && timestamp < last.timestamp
        }) {
            return None;
        }
        // A record that does not say it changes nothing about the bikes.
        let bikes = sighting
            .available_bikes
            .or_else(|| before.and_then(|last| last.bikes));
        self.last.insert(
            station,
            Last {
                partition,
                stands: sighting.available_bike_stands,
                bikes,
                timestamp,
            },
        );
        let now = (sighting.available_bike_stands, bikes);
        let known = before.is_some_and(|last| (last.stands, last.bikes) == now);
        // A partition whose note is out of date gets a new one even if another partition told the change before:
        // otherwise it would take the old one along to another monitor.
        if known && noted.is_some_and(|note| (note.stands, note.bikes) == now) {
            return None;
        }
        let note = Note {
            stands: sighting.available_bike_stands,
            bikes,
            timestamp,
            offset,
            committed,
        };
        self.notes.insert(place, note);
        Some(News {
            change: before.map_or(0, |last| sighting.available_bike_stands - last.stands),
            ran_empty: before.is_some_and(|last| last.bikes > Some(0)) && bikes == Some(0),
            note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(memory: &mut Memory, partition: i32, offset: i64, stands: i64, timestamp: i64) -> Option<News> {
        let record = Received {
            partition,
            offset,
            timestamp: Some(timestamp),
            key: None,
            value: None,
            headers: Vec::new(),
        };
        let sighting = Sighting {
            number: 5,
            contract_name: "Toulouse".into(),
            address: Some("5 RUE LEDUC".into()),
            name: None,
            available_bike_stands: stands,
            available_bikes: Some(10 - stands),
            last_update: Some(timestamp),
        };
        memory.look(&record, 0, &sighting)
    }

    fn change(news: Option<News>) -> Option<i64> {
        news.map(|news| news.change)
    }

    #[test]
    fn a_first_sight_says_nothing_and_a_change_is_told_once() {
        let mut memory = Memory::default();
        assert_eq!(change(look(&mut memory, 0, 0, 4, 1)), Some(0));
        assert_eq!(change(look(&mut memory, 0, 1, 4, 1)), None);
        assert_eq!(change(look(&mut memory, 0, 2, 6, 2)), Some(2));
        assert_eq!(change(look(&mut memory, 0, 3, 5, 3)), Some(-1));
    }

    #[test]
    fn what_was_noted_before_a_crash_is_not_told_again_after_it() {
        let mut dead = Memory::default();
        let first = look(&mut dead, 0, 0, 4, 1).unwrap();
        let second = look(&mut dead, 0, 1, 6, 2).unwrap();
        let mut heir = Memory::default();
        heir.restore((0, "Toulouse/5".into()), first.note);
        heir.restore((0, "Toulouse/5".into()), second.note);
        assert_eq!(look(&mut heir, 0, 0, 4, 1), None);
        assert_eq!(look(&mut heir, 0, 1, 6, 2), None);
        assert_eq!(change(look(&mut heir, 0, 2, 7, 3)), Some(1));
    }

    #[test]
    fn a_partition_takes_the_newest_state_along_although_another_one_told_it() {
        let mut giver = Memory::default();
        look(&mut giver, 2, 0, 3, 1);
        assert_eq!(change(look(&mut giver, 8, 0, 4, 2)), Some(1));
        let moved = look(&mut giver, 7, 0, 4, 3).unwrap();
        assert_eq!(moved.change, 0);
        let mut taker = Memory::default();
        look(&mut taker, 1, 0, 3, 1);
        taker.restore((7, "Toulouse/5".into()), moved.note);
        assert_eq!(change(look(&mut taker, 7, 1, 5, 4)), Some(1));
    }

    #[test]
    fn old_news_from_another_partition_changes_nothing() {
        let mut memory = Memory::default();
        look(&mut memory, 0, 0, 4, 1);
        assert_eq!(change(look(&mut memory, 7, 0, 6, 3)), Some(2));
        assert_eq!(look(&mut memory, 3, 0, 5, 2), None);
        assert_eq!(change(look(&mut memory, 0, 1, 7, 4)), Some(1));
    }

    #[test]
    fn a_sighting_asks_only_for_what_it_uses() {
        let read = |json: &str| serde_json::from_str::<Sighting>(json);
        let bare = read(r#"{"number": 5.0, "contract_name": "Lyon", "available_bike_stands": 3}"#).unwrap();
        assert_eq!(
            (bare.address().as_str(), bare.available_bikes),
            ("station 5", None)
        );
        let odd = r#"{"number": 5, "contract_name": "Lyon", "available_bike_stands": 3, "address": null,
            "name": "BELLECOUR", "available_bikes": 1.5, "last_update": "never", "position": 7}"#;
        let odd = read(odd).unwrap();
        assert_eq!(
            (odd.address().as_str(), odd.available_bikes, odd.last_update),
            ("BELLECOUR", None, None)
        );
        for none in [
            r#"{"contract_name": "Lyon", "available_bike_stands": 3}"#,
            r#"{"number": 5, "available_bike_stands": 3}"#,
            r#"{"number": 5, "contract_name": "Lyon", "available_bike_stands": null}"#,
            r#"{"number": 5.5, "contract_name": "Lyon", "available_bike_stands": 3}"#,
        ] {
            assert!(read(none).is_err(), "{none}");
        }
    }

    #[test]
    fn bikes_that_a_record_does_not_tell_are_as_they_were() {
        let mut memory = Memory::default();
        let mut tell = |offset: i64, stands: i64, bikes: Option<i64>| {
            let record = Received {
                partition: 0,
                offset,
                timestamp: Some(offset),
                key: None,
                value: None,
                headers: Vec::new(),
            };
            let sighting = Sighting {
                number: 5,
                contract_name: "Toulouse".into(),
                address: None,
                name: None,
                available_bike_stands: stands,
                available_bikes: bikes,
                last_update: None,
            };
            memory.look(&record, 0, &sighting).map(|news| news.ran_empty)
        };
        assert_eq!(tell(0, 1, Some(2)), Some(false));
        assert_eq!(tell(1, 1, None), None);
        assert_eq!(tell(2, 3, Some(0)), Some(true));
        assert_eq!(tell(3, 2, None), Some(false));
    }

    #[test]
    fn a_station_runs_empty_once() {
        let mut memory = Memory::default();
        assert!(!look(&mut memory, 0, 0, 9, 1).unwrap().ran_empty);
        assert!(look(&mut memory, 0, 1, 10, 2).unwrap().ran_empty);
        assert_eq!(look(&mut memory, 0, 2, 10, 3), None);
        assert!(!look(&mut memory, 0, 3, 8, 4).unwrap().ran_empty);
    }
}
