//! Facts about what stream programs have made of a topic: what a changelog remembers, and which events were told.

use super::{Have, Renames, Said, Seen};
use crate::course::look::Look;
use crate::failure::Outcome;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of stream programs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StreamFact {
    /// How many trips wait for a chunk, as their changelog says.
    TripsWaiting { topic: String },
    /// How many keys' newest record has no value, so that they are forgotten.
    Forgotten { topic: String },
    /// How many events a count of all records of `from` finds that were never told in the topic.
    EventsMissed { topic: String, from: String },
}

impl StreamFact {
    pub(super) const NAMES: &[&str] = &["trips-waiting", "forgotten", "events-missed"];

    pub(super) fn topic(&self) -> &str {
        let (Self::TripsWaiting { topic } | Self::Forgotten { topic } | Self::EventsMissed { topic, .. }) =
            self;
        topic
    }

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        if let Self::EventsMissed { from, .. } = self {
            *from = names.name(from);
        }
        let (Self::TripsWaiting { topic } | Self::Forgotten { topic } | Self::EventsMissed { topic, .. }) =
            self;
        *topic = names.name(topic);
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        match self {
            Self::TripsWaiting { topic } => Ok(Have::count(waiting(&look.records(topic)?))),
            Self::Forgotten { topic } => Ok(Have::count(forgotten(&look.records(topic)?))),
            Self::EventsMissed { topic, from } => {
                if look.topic(from)?.is_none() {
                    return Ok(None);
                }
                let told = told(&look.records(topic)?);
                let happened = happened(&look.records(from)?);
                Ok(Have::count(happened.difference(&told).count()))
            }
        }
    }

    pub(super) fn said(&self) -> Said {
        let key = match self {
            Self::TripsWaiting { .. } => "trips-waiting",
            Self::Forgotten { .. } => "forgotten",
            Self::EventsMissed { .. } => "events-missed",
        };
        let said = Said::about_topic(key, self.topic());
        match self {
            Self::EventsMissed { from, .. } => said.and("from", from),
            _ => said,
        }
    }
}

/// The records by partition and offset.
fn in_order(records: &[Seen]) -> Vec<&Seen> {
    let mut records: Vec<&Seen> = records.iter().collect();
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

/// The newest value of each key; a key has one partition.
fn newest(records: &[Seen]) -> BTreeMap<&[u8], &[u8]> {
    let keyed = in_order(records).into_iter();
    keyed
        .filter_map(|record| Some((record.key.as_deref()?, record.value.as_slice())))
        .collect()
}

/// The states that are no marks of what was emitted.
fn waiting(changelog: &[Seen]) -> usize {
    let states = newest(changelog).into_values();
    let states = states.filter_map(|state| serde_json::from_slice::<Value>(state).ok());
    states.filter(|state| state.get("count").is_some()).count()
}

fn forgotten(changelog: &[Seen]) -> usize {
    newest(changelog)
        .values()
        .filter(|value| value.is_empty())
        .count()
}

/// A station that is empty, or is not any more: contract, number, partition and offset of the record that says so.
type Event = (String, i64, i64, i64);

/// The events that a topic tells.
fn told(records: &[Seen]) -> BTreeSet<Event> {
    let read = |record: &Seen| {
        let event: Value = serde_json::from_slice(&record.value).ok()?;
        let number = |field: &str| event.get(field)?.as_i64();
        let contract = event.get("contract")?.as_str()?.to_owned();
        Some((
            contract,
            number("number")?,
            number("partition")?,
            number("offset")?,
        ))
    };
    records.iter().filter_map(read).collect()
}

/// The events there are, by going through all records of stations. A first sight is none.
fn happened(records: &[Seen]) -> BTreeSet<Event> {
    let mut empty: BTreeMap<(String, i64), bool> = BTreeMap::new();
    let mut events = BTreeSet::new();
    for record in in_order(records) {
        let Ok(station) = serde_json::from_slice::<Value>(&record.value) else {
            continue;
        };
        let number = |field: &str| station.get(field).and_then(Value::as_i64);
        let contract = station.get("contract_name").and_then(Value::as_str);
        let (Some(contract), Some(which), Some(bikes)) =
            (contract, number("number"), number("available_bikes"))
        else {
            continue;
        };
        let before = empty.insert((contract.to_owned(), which), bikes == 0);
        if before.is_some_and(|before| before != (bikes == 0)) {
            let at = (i64::from(record.partition), record.offset);
            events.insert((contract.to_owned(), which, at.0, at.1));
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(said: &[(i32, &str, &str)]) -> Vec<Seen> {
        let record = |(offset, (partition, key, value)): (i64, &(i32, &str, &str))| Seen {
            partition: *partition,
            offset,
            timestamp: 0,
            key: Some(key.as_bytes().to_vec()),
            value: value.as_bytes().to_vec(),
        };
        (0..).zip(said).map(record).collect()
    }

    #[test]
    fn a_changelog_tells_who_waits_and_who_is_forgotten_by_the_newest_record_of_each_key() {
        let waits = r#"{"chunks":3,"count":2,"came":"1,3"}"#;
        let changelog = records(&[
            (0, "7/1/2", waits),
            (1, "8/1/2", waits),
            (0, "7/1/2", r#"{"chunks":3,"emitted":true}"#),
            (1, "9/1/2", waits),
            (1, "9/1/2", ""),
        ]);
        assert_eq!((waiting(&changelog), forgotten(&changelog)), (1, 1));
        assert_eq!((waiting(&changelog[..2]), forgotten(&changelog[..2])), (2, 0));
        // The text is no missing value.
        assert_eq!(forgotten(&records(&[(0, "k", "null")])), 0);
    }

    #[test]
    fn an_event_that_nobody_told_is_missed_and_a_first_sight_is_none() {
        let station =
            |bikes: i64| format!(r#"{{"contract_name":"Toulouse","number":5,"available_bikes":{bikes}}}"#);
        let (none, some) = (station(0), station(3));
        let stations = records(&[
            (0, "5", &none),
            (0, "5", &some),
            (0, "5", &some),
            (0, "5", "no station"),
            (0, "5", &none),
        ]);
        let event = |offset| ("Toulouse".to_owned(), 5, 0, offset);
        assert_eq!(happened(&stations), BTreeSet::from([event(1), event(4)]));
        let events = records(&[(
            0,
            "5",
            r#"{"contract":"Toulouse","number":5,"event":"station is empty","last_update":null,"partition":0,"offset":4}"#,
        )]);
        assert_eq!(told(&events), BTreeSet::from([event(4)]));
        assert_eq!(happened(&stations).difference(&told(&events)).count(), 1);
    }
}
