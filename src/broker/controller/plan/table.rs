//! A cluster as tables of plans have it: brokers and topics by a line each, and records replayed as in service.

use super::{ApiError, View};
use crate::broker::config::NodeConfig;
use crate::broker::metadata::{BrokerImage, MetadataImage, MetadataRecord, PartitionImage, TopicImage};
use kafka_protocol::ResponseError;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Where the log of these clusters goes on; what stands in it before makes the image.
pub const NEXT_OFFSET: i64 = 100;

/// A cluster.
pub struct Cluster {
    image: MetadataImage,
    config: NodeConfig,
    next_offset: i64,
}

impl Cluster {
    /// Brokers that serve, each with its id as its epoch.
    pub fn of(brokers: &[i32]) -> Self {
        let mut image = MetadataImage {
            cluster_id: "here".to_owned(),
            offset: NEXT_OFFSET - 1,
            ..MetadataImage::default()
        };
        for id in brokers {
            let broker = BrokerImage {
                id: *id,
                epoch: i64::from(*id),
                incarnation_id: Uuid::from_u128(id.unsigned_abs().into()),
                ..BrokerImage::default()
            };
            image.brokers.insert(*id, broker);
        }
        Cluster {
            image,
            config: NodeConfig::from_properties(BTreeMap::new()).unwrap(),
            next_offset: NEXT_OFFSET,
        }
    }

    fn broker(mut self, id: i32, change: impl FnOnce(&mut BrokerImage)) -> Self {
        change(self.image.brokers.get_mut(&id).unwrap());
        self
    }

    /// That broker is fenced.
    pub fn fenced(self, id: i32) -> Self {
        self.broker(id, |broker| broker.fenced = true)
    }

    /// That broker is about to stop.
    pub fn stopping(self, id: i32) -> Self {
        self.broker(id, |broker| broker.in_controlled_shutdown = true)
    }

    /// A feature has that level.
    pub fn feature(mut self, name: &str, level: i16) -> Self {
        self.image.features.insert(name.to_owned(), level);
        self
    }

    /// A setting of the controller's node.
    pub fn config(mut self, name: &str, value: &str) -> Self {
        self.config.properties.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A topic, whose id is that of its place: all its replicas are in sync, the first leads.
    pub fn topic(mut self, name: &str, replicas: &[&[i32]]) -> Self {
        let id = Uuid::from_u128(1_000 + self.image.topics.len() as u128);
        let partitions = replicas.iter().map(|replicas| PartitionImage {
            replicas: replicas.to_vec(),
            isr: replicas.to_vec(),
            leader: replicas[0],
            ..PartitionImage::default()
        });
        let topic = TopicImage {
            id,
            name: name.to_owned(),
            partitions: partitions.collect(),
        };
        self.image.topic_names.insert(id, name.to_owned());
        self.image.topics.insert(name.to_owned(), Arc::new(topic));
        self
    }

    /// That partition is otherwise.
    pub fn with(mut self, topic: &str, index: usize, change: impl FnOnce(&mut PartitionImage)) -> Self {
        let topic = Arc::make_mut(self.image.topics.get_mut(topic).unwrap());
        change(&mut topic.partitions[index]);
        self
    }

    /// What a plan sees.
    pub fn view(&self) -> View<'_> {
        View {
            image: &self.image,
            config: &self.config,
            next_offset: self.next_offset,
        }
    }

    /// The cluster as it is.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// A partition as it is.
    pub fn partition(&self, topic: &str, index: i32) -> &PartitionImage {
        self.image.partition(topic, index).unwrap()
    }

    /// Id of a topic.
    pub fn id(&self, topic: &str) -> Uuid {
        self.image.topics[topic].id
    }

    /// Takes what a plan made.
    pub fn replay(&mut self, records: Vec<MetadataRecord>) {
        for record in records {
            self.image.apply(self.next_offset, &record).unwrap();
            self.next_offset += 1;
        }
    }
}

/// The one refusal among outcomes.
pub fn message<T: std::fmt::Debug>(outcomes: Vec<Result<T, ApiError>>) -> (ResponseError, String) {
    let [Err(error)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    (error.error, error.message.clone())
}
