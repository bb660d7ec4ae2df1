//! Who coordinates the transactions of an id, or a group: FindCoordinator.

use super::{To, Wire, check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use kafka_protocol::messages::FindCoordinatorRequest;

/// What FindCoordinator may be asked for, as it numbers it.
#[derive(Clone, Copy)]
enum Key {
    Group = 0,
    TransactionalId = 1,
}

impl Wire {
    /// The broker that coordinates the transactions of `transactional_id`.
    ///
    /// # Errors
    /// When the cluster does not answer, or names none.
    pub fn transaction_coordinator(&mut self, transactional_id: &str) -> Answer<i32> {
        self.coordinator(Key::TransactionalId, transactional_id)
    }

    /// The broker that coordinates `group`. A cluster without `__consumer_offsets` makes it when it is asked this.
    ///
    /// # Errors
    /// When the cluster does not answer, or names none.
    pub fn group_coordinator(&mut self, group: &str) -> Answer<i32> {
        self.coordinator(Key::Group, group)
    }

    fn coordinator(&mut self, kind: Key, key: &str) -> Answer<i32> {
        let request = FindCoordinatorRequest::default()
            .with_key_type(kind as i8)
            .with_coordinator_keys(vec![text(key)]);
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
