//! The cluster's metadata at one offset of the metadata log (KIP-500). Immutable; a change makes a new image.

use super::record::Endpoint;
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
    pub end_points: Vec<Endpoint>,
    /// Directory ids (KIP-858).
    pub log_dirs: Vec<Uuid>,
}

impl BrokerImage {
    /// Where it tells those to connect who come by the listener of that name.
    pub fn endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.end_points
            .iter()
            .find(|end_point| end_point.name == listener)
    }

    /// Whether it may lead partitions.
    pub fn can_lead(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }
}

/// A partition's replicas and leader.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Default for MetadataImage {
    /// Nothing at all, before the first record.
    fn default() -> Self {
        MetadataImage {
            offset: -1,
            cluster_id: String::new(),
            controller_id: -1,
            brokers: BTreeMap::new(),
            topics: BTreeMap::new(),
            topic_names: HashMap::new(),
            configs: BTreeMap::new(),
            features: BTreeMap::new(),
            next_producer_id: 0,
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
