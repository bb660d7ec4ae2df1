//! Moving replicas: between brokers (KIP-455), and between the log directories of one (KIP-113).

use super::{To, Wire, check, text};
use crate::kafka::errors::Answer;
use crate::kafka::types::TopicPartition;
use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use kafka_protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterReplicaLogDirsRequest, BrokerId,
    ListPartitionReassignmentsRequest, TopicName,
};
use std::collections::BTreeMap;

/// How long the controller may take to answer, in ms, as Java's client asks.
const TIMEOUT_MS: i32 = 30_000;

/// A partition whose replicas are being moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment {
    /// The partition.
    pub partition: TopicPartition,
    /// All brokers that have a replica while it lasts.
    pub replicas: Vec<i32>,
    /// Those of them that are new.
    pub adding: Vec<i32>,
    /// Those of them that will go.
    pub removing: Vec<i32>,
}

impl Wire {
    /// The partitions whose replicas are being moved: among these, or all.
    ///
    /// # Errors
    /// When the controller does not answer, or refuses.
    pub fn list_reassignments(&mut self, partitions: Option<&[TopicPartition]>) -> Answer<Vec<Reassignment>> {
        let topics = partitions.map(|partitions| {
            let partitions = partitions
                .iter()
                .map(|partition| (partition.topic.as_str(), partition.partition));
            grouped(partitions)
                .into_iter()
                .map(|(topic, indexes)| {
                    ListPartitionReassignmentsTopics::default()
                        .with_name(TopicName(text(topic)))
                        .with_partition_indexes(indexes)
                })
                .collect()
        });
        let request = ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(TIMEOUT_MS)
            .with_topics(topics);
        let answer = self.ask(To::Controller, &request)?;
        check(answer.error_code, answer.error_message)?;
        let ids = |brokers: Vec<BrokerId>| brokers.into_iter().map(|broker| broker.0).collect();
        let mut found = Vec::new();
        for topic in answer.topics {
            for partition in topic.partitions {
                found.push(Reassignment {
                    partition: TopicPartition::new(topic.name.as_str(), partition.partition_index),
                    replicas: ids(partition.replicas),
                    adding: ids(partition.adding_replicas),
                    removing: ids(partition.removing_replicas),
                });
            }
        }
        Ok(found)
    }

    /// Starts to move replicas to these brokers; `None` ends what is under way. Each partition has its own answer.
    ///
    /// # Errors
    /// When the controller does not answer, or refuses the whole; also when it is too old to forbid a change of the
    /// number of replicas (KIP-860).
    pub fn alter_reassignments(
        &mut self,
        wanted: &[(TopicPartition, Option<Vec<i32>>)],
        allow_other_count: bool,
    ) -> Answer<Vec<(TopicPartition, Answer)>> {
        let wanted = wanted.iter().map(|(partition, replicas)| {
            let replicas = replicas
                .as_ref()
                .map(|brokers| brokers.iter().copied().map(BrokerId).collect());
            let asked = ReassignablePartition::default()
                .with_partition_index(partition.partition)
                .with_replicas(replicas);
            (partition.topic.as_str(), asked)
        });
        let topics = grouped(wanted).into_iter().map(|(topic, partitions)| {
            ReassignableTopic::default()
                .with_name(TopicName(text(topic)))
                .with_partitions(partitions)
        });
        let request = AlterPartitionReassignmentsRequest::default()
            .with_timeout_ms(TIMEOUT_MS)
            .with_allow_replication_factor_change(allow_other_count)
            .with_topics(topics.collect());
        let answer = self.ask(To::Controller, &request)?;
        check(answer.error_code, answer.error_message)?;
        let mut outcomes = Vec::new();
        for topic in answer.responses {
            for told in topic.partitions {
                outcomes.push((
                    TopicPartition::new(topic.name.as_str(), told.partition_index),
                    check(told.error_code, told.error_message),
                ));
            }
        }
        Ok(outcomes)
    }

    /// Starts to move a broker's replicas to other log directories of its own. Each has its own answer.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn alter_replica_log_dirs(
        &mut self,
        broker: i32,
        moves: &[(TopicPartition, String)],
    ) -> Answer<Vec<(TopicPartition, Answer)>> {
        let by_path = grouped(moves.iter().map(|(partition, path)| (path.as_str(), partition)));
        let dirs = by_path.into_iter().map(|(path, partitions)| {
            let partitions = partitions
                .into_iter()
                .map(|partition| (partition.topic.as_str(), partition.partition));
            let topics = grouped(partitions).into_iter().map(|(topic, indexes)| {
                AlterReplicaLogDirTopic::default()
                    .with_name(TopicName(text(topic)))
                    .with_partitions(indexes)
            });
            AlterReplicaLogDir::default()
                .with_path(text(path))
                .with_topics(topics.collect())
        });
        let request = AlterReplicaLogDirsRequest::default().with_dirs(dirs.collect());
        let answer = self.ask(To::Node(broker), &request)?;
        let mut outcomes = Vec::new();
        for topic in answer.results {
            for told in topic.partitions {
                outcomes.push((
                    TopicPartition::new(topic.topic_name.as_str(), told.partition_index),
                    check(told.error_code, None),
                ));
            }
        }
        Ok(outcomes)
    }
}

fn grouped<'a, T>(items: impl Iterator<Item = (&'a str, T)>) -> BTreeMap<&'a str, Vec<T>> {
    let mut groups: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    for (name, item) in items {
        groups.entry(name).or_default().push(item);
    }
    groups
}
