//! AlterReplicaLogDirs (KIP-113): a broker of ours has one log directory, so each replica lies where it can lie.

use crate::broker::api::parts::{Config, Replicas};
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};
use std::path::Path;
use std::sync::Arc;

/// Accepts the directory that a replica is in, and refuses any other.
pub async fn handle(
    (replicas, config): (Replicas, Config),
    _ctx: RequestContext,
    request: AlterReplicaLogDirsRequest,
) -> AlterReplicaLogDirsResponse {
    let own = config.absolute_log_dir();
    let results = request.dirs.into_iter().flat_map(|dir| {
        let is_own = Path::new(dir.path.as_str()) == own;
        let replicas = Arc::clone(&replicas);
        dir.topics.into_iter().map(move |topic| {
            let partitions = topic.partitions.iter().map(|index| {
                let error = if !is_own {
                    ResponseError::LogDirNotFound.code()
                } else if replicas.partition(topic.name.as_str(), *index).is_none() {
                    ResponseError::ReplicaNotAvailable.code()
                } else {
                    0
                };
                AlterReplicaLogDirPartitionResult::default()
                    .with_partition_index(*index)
                    .with_error_code(error)
            });
            AlterReplicaLogDirTopicResult::default()
                .with_partitions(partitions.collect())
                .with_topic_name(topic.name.clone())
        })
    });
    AlterReplicaLogDirsResponse::default().with_results(results.collect())
}

impl Refuse for AlterReplicaLogDirsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> AlterReplicaLogDirsResponse {
        let results = self.dirs.iter().flat_map(|dir| &dir.topics).map(|topic| {
            let partitions = topic.partitions.iter().map(|index| {
                AlterReplicaLogDirPartitionResult::default()
                    .with_partition_index(*index)
                    .with_error_code(error.code())
            });
            AlterReplicaLogDirTopicResult::default()
                .with_topic_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        AlterReplicaLogDirsResponse::default().with_results(results.collect())
    }
}
