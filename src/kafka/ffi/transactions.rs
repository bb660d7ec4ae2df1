//! Transactions of a producer that has a `transactional.id` (KIP-98, KIP-447).

use super::handle::{Handle, code_of, milliseconds};
use super::native::{Owned, out_of_memory, string};
use crate::kafka::errors::KafkaError;
use crate::kafka::transactions::{Remedy, TransactionError};
use rdkafka::TopicPartitionList;
use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use std::time::Duration;

/// What a call of a transaction answers.
type Answer = Result<(), TransactionError>;

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

    /// Adds the next offsets to read of `member`'s group to the transaction, as that member of its generation: one whose
    /// partitions went to others is refused.
    ///
    /// # Errors
    /// When the member is none any more, a coordinator refuses, or does not answer within `timeout`.
    pub fn send_offsets<C: ConsumerContext>(
        &self,
        offsets: &TopicPartitionList,
        member: &BaseConsumer<C>,
        timeout: Duration,
    ) -> Answer {
        // SAFETY: the consumer lives as long as it is borrowed; what is answered is ours to destroy, once.
        let group = unsafe {
            Owned::new(
                rd::rd_kafka_consumer_group_metadata(member.client().native_ptr()),
                rd::rd_kafka_consumer_group_metadata_destroy,
                out_of_memory,
            )
        };
        let group = group.map_err(|error| TransactionError::new(error, Remedy::None))?;
        // SAFETY: client, list and group live for the call, which copies what it needs.
        unsafe {
            answer(rd::rd_kafka_send_offsets_to_transaction(
                self.ptr(),
                offsets.ptr(),
                group.as_ptr(),
                milliseconds(timeout),
            ))
        }
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
        let remedy = if rd::rd_kafka_error_is_fatal(error) != 0 {
            Remedy::NewProducer
        } else if rd::rd_kafka_error_txn_requires_abort(error) != 0 {
            Remedy::Abort
        } else if rd::rd_kafka_error_is_retriable(error) != 0 {
            Remedy::Retry
        } else {
            Remedy::None
        };
        rd::rd_kafka_error_destroy(error);
        Err(TransactionError::new(
            KafkaError::new(code_of(code), words),
            remedy,
        ))
    }
}
