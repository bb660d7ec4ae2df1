//! The Kafka side of a spout: reads its share of the topic, and commits as KafkaSpout does at least once: what is acked
//! together with all before it.

use super::ledger::Ledger;
use crate::failure::{Kind, Outcome};
use crate::kafka::group_consumer::{Assigned, Gathered, Limits, Progress, Received, Start};
use crate::kafka::{Connection, GroupConsumer};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Bytes of values that one read brings at most.
const BYTES: usize = 4 * 1024 * 1024;
/// The longest time to collect them.
const MOMENT: Duration = Duration::from_millis(20);

/// What one read brought.
#[derive(Debug)]
pub enum Read {
    /// Records to emit, none when none came in time.
    Records(Vec<Received>),
    /// This spout has these partitions now, and no others.
    Assigned(Vec<Assigned>),
    /// It has none; what it emitted and was not acked, their next owner emits again. What to tell the user, if it is no
    /// usual rebalance.
    Lost(Option<String>),
    /// Something to tell the user.
    Said(String),
}

/// A member of the spouts' group.
pub struct Source {
    consumer: GroupConsumer,
    topic: String,
    progress: Progress,
    ledgers: BTreeMap<i32, Ledger>,
    every: Duration,
    committed: Instant,
    /// The member has failed, or its topic was replaced: another is to join in its place.
    anew: bool,
}

impl Source {
    /// Joins the group. Offsets are committed `every` so often.
    ///
    /// # Errors
    /// When no broker answers, or there is no such topic.
    pub fn join(
        connection: &Connection,
        group: &str,
        topic: &str,
        start: Start,
        every: Duration,
    ) -> Outcome<Self> {
        Ok(Source {
            consumer: GroupConsumer::join(connection, group, topic, start)?,
            topic: topic.to_owned(),
            progress: Progress::default(),
            ledgers: BTreeMap::new(),
            every,
            committed: Instant::now(),
            anew: false,
        })
    }

    /// Reads up to `room` records, waiting up to `wait` for the first. They count as emitted.
    ///
    /// # Errors
    /// When the topic is gone, reading is not allowed, or offsets cannot be committed.
    pub fn read(&mut self, room: usize, wait: Duration) -> Outcome<Read> {
        let limits = Limits {
            records: room,
            bytes: BYTES,
            time: MOMENT,
            wait,
        };
        if self.anew {
            self.join_anew()?;
            return Ok(Read::Records(Vec::new()));
        }
        let gathered = match self.consumer.gather(limits, &|| false) {
            Err(away) if away.kind() == Kind::Unreachable => {
                return Ok(self.leave(format!("{}; joining again", away.in_a_line())));
            }
            gathered => gathered?,
        };
        Ok(match gathered {
            Gathered::Records(records) => {
                for record in &records {
                    if let Some(ledger) = self.ledgers.get_mut(&record.partition) {
                        ledger.emit(record.offset);
                    }
                }
                Read::Records(records)
            }
            Gathered::Assigned(assigned) => {
                self.progress = Progress::begin(&self.consumer, &assigned)?;
                let begun = assigned
                    .iter()
                    .map(|given| (given.partition, Ledger::from(given.start)));
                self.ledgers = begun.collect();
                Read::Assigned(assigned)
            }
            Gathered::Revoked => {
                self.commit()?;
                self.lose();
                Read::Lost(None)
            }
            Gathered::Replaced => {
                let topic = &self.topic;
                let why = format!(
                    "topic `{topic}` was deleted and made again: reading the new one from its beginning"
                );
                self.leave(why)
            }
            Gathered::Trouble(why) => Read::Said(format!("the cluster: {why}; trying again")),
        })
    }

    /// Joins for what has the topic's name now. While no broker answers, that is tried again at the next read.
    fn join_anew(&mut self) -> Outcome {
        match self.consumer.successor() {
            Ok(successor) => {
                self.consumer = successor;
                self.anew = false;
                Ok(())
            }
            Err(away) if away.kind() == Kind::Unreachable => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// From now on this member has nothing, and is to join anew for that reason.
    fn leave(&mut self, why: String) -> Read {
        self.lose();
        self.anew = true;
        Read::Lost(Some(why))
    }

    fn lose(&mut self) {
        self.progress = Progress::default();
        self.ledgers.clear();
    }

    /// A record's tuple tree is complete.
    pub fn ack(&mut self, partition: i32, offset: i64) {
        if let Some(ledger) = self.ledgers.get_mut(&partition) {
            ledger.ack(offset);
        }
    }

    /// Commits if it is time to.
    ///
    /// # Errors
    /// As [`Source::commit`].
    pub fn commit_in_time(&mut self) -> Outcome {
        if self.committed.elapsed() < self.every {
            return Ok(());
        }
        self.commit()
    }

    /// Commits what is acked with all before it. What cannot be committed now is kept for the next time.
    ///
    /// # Errors
    /// When the coordinator refuses for good.
    pub fn commit(&mut self) -> Outcome {
        self.committed = Instant::now();
        let known = self.progress.committed();
        let further = self
            .ledgers
            .iter()
            .map(|(partition, ledger)| (*partition, ledger.next()));
        let further: BTreeMap<i32, i64> = further
            .filter(|(partition, next)| known.get(partition) != Some(next))
            .collect();
        if further.is_empty() {
            return Ok(());
        }
        self.progress.commit(&self.consumer, further)
    }

    /// Whether all that was there when the partitions were given is read, acked and committed.
    pub fn is_complete(&self) -> bool {
        self.ledgers.values().all(Ledger::is_settled) && self.progress.is_complete(&self.consumer)
    }

    /// `partitions 0, 1 of stations`: what this spout reads.
    pub fn share(&self) -> String {
        format!("{} of `{}`", self.progress.partitions(), self.topic)
    }
}
