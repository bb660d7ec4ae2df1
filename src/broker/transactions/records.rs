//! The records that the coordinator keeps in `__transaction_state`.

use super::state::{NO_PRODUCER_ID, State, Transaction};
use crate::broker::machine::{Encoded, LogRecord};
use crate::broker::records::transaction::{
    TransactionLogKey, TransactionLogValue, TransactionPartitions, TransactionRecord,
};
use crate::broker::records::{Message, RecordError};
use std::collections::BTreeMap;

/// What stands in `__transaction_state`: where the transaction of a transactional id is, or that the id is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRecord {
    id: String,
    transaction: Option<Transaction>,
    version: i16,
}

impl StateRecord {
    /// A transaction, as a cluster with that `transaction.version` writes it: version 0 of the record has no room for
    /// what KIP-890 added.
    pub fn new(id: &str, transaction: Transaction, cluster_version: i16) -> Self {
        let version = cluster_version.clamp(0, 1);
        let transaction = match version {
            0 => Transaction {
                previous_producer_id: NO_PRODUCER_ID,
                next_producer_id: NO_PRODUCER_ID,
                client_version: 0,
                ..transaction
            },
            _ => transaction,
        };
        StateRecord {
            id: id.to_owned(),
            transaction: Some(transaction),
            version,
        }
    }

    /// The end of a transactional id.
    pub fn tombstone(id: &str) -> Self {
        StateRecord {
            id: id.to_owned(),
            transaction: None,
            version: 0,
        }
    }

    /// The id, and its transaction unless it is forgotten.
    pub fn into_parts(self) -> (String, Option<Transaction>) {
        (self.id, self.transaction)
    }
}

impl LogRecord for StateRecord {
    fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, RecordError> {
        let TransactionRecord::TransactionLog(key, value) =
            TransactionRecord::decode(key.unwrap_or_default(), value)?;
        Ok(StateRecord {
            id: key.transactional_id,
            transaction: value.map(transaction_of).transpose()?,
            version: 1,
        })
    }

    fn encode(&self) -> Result<Encoded, RecordError> {
        let key = TransactionLogKey {
            transactional_id: self.id.clone(),
        };
        let value = self.transaction.as_ref().map(value_of);
        let record = TransactionRecord::TransactionLog(key, value).encode(self.version)?;
        Ok((Some(record.key), record.value))
    }
}

fn value_of(transaction: &Transaction) -> TransactionLogValue {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, index) in &transaction.partitions {
        topics.entry(topic).or_default().push(*index);
    }
    let topics = topics
        .into_iter()
        .map(|(topic, partition_ids)| TransactionPartitions {
            topic: topic.to_owned(),
            partition_ids,
        });
    TransactionLogValue {
        producer_id: transaction.producer_id,
        previous_producer_id: transaction.previous_producer_id,
        next_producer_id: transaction.next_producer_id,
        producer_epoch: transaction.epoch,
        transaction_timeout_ms: transaction.timeout_ms,
        transaction_status: transaction.state.number(),
        transaction_partitions: (transaction.state != State::Empty).then(|| topics.collect()),
        transaction_last_update_timestamp_ms: transaction.updated_ms,
        transaction_start_timestamp_ms: transaction.started_ms,
        client_transaction_version: transaction.client_version,
        ..TransactionLogValue::default()
    }
}

fn transaction_of(value: TransactionLogValue) -> Result<Transaction, RecordError> {
    let state = State::of(value.transaction_status).ok_or(RecordError::Malformed {
        name: TransactionLogValue::NAME,
        problem: "its status is none that is written",
    })?;
    let topics = value.transaction_partitions.unwrap_or_default().into_iter();
    let partitions = topics.flat_map(|topic| {
        let indexes = topic.partition_ids.into_iter();
        indexes.map(move |index| (topic.topic.clone(), index))
    });
    Ok(Transaction {
        producer_id: value.producer_id,
        previous_producer_id: value.previous_producer_id,
        next_producer_id: value.next_producer_id,
        epoch: value.producer_epoch,
        timeout_ms: value.transaction_timeout_ms,
        state,
        partitions: partitions.collect(),
        started_ms: value.transaction_start_timestamp_ms,
        updated_ms: value.transaction_last_update_timestamp_ms,
        client_version: value.client_transaction_version,
        recorded_at: -1,
    })
}
