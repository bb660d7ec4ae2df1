//! Where a monitor's memory lives when the monitor does not: a compacted topic, one record for each partition and
//! station, as stream processors keep their state stores.
//!
//! The stations' own topic cannot serve: with `retention.ms=4000` the record that a change is measured against is gone
//! long before the next change.
//!
//! A note carries the offset of the record it was taken from, so memory and offset are written in one record, and no
//! crash can come between them: whatever the group had committed, records up to a note's offset are known. A
//! partition's notes are worth nothing when its records or the group's offsets are not those they were taken with:
//! the topic was made anew, or someone reset the group to read again. They are then dropped, and the monitor begins
//! anew in that partition.

use super::memory::{Memory, Note, Place};
use super::topics;
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::{Assigned, Received};
use crate::kafka::record_producer::Outgoing;
use crate::kafka::topic_reader::read_to_end;
use crate::kafka::{Admin, Connection, NewTopic, RecordProducer};
use std::collections::HashMap;

/// Few records a second come in; without these, the broker would compact them after a week only.
const CONFIGS: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("segment.ms", "600000"),
    ("min.cleanable.dirty.ratio", "0.1"),
];

/// The compacted topic of a group's memory.
#[derive(Debug, Clone)]
pub struct Changelog {
    topic: String,
}

impl Changelog {
    /// The changelog of `group`: the topic `GROUP-state`.
    pub fn of(group: &str) -> Self {
        Changelog {
            topic: format!("{group}-state"),
        }
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Makes the topic, with one partition and as many copies as the cluster usually keeps, unless it is there.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn create(&self, admin: &Admin) -> Outcome {
        let topic = NewTopic {
            partitions: Some(1),
            configs: CONFIGS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..NewTopic::named(&self.topic)
        };
        topics::ensure(admin, &topic)
    }

    /// Brings back what was remembered of the assigned partitions. Notes that no longer fit are wiped; the second part
    /// of the answer names their partitions.
    ///
    /// # Errors
    /// When the topic cannot be read, or wiping fails.
    pub fn restore(
        &self,
        connection: &Connection,
        producer: &RecordProducer,
        assigned: &[Assigned],
    ) -> Outcome<(Memory, Vec<i32>)> {
        let mut notes: Vec<Option<(Place, Note)>> = Vec::new();
        let mut newest: HashMap<Place, usize> = HashMap::new();
        read_to_end(connection, &self.topic, |record| {
            let Some(place) = read_place(&record) else {
                return;
            };
            if !assigned.iter().any(|given| given.partition == place.0) {
                return;
            }
            if let Some(older) = newest.insert(place.clone(), notes.len()) {
                notes[older] = None;
            }
            notes.push(read_note(&record).map(|note| (place, note)));
        })?;
        let notes: Vec<(Place, Note)> = notes.into_iter().flatten().collect();
        let stale: Vec<i32> = assigned
            .iter()
            .filter(|given| !fits(given, &notes))
            .map(|given| given.partition)
            .collect();
        let mut memory = Memory::default();
        for (place, note) in notes {
            if stale.contains(&place.0) {
                self.wipe(producer, &place)?;
            } else {
                memory.restore(place, note);
            }
        }
        producer.flush()?;
        Ok((memory, stale))
    }

    /// Writes a note; it is safe once the producer has flushed.
    ///
    /// # Errors
    /// When the record cannot be sent.
    pub fn write(&self, producer: &RecordProducer, partition: i32, station: &str, note: &Note) -> Outcome {
        let value = serde_json::to_vec(note)
            .map_err(|error| Failure::request("cannot write a note as JSON").because(error))?;
        producer.send(Outgoing {
            topic: &self.topic,
            key: Some(format!("{partition}/{station}").as_bytes()),
            value: Some(&value),
            headers: &[],
        })
    }

    fn wipe(&self, producer: &RecordProducer, (partition, station): &Place) -> Outcome {
        producer.send(Outgoing {
            topic: &self.topic,
            key: Some(format!("{partition}/{station}").as_bytes()),
            value: None,
            headers: &[],
        })
    }
}

/// Whether a partition's notes were taken from the records it has, at the offsets the group has.
fn fits(given: &Assigned, notes: &[(Place, Note)]) -> bool {
    notes
        .iter()
        .filter(|(place, _)| place.0 == given.partition)
        .all(|(_, note)| {
            note.offset < given.end
                && given
                    .committed
                    .is_some_and(|committed| committed <= given.end && committed >= note.committed)
        })
}

fn read_place(record: &Received) -> Option<Place> {
    let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
    let (partition, station) = key.split_once('/')?;
    Some((partition.parse().ok()?, station.to_owned()))
}

fn read_note(record: &Received) -> Option<Note> {
    serde_json::from_slice(record.value.as_deref()?).ok()
}
