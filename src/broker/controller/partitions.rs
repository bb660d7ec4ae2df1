//! Changes of single partitions: in-sync replicas (KIP-497), preferred and unclean leaders (KIP-460).

use super::elections::{Preferred, preferred};
use super::{ApiError, Controller, check_broker_epoch};
use crate::broker::config::topic_log_config;
use crate::broker::error::Result;
use crate::broker::log::LogConfig;
use crate::broker::metadata::{MetadataImage, MetadataRecord, PartitionImage};
use crate::broker::records::metadata::PartitionChangeRecord;
use kafka_protocol::ResponseError;
use uuid::Uuid;

/// A leader's wish to change the in-sync replicas.
#[derive(Debug, Clone)]
pub struct IsrChange {
    /// The topic.
    pub topic_id: Uuid,
    /// The partition.
    pub index: i32,
    /// Epoch the leader leads in.
    pub leader_epoch: i32,
    /// Partition epoch the leader knows.
    pub partition_epoch: i32,
    /// New in-sync replicas, and the epoch of each one's registration, -1 for any.
    pub isr: Vec<(i32, i64)>,
}

/// Which leader is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElectionType {
    /// The first replica.
    Preferred,
    /// Any replica, if no other can lead; may lose records.
    Unclean,
}

impl Controller {
    /// The settings a topic's logs act on.
    pub(super) fn topic_log_config(&self, image: &MetadataImage, topic: &str) -> LogConfig {
        topic_log_config(image, &self.config, topic)
    }

    /// Changes in-sync replicas on behalf of their leaders; each answer is the partition as it is then.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH` for the request as a whole; each change has its own outcome.
    pub fn alter_partitions(
        &self,
        broker_id: i32,
        broker_epoch: i64,
        changes: &[IsrChange],
    ) -> Result<Vec<Result<PartitionImage, ResponseError>>> {
        let state = self.state.lock();
        let image = self.image();
        check_broker_epoch(&image, broker_id, broker_epoch)?;
        let checked: Vec<Result<MetadataRecord, ResponseError>> = changes
            .iter()
            .map(|change| check_isr_change(&image, broker_id, change))
            .collect();
        let records = checked.iter().filter_map(|checked| checked.clone().ok());
        self.write(&state, records.collect())?;
        let image = self.image();
        let outcomes = changes.iter().zip(checked);
        Ok(outcomes
            .map(|(change, checked)| {
                checked?;
                partition_of(&image, change.topic_id, change.index)
                    .cloned()
                    .ok_or(ResponseError::UnknownTopicOrPartition)
            })
            .collect())
    }

    /// Elects leaders of the partitions named, or of all if `None`; an answer each, except those of all that lead
    /// already.
    pub fn elect_leaders(
        &self,
        election: ElectionType,
        partitions: Option<&[(String, i32)]>,
    ) -> Vec<(String, i32, Result<(), ApiError>)> {
        let state = self.state.lock();
        let image = self.image();
        let all: Vec<(String, i32)> = image
            .topics
            .values()
            .flat_map(|topic| {
                (0..)
                    .zip(&topic.partitions)
                    .map(|(index, _)| (topic.name.clone(), index))
            })
            .collect();
        let wanted = partitions.unwrap_or(&all);
        let mut records = Vec::new();
        let mut outcomes = Vec::new();
        for (topic, index) in wanted {
            let outcome = match elect(&image, election, topic, *index) {
                Ok(change) => {
                    records.push(MetadataRecord::PartitionChange(change));
                    Ok(())
                }
                Err(error) if partitions.is_none() && error.error == ResponseError::ElectionNotNeeded => {
                    continue;
                }
                Err(error) => Err(error),
            };
            outcomes.push((topic.clone(), *index, outcome));
        }
        if let Err(error) = self.write(&state, records) {
            let error = ApiError::from(error);
            for (_, _, outcome) in &mut outcomes {
                *outcome = Err(error.clone());
            }
        }
        outcomes
    }
}

fn partition_of(image: &MetadataImage, topic_id: Uuid, index: i32) -> Option<&PartitionImage> {
    let topic = image.topic_by_id(topic_id)?;
    topic.partitions.get(usize::try_from(index).ok()?)
}

fn check_isr_change(
    image: &MetadataImage,
    broker_id: i32,
    change: &IsrChange,
) -> Result<MetadataRecord, ResponseError> {
    let topic = image
        .topic_by_id(change.topic_id)
        .ok_or(ResponseError::UnknownTopicId)?;
    let partition =
        partition_of(image, topic.id, change.index).ok_or(ResponseError::UnknownTopicOrPartition)?;
    // A leader that knows more than we do talks to the wrong controller.
    if change.leader_epoch > partition.leader_epoch || change.partition_epoch > partition.partition_epoch {
        return Err(ResponseError::NotController);
    }
    if change.leader_epoch < partition.leader_epoch {
        return Err(ResponseError::FencedLeaderEpoch);
    }
    if partition.leader != broker_id {
        return Err(ResponseError::InvalidRequest);
    }
    if change.partition_epoch < partition.partition_epoch {
        return Err(ResponseError::InvalidUpdateVersion);
    }
    let isr: Vec<i32> = change.isr.iter().map(|(id, _)| *id).collect();
    let known = isr.iter().all(|id| partition.replicas.contains(id));
    if !known || !isr.contains(&broker_id) {
        return Err(ResponseError::InvalidRequest);
    }
    let eligible = |(id, epoch): &(i32, i64)| {
        let broker = image.brokers.get(id);
        broker.is_some_and(|broker| broker.can_lead() && (*epoch == -1 || *epoch == broker.epoch))
    };
    if !change.isr.iter().all(eligible) {
        return Err(ResponseError::IneligibleReplica);
    }
    let change = partition.change(change.topic_id, change.index, Some(isr), None);
    Ok(MetadataRecord::PartitionChange(change))
}

fn elect(
    image: &MetadataImage,
    election: ElectionType,
    topic: &str,
    index: i32,
) -> Result<PartitionChangeRecord, ApiError> {
    let unknown = |what: String| ApiError::new(ResponseError::UnknownTopicOrPartition, what);
    let topic = image
        .topics
        .get(topic)
        .ok_or_else(|| unknown(format!("No such topic as {topic}")))?;
    let no_partition = || unknown(format!("No such partition as {}-{index}", topic.name));
    let needless = || ApiError::new(ResponseError::ElectionNotNeeded, String::new());
    if election == ElectionType::Preferred {
        return match preferred(image, topic, index) {
            Preferred::Unknown => Err(no_partition()),
            Preferred::Already => Err(needless()),
            Preferred::Unavailable => Err(ApiError::new(
                ResponseError::PreferredLeaderNotAvailable,
                String::new(),
            )),
            Preferred::Change(change) => Ok(change),
        };
    }
    let partition = partition_of(image, topic.id, index).ok_or_else(no_partition)?;
    if partition.leader != -1 {
        return Err(needless());
    }
    let alive = |id: &i32| image.brokers.get(id).is_some_and(|broker| broker.can_lead());
    let leader = partition
        .replicas
        .iter()
        .copied()
        .find(alive)
        .ok_or_else(|| ApiError::new(ResponseError::EligibleLeadersNotAvailable, String::new()))?;
    Ok(partition.change(topic.id, index, Some(vec![leader]), Some(leader)))
}
