//! AlterPartitionReassignments (KIP-455, KIP-860): a cluster of ours puts replicas into another order, and no more.

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, message};
use crate::broker::controller::{Controller, Reassignment};
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};
use std::sync::Arc;

/// Reassigns.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let timeout_ms = Some(request.timeout_ms);
    controller.answer(&ctx, request, timeout_ms, reassign_on).await
}

async fn reassign_on(
    controller: Arc<Controller>,
    request: AlterPartitionReassignmentsRequest,
    wanted: Wanted,
) -> Result<AlterPartitionReassignmentsResponse> {
    let reassignments: Vec<Reassignment> = request
        .topics
        .iter()
        .flat_map(|topic| {
            topic.partitions.iter().map(|partition| Reassignment {
                topic: topic.name.to_string(),
                index: partition.partition_index,
                replicas: partition
                    .replicas
                    .as_ref()
                    .map(|replicas| replicas.iter().map(|broker| broker.0).collect()),
            })
        })
        .collect();
    let mut outcomes = controller.reassign(reassignments, wanted).await?.into_iter();
    let responses = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let response =
                ReassignablePartitionResponse::default().with_partition_index(partition.partition_index);
            match outcomes.next() {
                Some(Err(error)) => response
                    .with_error_code(error.error.code())
                    .with_error_message(message(error.message)),
                _ => response,
            }
        });
        ReassignableTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name)
    });
    Ok(AlterPartitionReassignmentsResponse::default()
        .with_allow_replication_factor_change(request.allow_replication_factor_change)
        .with_responses(responses.collect()))
}

impl Refuse for AlterPartitionReassignmentsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> AlterPartitionReassignmentsResponse {
        AlterPartitionReassignmentsResponse::default().with_error_code(error.code())
    }
}
