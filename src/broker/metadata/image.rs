//! The cluster's metadata at one offset of the metadata log (KIP-500). Immutable; a change makes a new image.

use crate::broker::records::metadata::{EndPoint, FeatureRange, MetadataRecord, RegisterControllerRecord};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// What a setting belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigResource {
    /// A topic, by name.
    Topic(String),
    /// A broker by id, or the cluster-wide default of all brokers (`None`).
    Broker(Option<i32>),
    /// A consumer group, by id.
    Group(String),
}

/// A registered broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokerImage {
    /// `node.id`
    pub id: i32,
    /// `broker.rack`
    pub rack: Option<String>,
    /// Epoch of this registration: the offset of its record.
    pub epoch: i64,
    /// Not serving: shut down, or its heartbeats stopped.
    pub fenced: bool,
    /// About to stop: gets no leadership.
    pub in_controlled_shutdown: bool,
    /// Of this run of its process.
    pub incarnation_id: Uuid,
    /// Where it tells others to connect, by listener.
    pub end_points: Vec<EndPoint>,
    /// Features it can do.
    pub features: Vec<FeatureRange>,
    /// Directory ids (KIP-858).
    pub log_dirs: Vec<Uuid>,
    /// Those that take no new replicas (KIP-1066): only Apache Kafka makes them.
    pub cordoned: Vec<Uuid>,
}

impl BrokerImage {
    /// Where it tells those to connect who come by the listener of that name.
    pub fn endpoint(&self, listener: &str) -> Option<&EndPoint> {
        self.end_points
            .iter()
            .find(|end_point| end_point.name == listener)
    }

    /// Whether it may lead partitions.
    pub fn can_lead(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }
}

/// The leader of a PartitionChangeRecord that changes none.
pub const NO_LEADER_CHANGE: i32 = -2;

/// A partition's replicas and leader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartitionImage {
    /// Broker ids, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub isr: Vec<i32>,
    /// Broker id, -1 for none.
    pub leader: i32,
    /// Rises with every change of leader.
    pub leader_epoch: i32,
    /// Rises with every change of this record.
    pub partition_epoch: i32,
    /// Replicas that a reassignment of Apache Kafka adds.
    pub adding: Vec<i32>,
    /// Those that it takes away.
    pub removing: Vec<i32>,
    /// Replicas out of sync that have all that was committed (KIP-966), and may lead where nobody is in sync.
    pub eligible: Vec<i32>,
    /// Those that were so last; who led last, from when nobody is in sync until somebody leads.
    pub last_eligible: Vec<i32>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicImage {
    /// The id that survives nothing but the topic itself.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// By partition index, from 0 on without gaps.
    pub partitions: Vec<PartitionImage>,
}

/// What the metadata log says of its own quorum (KIP-853), as it says it: values of control records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuorumRecords {
    /// `kraft.version`
    pub version: Option<Bytes>,
    /// The voters.
    pub voters: Option<Bytes>,
}

/// Everything at one offset of the metadata log.
#[derive(Debug, Clone)]
pub struct MetadataImage {
    /// Offset of the last record applied, -1 for none.
    pub offset: i64,
    /// `cluster.id`
    pub cluster_id: String,
    /// The active controller's node id.
    pub controller_id: i32,
    /// By id.
    pub brokers: BTreeMap<i32, BrokerImage>,
    /// Controllers that have registered (KIP-919), by id.
    pub controllers: BTreeMap<i32, RegisterControllerRecord>,
    /// What the log says of its quorum.
    pub quorum: QuorumRecords,
    /// By name.
    pub topics: BTreeMap<String, Arc<TopicImage>>,
    /// Names by topic id.
    pub topic_names: HashMap<Uuid, String>,
    /// Settings that were set, by resource; never defaults.
    pub configs: BTreeMap<ConfigResource, BTreeMap<String, String>>,
    /// Levels of the cluster's features (KIP-584).
    pub features: BTreeMap<String, i16>,
    /// First producer id of the next block to hand out.
    pub next_producer_id: i64,
    /// Records of a transaction that has begun and not ended (KIP-868), with their offsets. They do not count yet.
    pub transaction: Option<Vec<(i64, MetadataRecord)>>,
}

impl Default for MetadataImage {
    /// Nothing at all, before the first record.
    fn default() -> Self {
        MetadataImage {
            offset: -1,
            cluster_id: String::new(),
            controller_id: -1,
            brokers: BTreeMap::new(),
            controllers: BTreeMap::new(),
            quorum: QuorumRecords::default(),
            topics: BTreeMap::new(),
            topic_names: HashMap::new(),
            configs: BTreeMap::new(),
            features: BTreeMap::new(),
            next_producer_id: 0,
            transaction: None,
        }
    }
}

impl MetadataImage {
    /// The topic of that id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<&Arc<TopicImage>> {
        self.topics.get(self.topic_names.get(&id)?)
    }

    /// The partition's leader, replicas and epochs.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&PartitionImage> {
        self.topics
            .get(topic)?
            .partitions
            .get(usize::try_from(partition).ok()?)
    }
}
