//! A member of a consumer group that reads one topic and commits by itself: for the exercises' programs.
//!
//! The reader sees each rebalance in order with the records, so a program that keeps state per partition can bring it
//! along: [`Polled::Assigned`] comes before the first record of a gained partition, [`Polled::Revoked`] before any
//! record of the next assignment. Nothing is committed but by [`GroupConsumer::commit`]. What is given is read, and what
//! is revoked is given up, when the program polls again: until then it may bring its state along, or finish and commit
//! what it has in hand.

mod progress;
mod rebalances;

use super::transactions::{Remedy, TransactionError};
use super::{Admin, Connection, Wire, errors};
use crate::failure::{Failure, Kind, Outcome};
pub use progress::Progress;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rebalances::{ANSWER, Rebalances};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long a topic may be away that is deleted and made again.
const ABSENCE: Duration = Duration::from_secs(3);

/// At how many records the clock is looked at once.
const GLIMPSE: usize = 32;

/// Where a group begins in a partition it has committed nothing for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record.
    Earliest,
    /// After the newest record.
    Latest,
}

impl Start {
    /// After the newest record, or else at the oldest.
    pub fn from_end(from_end: bool) -> Self {
        match from_end {
            true => Start::Latest,
            false => Start::Earliest,
        }
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its partition.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// When it was written, in milliseconds since 1970-01-01 UTC, if it says so.
    pub timestamp: Option<i64>,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Received {
    pub(super) fn copy(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers
                .iter()
                .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
                .collect()
        });
        Received {
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
        }
    }

    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_slice())
    }
}

/// A partition this member was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// Which one.
    pub partition: i32,
    /// What the group had committed for it.
    pub committed: Option<i64>,
    /// The offset this member reads first.
    pub start: i64,
    /// The offset after the newest record when the partition was given.
    pub end: i64,
}

/// What one [`GroupConsumer::poll`] brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Nothing within the time given.
    Nothing,
    /// This member now has these partitions, and no others.
    Assigned(Vec<Assigned>),
    /// From the next poll on this member has no partitions; what it has not committed by then, another member reads
    /// again.
    Revoked,
    /// A record of an assigned partition.
    Record(Received),
    /// All that this assigned partition holds by now was read, whether its last offsets are records or the markers of
    /// transactions.
    End(i32),
    /// Another topic has the name by now, and what was read is of the one that is gone: this member reads nothing more, and
    /// [`GroupConsumer::successor`] the new one.
    Replaced,
    /// Something that librdkafka goes on trying to overcome, in words.
    Trouble(String),
}

/// What one [`GroupConsumer::gather`] brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gathered {
    /// Records that came together, none when none came in time.
    Records(Vec<Received>),
    /// As [`Polled::Assigned`]; records gathered before are another member's now, and dropped.
    Assigned(Vec<Assigned>),
    /// As [`Polled::Revoked`]; likewise.
    Revoked,
    /// As [`Polled::Replaced`]; likewise.
    Replaced,
    /// As [`Polled::Trouble`].
    Trouble(String),
}

/// How much one [`GroupConsumer::gather`] brings at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many records.
    pub records: usize,
    /// So many bytes of values, unless a single record has more.
    pub bytes: usize,
    /// What comes within so long of the first record.
    pub time: Duration,
    /// How long to wait for the first record; also how soon Ctrl-C is seen.
    pub wait: Duration,
}

impl Limits {
    /// A wait for the first record that goes unnoticed, and soon sees Ctrl-C.
    pub const GLANCE: Duration = Duration::from_millis(50);
}

/// A member of a consumer group, reading one topic. Dropping it leaves the group.
pub struct GroupConsumer {
    consumer: BaseConsumer<Rebalances>,
    connection: Connection,
    topic: String,
    group: String,
    /// `group.instance.id` of a static member.
    instance: Option<String>,
    held: Option<Polled>,
    /// Trouble that came behind records that were gathered.
    trouble: Option<String>,
    /// The assigned partitions that were read to their end.
    ended: BTreeSet<i32>,
    /// Those of them that had no more to read when they were last heard of.
    caught_up: BTreeSet<i32>,
    /// The offset after the last record gathered of each.
    gathered: BTreeMap<i32, i64>,
    /// The offset after the last record polled of each assigned partition.
    polled: BTreeMap<i32, i64>,
    /// Another topic has the name now.
    replaced: bool,
    /// The trouble that was told last, until a record comes: librdkafka reports the same one at each attempt.
    told: Option<String>,
}

impl GroupConsumer {
    /// Joins `group` to read `topic`. A member that dies is noticed after six seconds, the least that brokers allow.
    ///
    /// # Errors
    /// When no broker answers, the topic does not exist, or the cluster can have no groups.
    pub fn join(connection: &Connection, group: &str, topic: &str, start: Start) -> Outcome<Self> {
        Self::join_as(connection, group, topic, start, None)
    }

    /// The same as a static member (KIP-345) with that `group.instance.id`: started again at once, also after a kill, it
    /// has its partitions at once. Dropped it stays a member for those six seconds, unless it is [removed].
    ///
    /// [removed]: GroupConsumer::remove_instance
    ///
    /// # Errors
    /// As [`GroupConsumer::join`].
    pub fn join_as(
        connection: &Connection,
        group: &str,
        topic: &str,
        start: Start,
        instance: Option<&str>,
    ) -> Outcome<Self> {
        let admin = Admin::connect(connection)?;
        let found = admin.describe_topic(topic)?;
        admin.ensure_coordinators()?;
        let context = Rebalances::new(start, topic, found.id);
        let mut config = connection.client_config();
        if let Some(instance) = instance {
            config.set("group.instance.id", instance);
        }
        let consumer: BaseConsumer<Rebalances> = config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "true")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "2000")
            .set("topic.metadata.refresh.interval.ms", "5000")
            // What is read ahead of the program stays in memory: not 64 MiB of it. Small records take several times their
            // own bytes there, so they are counted too, for each partition, and come in smaller portions.
            .set("queued.max.messages.kbytes", "8192")
            .set("queued.min.messages", "2000")
            .set("fetch.message.max.bytes", "262144")
            // And when enough is read ahead, no second of pause: it would be used up before.
            .set("fetch.queue.backoff.ms", "2")
            // The end of a partition is told, and a question answered, when the broker has waited for so long.
            .set("fetch.wait.max.ms", "50")
            .create_with_context(context)
            .map_err(|error| told(&error).into_failure("cannot make a consumer"))?;
        let member = GroupConsumer {
            consumer,
            connection: connection.clone(),
            topic: topic.to_owned(),
            group: group.to_owned(),
            instance: instance.map(str::to_owned),
            held: None,
            trouble: None,
            ended: BTreeSet::new(),
            caught_up: BTreeSet::new(),
            gathered: BTreeMap::new(),
            polled: BTreeMap::new(),
            replaced: false,
            told: None,
        };
        member
            .consumer
            .subscribe(&[topic])
            .map_err(|error| member.failure(&error))?;
        Ok(member)
    }

    /// The id of the topic that this member joined for; one that is deleted and made again has another.
    pub fn topic_id(&self) -> &str {
        self.consumer.context().topic_id()
    }

    /// Joins the same group for the topic that has the name now, to read it from its beginning.
    ///
    /// # Errors
    /// As [`GroupConsumer::join`].
    pub fn successor(&self) -> Outcome<Self> {
        let instance = self.instance.as_deref();
        Self::join_as(
            &self.connection,
            &self.group,
            &self.topic,
            Start::Earliest,
            instance,
        )
    }

    /// Has the group forget a static member that has left, so that its partitions go to others at once.
    ///
    /// # Errors
    /// When the group's coordinator does not answer, or refuses.
    pub fn remove_instance(connection: &Connection, group: &str, instance: &str) -> Outcome {
        let removed = Wire::connect(connection)?.remove_instance(group, instance);
        removed
            .map_err(|error| error.into_failure(format!("cannot take `{instance}` out of group `{group}`")))
    }

    /// The next thing that happened, waiting up to `timeout` for it.
    ///
    /// # Errors
    /// When the topic is gone, reading is not allowed, or the member cannot go on.
    pub fn poll(&mut self, timeout: Duration) -> Outcome<Polled> {
        if self.replaced {
            return Ok(Polled::Replaced);
        }
        if let Some(event) = self.rebalance() {
            return event;
        }
        self.consumer.context().settle(&self.consumer);
        if let Some(held) = self.held.take() {
            return Ok(held);
        }
        let polled = match self.consumer.poll(timeout) {
            None => Polled::Nothing,
            Some(Ok(message)) => {
                let record = Received::copy(&message);
                drop(message);
                if self.goes_back(&record)? {
                    return Ok(Polled::Replaced);
                }
                self.told = None;
                Polled::Record(record)
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => Polled::End(partition),
            Some(Err(error)) => return self.trouble(&error),
        };
        // A rebalance served within that poll: a record that came with it is of a partition that goes.
        match self.rebalance() {
            Some(event) => {
                self.held = Some(polled).filter(|polled| matches!(polled, Polled::Trouble(_)));
                event
            }
            None => Ok(polled),
        }
    }

    /// Collects records until there are none at hand, or enough, or `stop` says so.
    ///
    /// # Errors
    /// As [`GroupConsumer::poll`].
    pub fn gather(&mut self, limits: Limits, stop: &dyn Fn() -> bool) -> Outcome<Gathered> {
        if let Some(why) = self.trouble.take() {
            return Ok(Gathered::Trouble(why));
        }
        let mut batch: Vec<Received> = Vec::new();
        let mut bytes = 0;
        let mut until = None;
        while batch.len() < limits.records && bytes < limits.bytes && !stop() {
            let wait = if batch.is_empty() {
                limits.wait
            } else {
                Duration::ZERO
            };
            match self.poll(wait)? {
                Polled::Record(record) => {
                    self.caught_up.remove(&record.partition);
                    self.gathered.insert(record.partition, record.offset + 1);
                    bytes += record.value.as_ref().map_or(0, Vec::len);
                    batch.push(record);
                    // The clock is looked at now and then: records at hand come faster than it tells.
                    if batch.len() % GLIMPSE == 1
                        && Instant::now() >= *until.get_or_insert_with(|| Instant::now() + limits.time)
                    {
                        break;
                    }
                }
                Polled::End(partition) => {
                    self.caught_up.insert(partition);
                    self.ended.insert(partition);
                }
                Polled::Nothing => break,
                Polled::Trouble(why) if batch.is_empty() => return Ok(Gathered::Trouble(why)),
                Polled::Trouble(why) => {
                    self.trouble = Some(why);
                    break;
                }
                Polled::Revoked => {
                    self.begin_anew();
                    return Ok(Gathered::Revoked);
                }
                Polled::Replaced => {
                    self.begin_anew();
                    return Ok(Gathered::Replaced);
                }
                Polled::Assigned(assigned) => {
                    self.begin_anew();
                    return Ok(Gathered::Assigned(assigned));
                }
            }
        }
        Ok(Gathered::Records(batch))
    }

    /// Whether what was gathered reaches to the end of that partition, as it was at some moment since it was assigned.
    pub fn has_ended(&self, partition: i32) -> bool {
        self.ended.contains(&partition)
    }

    /// Whether all that partition holds was gathered when it was last heard of.
    pub fn is_caught_up(&self, partition: i32) -> bool {
        self.caught_up.contains(&partition)
    }

    /// The offsets of the next records to read, and the member that reads them, for a transaction.
    pub(super) fn offsets_to_send(
        &self,
        next: &BTreeMap<i32, i64>,
    ) -> Result<(TopicPartitionList, &BaseConsumer<Rebalances>), TransactionError> {
        let list = self.list_of(next);
        let list = list.map_err(|error| TransactionError::new(told(&error), Remedy::Abort))?;
        Ok((list, &self.consumer))
    }

    fn list_of(&self, next: &BTreeMap<i32, i64>) -> Result<TopicPartitionList, KafkaError> {
        let mut offsets = TopicPartitionList::with_capacity(next.len());
        for (partition, offset) in next {
            self.consumer
                .context()
                .note_offset(&mut offsets, *partition, *offset)?;
        }
        Ok(offsets)
    }

    /// Whether `topic` surely has no record right now, asked over this member's own connection.
    ///
    /// # Errors
    /// When the cluster does not say.
    pub fn finds_empty(&self, topic: &str) -> Outcome<bool> {
        let found = self.consumer.fetch_metadata(Some(topic), ANSWER);
        let found = found.map_err(|error| self.failure(&error))?;
        let partitions: Vec<_> = found
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions())
            .collect();
        for partition in &partitions {
            let (low, end) = self
                .consumer
                .fetch_watermarks(topic, partition.id(), ANSWER)
                .map_err(|error| self.failure(&error))?;
            if low < end {
                return Ok(false);
            }
        }
        Ok(!partitions.is_empty())
    }

    fn begin_anew(&mut self) {
        self.ended.clear();
        self.caught_up.clear();
        self.gathered.clear();
    }

    /// How many records of this member's partitions are not committed; none when the cluster does not say.
    pub fn lag(&self, progress: &Progress) -> Option<i64> {
        let behind = progress.committed().iter().map(|(partition, next)| {
            // What is asked now would be answered when the broker has no more to wait for.
            if self.caught_up.contains(partition) {
                let end = self.gathered.get(partition).copied().unwrap_or(*next);
                return Some((end - next).max(0));
            }
            // What was deleted before it was read is read by nobody.
            let (low, end) = self
                .consumer
                .fetch_watermarks(&self.topic, *partition, ANSWER)
                .ok()?;
            Some((end - (*next).max(low)).max(0))
        });
        behind.sum()
    }

    /// Takes note of where a record stands. One before those that were read already may be of another topic: whether it is.
    fn goes_back(&mut self, record: &Received) -> Outcome<bool> {
        let before = self.polled.insert(record.partition, record.offset + 1);
        if before.is_some_and(|next| record.offset < next) {
            self.look_again()?;
        }
        Ok(self.replaced)
    }

    /// Looks whether the topic is there, and whether it is the one that this member joined for. One that is being made again
    /// is waited for.
    ///
    /// # Errors
    /// When there is none of that name.
    fn look_again(&mut self) -> Outcome {
        let begun = Instant::now();
        loop {
            match Admin::connect(&self.connection).and_then(|admin| admin.describe_topic(&self.topic)) {
                Ok(found) => {
                    self.replaced = found.id != self.topic_id();
                    return Ok(());
                }
                // The same trouble again, which is told elsewhere.
                Err(away) if away.kind() == Kind::Unreachable => return Ok(()),
                Err(gone) if begun.elapsed() > ABSENCE => return Err(gone),
                Err(_) => std::thread::sleep(ABSENCE / 30),
            }
        }
    }

    fn rebalance(&mut self) -> Option<Outcome<Polled>> {
        let event = self.consumer.context().next()?;
        self.polled.clear();
        Some(event.map_err(|error| self.failure(&error)))
    }

    fn trouble(&mut self, error: &KafkaError) -> Outcome<Polled> {
        use RDKafkaErrorCode as Code;
        // What librdkafka knows of the topic may be older than the cluster; it looks again, and so does this.
        if told(error).is_unknown_topic() {
            self.look_again()?;
            if self.replaced {
                return Ok(Polled::Replaced);
            }
        }
        match error.rdkafka_error_code() {
            Some(Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed) => Err(self.failure(error)),
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => Err(self.failure(error)),
            found => {
                let words = match found {
                    Some(Code::PollExceeded) => {
                        "the group gave this member up while it was busy for long".to_owned()
                    }
                    _ => told(error).to_string(),
                };
                let again = self.told.as_ref() == Some(&words);
                self.told = Some(words.clone());
                Ok(if again {
                    Polled::Nothing
                } else {
                    Polled::Trouble(words)
                })
            }
        }
    }

    fn failure(&self, error: &KafkaError) -> Failure {
        told(error).into_failure(format!(
            "cannot read topic `{}` in group `{}`",
            self.topic, self.group
        ))
    }

    /// Commits, per partition, the offset of the next record to read, and waits for the coordinator's answer. False
    /// when nothing was committed: the group has meanwhile given the partitions to others, who read again what was
    /// not committed, or the coordinator is away for now.
    ///
    /// # Errors
    /// When the coordinator refuses for good.
    pub fn commit(&self, next: &BTreeMap<i32, i64>) -> Outcome<bool> {
        use RDKafkaErrorCode as Code;
        if next.is_empty() {
            return Ok(true);
        }
        let offsets = self.list_of(next).map_err(|error| self.failure(&error))?;
        let Err(error) = self.consumer.commit(&offsets, CommitMode::Sync) else {
            return Ok(true);
        };
        match error.rdkafka_error_code() {
            Some(
                Code::IllegalGeneration
                | Code::UnknownMemberId
                | Code::RebalanceInProgress
                | Code::AssignmentLost
                | Code::StaleMemberEpoch
                | Code::NotCoordinator
                | Code::CoordinatorNotAvailable
                | Code::CoordinatorLoadInProgress
                | Code::RequestTimedOut,
            ) => Ok(false),
            _ if told(&error).is_unreachable() => Ok(false),
            _ => Err(told(&error).into_failure(format!(
                "cannot commit the offsets of group `{}` in topic `{}`",
                self.group, self.topic
            ))),
        }
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.consumer.context().close(&self.consumer);
    }
}

fn told(error: &KafkaError) -> errors::KafkaError {
    error.into()
}
