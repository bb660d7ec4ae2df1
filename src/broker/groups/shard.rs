//! The groups of one partition of `__consumer_offsets`: what is changed here is written there first.

use super::budget::Budget;
use super::group::{Group, GroupLimits, GroupState};
use super::records;
use super::slot::Slot;
use crate::broker::batch::{BatchBuilder, BatchHeader};
use crate::broker::error::Result;
use crate::broker::records::offsets::OffsetsRecord;
use crate::broker::records::{KeyAndValue, RecordError};
use crate::broker::replication::Partition;
use crate::clock::Clock;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Records are written in batches of about so many bytes, well under any `max.message.bytes`.
const BATCH_BYTES: usize = 256 * 1024;
/// What a record takes beside its key and value.
const RECORD_OVERHEAD: usize = 32;
/// Memory that a group without members and offsets is reckoned at.
const GROUP_BYTES: usize = 1024;

/// What all shards of a coordinator share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The one clock.
    pub clock: Clock,
    /// What groups may depend on.
    pub limits: GroupLimits,
    /// Memory of all groups.
    pub budget: Budget,
    /// `offsets.commit.timeout.ms`
    pub commit_timeout: Duration,
    /// Runs the timers; gone when the node is.
    pub tasks: Weak<Mutex<JoinSet<()>>>,
}

impl Shared {
    /// Runs `task` until it ends or the node does.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = self.tasks.upgrade() {
            let mut tasks = tasks.lock();
            while let Some(ended) = tasks.try_join_next() {
                if let Err(error) = ended {
                    tracing::error!("a task of the group coordinator failed: {error}");
                }
            }
            tasks.spawn(task);
        }
    }
}

/// The groups of one partition.
#[derive(Debug)]
pub struct Shard {
    /// The partition of `__consumer_offsets`, led by this broker.
    pub partition: Arc<Partition>,
    /// The leader epoch in which it was loaded.
    pub epoch: i32,
    /// What all shards share.
    pub shared: Shared,
    loaded: AtomicBool,
    unreadable: AtomicBool,
    groups: Mutex<HashMap<String, Arc<Slot>>>,
    /// Groups of the consumer, share and streams protocols, which Apache Kafka has left here.
    others: Mutex<HashSet<String>>,
}

impl Shard {
    /// A shard whose groups are not loaded yet.
    pub fn new(partition: Arc<Partition>, epoch: i32, shared: Shared) -> Self {
        Shard {
            partition,
            epoch,
            shared,
            loaded: AtomicBool::new(false),
            unreadable: AtomicBool::new(false),
            groups: Mutex::default(),
            others: Mutex::default(),
        }
    }

    /// Its groups are known, so requests can be answered.
    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// Its log cannot be read: nobody is served here until another broker leads the partition.
    pub fn is_unreadable(&self) -> bool {
        self.unreadable.load(Ordering::Acquire)
    }

    /// Notes that its log cannot be read.
    pub fn set_unreadable(&self) {
        self.unreadable.store(true, Ordering::Release);
    }

    /// Whether the group is of a protocol that this coordinator does not speak (KIP-848, KIP-932, KIP-1071). Its offsets
    /// can be read; nothing of it may be written or expire, or Apache Kafka could not read it any more.
    pub fn is_of_another_protocol(&self, group_id: &str) -> bool {
        self.others.lock().contains(group_id)
    }

    /// Takes the groups read from the log, and the names of those of other protocols.
    pub fn set_loaded(&self, groups: HashMap<String, Arc<Slot>>, others: HashSet<String>) {
        *self.others.lock() = others;
        *self.groups.lock() = groups;
        self.loaded.store(true, Ordering::Release);
    }

    /// The group, if it exists.
    pub fn find(&self, group_id: &str) -> Option<Arc<Slot>> {
        self.groups.lock().get(group_id).cloned()
    }

    /// The group, made if need be.
    ///
    /// # Errors
    /// `POLICY_VIOLATION` when the memory for groups is used up.
    pub fn find_or_create(self: &Arc<Self>, group_id: &str) -> Result<Arc<Slot>, ResponseError> {
        let mut groups = self.groups.lock();
        if let Some(slot) = groups.get(group_id) {
            return Ok(Arc::clone(slot));
        }
        let charge = self
            .shared
            .budget
            .charge(GROUP_BYTES + group_id.len())
            .ok_or(ResponseError::PolicyViolation)?;
        let group = Group::new(group_id, self.shared.limits, charge, self.shared.clock.now_ms());
        let slot = Arc::new(Slot::new(Arc::clone(self), group));
        groups.insert(group_id.to_owned(), Arc::clone(&slot));
        Ok(slot)
    }

    /// A group read from the log; past the limit of memory if need be.
    pub fn restore(self: &Arc<Self>, group_id: &str) -> Group {
        let charge = self.shared.budget.force(GROUP_BYTES + group_id.len());
        Group::new(group_id, self.shared.limits, charge, self.shared.clock.now_ms())
    }

    /// All groups.
    pub fn all(&self) -> Vec<Arc<Slot>> {
        self.groups.lock().values().cloned().collect()
    }

    /// Drops a group that is dead. Called with the group locked, so that nobody can find it afterwards.
    pub fn forget(&self, group: &Group) {
        debug_assert!(group.state() == GroupState::Dead);
        self.groups.lock().remove(&group.id);
    }

    /// Writes records; returns the offset of the last. They are readable once [`Shard::is_replicated`] says so.
    ///
    /// # Errors
    /// What the partition refuses: it is no longer led here, too few replicas are in sync, the disk fails.
    pub fn append(&self, records: &[OffsetsRecord]) -> Result<i64> {
        let encoded: Result<Vec<KeyAndValue>, RecordError> = records.iter().map(records::encode).collect();
        let encoded = encoded.map_err(|error| {
            tracing::error!("cannot write records of a group: {error}");
            ResponseError::UnknownServerError
        })?;
        let header = BatchHeader::of_broker(self.shared.clock.now_ms());
        let mut last = -1;
        for chunk in chunks(&encoded) {
            let mut batch = BatchBuilder::default();
            for record in chunk {
                batch.push(Some(&record.key), record.value.as_deref());
            }
            last = self.partition.append(batch.build(header)?.bytes, -1)?.last_offset;
        }
        Ok(last)
    }

    /// Every in-sync replica has the record.
    pub fn is_replicated(&self, offset: i64) -> bool {
        self.partition.log.high_watermark() > offset
    }

    /// Waits for that.
    ///
    /// # Errors
    /// `REQUEST_TIMED_OUT` after `offsets.commit.timeout.ms`.
    pub async fn replicated(&self, offset: i64) -> Result<(), ResponseError> {
        let deadline = Instant::now() + self.shared.commit_timeout;
        if self.is_replicated(offset) || self.partition.await_replicated(offset, deadline).await {
            Ok(())
        } else {
            Err(ResponseError::RequestTimedOut)
        }
    }
}

/// What a client is told when the group's own partition cannot be written: where to go and when to try again.
pub fn coordinator_error(error: ResponseError) -> ResponseError {
    match error {
        ResponseError::UnknownTopicOrPartition
        | ResponseError::NotEnoughReplicas
        | ResponseError::RequestTimedOut => ResponseError::CoordinatorNotAvailable,
        ResponseError::NotLeaderOrFollower | ResponseError::KafkaStorageError => {
            ResponseError::NotCoordinator
        }
        _ => ResponseError::UnknownServerError,
    }
}

/// Cuts records into runs of about [`BATCH_BYTES`].
fn chunks(mut entries: &[KeyAndValue]) -> Vec<&[KeyAndValue]> {
    let mut chunks = Vec::new();
    while !entries.is_empty() {
        let mut bytes = 0;
        let length = entries
            .iter()
            .take_while(|entry| {
                let first = bytes == 0;
                bytes += RECORD_OVERHEAD + entry.key.len() + entry.value.as_ref().map_or(0, Bytes::len);
                first || bytes <= BATCH_BYTES
            })
            .count();
        let (chunk, rest) = entries.split_at(length);
        chunks.push(chunk);
        entries = rest;
    }
    chunks
}
