//! Replicas that are not in sync and may lead all the same (KIP-966): DescribeTopicPartitions, page by page.

use super::{To, Wire, text};
use crate::kafka::errors::{Answer, ErrorCode};
use crate::kafka::types::TopicPartition;
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor as NextCursor, DescribeTopicPartitionsResponsePartition,
};
use kafka_protocol::messages::{BrokerId, DescribeTopicPartitionsRequest, TopicName};
use std::collections::BTreeMap;

/// Eligible leader replicas of a partition; `None` where the broker does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EligibleReplicas {
    /// Those that have all that was committed.
    pub now: Option<Vec<i32>>,
    /// Those that were so last.
    pub last_known: Option<Vec<i32>>,
}

impl Wire {
    /// Eligible leader replicas of the partitions of topics, at most `limit` partitions an answer. Brokers that do not know of
    /// them say nothing, and so have none here; nor has a topic that is not there.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn eligible_replicas(
        &mut self,
        topics: &[String],
        limit: i32,
    ) -> Answer<BTreeMap<TopicPartition, EligibleReplicas>> {
        let mut found = BTreeMap::new();
        if topics.is_empty() {
            return Ok(found);
        }
        let asked = topics
            .iter()
            .map(|name| TopicRequest::default().with_name(TopicName(text(name))));
        let mut request = DescribeTopicPartitionsRequest::default()
            .with_topics(asked.collect())
            .with_response_partition_limit(limit);
        loop {
            let answer = match self.ask(To::Any, &request) {
                Err(error) if error.code() == ErrorCode::UnsupportedVersion => return Ok(found),
                answer => answer?,
            };
            let before = found.len();
            for topic in answer.topics {
                let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
                found.extend(topic.partitions.into_iter().map(|partition| {
                    let place = TopicPartition::new(&name, partition.partition_index);
                    (place, eligible(partition))
                }));
            }
            match answer.next_cursor {
                // A page that brings nothing new would be asked for for ever.
                Some(next) if found.len() > before => request = request.with_cursor(Some(cursor(next))),
                _ => return Ok(found),
            }
        }
    }
}

fn cursor(next: NextCursor) -> Cursor {
    Cursor::default()
        .with_topic_name(next.topic_name)
        .with_partition_index(next.partition_index)
}

fn eligible(told: DescribeTopicPartitionsResponsePartition) -> EligibleReplicas {
    let ids = |brokers: Vec<BrokerId>| brokers.into_iter().map(|broker| broker.0).collect();
    EligibleReplicas {
        now: told.eligible_leader_replicas.map(ids),
        last_known: told.last_known_elr.map(ids),
    }
}
