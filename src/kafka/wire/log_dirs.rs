//! What is in a broker's log directories: DescribeLogDirs (KIP-113, KIP-827).

use super::{To, Wire, check, text};
use crate::kafka::errors::Answer;
use crate::kafka::types::TopicPartition;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, TopicName};
use std::collections::BTreeMap;

/// A log directory of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDir {
    /// Its absolute path.
    pub path: String,
    /// What is wrong with it, if anything.
    pub state: Answer,
    /// The replicas in it, in the broker's order.
    pub replicas: Vec<LogDirReplica>,
    /// Bytes of its volume, if the broker tells them.
    pub total_bytes: Option<i64>,
    /// Free bytes of its volume, if the broker tells them.
    pub usable_bytes: Option<i64>,
}

/// A replica in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirReplica {
    /// Of which partition.
    pub partition: TopicPartition,
    /// Bytes of its segments.
    pub size: i64,
    /// How many records it is behind: the high watermark less its end; of a future replica, its current one's end.
    pub offset_lag: i64,
    /// Whether it is being made here, to take the place of the one in another directory.
    pub is_future: bool,
}

impl Wire {
    /// The log directories of a broker with its replicas: of these partitions, or of all.
    ///
    /// # Errors
    /// When the broker does not answer, or refuses.
    pub fn describe_log_dirs(
        &mut self,
        broker: i32,
        partitions: Option<&[TopicPartition]>,
    ) -> Answer<Vec<LogDir>> {
        let request = DescribeLogDirsRequest::default().with_topics(partitions.map(by_topic));
        let answer = self.ask(To::Node(broker), &request)?;
        check(answer.error_code, None)?;
        Ok(answer.results.into_iter().map(log_dir).collect())
    }
}

fn by_topic(partitions: &[TopicPartition]) -> Vec<DescribableLogDirTopic> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(&partition.topic)
            .or_default()
            .push(partition.partition);
    }
    topics
        .into_iter()
        .map(|(name, partitions)| {
            DescribableLogDirTopic::default()
                .with_topic(TopicName(text(name)))
                .with_partitions(partitions)
        })
        .collect()
}

fn log_dir(told: DescribeLogDirsResult) -> LogDir {
    let bytes = |told: i64| (told >= 0).then_some(told);
    LogDir {
        path: told.log_dir.to_string(),
        state: check(told.error_code, None),
        replicas: told.topics.into_iter().flat_map(replicas).collect(),
        total_bytes: bytes(told.total_bytes),
        usable_bytes: bytes(told.usable_bytes),
    }
}

fn replicas(topic: DescribeLogDirsTopic) -> Vec<LogDirReplica> {
    let replica = |told: DescribeLogDirsPartition| LogDirReplica {
        partition: TopicPartition::new(topic.name.as_str(), told.partition_index),
        size: told.partition_size,
        offset_lag: told.offset_lag,
        is_future: told.is_future_key,
    };
    topic.partitions.into_iter().map(replica).collect()
}
