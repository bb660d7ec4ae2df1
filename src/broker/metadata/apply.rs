//! Applies records of the metadata log to an image.

use super::image::{BrokerImage, ConfigResource, MetadataImage, PartitionImage, TopicImage};
use super::record::{
    BrokerRegistrationChange, MetadataRecord, NewPartition, PartitionChange, RegisterBroker,
};
use std::sync::Arc;
use uuid::Uuid;

/// Numbers of config resources in records and requests.
pub mod resource_type {
    /// A topic.
    pub const TOPIC: i8 = 2;
    /// A broker.
    pub const BROKER: i8 = 4;
    /// A broker's loggers.
    pub const BROKER_LOGGER: i8 = 8;
    /// Client metrics.
    pub const CLIENT_METRICS: i8 = 16;
    /// A group.
    pub const GROUP: i8 = 32;
}

impl ConfigResource {
    /// From its number and name; `None` for kinds that have no settings here or for a broker that is no number.
    pub fn parse(kind: i8, name: &str) -> Option<Self> {
        match kind {
            resource_type::TOPIC => Some(ConfigResource::Topic(name.to_owned())),
            resource_type::BROKER if name.is_empty() => Some(ConfigResource::Broker(None)),
            resource_type::BROKER => Some(ConfigResource::Broker(Some(name.parse().ok()?))),
            resource_type::GROUP => Some(ConfigResource::Group(name.to_owned())),
            _ => None,
        }
    }

    /// Its number and name in records.
    pub fn kind_and_name(&self) -> (i8, String) {
        match self {
            ConfigResource::Topic(name) => (resource_type::TOPIC, name.clone()),
            ConfigResource::Broker(None) => (resource_type::BROKER, String::new()),
            ConfigResource::Broker(Some(id)) => (resource_type::BROKER, id.to_string()),
            ConfigResource::Group(name) => (resource_type::GROUP, name.clone()),
        }
    }
}

impl MetadataImage {
    /// Applies one record; records of unknown topics or brokers change nothing.
    pub fn apply(&mut self, offset: i64, record: &MetadataRecord) {
        self.offset = offset;
        match record {
            MetadataRecord::RegisterBroker(broker) => self.apply_registration(broker),
            MetadataRecord::UnregisterBroker { broker_id, .. } => {
                self.brokers.remove(broker_id);
            }
            MetadataRecord::BrokerRegistrationChange(change) => self.apply_registration_change(change),
            MetadataRecord::Topic { name, topic_id } => self.apply_topic(name, *topic_id),
            MetadataRecord::Partition(partition) => self.apply_partition(partition),
            MetadataRecord::PartitionChange(change) => self.apply_partition_change(change),
            MetadataRecord::RemoveTopic { topic_id } => self.apply_removal(*topic_id),
            MetadataRecord::Config {
                resource_type,
                resource_name,
                name,
                value,
            } => {
                if let Some(resource) = ConfigResource::parse(*resource_type, resource_name) {
                    self.apply_config(resource, name, value.as_ref());
                }
            }
            MetadataRecord::FeatureLevel { name, level } => {
                self.features.insert(name.clone(), *level);
                self.features.retain(|_, level| *level > 0);
            }
            MetadataRecord::ProducerIds { next_producer_id, .. } => self.next_producer_id = *next_producer_id,
            MetadataRecord::NoOp => {}
        }
    }

    fn apply_registration(&mut self, broker: &RegisterBroker) {
        let image = BrokerImage {
            id: broker.broker_id,
            rack: broker.rack.clone(),
            epoch: broker.broker_epoch,
            fenced: broker.fenced,
            in_controlled_shutdown: broker.in_controlled_shutdown,
            incarnation_id: broker.incarnation_id,
            end_points: broker.end_points.clone(),
            log_dirs: broker.log_dirs.clone(),
        };
        self.brokers.insert(broker.broker_id, image);
    }

    fn apply_registration_change(&mut self, change: &BrokerRegistrationChange) {
        let Some(broker) = self.brokers.get_mut(&change.broker_id) else {
            return;
        };
        if broker.epoch != change.broker_epoch {
            return;
        }
        if let Some(fenced) = change.fenced {
            broker.fenced = fenced;
        }
        broker.in_controlled_shutdown |= change.in_controlled_shutdown;
    }

    fn apply_topic(&mut self, name: &str, id: Uuid) {
        let topic = TopicImage {
            id,
            name: name.to_owned(),
            partitions: Vec::new(),
        };
        self.topic_names.insert(id, name.to_owned());
        self.topics.insert(name.to_owned(), Arc::new(topic));
    }

    fn topic_mut(&mut self, id: Uuid) -> Option<&mut TopicImage> {
        let name = self.topic_names.get(&id)?;
        self.topics.get_mut(name).map(Arc::make_mut)
    }

    fn apply_partition(&mut self, record: &NewPartition) {
        let Some(topic) = self.topic_mut(record.topic_id) else {
            return;
        };
        let partition = PartitionImage {
            replicas: record.replicas.clone(),
            isr: record.isr.clone(),
            leader: record.leader,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
        };
        match usize::try_from(record.partition_id) {
            Ok(index) if index < topic.partitions.len() => topic.partitions[index] = partition,
            // Partitions are written in their order, so a new one is the next.
            _ => topic.partitions.push(partition),
        }
    }

    fn apply_partition_change(&mut self, change: &PartitionChange) {
        let Some(topic) = self.topic_mut(change.topic_id) else {
            return;
        };
        let index = usize::try_from(change.partition_id).ok();
        let Some(partition) = index.and_then(|index| topic.partitions.get_mut(index)) else {
            return;
        };
        if let Some(replicas) = &change.replicas {
            partition.replicas.clone_from(replicas);
        }
        if let Some(isr) = &change.isr {
            partition.isr.clone_from(isr);
        }
        if let Some(leader) = change.leader {
            // As in KRaft a leader that is named, even the same again, starts a new epoch.
            partition.leader = leader;
            partition.leader_epoch += 1;
        }
        partition.partition_epoch += 1;
    }

    fn apply_removal(&mut self, id: Uuid) {
        if let Some(name) = self.topic_names.remove(&id) {
            self.topics.remove(&name);
            self.configs.remove(&ConfigResource::Topic(name));
        }
    }

    fn apply_config(&mut self, resource: ConfigResource, name: &str, value: Option<&String>) {
        let settings = self.configs.entry(resource.clone()).or_default();
        match value {
            Some(value) => settings.insert(name.to_owned(), value.clone()),
            None => settings.remove(name),
        };
        if settings.is_empty() {
            self.configs.remove(&resource);
        }
    }
}
