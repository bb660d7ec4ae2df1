//! Creating and deleting topics, and adding partitions.

use super::placement::place;
use super::topic_checks::{check_assignment, check_collision, check_name};
use super::{ApiError, Controller};
use crate::broker::config::topic as topic_settings;
use crate::broker::error::Result;
use crate::broker::metadata::{MetadataImage, MetadataRecord, TopicImage, resource_type};
use crate::broker::records::metadata::{ConfigRecord, PartitionRecord, RemoveTopicRecord, TopicRecord};
use crate::broker::storage::random_id;
use kafka_protocol::ResponseError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// A topic that somebody wants.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Partitions, -1 for `num.partitions`.
    pub partitions: i32,
    /// Replicas of each, -1 for `default.replication.factor`.
    pub replication_factor: i16,
    /// Replicas by partition, instead of the two above.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Settings; a null value is refused.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was made, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its id; nil if it was only checked.
    pub id: Uuid,
    /// Replicas by partition.
    pub replicas: Vec<Vec<i32>>,
}

/// Partitions that somebody wants a topic to have.
#[derive(Debug, Clone, Default)]
pub struct MorePartitions {
    /// The topic.
    pub name: String,
    /// How many it shall have in all.
    pub count: i32,
    /// Replicas of the new ones, if they are given.
    pub assignments: Option<Vec<Vec<i32>>>,
}

impl Controller {
    /// Creates topics, each by itself; all that can be are written at once. With `validate_only` nothing is written.
    pub fn create_topics(
        &self,
        topics: &[NewTopic],
        validate_only: bool,
    ) -> Vec<Result<CreatedTopic, ApiError>> {
        let mut state = self.state.lock();
        let image = self.image();
        let mut records = Vec::new();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        let mut results = Vec::new();
        for topic in topics {
            let planned = self
                .check_new(&image, topic, &names)
                .and_then(|()| self.plan(&image, topic, &mut state.next_placement));
            results.push(planned.map(|replicas| {
                names.insert(&topic.name);
                let id = if validate_only { Uuid::nil() } else { random_id() };
                records.extend(topic_records(&image, topic, id, &replicas));
                CreatedTopic { id, replicas }
            }));
        }
        if validate_only {
            return results;
        }
        if let Err(error) = self.write(&state, records) {
            let error = ApiError::from(error);
            return topics.iter().map(|_| Err(error.clone())).collect();
        }
        results
    }

    fn check_new(
        &self,
        image: &MetadataImage,
        topic: &NewTopic,
        new: &BTreeSet<&str>,
    ) -> Result<(), ApiError> {
        check_name(&topic.name)?;
        if image.topics.contains_key(&topic.name) {
            let message = format!("Topic '{}' already exists.", topic.name);
            return Err(ApiError::new(ResponseError::TopicAlreadyExists, message));
        }
        let others = image.topics.keys().map(String::as_str).chain(new.iter().copied());
        check_collision(&topic.name, others)?;
        let nulls: Vec<&str> = topic
            .configs
            .iter()
            .filter_map(|(name, value)| value.is_none().then_some(name.as_str()))
            .collect();
        if !nulls.is_empty() {
            let message = format!("Null value not supported for topic configs: {}", nulls.join(","));
            return Err(ApiError::new(ResponseError::InvalidConfig, message));
        }
        let given = topic.configs.iter();
        let given = given.filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
        topic_settings::check_all(given)
            .map_err(|message| ApiError::new(ResponseError::InvalidConfig, message))
    }

    /// Replicas of each partition, as given or as we place them.
    fn plan(
        &self,
        image: &MetadataImage,
        topic: &NewTopic,
        start: &mut usize,
    ) -> Result<Vec<Vec<i32>>, ApiError> {
        if !topic.assignments.is_empty() {
            return manual_plan(image, topic);
        }
        let partitions = match topic.partitions {
            -1 => i32::try_from(self.config.int("num.partitions")).unwrap_or(1),
            given => given,
        };
        let factor = match topic.replication_factor {
            -1 => i16::try_from(self.config.int("default.replication.factor")).unwrap_or(1),
            given => given,
        };
        if factor < 1 {
            return Err(ApiError::new(
                ResponseError::InvalidReplicationFactor,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            ));
        }
        let too_few = || {
            ApiError::new(
                ResponseError::InvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.",
            )
        };
        let count = usize::try_from(partitions)
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(too_few)?;
        check_count(count)?;
        let placed = place(image, *start, count, usize::from(factor.unsigned_abs()))?;
        *start += count;
        Ok(placed)
    }

    /// Deletes topics by id; the answers are in their order.
    pub fn delete_topics(&self, ids: &[Uuid]) -> Vec<Result<(), ResponseError>> {
        let state = self.state.lock();
        let image = self.image();
        let mut gone = BTreeSet::new();
        let results: Vec<Result<(), ResponseError>> = ids
            .iter()
            .map(|id| {
                if !image.topic_names.contains_key(id) || !gone.insert(*id) {
                    return Err(ResponseError::UnknownTopicId);
                }
                Ok(())
            })
            .collect();
        let records = gone
            .iter()
            .map(|id| MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id: *id }));
        match self.write(&state, records.collect()) {
            Ok(()) => results,
            Err(error) => ids.iter().map(|_| Err(error.response_error())).collect(),
        }
    }

    /// Adds partitions to topics, each by itself.
    pub fn create_partitions(
        &self,
        topics: &[MorePartitions],
        validate_only: bool,
    ) -> Vec<Result<(), ApiError>> {
        let mut state = self.state.lock();
        let image = self.image();
        let mut records = Vec::new();
        let mut results = Vec::new();
        for more in topics {
            let added = self.plan_more(&image, more, &mut state.next_placement);
            results.push(added.map(|added| records.extend(added)));
        }
        if validate_only {
            return results;
        }
        match self.write(&state, records) {
            Ok(()) => results,
            Err(error) => {
                let error = ApiError::from(error);
                topics.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    fn plan_more(
        &self,
        image: &MetadataImage,
        more: &MorePartitions,
        start: &mut usize,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let topic = image.topics.get(&more.name).ok_or_else(|| {
            ApiError::new(
                ResponseError::UnknownTopicOrPartition,
                "This server does not host this topic-partition.",
            )
        })?;
        let added = count_added(topic, more.count)?;
        check_count(topic.partitions.len() + added)?;
        let factor = topic
            .partitions
            .first()
            .map_or(1, |partition| partition.replicas.len());
        let replicas = match &more.assignments {
            Some(given) if given.len() != added => {
                let message = format!(
                    "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
                    given.len()
                );
                return Err(ApiError::new(ResponseError::InvalidReplicaAssignment, message));
            }
            Some(given) => {
                for replicas in given {
                    check_assignment(image, replicas, Some(factor))?;
                }
                given.clone()
            }
            None => {
                let placed = place(image, *start, added, factor)?;
                *start += added;
                placed
            }
        };
        let first = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        Ok((first..)
            .zip(&replicas)
            .map(|(index, replicas)| partition_record(image, topic.id, index, replicas))
            .collect())
    }
}

/// How many partitions come on top.
fn count_added(topic: &Arc<TopicImage>, wanted: i32) -> Result<usize, ApiError> {
    let now = topic.partitions.len();
    let message = match usize::try_from(wanted) {
        Ok(wanted) if wanted > now => return Ok(wanted - now),
        Ok(wanted) if wanted == now => format!("Topic already has {now} partition(s)."),
        _ => format!(
            "The topic {} currently has {now} partition(s); {wanted} would not be an increase.",
            topic.name
        ),
    };
    Err(ApiError::new(ResponseError::InvalidPartitions, message))
}

/// More partitions than this in one topic is a mistake on one machine: each has files of its own.
const MAX_PARTITIONS: usize = 10_000;

fn check_count(partitions: usize) -> Result<(), ApiError> {
    if partitions <= MAX_PARTITIONS {
        return Ok(());
    }
    let message = format!("Number of partitions must not be larger than {MAX_PARTITIONS}.");
    Err(ApiError::new(ResponseError::InvalidPartitions, message))
}

fn manual_plan(image: &MetadataImage, topic: &NewTopic) -> Result<Vec<Vec<i32>>, ApiError> {
    let refuse = |error, message: &str| Err(ApiError::new(error, message));
    if topic.replication_factor != -1 {
        return refuse(
            ResponseError::InvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        );
    }
    if topic.partitions != -1 {
        return refuse(
            ResponseError::InvalidRequest,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        );
    }
    let mut by_index = BTreeMap::new();
    let mut factor = None;
    for (index, replicas) in &topic.assignments {
        check_assignment(image, replicas, factor)?;
        factor = Some(replicas.len());
        if by_index.insert(*index, replicas.clone()).is_some() {
            let message = format!("Found multiple manual partition assignments for partition {index}");
            return refuse(ResponseError::InvalidReplicaAssignment, &message);
        }
        let alive = |id: &i32| image.brokers.get(id).is_some_and(|broker| broker.can_lead());
        if !replicas.iter().any(alive) {
            let message = format!(
                "All brokers specified in the manual partition assignment for partition {index} are fenced or in \
                 controlled shutdown."
            );
            return refuse(ResponseError::InvalidReplicaAssignment, &message);
        }
    }
    check_count(by_index.len())?;
    if !by_index.keys().copied().eq((0..).take(by_index.len())) {
        return refuse(
            ResponseError::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        );
    }
    Ok(by_index.into_values().collect())
}

fn topic_records(
    image: &MetadataImage,
    topic: &NewTopic,
    id: Uuid,
    replicas: &[Vec<i32>],
) -> Vec<MetadataRecord> {
    let mut records = vec![MetadataRecord::Topic(TopicRecord {
        name: topic.name.clone(),
        topic_id: id,
    })];
    let configs = topic.configs.iter().map(|(name, value)| ConfigRecord {
        resource_type: resource_type::TOPIC,
        resource_name: topic.name.clone(),
        name: name.clone(),
        value: value.clone(),
    });
    records.extend(configs.map(MetadataRecord::Config));
    let partitions = (0..).zip(replicas);
    records.extend(partitions.map(|(index, replicas)| partition_record(image, id, index, replicas)));
    records
}

/// A new partition: every replica that serves is in sync, the first of those leads.
fn partition_record(image: &MetadataImage, topic_id: Uuid, index: i32, replicas: &[i32]) -> MetadataRecord {
    let alive = |id: &i32| image.brokers.get(id).is_some_and(|broker| broker.can_lead());
    let isr: Vec<i32> = replicas.iter().copied().filter(alive).collect();
    let directory = |id: &i32| {
        let broker = image.brokers.get(id);
        broker.and_then(|broker| broker.log_dirs.first().copied())
    };
    MetadataRecord::Partition(PartitionRecord {
        partition_id: index,
        topic_id,
        replicas: replicas.to_vec(),
        leader: isr.first().copied().unwrap_or(-1),
        isr,
        leader_epoch: 0,
        partition_epoch: 0,
        directories: replicas
            .iter()
            .map(|id| directory(id).unwrap_or_default())
            .collect(),
        ..PartitionRecord::default()
    })
}
