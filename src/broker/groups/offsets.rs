//! Committed offsets: what the records of a partition of `__consumer_offsets` add up to, and what producers have committed in
//! transactions that have not ended.

use super::budget::{Budget, Charge};
use crate::broker::machine::{Position, Producer};
use crate::broker::records::offsets::{OffsetCommitKey, OffsetCommitValue};
use std::collections::{BTreeMap, BTreeSet};

/// What a committed offset takes beside its text.
const OFFSET_BYTES: usize = 160;
/// What a group with offsets takes beside its name.
const GROUP_BYTES: usize = 512;

/// A committed offset.
#[derive(Debug, Clone)]
pub struct CommittedOffset {
    /// The next record to read.
    pub offset: i64,
    /// Leader epoch of the last record read, -1 when unknown.
    pub leader_epoch: i32,
    /// Whatever the client wanted kept with it.
    pub metadata: String,
    /// When it was committed, in ms.
    pub commit_timestamp: i64,
    /// When it expires, in ms, if the client said so (before version 5 of OffsetCommit).
    pub expire_timestamp: Option<i64>,
    /// Where its record stands: of a plain commit and one in a transaction the later counts, whenever that ends.
    recorded_at: i64,
    /// What it takes of the coordinator's memory.
    _charge: Charge,
}

impl PartialEq for CommittedOffset {
    fn eq(&self, other: &Self) -> bool {
        let told = |of: &Self| {
            (
                of.offset,
                of.leader_epoch,
                of.commit_timestamp,
                of.expire_timestamp,
            )
        };
        told(self) == told(other) && self.metadata == other.metadata && self.recorded_at == other.recorded_at
    }
}

/// By topic and partition.
type Topics = BTreeMap<String, BTreeMap<i32, CommittedOffset>>;

/// The offsets of one group.
#[derive(Debug, Clone)]
pub struct GroupOffsets {
    topics: Topics,
    /// Where the record of its newest commit stands.
    last_commit: i64,
    _charge: Charge,
}

impl PartialEq for GroupOffsets {
    fn eq(&self, other: &Self) -> bool {
        self.topics == other.topics && self.last_commit == other.last_commit
    }
}

impl GroupOffsets {
    /// The offset of that partition.
    pub fn get(&self, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.topics.get(topic)?.get(&partition)
    }

    /// All, by topic and partition.
    pub fn topics(&self) -> &BTreeMap<String, BTreeMap<i32, CommittedOffset>> {
        &self.topics
    }

    /// Where the record of the newest commit stands.
    pub fn last_commit(&self) -> i64 {
        self.last_commit
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.topics.values().map(BTreeMap::len).sum()
    }
}

/// The offsets of all groups of a partition.
#[derive(Debug, Clone)]
pub struct Offsets {
    committed: BTreeMap<String, GroupOffsets>,
    /// By producer and group: they count once the producer's marker says so.
    pending: BTreeMap<i64, BTreeMap<String, Topics>>,
    budget: Budget,
}

impl PartialEq for Offsets {
    fn eq(&self, other: &Self) -> bool {
        self.committed == other.committed && self.pending == other.pending
    }
}

impl Offsets {
    /// None yet.
    pub fn new(budget: Budget) -> Self {
        Offsets {
            committed: BTreeMap::new(),
            pending: BTreeMap::new(),
            budget,
        }
    }

    /// Memory that a commit will take.
    pub fn size_of(topic: &str, metadata: &str) -> usize {
        OFFSET_BYTES + topic.len() + metadata.len()
    }

    /// The offsets of a group, if any are committed.
    pub fn of(&self, group: &str) -> Option<&GroupOffsets> {
        self.committed.get(group)
    }

    /// Whether a group has offsets, committed or in a transaction that has not ended.
    pub fn knows(&self, group: &str) -> bool {
        self.committed.contains_key(group) || self.is_in_transaction(group)
    }

    /// Groups with offsets, committed or in a transaction that has not ended.
    pub fn groups(&self) -> BTreeSet<&String> {
        let pending = self.pending.values().flat_map(BTreeMap::keys);
        self.committed.keys().chain(pending).collect()
    }

    /// Whether a transaction that has not ended commits an offset of that partition (KIP-447).
    pub fn is_unstable(&self, group: &str, topic: &str, partition: i32) -> bool {
        self.pending_of(group)
            .any(|topics| topics.get(topic).is_some_and(|of| of.contains_key(&partition)))
    }

    /// Whether a transaction that has not ended commits offsets of that group.
    pub fn is_in_transaction(&self, group: &str) -> bool {
        self.pending_of(group).next().is_some()
    }

    /// Partitions of a group with offsets, committed or in a transaction that has not ended.
    pub fn partitions_of(&self, group: &str) -> Vec<(String, i32)> {
        let committed = self.of(group).map(GroupOffsets::topics);
        let mut all: Vec<(String, i32)> = committed
            .into_iter()
            .chain(self.pending_of(group))
            .flatten()
            .flat_map(|(topic, partitions)| partitions.keys().map(|index| (topic.clone(), *index)))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn pending_of(&self, group: &str) -> impl Iterator<Item = &Topics> {
        self.pending.values().filter_map(move |groups| groups.get(group))
    }

    /// Takes the record of a commit.
    pub(super) fn commit(&mut self, at: Position, key: OffsetCommitKey, value: OffsetCommitValue) {
        let size = Self::size_of(&key.topic, &value.metadata);
        let committed = CommittedOffset {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata,
            commit_timestamp: value.commit_timestamp,
            expire_timestamp: Some(value.expire_timestamp).filter(|at| *at >= 0),
            recorded_at: at.offset,
            _charge: self.budget.force(size),
        };
        match at.producer {
            Some(producer) => {
                let groups = self.pending.entry(producer.id).or_default();
                put(
                    groups.entry(key.group).or_default(),
                    key.topic,
                    key.partition,
                    committed,
                );
            }
            None => {
                let group = self.group(key.group);
                group.last_commit = at.offset;
                put(&mut group.topics, key.topic, key.partition, committed);
            }
        }
    }

    /// Takes the end of an offset; one in a transaction that has not ended ends as well.
    pub(super) fn remove(&mut self, key: &OffsetCommitKey) {
        if let Some(group) = self.committed.get_mut(&key.group) {
            remove(&mut group.topics, key);
            if group.topics.is_empty() {
                self.committed.remove(&key.group);
            }
        }
        self.pending.retain(|_, groups| {
            if let Some(topics) = groups.get_mut(&key.group) {
                remove(topics, key);
                if topics.is_empty() {
                    groups.remove(&key.group);
                }
            }
            !groups.is_empty()
        });
    }

    /// A producer's transaction has ended, by the marker at `at`.
    pub(super) fn end_transaction(&mut self, at: i64, producer: Producer, commits: bool) {
        let groups = self.pending.remove(&producer.id).unwrap_or_default();
        for (id, topics) in groups.into_iter().filter(|_| commits) {
            let group = self.group(id);
            group.last_commit = at;
            for (topic, partitions) in topics {
                for (partition, committed) in partitions {
                    let newer = group
                        .get(&topic, partition)
                        .is_none_or(|known| known.recorded_at < committed.recorded_at);
                    if newer {
                        put(&mut group.topics, topic.clone(), partition, committed);
                    }
                }
            }
        }
    }

    fn group(&mut self, id: String) -> &mut GroupOffsets {
        let budget = &self.budget;
        self.committed.entry(id).or_insert_with_key(|id| GroupOffsets {
            topics: BTreeMap::new(),
            last_commit: -1,
            _charge: budget.force(GROUP_BYTES + id.len()),
        })
    }
}

fn put(topics: &mut Topics, topic: String, partition: i32, committed: CommittedOffset) {
    topics.entry(topic).or_default().insert(partition, committed);
}

fn remove(topics: &mut Topics, key: &OffsetCommitKey) {
    if let Some(partitions) = topics.get_mut(&key.topic) {
        partitions.remove(&key.partition);
        if partitions.is_empty() {
            topics.remove(&key.topic);
        }
    }
}
