//! The ids that this broker gives to producers.

use super::config::NodeConfig;
use super::peer::Peer;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{AllocateProducerIdsRequest, BrokerId};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// The block of producer ids that this broker hands out from; the controller gives it a new one when it is used up
/// (KIP-730), so that no id is ever given twice in a cluster.
#[derive(Debug)]
pub struct ProducerIds {
    broker_id: i32,
    /// Of this broker's registration.
    broker_epoch: Arc<AtomicI64>,
    timeout: Duration,
    block: Mutex<Block>,
}

#[derive(Debug)]
struct Block {
    left: Range<i64>,
    /// A connection of its own: no request of a client stands before it.
    controller: Peer,
}

impl ProducerIds {
    /// Ids of that controller, for a broker whose registration has that epoch.
    pub fn new(config: &NodeConfig, broker_epoch: Arc<AtomicI64>, controller: Peer) -> Self {
        ProducerIds {
            broker_id: config.node_id,
            broker_epoch,
            timeout: config.millis("request.timeout.ms"),
            block: Mutex::new(Block {
                left: 0..0,
                controller,
            }),
        }
    }

    /// An id that nobody has.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` when the controller gives none now: producers try again after it.
    pub async fn next(&self) -> Result<i64, ResponseError> {
        // Held while the controller is asked, so that one block is fetched for all that wait.
        let mut block = self.block.lock().await;
        if block.left.is_empty() {
            block.left = self.fetch(&mut block.controller).await?;
        }
        block.left.next().ok_or(ResponseError::CoordinatorNotAvailable)
    }

    async fn fetch(&self, controller: &mut Peer) -> Result<Range<i64>, ResponseError> {
        let request = AllocateProducerIdsRequest::default()
            .with_broker_id(BrokerId(self.broker_id))
            .with_broker_epoch(self.broker_epoch.load(Ordering::Acquire));
        let answer = controller.ask(&request, 0, self.timeout).await;
        let answer = answer.map_err(|error| {
            tracing::warn!(%error, "cannot get producer ids from the controller");
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
}
