//! EndTxn (key 26): a producer commits or aborts its transaction. Since version 5 (KIP-890) that bumps the producer's epoch,
//! and the answer tells with which id and epoch it goes on.

use super::init_producer_id;
use crate::broker::api::parts::Transactions;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::machine::Producer;
use crate::broker::producer_ids::ProducerIds;
use crate::broker::transactions::{BUMPS_EPOCH, End, Ended, Fresh, TransactionCoordinator};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse};
use std::sync::Arc;

/// From this version on the epoch is bumped.
const BUMPING: i16 = 5;
/// From this version on a client knows `PRODUCER_FENCED`.
const FENCES: i16 = 2;

/// Answers when the decision is on every in-sync replica; the markers follow.
pub async fn handle(
    (transactions, ids): (Transactions, Arc<ProducerIds>),
    ctx: RequestContext,
    request: EndTxnRequest,
) -> EndTxnResponse {
    let asked = End {
        producer: Producer {
            id: request.producer_id.0,
            epoch: request.producer_epoch,
        },
        commits: request.committed,
        client_version: if ctx.api_version >= BUMPING {
            BUMPS_EPOCH
        } else {
            0
        },
    };
    match end(&transactions, &ids, &request.transactional_id, asked).await {
        Ok(ended) if ctx.api_version >= BUMPING => EndTxnResponse::default()
            .with_producer_id(ended.id.into())
            .with_producer_epoch(ended.epoch),
        Ok(_) => EndTxnResponse::default(),
        Err(error) => EndTxnResponse::default().with_error_code(ctx.fencing(FENCES, error).code()),
    }
}

async fn end(
    transactions: &TransactionCoordinator,
    ids: &ProducerIds,
    id: &str,
    asked: End,
) -> Result<Ended, ResponseError> {
    let mut fresh = None;
    loop {
        match transactions.end(id, asked, fresh).await? {
            Fresh::Done(ended) => return Ok(ended),
            Fresh::NeedsProducerId => fresh = Some(init_producer_id::next(ids).await?),
        }
    }
}

impl Refuse for EndTxnRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> EndTxnResponse {
        EndTxnResponse::default().with_error_code(error.code())
    }
}
