//! What the controller makes of each request: pure functions of the newest image and the request to records and an answer.
//! No file, no clock and no chance in here: offsets, ids and times come in as arguments.

pub(super) mod configs;
mod draft;
pub(super) mod elections;
mod eligible;
pub(super) mod epoch;
pub(super) mod features;
pub(super) mod fencing;
pub(super) mod heartbeat;
pub(super) mod in_sync;
mod leadership;
pub(super) mod partitions;
mod placement;
pub(super) mod producer_ids;
pub(super) mod reassignments;
pub(super) mod registration;
#[cfg(test)]
mod table;
pub(super) mod topic_checks;
pub(super) mod topic_deletion;
pub(super) mod topics;

use crate::broker::config::NodeConfig;
use crate::broker::error::BrokerError;
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use kafka_protocol::ResponseError;

/// What a plan is made on.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The newest metadata, committed or not.
    pub image: &'a MetadataImage,
    /// The controller's own settings.
    pub config: &'a NodeConfig,
    /// Offset that the next record of the log gets.
    pub next_offset: i64,
}

/// What is made of a request: records, and the answer that waits until they are committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<A> {
    /// What is appended, all or nothing; with none, only what the plan was made on is waited for.
    pub records: Vec<MetadataRecord>,
    /// What the request is answered.
    pub answer: A,
}

impl<A> Step<A> {
    /// An answer that changes nothing.
    pub fn only(answer: A) -> Self {
        Step {
            records: Vec::new(),
            answer,
        }
    }
}

/// A refusal with the text that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Kafka's error code.
    pub error: ResponseError,
    /// What is wrong, for people.
    pub message: String,
}

impl ApiError {
    /// A refusal.
    pub fn new(error: ResponseError, message: impl Into<String>) -> Self {
        ApiError {
            error,
            message: message.into(),
        }
    }
}

impl From<BrokerError> for ApiError {
    fn from(error: BrokerError) -> Self {
        ApiError::new(error.response_error(), error.to_string())
    }
}

/// Whether the broker is registered, with that epoch.
///
/// # Errors
/// `STALE_BROKER_EPOCH`.
fn check_broker_epoch(image: &MetadataImage, broker_id: i32, epoch: i64) -> Result<(), ResponseError> {
    match image.brokers.get(&broker_id) {
        Some(broker) if broker.epoch == epoch => Ok(()),
        _ => Err(ResponseError::StaleBrokerEpoch),
    }
}

/// Whether a broker is there and may lead partitions.
fn can_lead(image: &MetadataImage, broker_id: i32) -> bool {
    let broker = image.brokers.get(&broker_id);
    broker.is_some_and(|broker| broker.can_lead())
}
