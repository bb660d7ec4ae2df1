//! What a cluster answers, as owned values.

use std::collections::BTreeMap;
use std::fmt;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Topic name.
    pub topic: String,
    /// Partition number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        TopicPartition {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    /// As Kafka names a partition's folder: `TOPIC-PARTITION`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; `None` leaves it to the broker's `num.partitions`.
    pub partitions: Option<i32>,
    /// How many copies; `None` leaves it to the broker's `default.replication.factor`.
    pub replication_factor: Option<i32>,
    /// Brokers of each partition, the first preferred as leader; empty leaves placement to the cluster.
    pub assignment: Vec<Vec<i32>>,
    /// Settings that differ from the defaults.
    pub configs: BTreeMap<String, String>,
}

impl NewTopic {
    /// A topic with the cluster's own defaults.
    pub fn named(name: impl Into<String>) -> Self {
        NewTopic {
            name: name.into(),
            ..NewTopic::default()
        }
    }
}

/// A broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// `node.id`
    pub id: i32,
    /// The host it tells clients to use.
    pub host: String,
    /// The port it tells clients to use.
    pub port: u16,
    /// `broker.rack`, when it has one.
    pub rack: Option<String>,
}

impl Broker {
    /// `HOST:PORT`
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A cluster and its brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDescription {
    /// The id that was made when its storage was formatted.
    pub cluster_id: Option<String>,
    /// The controller that clients are told of (in KRaft, any broker).
    pub controller: Option<i32>,
    /// The brokers that are up, by id.
    pub brokers: Vec<Broker>,
}

/// Brokers and topics, as one Metadata answer has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterMetadata {
    /// The brokers that are up, by id.
    pub brokers: Vec<Broker>,
    /// The topics, by name.
    pub topics: Vec<TopicMetadata>,
}

impl ClusterMetadata {
    /// The topic of that name.
    pub fn topic(&self, name: &str) -> Option<&TopicMetadata> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    /// The partitions of all topics, in order.
    pub fn partitions(&self) -> impl Iterator<Item = TopicPartition> {
        self.topics.iter().flat_map(TopicMetadata::topic_partitions)
    }
}

/// A topic as Metadata knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// Its name.
    pub name: String,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionDescription>,
}

impl TopicMetadata {
    /// Its partitions, each with the topic's name.
    pub fn topic_partitions(&self) -> impl Iterator<Item = TopicPartition> {
        let partitions = self.partitions.iter();
        partitions.map(|partition| TopicPartition::new(&self.name, partition.partition))
    }

    /// Whether it is one of Kafka's own (`__consumer_offsets`, `__transaction_state`, `__share_group_state`).
    pub fn is_internal(&self) -> bool {
        is_internal(&self.name)
    }

    /// The number of copies of each partition, 0 when there is no partition.
    pub fn replication_factor(&self) -> usize {
        self.partitions
            .first()
            .map_or(0, |partition| partition.replicas.len())
    }
}

/// Whether a topic of that name is one of Kafka's own.
pub fn is_internal(topic: &str) -> bool {
    ["__consumer_offsets", "__transaction_state", "__share_group_state"].contains(&topic)
}

/// A topic as DescribeTopics knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// The id of this topic and of no other, even one of the same name later.
    pub id: String,
    /// Whether it is one of Kafka's own.
    pub internal: bool,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionDescription>,
}

impl TopicDescription {
    /// How many copies its first partition has.
    pub fn replication_factor(&self) -> Option<i32> {
        let replicas = self.partitions.first()?.replicas.len();
        i32::try_from(replicas).ok().filter(|replicas| *replicas > 0)
    }
}

/// A partition and where its copies are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDescription {
    /// Partition number, from 0.
    pub partition: i32,
    /// The broker that serves it; `None` when no replica can.
    pub leader: Option<i32>,
    /// Brokers that hold a copy, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub isr: Vec<i32>,
}

impl PartitionDescription {
    /// How many replicas must be in sync where `min.insync.replicas` is `least`: more than there are is asked of no partition.
    pub fn wanted_in_sync(&self, least: usize) -> usize {
        least.min(self.replicas.len())
    }
}

/// What has settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigResource {
    /// A topic, by name.
    Topic(String),
    /// A broker, by id.
    Broker(i32),
    /// A consumer group, by id.
    Group(String),
}

/// Where a setting's value comes from, as DescribeConfigs says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    /// Set on the topic.
    Topic,
    /// Set on this broker, while it runs.
    Broker,
    /// Set for all brokers, while they run.
    AllBrokers,
    /// From the broker's properties file.
    File,
    /// Kafka's default.
    Default,
    /// Set on the group.
    Group,
    /// Set on a logger of this broker, while it runs.
    BrokerLogger,
    /// Set on the subscription of client metrics.
    ClientMetrics,
    /// The broker did not say.
    Unknown,
}

impl ConfigSource {
    /// Kafka's own name of it.
    pub fn kafka_name(self) -> &'static str {
        match self {
            ConfigSource::Topic => "DYNAMIC_TOPIC_CONFIG",
            ConfigSource::Broker => "DYNAMIC_BROKER_CONFIG",
            ConfigSource::AllBrokers => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            ConfigSource::File => "STATIC_BROKER_CONFIG",
            ConfigSource::Default => "DEFAULT_CONFIG",
            ConfigSource::Group => "GROUP_CONFIG",
            ConfigSource::BrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
            ConfigSource::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
            ConfigSource::Unknown => "UNKNOWN",
        }
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            ConfigSource::Topic => "the topic",
            ConfigSource::Broker => "this broker",
            ConfigSource::AllBrokers => "all brokers",
            ConfigSource::File => "the broker's file",
            ConfigSource::Default => "Kafka's default",
            ConfigSource::Group => "the group",
            ConfigSource::BrokerLogger => "the broker's logger",
            ConfigSource::ClientMetrics => "the metrics subscription",
            ConfigSource::Unknown => "an unnamed place",
        }
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value; `None` when it is sensitive or unset.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// Whether the value is Kafka's default.
    pub is_default: bool,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Whether the broker hides the value.
    pub sensitive: bool,
    /// Where else a value would come from, in order: this one first, Kafka's default last.
    pub synonyms: Vec<ConfigSynonym>,
}

impl ConfigEntry {
    /// Kafka's default, when the broker tells it.
    pub fn default_value(&self) -> Option<&str> {
        if self.source == ConfigSource::Default {
            return self.value.as_deref();
        }
        self.synonyms
            .iter()
            .find(|synonym| synonym.source == ConfigSource::Default)
            .and_then(|synonym| synonym.value.as_deref())
    }
}

/// A value that a setting has, or falls back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// The setting's name at that place (a topic's `retention.ms` is a broker's `log.retention.ms`).
    pub name: String,
    /// Its value there.
    pub value: Option<String>,
    /// The place.
    pub source: ConfigSource,
}

/// One change of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigChange {
    /// Give it this value.
    Set(String, String),
    /// Back to the default.
    Delete(String),
    /// Add to a list.
    Append(String, String),
    /// Take from a list.
    Subtract(String, String),
}

impl ConfigChange {
    /// The setting's name.
    pub fn name(&self) -> &str {
        match self {
            ConfigChange::Set(name, _)
            | ConfigChange::Delete(name)
            | ConfigChange::Append(name, _)
            | ConfigChange::Subtract(name, _) => name,
        }
    }
}

/// Which offset of a partition to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first that can be read.
    Earliest,
    /// The one the next record gets.
    Latest,
    /// That of the record with the greatest timestamp.
    MaxTimestamp,
    /// The first whose timestamp is at or after this one, in ms since 1970-01-01 UTC.
    Timestamp(i64),
}

/// An offset that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffset {
    /// The offset; `None` when no record matches the timestamp.
    pub offset: Option<i64>,
    /// The record's timestamp in ms, when asked by timestamp.
    pub timestamp: Option<i64>,
}

/// A group's committed position in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset the group reads.
    pub offset: i64,
    /// The leader epoch of the record before it, when it was committed.
    pub leader_epoch: Option<i32>,
}

/// The state of a group, by Kafka's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// Members join.
    PreparingRebalance,
    /// Members wait for their partitions.
    CompletingRebalance,
    /// Members read.
    Stable,
    /// Gone, or never there.
    Dead,
    /// No members; offsets are kept.
    Empty,
    /// The coordinator decides who reads what (KIP-848).
    Assigning,
    /// Members go over to what they are to read (KIP-848).
    Reconciling,
    /// A state that librdkafka has no name for (of the newer protocols).
    Unknown,
}

impl GroupState {
    /// The state of one of Kafka's names.
    pub fn named(name: &str) -> Self {
        [
            GroupState::PreparingRebalance,
            GroupState::CompletingRebalance,
            GroupState::Stable,
            GroupState::Dead,
            GroupState::Empty,
            GroupState::Assigning,
            GroupState::Reconciling,
        ]
        .into_iter()
        .find(|state| state.kafka_name() == name)
        .unwrap_or(GroupState::Unknown)
    }

    /// Kafka's own name of it.
    pub fn kafka_name(self) -> &'static str {
        match self {
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
            GroupState::Empty => "Empty",
            GroupState::Assigning => "Assigning",
            GroupState::Reconciling => "Reconciling",
            GroupState::Unknown => "Unknown",
        }
    }
}

/// Which protocol a group speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupType {
    /// Join and sync, assigned by a member.
    Classic,
    /// KIP-848, assigned by the coordinator.
    Consumer,
    /// The broker did not say.
    Unknown,
}

impl GroupType {
    /// Kafka's own name of it.
    pub fn kafka_name(self) -> &'static str {
        match self {
            GroupType::Classic => "Classic",
            GroupType::Consumer => "Consumer",
            GroupType::Unknown => "Unknown",
        }
    }
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListing {
    /// `group.id`
    pub group_id: String,
    /// Its state.
    pub state: GroupState,
    /// Its protocol.
    pub group_type: GroupType,
}

/// A group and its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// `group.id`
    pub group_id: String,
    /// Its state.
    pub state: GroupState,
    /// Its protocol.
    pub group_type: GroupType,
    /// The assignor in use (`range`, `cooperative-sticky`, `uniform` …), empty without members.
    pub assignor: String,
    /// The broker that coordinates it.
    pub coordinator: Option<Broker>,
    /// Its members.
    pub members: Vec<MemberDescription>,
}

impl GroupDescription {
    /// What is known of a group that is not there.
    pub fn dead(group_id: impl Into<String>) -> Self {
        GroupDescription {
            group_id: group_id.into(),
            state: GroupState::Dead,
            group_type: GroupType::Unknown,
            assignor: String::new(),
            coordinator: None,
            members: Vec::new(),
        }
    }

    /// Whether there is such a group: a coordinator answers `Dead` for one it never heard of.
    pub fn exists(&self) -> bool {
        self.state != GroupState::Dead
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberDescription {
    /// The id the coordinator gave it.
    pub member_id: String,
    /// Its `client.id`.
    pub client_id: String,
    /// Its `group.instance.id`, when it is static.
    pub instance_id: Option<String>,
    /// The address it connects from.
    pub host: String,
    /// The partitions it reads.
    pub assignment: Vec<TopicPartition>,
    /// The partitions it is to read once it has caught up with its group (KIP-848); `None` in a classic group.
    pub target: Option<Vec<TopicPartition>>,
}
