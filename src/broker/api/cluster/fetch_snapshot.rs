//! FetchSnapshot: a snapshot of the metadata, piece by piece (KIP-630).

use crate::broker::api::parts::LocalController;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::controller::{Controller, METADATA_TOPIC, SnapshotId, SnapshotPiece};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_snapshot_response::{
    PartitionSnapshot, SnapshotId as AnsweredId, TopicSnapshot,
};
use kafka_protocol::messages::{FetchSnapshotRequest, FetchSnapshotResponse};
use std::sync::Arc;

/// Reads a piece of a snapshot.
pub async fn handle(
    controller: LocalController,
    ctx: RequestContext,
    request: FetchSnapshotRequest,
) -> FetchSnapshotResponse {
    let refused = |error| request.refused(ctx.api_version, error);
    let Some(controller) = &controller else {
        return refused(ResponseError::NotController);
    };
    read(controller, &request).await
}

async fn read(controller: &Arc<Controller>, request: &FetchSnapshotRequest) -> FetchSnapshotResponse {
    let wanted = request
        .topics
        .iter()
        .find(|topic| topic.name.as_str() == METADATA_TOPIC);
    let Some((topic, asked)) = wanted.and_then(|topic| Some((topic, topic.partitions.first()?))) else {
        return FetchSnapshotResponse::default()
            .with_error_code(ResponseError::UnknownTopicOrPartition.code());
    };
    let id = SnapshotId {
        end_offset: asked.snapshot_id.end_offset,
        epoch: asked.snapshot_id.epoch,
    };
    let answered = AnsweredId::default()
        .with_end_offset(id.end_offset)
        .with_epoch(id.epoch);
    let partition = PartitionSnapshot::default()
        .with_index(asked.partition)
        .with_snapshot_id(answered)
        .with_position(asked.position);
    let partition = match controller
        .read_snapshot(id, asked.position, request.max_bytes)
        .await
    {
        Ok(SnapshotPiece { bytes, size }) => partition.with_size(size).with_unaligned_records(bytes),
        Err(error) => partition.with_error_code(error.code()),
    };
    let topic = TopicSnapshot::default()
        .with_name(topic.name.clone())
        .with_partitions(vec![partition]);
    FetchSnapshotResponse::default().with_topics(vec![topic])
}

impl Refuse for FetchSnapshotRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> FetchSnapshotResponse {
        FetchSnapshotResponse::default().with_error_code(error.code())
    }
}
