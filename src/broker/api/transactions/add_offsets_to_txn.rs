//! AddOffsetsToTxn (key 25): a producer is going to commit offsets of a group in its transaction, so the partition of
//! `__consumer_offsets` that keeps them is part of it.

use crate::broker::api::admin::create_topics::TopicMaker;
use crate::broker::api::parts::{Groups, Transactions};
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::groups::{GroupCoordinator, OFFSETS_TOPIC};
use crate::broker::machine::Producer;
use crate::broker::transactions::TransactionCoordinator;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

/// From this version on a client knows `PRODUCER_FENCED`.
const FENCES: i16 = 2;

/// Answers when that is on every in-sync replica.
pub async fn handle(
    (topics, groups, transactions): (TopicMaker, Groups, Transactions),
    ctx: RequestContext,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    topics.make_internal(&ctx, OFFSETS_TOPIC).await;
    let error = match add(&groups, &transactions, &request).await {
        Ok(()) => return AddOffsetsToTxnResponse::default(),
        Err(error) => ctx.fencing(FENCES, error),
    };
    AddOffsetsToTxnResponse::default().with_error_code(error.code())
}

async fn add(
    groups: &GroupCoordinator,
    transactions: &TransactionCoordinator,
    request: &AddOffsetsToTxnRequest,
) -> Result<(), ResponseError> {
    let index = groups.partition_for(&request.group_id);
    let index = index.ok_or(ResponseError::CoordinatorNotAvailable)?;
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let partitions = vec![(OFFSETS_TOPIC.to_owned(), index)];
    transactions
        .add(&request.transactional_id, producer, partitions, 0)
        .await
}

impl Refuse for AddOffsetsToTxnRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> AddOffsetsToTxnResponse {
        AddOffsetsToTxnResponse::default().with_error_code(error.code())
    }
}
