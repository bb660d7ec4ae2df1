//! AlterPartition: a leader changes its in-sync replicas (KIP-497, KIP-903).

use super::metadata;
use crate::broker::api::parts::LocalController;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::controller::IsrChange;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_partition_request::PartitionData as Asked;
use kafka_protocol::messages::alter_partition_response::{PartitionData, TopicData};
use kafka_protocol::messages::{AlterPartitionRequest, AlterPartitionResponse, BrokerId};
use uuid::Uuid;

/// Changes the in-sync replicas.
pub async fn handle(
    controller: LocalController,
    ctx: RequestContext,
    request: AlterPartitionRequest,
) -> AlterPartitionResponse {
    let refused = |error| request.refused(ctx.api_version, error);
    let Some(controller) = &controller else {
        return refused(ResponseError::NotController);
    };
    let changes: Vec<IsrChange> = request
        .topics
        .iter()
        .flat_map(|topic| {
            topic
                .partitions
                .iter()
                .map(|asked| isr_change(topic.topic_id, asked))
        })
        .collect();
    let (broker_id, broker_epoch) = (request.broker_id.0, request.broker_epoch);
    let altered = controller.alter_partitions(broker_id, broker_epoch, changes.clone());
    let outcomes = match altered.await {
        Ok(outcomes) => outcomes,
        Err(error) => return refused(error.response_error()),
    };
    let mut outcomes = changes.iter().zip(outcomes);
    let topics = request.topics.iter().map(|topic| {
        let partitions = outcomes.by_ref().take(topic.partitions.len());
        let partitions = partitions.map(|(change, outcome)| {
            let data = PartitionData::default().with_partition_index(change.index);
            match outcome {
                Err(error) => data.with_error_code(error.code()),
                Ok(partition) => data
                    .with_leader_id(BrokerId(partition.leader))
                    .with_leader_epoch(partition.leader_epoch)
                    .with_isr(metadata::broker_ids(&partition.isr))
                    .with_partition_epoch(partition.partition_epoch),
            }
        });
        TopicData::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    AlterPartitionResponse::default().with_topics(topics.collect())
}

fn isr_change(topic_id: Uuid, asked: &Asked) -> IsrChange {
    // Version 2 names brokers only, version 3 their epochs too.
    let isr = if asked.new_isr_with_epochs.is_empty() {
        asked.new_isr.iter().map(|id| (id.0, -1)).collect()
    } else {
        let with_epochs = asked.new_isr_with_epochs.iter();
        with_epochs
            .map(|state| (state.broker_id.0, state.broker_epoch))
            .collect()
    };
    IsrChange {
        topic_id,
        index: asked.partition_index,
        leader_epoch: asked.leader_epoch,
        partition_epoch: asked.partition_epoch,
        isr,
    }
}

impl Refuse for AlterPartitionRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> AlterPartitionResponse {
        AlterPartitionResponse::default().with_error_code(error.code())
    }
}
