//! Reading records: partitions from a place of one's choice, or a group's share of topics.

use super::Connection;
use super::errors::KafkaError;
use super::ffi::{EARLIEST, Handle, LATEST, Queue, Topic};
use super::group_protocol;
use super::producer::no_partition;
use super::reach::{self, Missing};
use super::settling::settled;
use super::types::{CommittedOffset, TopicPartition};
use crate::failure::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

pub use super::ffi::{Arrival, Record};

/// How long a question about offsets may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same for one that does not hold up the reading.
const SOON: Duration = Duration::from_secs(1);

/// Which records of transactions are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Isolation {
    /// Only those of committed transactions, and all outside of transactions
    #[value(name = "read_committed", alias = "committed")]
    ReadCommitted,
    /// All, aborted ones too
    #[value(name = "read_uncommitted", alias = "uncommitted")]
    ReadUncommitted,
}

impl Isolation {
    /// As the property `isolation.level` has it.
    pub fn name(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "read_committed",
            Isolation::ReadUncommitted => "read_uncommitted",
        }
    }
}

/// Where to start in each partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record there is.
    Beginning,
    /// After the last one.
    End,
    /// At an offset.
    Offset(i64),
    /// So many offsets before the end.
    BeforeEnd(i64),
    /// At the first record of that time or later, in ms since 1970-01-01 UTC.
    Time(i64),
}

/// A partition, what it holds, and where reading starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Which partition.
    pub at: TopicPartition,
    /// The first offset there is.
    pub low: i64,
    /// The offset that the next record gets.
    pub high: i64,
    /// The offset to start at.
    pub start: i64,
}

/// A consumer, with or without a group.
pub struct Consumer {
    queue: Queue,
    topics: BTreeMap<String, Topic>,
    handle: Handle,
    connection: Connection,
    /// Where a member of a group starts in partitions that the group has not committed.
    reset: Option<Reset>,
    /// The partitions that the group may commit, for their position is remembered.
    remembered: BTreeSet<TopicPartition>,
}

/// A group to join.
#[derive(Debug, Clone)]
pub struct Membership {
    /// `group.id`
    pub group: String,
    /// Where to start in partitions that the group has not committed.
    pub reset: Reset,
}

/// Where to go in a partition that has no offset committed, or not the records at that one: `auto.offset.reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// To the first record.
    Earliest,
    /// After the last.
    Latest,
    /// Nowhere: that is an error.
    Refuse,
}

impl Consumer {
    /// Makes a consumer: of a group, once a broker answers; else that is known with [`Consumer::partitions`].
    ///
    /// # Errors
    /// When no broker answers to a group's member, or a connection property is wrong.
    pub fn open(connection: &Connection, isolation: Isolation, group: Option<&Membership>) -> Outcome<Self> {
        if group.is_some() {
            connection.reach()?;
        }
        let mut config = connection.client_config();
        if group.is_some() {
            group_protocol::check_group_protocol(
                connection,
                config.get("group.protocol").unwrap_or_default(),
            )?;
        }
        config
            .set("isolation.level", isolation.name())
            .set("enable.partition.eof", "true")
            .set("enable.auto.offset.store", "false");
        match group {
            Some(Membership { group, reset }) => config.set("group.id", group).set(
                "auto.offset.reset",
                match reset {
                    Reset::Earliest => "earliest",
                    Reset::Latest => "latest",
                    Reset::Refuse => "error",
                },
            ),
            // A place that retention has just taken away: what is left begins later.
            None => config.remove("group.id").set("auto.offset.reset", "earliest"),
        };
        for (name, value) in READ_AHEAD {
            if config.get(name).is_none() {
                config.set(name, value);
            }
        }
        let make = || {
            let handle = Handle::consumer(&config)?;
            let queue = match group {
                Some(_) => Queue::of_group(&handle)?,
                None => Queue::new(&handle)?,
            };
            Ok((handle, queue))
        };
        let (handle, queue) =
            make().map_err(|error: KafkaError| error.into_failure("cannot make a consumer"))?;
        Ok(Consumer {
            queue,
            topics: BTreeMap::new(),
            handle,
            connection: connection.clone(),
            reset: group.map(|group| group.reset),
            remembered: BTreeSet::new(),
        })
    }

    /// The partitions of topics: all of them, or that one of each.
    ///
    /// # Errors
    /// When no broker answers, or there is no such topic or partition.
    pub fn partitions(&mut self, topics: &[String], only: Option<i32>) -> Outcome<Vec<TopicPartition>> {
        let mut found = Vec::new();
        for name in topics {
            if !self.topics.contains_key(name) {
                let topic = self
                    .handle
                    .topic(name)
                    .map_err(|error| error.into_failure(format!("cannot use topic `{name}`")))?;
                self.topics.insert(name.clone(), topic);
            }
            let Some(topic) = self.topics.get(name) else {
                continue;
            };
            let partitions =
                reach::partitions_of(&self.handle, &self.connection, name, topic, Missing::Refuse)?;
            if let Some(only) = only
                && !partitions.contains(&only)
            {
                return Err(no_partition(name, only, &partitions));
            }
            found.extend(
                partitions
                    .into_iter()
                    .filter(|partition| only.is_none_or(|only| only == *partition))
                    .map(|partition| TopicPartition::new(name, partition)),
            );
        }
        Ok(found)
    }

    /// The partitions that the topics have by now, of those whose broker answers at once.
    ///
    /// # Errors
    /// When a topic is there no more.
    pub fn partitions_now(&self) -> Result<Vec<TopicPartition>, KafkaError> {
        let mut found = Vec::new();
        for (name, topic) in &self.topics {
            match self.handle.partitions(topic, Duration::from_millis(250)) {
                Ok(partitions) => {
                    found.extend(
                        partitions
                            .into_iter()
                            .map(|partition| TopicPartition::new(name, partition)),
                    );
                }
                Err(error) if error.is_unknown_topic() => return Err(error),
                // Whoever reads hears from librdkafka that a broker is away.
                Err(_) => {}
            }
        }
        Ok(found)
    }

    /// What partitions hold, and where `start` is in each.
    ///
    /// # Errors
    /// When their leaders do not answer.
    pub fn spans(&self, partitions: &[TopicPartition], start: Start) -> Outcome<Vec<Span>> {
        let lows = self.offsets(partitions, EARLIEST)?;
        let highs = self.offsets(partitions, LATEST)?;
        let at_time = match start {
            Start::Time(time) => self.offsets(partitions, time)?,
            _ => Vec::new(),
        };
        let spans = partitions.iter().zip(lows).zip(highs).enumerate();
        Ok(spans
            .map(|(index, ((at, low), high))| {
                let start = match start {
                    Start::Beginning => low,
                    Start::End => high,
                    // Further on it would be silently reset; the records to come begin at the end.
                    Start::Offset(offset) => offset.clamp(low, high),
                    Start::BeforeEnd(count) => high.saturating_sub(count).max(low),
                    Start::Time(_) => at_time.get(index).copied().filter(|at| *at >= 0).unwrap_or(high),
                };
                Span {
                    at: at.clone(),
                    low,
                    high,
                    start,
                }
            })
            .collect())
    }

    /// For each partition the first offset whose record is of `time` (ms since 1970-01-01 UTC) or later; `None`
    /// where there is no such record.
    ///
    /// # Errors
    /// When their leaders do not answer.
    pub fn offsets_at(&self, partitions: &[TopicPartition], time: i64) -> Outcome<Vec<Option<i64>>> {
        let offsets = self.offsets(partitions, time.max(0))?;
        Ok(offsets
            .into_iter()
            .map(|offset| (offset >= 0).then_some(offset))
            .collect())
    }

    fn offsets(&self, partitions: &[TopicPartition], time: i64) -> Outcome<Vec<i64>> {
        let wanted: Vec<_> = partitions.iter().map(|at| (at.clone(), time)).collect();
        settled(|| self.handle.offsets(&wanted, PATIENCE))
            .map_err(|error| error.into_failure("cannot look up offsets"))
    }

    /// Starts to read a partition.
    ///
    /// # Errors
    /// When it is being read already.
    pub fn start(&self, span: &Span) -> Outcome {
        let Some(topic) = self.topics.get(&span.at.topic) else {
            return Ok(());
        };
        self.queue
            .start(topic, span.at.partition, span.start)
            .map_err(|error| error.into_failure(format!("cannot read {}", span.at)))
    }

    /// Joins the group to read its share of `topics`.
    ///
    /// # Errors
    /// When librdkafka refuses the names.
    pub fn subscribe(&self, topics: &[String]) -> Outcome {
        self.handle
            .subscribe(topics)
            .map_err(|error| error.into_failure("cannot join the group"))
    }

    /// Hands what has arrived to `take`, after waiting up to `timeout` for the first; on `Break` the rest waits for
    /// the next call. Answers whether anything had arrived.
    pub fn serve<F>(&self, timeout: Duration, take: F) -> bool
    where
        F: FnMut(Arrival<'_>) -> ControlFlow<()>,
    {
        self.handle.poll(Duration::ZERO);
        self.queue.serve(&self.handle, timeout, take)
    }

    /// What went wrong with connections since the last call.
    pub fn troubles(&self) -> Vec<KafkaError> {
        self.handle.troubles()
    }

    /// The partitions that the group has given to this member.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        // Without an answer nothing is known to be assigned.
        self.handle.assignment().unwrap_or_default()
    }

    /// Remembers the next offsets to read, for the group to commit: from time to time, when partitions go to other members,
    /// and on leaving. A position without a leader epoch is behind no record of this reading: it keeps the epoch of what the
    /// group has committed.
    ///
    /// # Errors
    /// When one of the partitions is not this member's.
    pub fn remember(&mut self, mut positions: Vec<(TopicPartition, CommittedOffset)>) -> Outcome {
        let bare: Vec<TopicPartition> = positions
            .iter()
            .filter(|(_, position)| position.leader_epoch.is_none())
            .map(|(at, _)| at.clone())
            .collect();
        let committed = self.committed_soon(&bare);
        for (at, position) in &mut positions {
            position.leader_epoch = position.leader_epoch.or_else(|| committed.get(at)?.leader_epoch);
            if !self.remembered.contains(at) {
                self.remembered.insert(at.clone());
            }
        }
        self.handle
            .remember(&positions)
            .map_err(|error| error.into_failure("cannot remember the group's offsets"))
    }

    /// What the group has committed of these partitions, as far as the coordinator tells it at once.
    fn committed_soon(&self, partitions: &[TopicPartition]) -> BTreeMap<TopicPartition, CommittedOffset> {
        if partitions.is_empty() {
            return BTreeMap::new();
        }
        let committed = self.handle.committed(partitions, SOON).unwrap_or_default();
        let known = partitions.iter().zip(committed);
        known
            .filter_map(|(at, committed)| Some((at.clone(), committed?)))
            .collect()
    }

    /// Remembers where this member starts in partitions that it was given but has read nothing of, not even their end.
    fn remember_starts(&mut self) -> Outcome {
        let mut unread = self.assignment();
        unread.retain(|at| !self.remembered.contains(at));
        if unread.is_empty() || self.reset != Some(Reset::Earliest) {
            return Ok(());
        }
        let committed = self.committed_soon(&unread);
        unread.retain(|at| !committed.contains_key(at));
        let wanted: Vec<_> = unread.into_iter().map(|at| (at, EARLIEST)).collect();
        // A leader that is away is not waited for: the next member starts at the same place.
        let starts = self.handle.offsets(&wanted, SOON).unwrap_or_default();
        let position = |((at, _), offset): ((TopicPartition, i64), i64)| {
            let leader_epoch = None;
            (at, CommittedOffset { offset, leader_epoch })
        };
        let starts: Vec<_> = wanted.into_iter().zip(starts).map(position).collect();
        self.handle
            .remember(&starts)
            .map_err(|error| error.into_failure("cannot remember the group's offsets"))
    }

    /// The group's committed positions.
    ///
    /// # Errors
    /// When the group's coordinator does not answer.
    pub fn committed(&self, partitions: &[TopicPartition]) -> Outcome<Vec<Option<CommittedOffset>>> {
        self.handle
            .committed(partitions, PATIENCE)
            .map_err(|error| error.into_failure("cannot look up the group's offsets"))
    }

    /// Commits what was remembered, and the places at which nothing was read yet, and leaves the group.
    ///
    /// # Errors
    /// When the commit is refused.
    pub fn leave(mut self) -> Outcome {
        self.remember_starts()?;
        self.handle
            .leave()
            .map_err(|error| error.into_failure("cannot commit and leave the group"))
    }

    /// Ends without freeing what was read ahead, which takes longer than the process has left to live. Only for a
    /// consumer without a group, whose brokers need not be told.
    pub fn abandon(self) {
        std::mem::forget(self);
    }
}

/// How much to read ahead: large fetches, so that the broker is asked seldom, and no pause when the queue is full; and to
/// see new partitions soon.
const READ_AHEAD: [(&str, &str); 4] = [
    ("fetch.message.max.bytes", "4194304"),
    ("queued.min.messages", "500000"),
    ("fetch.queue.backoff.ms", "5"),
    ("topic.metadata.refresh.interval.ms", "5000"),
];
