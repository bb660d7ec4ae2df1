//! Applies records of the metadata log to an image.

use super::image::{
    BrokerImage, ConfigResource, MetadataImage, NO_LEADER_CHANGE, PartitionImage, TopicImage,
};
use crate::broker::error::Unsupported;
use crate::broker::records::metadata::{
    BrokerRegistrationChangeRecord, ConfigRecord, MetadataRecord, PartitionChangeRecord, PartitionRecord,
    RegisterBrokerRecord, TopicRecord, ZkMigrationStateRecord,
};
use crate::decode::{REQUEST_FIELDS, decode};
use kafka_protocol::messages::VotersRecord;
use std::sync::Arc;
use uuid::Uuid;

/// Numbers of config resources in records and requests.
pub(in crate::broker) mod resource_type {
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
    /// Applies one record; records of unknown topics or brokers change nothing. Between the begin and the end of a
    /// transaction (KIP-868) records only gather.
    ///
    /// # Errors
    /// [`Unsupported`] for a record that this broker does not act on.
    pub fn apply(&mut self, offset: i64, record: &MetadataRecord) -> Result<(), Unsupported> {
        self.offset = offset;
        match (record, &mut self.transaction) {
            (MetadataRecord::BeginTransaction(_), _) => self.transaction = Some(Vec::new()),
            (MetadataRecord::AbortTransaction(_), _) => self.transaction = None,
            (MetadataRecord::EndTransaction(_), _) => {
                for (offset, record) in self.transaction.take().unwrap_or_default() {
                    self.apply_committed(offset, &record)?;
                }
            }
            (record, Some(gathered)) => gathered.push((offset, record.clone())),
            (record, None) => return self.apply_committed(offset, record),
        }
        Ok(())
    }

    fn apply_committed(&mut self, offset: i64, record: &MetadataRecord) -> Result<(), Unsupported> {
        match record {
            MetadataRecord::RegisterBroker(broker) => self.apply_registration(broker),
            MetadataRecord::UnregisterBroker(broker) => {
                self.brokers.remove(&broker.broker_id);
            }
            MetadataRecord::BrokerRegistrationChange(change) => self.apply_registration_change(change),
            MetadataRecord::FenceBroker(broker) => self.apply_fencing(broker.id, broker.epoch, true),
            MetadataRecord::UnfenceBroker(broker) => self.apply_fencing(broker.id, broker.epoch, false),
            MetadataRecord::RegisterController(controller) => {
                self.controllers
                    .insert(controller.controller_id, controller.clone());
            }
            MetadataRecord::UnregisterController(controller) => {
                self.controllers.remove(&controller.controller_id);
            }
            MetadataRecord::Topic(topic) => self.apply_topic(topic),
            MetadataRecord::Partition(partition) => self.apply_partition(partition),
            MetadataRecord::PartitionChange(change) => self.apply_partition_change(change),
            MetadataRecord::ClearElr(topic) => self.clear_eligible(&topic.topic_name),
            MetadataRecord::RemoveTopic(topic) => self.apply_removal(topic.topic_id),
            MetadataRecord::Config(config) => return self.apply_config(offset, config),
            MetadataRecord::FeatureLevel(feature) => {
                self.features.insert(feature.name.clone(), feature.feature_level);
                self.features.retain(|_, level| *level > 0);
            }
            MetadataRecord::ProducerIds(ids) => self.next_producer_id = ids.next_producer_id,
            MetadataRecord::ZkMigrationState(state) if is_over(state) => {}
            MetadataRecord::NoOp(_)
            | MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => {}
            MetadataRecord::DelegationToken(_)
            | MetadataRecord::RemoveDelegationToken(_)
            | MetadataRecord::UserScramCredential(_)
            | MetadataRecord::RemoveUserScramCredential(_)
            | MetadataRecord::ClientQuota(_)
            | MetadataRecord::AccessControlEntry(_)
            | MetadataRecord::RemoveAccessControlEntry(_)
            | MetadataRecord::ZkMigrationState(_) => {
                let what = format!("{} (type {})", record.name(), record.kind());
                return Err(self.unsupported(what, offset));
            }
        }
        Ok(())
    }

    /// The level of `metadata.version`, which says who wrote the log.
    pub fn metadata_version(&self) -> Option<i16> {
        self.features.get("metadata.version").copied()
    }

    fn unsupported(&self, what: String, offset: i64) -> Unsupported {
        Unsupported {
            what,
            offset,
            metadata_version: self.metadata_version(),
        }
    }

    /// Whether this broker can act on all that the image holds. What only passed by in the log is no matter: a
    /// reassignment that came to its end, say.
    ///
    /// # Errors
    /// [`Unsupported`] names the record and the field.
    pub fn check_supported(&self) -> Result<(), Unsupported> {
        for topic in self.topics.values() {
            for (index, partition) in (0..).zip(&topic.partitions) {
                if !partition.adding.is_empty() || !partition.removing.is_empty() {
                    let what = format!(
                        "PartitionRecord (type 3) of {}-{index} with a reassignment under way (addingReplicas, \
                         removingReplicas)",
                        topic.name
                    );
                    return Err(self.unsupported(what, self.offset));
                }
            }
        }
        if let Some(broker) = self.brokers.values().find(|broker| !broker.cordoned.is_empty()) {
            let what = format!(
                "RegisterBrokerRecord (type 0) of broker {} with cordonedLogDirs",
                broker.id
            );
            return Err(self.unsupported(what, self.offset));
        }
        Ok(())
    }

    /// Whether the quorum is of `node_id` alone, as far as the log says who votes (KIP-853).
    ///
    /// # Errors
    /// [`Unsupported`] names the record and the voters.
    pub fn check_votes_alone(&self, node_id: i32) -> Result<(), Unsupported> {
        let Some(mut record) = self.quorum.voters.clone() else {
            return Ok(());
        };
        let voters = decode::<VotersRecord>(&mut record, 0, REQUEST_FIELDS).map(|record| record.voters);
        let what = match voters {
            Ok(voters) if voters.iter().all(|voter| voter.voter_id.0 == node_id) => return Ok(()),
            Ok(voters) => {
                let ids: Vec<String> = voters.iter().map(|voter| voter.voter_id.0.to_string()).collect();
                format!("VotersRecord (control type 6) of the voters {}", ids.join(", "))
            }
            Err(error) => format!("VotersRecord (control type 6) that cannot be read: {error}"),
        };
        Err(self.unsupported(what, self.offset))
    }

    fn apply_registration(&mut self, broker: &RegisterBrokerRecord) {
        let image = BrokerImage {
            id: broker.broker_id,
            rack: broker.rack.clone(),
            epoch: broker.broker_epoch,
            fenced: broker.fenced,
            in_controlled_shutdown: broker.in_controlled_shutdown,
            incarnation_id: broker.incarnation_id,
            end_points: broker.end_points.clone(),
            features: broker.features.clone(),
            log_dirs: broker.log_dirs.clone(),
            cordoned: broker.cordoned_log_dirs.clone().unwrap_or_default(),
        };
        self.brokers.insert(broker.broker_id, image);
    }

    fn apply_registration_change(&mut self, change: &BrokerRegistrationChangeRecord) {
        if change.fenced != 0 {
            self.apply_fencing(change.broker_id, change.broker_epoch, change.fenced > 0);
        }
        let Some(broker) = self.registered(change.broker_id, change.broker_epoch) else {
            return;
        };
        broker.in_controlled_shutdown |= change.in_controlled_shutdown > 0;
        if !change.log_dirs.is_empty() {
            broker.log_dirs.clone_from(&change.log_dirs);
        }
        if let Some(cordoned) = &change.cordoned_log_dirs {
            broker.cordoned.clone_from(cordoned);
        }
    }

    fn apply_fencing(&mut self, broker_id: i32, epoch: i64, fenced: bool) {
        if let Some(broker) = self.registered(broker_id, epoch) {
            broker.fenced = fenced;
        }
    }

    /// The broker in that registration.
    fn registered(&mut self, broker_id: i32, epoch: i64) -> Option<&mut BrokerImage> {
        let broker = self.brokers.get_mut(&broker_id);
        broker.filter(|broker| broker.epoch == epoch)
    }

    fn apply_topic(&mut self, record: &TopicRecord) {
        let topic = TopicImage {
            id: record.topic_id,
            name: record.name.clone(),
            partitions: Vec::new(),
        };
        self.topic_names.insert(record.topic_id, record.name.clone());
        self.topics.insert(record.name.clone(), Arc::new(topic));
    }

    fn topic_mut(&mut self, id: Uuid) -> Option<&mut TopicImage> {
        let name = self.topic_names.get(&id)?;
        self.topics.get_mut(name).map(Arc::make_mut)
    }

    fn apply_partition(&mut self, record: &PartitionRecord) {
        let Some(topic) = self.topic_mut(record.topic_id) else {
            return;
        };
        let partition = PartitionImage {
            replicas: record.replicas.clone(),
            isr: record.isr.clone(),
            leader: record.leader,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
            adding: record.adding_replicas.clone(),
            removing: record.removing_replicas.clone(),
            eligible: record.eligible_leader_replicas.clone().unwrap_or_default(),
            last_eligible: record.last_known_elr.clone().unwrap_or_default(),
        };
        match usize::try_from(record.partition_id) {
            Ok(index) if index < topic.partitions.len() => topic.partitions[index] = partition,
            // Partitions are written in their order, so a new one is the next.
            _ => topic.partitions.push(partition),
        }
    }

    fn apply_partition_change(&mut self, change: &PartitionChangeRecord) {
        let Some(topic) = self.topic_mut(change.topic_id) else {
            return;
        };
        let index = usize::try_from(change.partition_id).ok();
        let Some(partition) = index.and_then(|index| topic.partitions.get_mut(index)) else {
            return;
        };
        let lists = [
            (&mut partition.replicas, &change.replicas),
            (&mut partition.isr, &change.isr),
            (&mut partition.adding, &change.adding_replicas),
            (&mut partition.removing, &change.removing_replicas),
            (&mut partition.eligible, &change.eligible_leader_replicas),
            (&mut partition.last_eligible, &change.last_known_elr),
        ];
        for (list, new) in lists {
            if let Some(new) = new {
                list.clone_from(new);
            }
        }
        if change.leader != NO_LEADER_CHANGE {
            // As in KRaft a leader that is named, even the same again, starts a new epoch.
            partition.leader = change.leader;
            partition.leader_epoch += 1;
        }
        partition.partition_epoch += 1;
    }

    /// Forgets eligible leader replicas, of all topics if none is named.
    fn clear_eligible(&mut self, topic: &str) {
        let topics = self.topics.iter_mut();
        for (_, topic) in topics.filter(|(name, _)| topic.is_empty() || *name == topic) {
            for partition in &mut Arc::make_mut(topic).partitions {
                partition.eligible.clear();
                partition.last_eligible.clear();
            }
        }
    }

    fn apply_removal(&mut self, id: Uuid) {
        if let Some(name) = self.topic_names.remove(&id) {
            self.topics.remove(&name);
            self.configs.remove(&ConfigResource::Topic(name));
        }
    }

    fn apply_config(&mut self, offset: i64, config: &ConfigRecord) -> Result<(), Unsupported> {
        let Some(resource) = ConfigResource::parse(config.resource_type, &config.resource_name) else {
            let what = format!(
                "ConfigRecord (type 4) of a resource of type {} named {}",
                config.resource_type, config.resource_name
            );
            return Err(self.unsupported(what, offset));
        };
        let settings = self.configs.entry(resource.clone()).or_default();
        match &config.value {
            Some(value) => settings.insert(config.name.clone(), value.clone()),
            None => settings.remove(&config.name),
        };
        if settings.is_empty() {
            self.configs.remove(&resource);
        }
        Ok(())
    }
}

/// Nothing came from ZooKeeper, or all has come.
fn is_over(state: &ZkMigrationStateRecord) -> bool {
    const NONE: i8 = 0;
    const POST_MIGRATION: i8 = 3;
    [NONE, POST_MIGRATION].contains(&state.zk_migration_state)
}
