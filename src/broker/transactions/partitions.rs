//! AddPartitionsToTxn: partitions are taken into a transaction, or are asked for whether they are in it (KIP-890).

use super::machine::{TransactionStep, Transactions};
use super::state::{State, TopicPartition, Transaction};
use crate::broker::machine::{Producer, Wait};
use kafka_protocol::ResponseError;

impl Transactions {
    /// The transaction that a producer writes in. Known is what every in-sync replica has, or will have before the answer.
    ///
    /// # Errors
    /// `CONCURRENT_TRANSACTIONS` while it is being ended, `INVALID_PRODUCER_ID_MAPPING` for an id of another producer or
    /// of none, `PRODUCER_FENCED` for another epoch.
    fn of_producer(&self, id: &str, producer: Producer) -> Result<&Transaction, ResponseError> {
        let known = self.get(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
        // First: the end may bring another producer id, which the producer has already.
        if known.state.is_ending() {
            return Err(ResponseError::ConcurrentTransactions);
        }
        if known.producer_id != producer.id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if known.epoch != producer.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        Ok(known)
    }

    /// Takes partitions into the transaction; the first begin it.
    ///
    /// # Errors
    /// As of [`Transactions::of_producer`].
    pub(super) fn add(
        &self,
        id: &str,
        producer: Producer,
        partitions: Vec<TopicPartition>,
        client_version: i16,
        now_ms: i64,
    ) -> Result<TransactionStep<()>, ResponseError> {
        let known = self.of_producer(id, producer)?;
        let all_in = partitions
            .iter()
            .all(|partition| known.partitions.contains(partition));
        if known.state == State::Ongoing && all_in {
            return Ok(TransactionStep::answer(()).waiting(Wait::CommittedTo(known.recorded_at)));
        }
        let client_version = client_version.min(self.cluster_version());
        let next = known.with(partitions, client_version, now_ms);
        Ok(self.record(id, next, ()))
    }

    /// Which of the partitions are in the transaction.
    ///
    /// # Errors
    /// As of [`Transactions::of_producer`].
    pub(super) fn verify(
        &self,
        id: &str,
        producer: Producer,
        partitions: &[TopicPartition],
    ) -> Result<TransactionStep<Vec<bool>>, ResponseError> {
        let known = self.of_producer(id, producer)?;
        let found = partitions
            .iter()
            .map(|partition| known.partitions.contains(partition));
        Ok(TransactionStep::answer(found.collect()).waiting(Wait::CommittedTo(known.recorded_at)))
    }
}
