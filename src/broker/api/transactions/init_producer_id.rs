//! InitProducerId (key 22): hands out the ids of idempotent producers (KIP-98), and begins those of transactions.

use crate::broker::api::parts::Transactions;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::machine::Producer;
use crate::broker::producer_ids::ProducerIds;
use crate::broker::transactions::{Fresh, Initialise, Initialised, TransactionCoordinator};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use std::sync::Arc;

/// An id that nobody in the cluster has got yet.
///
/// # Errors
/// `COORDINATOR_LOAD_IN_PROGRESS` when the controller gives none: producers try again after this error.
pub(super) async fn next(ids: &ProducerIds) -> Result<i64, ResponseError> {
    ids.next().await
}

/// From this version on a client knows `PRODUCER_FENCED`.
const FENCES: i16 = 4;

/// Answers with a new id and epoch 0; of a transactional id, with that id's own, of which the producers before are fenced.
pub async fn handle(
    (transactions, ids): (Transactions, Arc<ProducerIds>),
    ctx: RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let producer = match &request.transactional_id {
        None => next(&ids).await.map(|id| Producer { id, epoch: 0 }),
        Some(id) => initialise(&transactions, &ids, id, &request).await,
    };
    match producer {
        Ok(producer) => InitProducerIdResponse::default()
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch),
        Err(error) => request.refused(ctx.api_version, ctx.fencing(FENCES, error)),
    }
}

async fn initialise(
    transactions: &TransactionCoordinator,
    ids: &ProducerIds,
    id: &str,
    request: &InitProducerIdRequest,
) -> Result<Producer, ResponseError> {
    let expected = match (request.producer_id.0, request.producer_epoch) {
        (-1, -1) => None,
        (-1, _) | (_, -1) => return Err(ResponseError::InvalidRequest),
        (id, epoch) => Some(Producer { id, epoch }),
    };
    let asked = Initialise {
        timeout_ms: request.transaction_timeout_ms,
        expected,
    };
    let mut fresh = None;
    loop {
        match transactions.initialise(id, asked, fresh).await? {
            Fresh::Done(Initialised::Ready(producer)) => return Ok(producer),
            Fresh::Done(Initialised::Aborting) => return Err(ResponseError::ConcurrentTransactions),
            Fresh::NeedsProducerId => fresh = Some(next(ids).await?),
        }
    }
}

impl Refuse for InitProducerIdRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> InitProducerIdResponse {
        InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id((-1).into())
            .with_producer_epoch(-1)
    }
}
