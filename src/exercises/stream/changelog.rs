//! Where stores live when their process does not: a compacted topic with a partition for each partition that is read, as Kafka
//! Streams has them.

use super::disk::{Change, Mark};
use super::store::{Store, StoreKey, StoreValue};
use crate::clock::Clock;
use crate::exercises::velib::topics;
use crate::failure::{Failure, Outcome};
use crate::kafka::consumer::{Arrival, Consumer, Isolation, Span};
use crate::kafka::types::TopicDescription;
use crate::kafka::{Admin, Connection, NewTopic, TopicPartition};
use crate::ui::units::count;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

/// What the topic is made with: without the second line few records would be compacted only after a week.
const CONFIGS: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("segment.ms", "600000"),
    ("min.cleanable.dirty.ratio", "0.1"),
];

/// A store on disk that was written longer ago is read anew from the beginning, in ms: brokers keep the records that delete a key
/// for a day (`delete.retention.ms`), and whoever was away for longer would not hear of them.
const FRESH_MS: i64 = 12 * 3_600_000;

/// Most records of one write to disk.
const BATCH: usize = 5_000;

/// How long to wait for records before the user is heard.
const GLANCE: Duration = Duration::from_millis(100);

/// The compacted topic of a store.
#[derive(Debug, Clone)]
pub struct Changelog {
    topic: String,
    /// A topic that is made anew under the name has another.
    id: String,
}

/// What came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// How many records were read.
    pub records: u64,
    /// How many of them were none of the store's.
    pub strange: u64,
    /// How many partitions were read from their beginning, for want of what fits on disk.
    pub anew: usize,
}

/// What was read of a partition and is not on disk yet.
#[derive(Default)]
struct Reading {
    /// Where the partition ended when the reading began, open transactions included.
    end: i64,
    next: i64,
    records: Vec<Change>,
}

impl Changelog {
    /// The changelog of `store` in `group`, with as many partitions and copies as the topic that is read has. It is made if it
    /// is not there, or given more partitions.
    ///
    /// # Errors
    /// When the cluster refuses, or it has more partitions.
    pub fn open(admin: &Admin, group: &str, store: &str, read: &TopicDescription) -> Outcome<Self> {
        let topic = format!("{group}-{store}-changelog");
        let partitions = read.partitions.len();
        let wanted = i32::try_from(partitions).unwrap_or(i32::MAX);
        let configs = CONFIGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        topics::ensure(
            admin,
            &NewTopic {
                partitions: Some(wanted),
                replication_factor: read.replication_factor(),
                configs: configs.into(),
                ..NewTopic::named(&topic)
            },
        )?;
        let found = admin.describe_topic(&topic)?;
        if found.partitions.len() > partitions {
            return Err(Failure::request(format!("`{topic}` does not fit"))
                .because(format!(
                    "it has {}, what is read has {partitions}: it is another topic's",
                    count(found.partitions.len(), "partition")
                ))
                .hint("--group ANOTHER, for a store of its own"));
        }
        if found.partitions.len() < partitions {
            admin.create_partitions(&topic, wanted, false)?;
            admin.await_partitions(&topic, wanted)?;
        }
        Ok(Changelog { topic, id: found.id })
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What is on disk holds all of a partition up to `offset`.
    pub fn mark(&self, offset: i64) -> Mark {
        Mark {
            changelog: self.id.clone(),
            offset,
            written_ms: Clock::system().now_ms(),
        }
    }

    /// Brings stores up to the end of the changelog: what is on disk already is not read. An open transaction is waited for:
    /// it is of an owner before, and may yet be committed.
    ///
    /// # Errors
    /// What `go_on` says, and when the topic cannot be read.
    pub fn restore<K: StoreKey, V: StoreValue>(
        &self,
        connection: &Connection,
        stores: &mut BTreeMap<i32, Store<K, V>>,
        go_on: &dyn Fn() -> Outcome,
    ) -> Outcome<Restored> {
        let mut restored = Restored::default();
        let spans = self.spans(connection, stores, &mut restored)?;
        if spans.is_empty() {
            return Ok(restored);
        }
        let mut reader = Consumer::open(connection, Isolation::ReadCommitted, None)?;
        reader.partitions(std::slice::from_ref(&self.topic), None)?;
        let mut readings = BTreeMap::new();
        for span in &spans {
            reader.start(span)?;
            let reading = Reading {
                end: span.high,
                next: span.start,
                records: Vec::new(),
            };
            readings.insert(span.at.partition, reading);
        }
        while readings.values().any(|reading| reading.next < reading.end) {
            go_on()?;
            self.read_some(&reader, &mut readings)?;
            for (partition, reading) in &mut readings {
                let done = reading.next >= reading.end;
                if let Some(store) = stores
                    .get_mut(partition)
                    .filter(|_| done || reading.records.len() >= BATCH)
                {
                    let records = std::mem::take(&mut reading.records);
                    restored.records += records.len() as u64;
                    restored.strange += store.restore(records, self.mark(reading.next))?;
                }
            }
        }
        reader.abandon();
        Ok(restored)
    }

    /// From where to where each partition is to be read. Stores that do not fit are wiped.
    fn spans<K: StoreKey, V: StoreValue>(
        &self,
        connection: &Connection,
        stores: &mut BTreeMap<i32, Store<K, V>>,
        restored: &mut Restored,
    ) -> Outcome<Vec<Span>> {
        let partitions: Vec<_> = stores
            .keys()
            .map(|partition| TopicPartition::new(&self.topic, *partition))
            .collect();
        let ranges = Admin::connect(connection)?.offset_range(&partitions)?;
        let now = Clock::system().now_ms();
        let mut spans = Vec::new();
        for (partition, store) in stores {
            let at = TopicPartition::new(&self.topic, *partition);
            let Some(range) = ranges.get(&at) else {
                continue;
            };
            let (low, high) = (range.earliest, range.latest);
            let fits = store.on_disk().filter(|mark| {
                let age = now.saturating_sub(mark.written_ms);
                mark.changelog == self.id
                    && (low..=high).contains(&mark.offset)
                    && (mark.offset == high || (0..FRESH_MS).contains(&age))
            });
            let start = match fits.map(|mark| mark.offset) {
                Some(offset) => offset,
                None => {
                    store.wipe()?;
                    restored.anew += usize::from(low < high);
                    low
                }
            };
            if start < high {
                spans.push(Span { at, low, high, start });
            }
        }
        Ok(spans)
    }

    fn read_some(&self, reader: &Consumer, readings: &mut BTreeMap<i32, Reading>) -> Outcome {
        let mut refused = None;
        let mut taken = 0;
        reader.serve(GLANCE, |arrival| {
            match arrival {
                Arrival::Record(record) => {
                    if let (Some(reading), Some(key)) = (readings.get_mut(&record.partition()), record.key())
                    {
                        reading.next = record.offset() + 1;
                        let value = record.value().map(<[u8]>::to_vec);
                        reading.records.push((key.to_vec(), value));
                    }
                    taken += 1;
                }
                Arrival::End {
                    partition, offset, ..
                } => {
                    if let Some(reading) = readings.get_mut(&partition) {
                        reading.next = reading.next.max(offset);
                    }
                }
                // Of what passes librdkafka makes the next attempt itself.
                Arrival::Trouble(trouble) if trouble.is_unknown_topic() => refused = Some(trouble),
                Arrival::Trouble(_) => {}
            }
            if taken < BATCH {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        match refused {
            Some(trouble) => Err(trouble.into_failure(format!("cannot read `{}`", self.topic))),
            None => Ok(()),
        }
    }
}
