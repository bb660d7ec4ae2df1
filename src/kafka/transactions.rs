//! Whether a cluster has a coordinator for a `transactional.id`, and what may be done when a call of a transaction failed
//! (KIP-98). librdkafka looks for a coordinator until its time is up, whatever the cluster answers.

use super::errors::{ErrorCode, KafkaError};
use super::{Connection, Wire};
use std::fmt;

/// What is left to do after a failed call of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The same call may succeed when it is made again.
    Retry,
    /// This transaction cannot be committed; after its abort the producer goes on.
    Abort,
    /// The producer cannot go on: another one has its `transactional.id`, or it has lost track of the coordinator's state.
    NewProducer,
    /// The call was a mistake, or is refused for good.
    None,
}

/// A failed call of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionError {
    error: KafkaError,
    remedy: Remedy,
}

impl TransactionError {
    /// That error, after which this is left to do.
    pub fn new(error: KafkaError, remedy: Remedy) -> Self {
        TransactionError { error, remedy }
    }

    /// What is left to do.
    pub fn remedy(&self) -> Remedy {
        self.remedy
    }

    /// What failed, by Kafka's code.
    pub fn error(&self) -> &KafkaError {
        &self.error
    }
}

impl From<TransactionError> for KafkaError {
    fn from(failed: TransactionError) -> Self {
        failed.error
    }
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for TransactionError {}

/// The cluster's refusal to name a coordinator, if it is one that will not pass. Whoever cannot be asked is no refusal: the
/// producer itself reports what keeps it from the cluster.
pub fn no_coordinator(connection: &Connection, transactional_id: &str) -> Option<KafkaError> {
    let mut wire = Wire::connect(connection).ok()?;
    let refusal = wire.transaction_coordinator(transactional_id).err()?;
    is_lasting(&refusal).then_some(refusal)
}

fn is_lasting(refusal: &KafkaError) -> bool {
    !refusal.is_unreachable()
        && !matches!(
            refusal.code(),
            ErrorCode::CoordinatorNotAvailable
                | ErrorCode::CoordinatorLoadInProgress
                | ErrorCode::NotCoordinator
                | ErrorCode::RequestTimedOut
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_that_does_not_pass_counts() {
        assert!(is_lasting(&KafkaError::of_protocol(35, "none here")));
        assert!(!is_lasting(&KafkaError::of_protocol(15, "")));
        assert!(!is_lasting(&KafkaError::new(ErrorCode::OperationTimedOut, "")));
    }
}
