//! Where facts come from: a cluster that answers, or one in memory.

use crate::failure::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// Brokers and topics at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// The brokers that serve, by id.
    pub brokers: BTreeSet<i32>,
    /// The partitions of each topic, in order; internal topics are left out.
    pub topics: BTreeMap<String, Vec<Partition>>,
}

/// A partition and where its copies are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// The broker that serves it; `None` when none does.
    pub leader: Option<i32>,
    /// The brokers that have a copy, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those of them whose copy is up to date.
    pub isr: Vec<i32>,
}

/// A partition and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// Its number.
    pub partition: i32,
    /// The first offset still there.
    pub start: i64,
    /// The offset that the next record gets.
    pub end: i64,
}

/// A member of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// The partitions it has, by topic.
    pub owns: Vec<(String, i32)>,
}

/// A consumer group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its state, by Kafka's name.
    pub state: String,
    /// Who is in it now.
    pub members: Vec<Member>,
    /// Committed offsets by topic and partition.
    pub committed: BTreeMap<(String, i32), i64>,
}

/// A record as far as lessons look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Where it lies.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its time, in milliseconds since 1970-01-01 UTC.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Vec<u8>,
}

/// What lessons read from a cluster, and the little they do to it. The live one asks Kafka; tests have one in memory.
pub trait ClusterFacts {
    /// Brokers and topics.
    fn cluster(&self) -> Outcome<ClusterView>;
    /// The names of all groups.
    fn groups(&self) -> Outcome<BTreeSet<String>>;
    /// The settings of a topic that exists, by name; those without a value are left out.
    fn topic_configs(&self, topic: &str) -> Outcome<BTreeMap<String, String>>;
    /// The settings of a broker that serves, likewise.
    fn broker_configs(&self, broker: i32) -> Outcome<BTreeMap<String, String>>;
    /// Start and end of each partition of a topic that exists; `None` when one cannot be told now, for want of a leader.
    fn offsets(&self, topic: &str) -> Outcome<Option<Vec<PartitionOffsets>>>;
    /// A group; `None` when there is none, or nobody can tell now.
    fn group(&self, group: &str) -> Outcome<Option<Group>>;
    /// The last records of each partition, at most `per_partition` of each, as a reader of committed records sees them.
    fn records(&self, topic: &str, per_partition: i64) -> Outcome<Vec<Seen>>;
    /// How many a reader of uncommitted records sees of the same.
    fn uncommitted(&self, topic: &str, per_partition: i64) -> Outcome<usize>;
    /// How many producers have a transaction open in a topic that exists.
    fn open_transactions(&self, topic: &str) -> Outcome<usize>;
    /// Makes a topic that is not there yet; with as many copies as the cluster makes by itself, unless told how many.
    fn create_topic(&self, topic: &str, partitions: i32, replication_factor: Option<i32>) -> Outcome;
    /// Deletes topics; those that are not there are no failure.
    fn remove_topics(&self, topics: &[String]) -> Outcome;
    /// Deletes groups, and says which are still in use; those that are not there are no failure.
    fn remove_groups(&self, groups: &[String]) -> Outcome<Vec<String>>;
}
