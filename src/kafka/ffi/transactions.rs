//! Transactions of a producer that has a `transactional.id` (KIP-98).

use super::handle::{Handle, code_of, milliseconds};
use super::native::string;
use crate::kafka::errors::{Answer, KafkaError};
use rdkafka::bindings as rd;
use std::time::Duration;

impl Handle {
    /// Gets the producer's id and ends what an earlier producer of that `transactional.id` left open.
    ///
    /// # Errors
    /// When the coordinator refuses, or does not answer within `timeout`.
    pub fn init_transactions(&self, timeout: Duration) -> Answer {
        // SAFETY: the client lives; the error is taken over by `answer`.
        unsafe { answer(rd::rd_kafka_init_transactions(self.ptr(), milliseconds(timeout))) }
    }

    /// Begins a transaction: what is sent from now on belongs to it.
    ///
    /// # Errors
    /// When the producer has failed for good.
    pub fn begin_transaction(&self) -> Answer {
        // SAFETY: as above.
        unsafe { answer(rd::rd_kafka_begin_transaction(self.ptr())) }
    }

    /// Waits until all of the transaction is written, and commits it.
    ///
    /// # Errors
    /// When a record was lost, the coordinator refuses, or it does not answer within `timeout`.
    pub fn commit_transaction(&self, timeout: Duration) -> Answer {
        // SAFETY: as above; delivery callbacks run on this thread.
        unsafe { answer(rd::rd_kafka_commit_transaction(self.ptr(), milliseconds(timeout))) }
    }

    /// Gives up what is not written yet, and aborts the transaction.
    ///
    /// # Errors
    /// When the coordinator refuses, or does not answer within `timeout`.
    pub fn abort_transaction(&self, timeout: Duration) -> Answer {
        // SAFETY: as above; delivery callbacks run on this thread.
        unsafe { answer(rd::rd_kafka_abort_transaction(self.ptr(), milliseconds(timeout))) }
    }
}

/// # Safety
/// `error` must be null or an error that nobody else owns.
unsafe fn answer(error: *mut rd::rd_kafka_error_t) -> Answer {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the caller vouches for the error, which is read before it is destroyed, once.
    unsafe {
        let code = rd::rd_kafka_error_code(error) as i32;
        let words = string(rd::rd_kafka_error_string(error));
        rd::rd_kafka_error_destroy(error);
        Err(KafkaError::new(code_of(code), words))
    }
}
