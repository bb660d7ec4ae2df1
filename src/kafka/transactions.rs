//! Whether a cluster has a coordinator for a `transactional.id`. librdkafka looks for one until its time is up, whatever
//! the cluster answers.

use super::errors::{ErrorCode, KafkaError};
use super::{Connection, Wire};

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
