//! InitProducerId (key 22): hands out the ids of idempotent producers (KIP-98), and begins those of transactions.

use super::RequestContext;
use crate::broker::machine::Producer;
use crate::broker::node::Node;
use crate::broker::transactions::{Fresh, Initialise, Initialised};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    AllocateProducerIdsRequest, BrokerId, InitProducerIdRequest, InitProducerIdResponse,
};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::Mutex;

/// The block of producer ids that this broker hands out from; the controller gives it a new one when it is used up
/// (KIP-730), so that no id is ever given twice in a cluster.
#[derive(Debug, Default)]
pub struct ProducerIds(Mutex<Range<i64>>);

impl ProducerIds {
    async fn next(&self, node: &Node) -> Result<i64, ResponseError> {
        // Held while the controller is asked, so that one block is fetched for all that wait.
        let mut block = self.0.lock().await;
        if block.is_empty() {
            *block = fetch_block(node).await?;
        }
        block.next().ok_or(ResponseError::CoordinatorNotAvailable)
    }
}

/// An id that nobody in the cluster has got yet.
///
/// # Errors
/// `COORDINATOR_LOAD_IN_PROGRESS` when the controller gives none: producers try again after this error.
pub(super) async fn next(node: &Node) -> Result<i64, ResponseError> {
    node.producer_ids.next(node).await
}

/// From this version on a client knows `PRODUCER_FENCED`.
const FENCES: i16 = 4;

/// Answers with a new id and epoch 0; of a transactional id, with that id's own, of which the producers before are fenced.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let producer = match &request.transactional_id {
        None => next(&node).await.map(|id| Producer { id, epoch: 0 }),
        Some(id) => initialise(&node, id, &request).await,
    };
    match producer {
        Ok(producer) => InitProducerIdResponse::default()
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(ctx.fencing(FENCES, error).code())
            .with_producer_id((-1).into())
            .with_producer_epoch(-1),
    }
}

async fn initialise(
    node: &Node,
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
        match node.transactions.initialise(id, asked, fresh).await? {
            Fresh::Done(Initialised::Ready(producer)) => return Ok(producer),
            Fresh::Done(Initialised::Aborting) => return Err(ResponseError::ConcurrentTransactions),
            Fresh::NeedsProducerId => fresh = Some(next(node).await?),
        }
    }
}

async fn fetch_block(node: &Node) -> Result<Range<i64>, ResponseError> {
    let request = AllocateProducerIdsRequest::default()
        .with_broker_id(BrokerId(node.config.node_id))
        .with_broker_epoch(node.broker_epoch.load(Ordering::Acquire));
    let timeout = node.config.millis("request.timeout.ms");
    let answer = node.to_controller.lock().await.ask(&request, 0, timeout).await;
    let answer = answer.map_err(|error| {
        tracing::warn!(%error, "cannot get producer ids from the controller");
        // Producers try again after this error.
        ResponseError::CoordinatorLoadInProgress
    })?;
    match ResponseError::try_from_code(answer.error_code) {
        None => {
            let first = answer.producer_id_start.0;
            Ok(first..first.saturating_add(i64::from(answer.producer_id_len)))
        }
        Some(error) => {
            tracing::warn!(%error, "the controller gives no producer ids");
            Err(ResponseError::CoordinatorLoadInProgress)
        }
    }
}
