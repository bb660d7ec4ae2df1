//! Who coordinates the transactions of an id: FindCoordinator.

use super::{To, Wire, check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use kafka_protocol::messages::FindCoordinatorRequest;

/// The kind of key that FindCoordinator calls a transactional id.
const TRANSACTIONAL_ID: i8 = 1;

impl Wire {
    /// The broker that coordinates the transactions of `transactional_id`.
    ///
    /// # Errors
    /// When the cluster does not answer, or names none.
    pub fn transaction_coordinator(&mut self, transactional_id: &str) -> Answer<i32> {
        let request = FindCoordinatorRequest::default()
            .with_key_type(TRANSACTIONAL_ID)
            .with_coordinator_keys(vec![text(transactional_id)]);
        let answer = self.ask(To::Any, &request)?;
        check(answer.error_code, answer.error_message)?;
        let told = answer
            .coordinators
            .into_iter()
            .next()
            .ok_or_else(|| KafkaError::new(ErrorCode::CoordinatorNotAvailable, ""))?;
        check(told.error_code, told.error_message)?;
        Ok(told.node_id.0)
    }
}
