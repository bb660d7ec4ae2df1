//! AddOffsetsToTxn (key 25): a producer is going to commit offsets of a group in its transaction, so the partition of
//! `__consumer_offsets` that keeps them is part of it.

use crate::broker::api::groups::find_coordinator;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::groups::OFFSETS_TOPIC;
use crate::broker::machine::Producer;
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use std::sync::Arc;

/// From this version on a client knows `PRODUCER_FENCED`.
const FENCES: i16 = 2;

/// Answers when that is on every in-sync replica.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    find_coordinator::make_topic(&node, &ctx, OFFSETS_TOPIC).await;
    let error = match add(&node, &request).await {
        Ok(()) => return AddOffsetsToTxnResponse::default(),
        Err(error) => ctx.fencing(FENCES, error),
    };
    AddOffsetsToTxnResponse::default().with_error_code(error.code())
}

async fn add(node: &Node, request: &AddOffsetsToTxnRequest) -> Result<(), ResponseError> {
    let index = node.groups.partition_for(&request.group_id);
    let index = index.ok_or(ResponseError::CoordinatorNotAvailable)?;
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let partitions = vec![(OFFSETS_TOPIC.to_owned(), index)];
    node.transactions
        .add(&request.transactional_id, producer, partitions, 0)
        .await
}

impl Refuse for AddOffsetsToTxnRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> AddOffsetsToTxnResponse {
        AddOffsetsToTxnResponse::default().with_error_code(error.code())
    }
}
