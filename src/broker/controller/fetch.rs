//! The metadata log, read by brokers with Fetch (KIP-595).

use super::Controller;
use crate::broker::world::time::timeout;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData, SnapshotId};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse};
use std::time::Duration;
use uuid::Uuid;

/// Name of the metadata log.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
/// Topic id of the metadata log, the same in every cluster.
pub const METADATA_TOPIC_ID: Uuid = Uuid::from_u128(1);

impl Controller {
    /// Answers a Fetch of the metadata log with what is committed; when there is nothing new it waits for the next commit,
    /// at most as long as the request allows.
    pub async fn fetch(&self, request: &FetchRequest) -> FetchResponse {
        let wanted = request
            .topics
            .iter()
            .find(|topic| topic.topic_id == METADATA_TOPIC_ID || topic.topic.as_str() == METADATA_TOPIC);
        let Some((topic, partition)) = wanted.and_then(|topic| Some((topic, topic.partitions.first()?)))
        else {
            return FetchResponse::default().with_error_code(ResponseError::UnknownTopicOrPartition.code());
        };
        let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
        let mut committed = self.log.committing();
        let news = committed.wait_for(|end| *end > partition.fetch_offset);
        // Running out of time is an empty answer; the sender lives as long as the log.
        let _ = timeout(wait, news).await;
        let data = self.read_for(partition, self.log.committed());
        let topic = FetchableTopicResponse::default()
            .with_topic(topic.topic.clone())
            .with_topic_id(topic.topic_id)
            .with_partitions(vec![data]);
        FetchResponse::default().with_responses(vec![topic])
    }

    fn read_for(&self, wanted: &FetchPartition, end: i64) -> PartitionData {
        let data = PartitionData::default()
            .with_partition_index(wanted.partition)
            .with_high_watermark(end)
            .with_last_stable_offset(end)
            .with_log_start_offset(self.log.start_offset())
            .with_current_leader(
                kafka_protocol::messages::fetch_response::LeaderIdAndEpoch::default()
                    .with_leader_id(BrokerId(self.config.node_id))
                    .with_leader_epoch(self.epoch()),
            )
            .with_preferred_read_replica(BrokerId(-1))
            .with_records(Some(Bytes::new()));
        if (0..self.log.start_offset()).contains(&wanted.fetch_offset) {
            // What comes next is not in the log any more, but in a snapshot.
            return match self.log.newest_snapshot() {
                Ok(Some(id)) => data.with_snapshot_id(
                    SnapshotId::default()
                        .with_end_offset(id.end_offset)
                        .with_epoch(id.epoch),
                ),
                Ok(None) => data.with_error_code(ResponseError::OffsetOutOfRange.code()),
                Err(error) => data.with_error_code(error.response_error().code()),
            };
        }
        if wanted.fetch_offset < 0 || wanted.fetch_offset > end {
            return data.with_error_code(ResponseError::OffsetOutOfRange.code());
        }
        if wanted.fetch_offset == end {
            return data;
        }
        let max_bytes = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
        match self.log.read(wanted.fetch_offset, max_bytes) {
            Ok(records) => data.with_records(Some(records)),
            Err(error) => {
                tracing::error!(%error, "cannot read the metadata log");
                data.with_error_code(error.response_error().code())
            }
        }
    }
}
