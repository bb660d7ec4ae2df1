//! DescribeQuorum: the controller and its log (KIP-642, KIP-836).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::controller::{Controller, METADATA_TOPIC, QuorumState};
use crate::broker::error::Result;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_quorum_response::{
    Listener, Node as QuorumNode, PartitionData, ReplicaState, TopicData,
};
use kafka_protocol::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse, TopicName};
use std::sync::Arc;

/// Describes the quorum of one.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: DescribeQuorumRequest,
) -> DescribeQuorumResponse {
    let local = |controller, request, _| describe_on(controller, &ctx, request);
    controller.answer(&ctx, request, None, local).await
}

async fn describe_on(
    controller: Arc<Controller>,
    ctx: &RequestContext,
    request: DescribeQuorumRequest,
) -> Result<DescribeQuorumResponse> {
    let asked = request.topics.iter();
    let known = asked
        .filter(|topic| topic.topic_name.as_str() == METADATA_TOPIC)
        .any(|topic| {
            topic
                .partitions
                .iter()
                .any(|partition| partition.partition_index == 0)
        });
    if !known {
        return Ok(request.refused(ctx.api_version, ResponseError::UnknownTopicOrPartition));
    }
    let QuorumState {
        node_id,
        epoch,
        end_offset,
        committed,
        now_ms,
        observers,
    } = controller.quorum_state().await?;
    let leader = ReplicaState::default()
        .with_replica_id(BrokerId(node_id))
        .with_log_end_offset(end_offset)
        .with_last_fetch_timestamp(now_ms)
        .with_last_caught_up_timestamp(now_ms);
    let observers = observers.into_iter().map(|(id, offset)| {
        ReplicaState::default()
            .with_replica_id(BrokerId(id))
            .with_log_end_offset(offset)
            .with_last_fetch_timestamp(-1)
            .with_last_caught_up_timestamp(-1)
    });
    let partition = PartitionData::default()
        .with_partition_index(0)
        .with_leader_id(BrokerId(node_id))
        .with_leader_epoch(epoch)
        .with_high_watermark(committed)
        .with_current_voters(vec![leader])
        .with_observers(observers.collect());
    let topic = TopicData::default()
        .with_topic_name(TopicName(text(METADATA_TOPIC)))
        .with_partitions(vec![partition]);
    let (host, port) = controller.address();
    let listener = Listener::default()
        .with_name(text("CONTROLLER"))
        .with_host(text(host))
        .with_port(port);
    let node = QuorumNode::default()
        .with_node_id(BrokerId(node_id))
        .with_listeners(vec![listener]);
    Ok(DescribeQuorumResponse::default()
        .with_topics(vec![topic])
        .with_nodes(ctx.since(2, vec![node], Vec::new())))
}

impl Refuse for DescribeQuorumRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeQuorumResponse {
        DescribeQuorumResponse::default().with_error_code(error.code())
    }
}
