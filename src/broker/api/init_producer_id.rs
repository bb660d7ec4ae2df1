//! InitProducerId (key 22): hands out the ids of idempotent producers (KIP-98).

use super::RequestContext;
use crate::broker::node::Node;
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

/// Answers with a new id and epoch 0. Transactional producers are refused: nothing here coordinates transactions.
pub async fn handle(
    node: Arc<Node>,
    _ctx: RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let id = match request.transactional_id {
        None => node.producer_ids.next(&node).await,
        Some(id) if id.is_empty() => Err(ResponseError::InvalidRequest),
        Some(_) => Err(ResponseError::UnsupportedVersion),
    };
    match id {
        Ok(id) => InitProducerIdResponse::default()
            .with_producer_id(id.into())
            .with_producer_epoch(0),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id((-1).into())
            .with_producer_epoch(-1),
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
