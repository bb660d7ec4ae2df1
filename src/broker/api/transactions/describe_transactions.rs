//! DescribeTransactions (key 65, KIP-664): where the transactions of transactional ids are.

use crate::broker::api::parts::Transactions;
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::transactions::Transaction;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_transactions_response::{TopicData, TransactionState};
use kafka_protocol::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TopicName, TransactionalId,
};
use std::collections::BTreeMap;

/// Answers at once.
pub async fn handle(
    transactions: Transactions,
    _ctx: RequestContext,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let states = request
        .transactional_ids
        .into_iter()
        .map(|id| match transactions.describe(&id) {
            Ok(transaction) => state(id, &transaction),
            Err(error) => TransactionState::default()
                .with_error_code(error.code())
                .with_transactional_id(id),
        });
    DescribeTransactionsResponse::default().with_transaction_states(states.collect())
}

fn state(id: TransactionalId, transaction: &Transaction) -> TransactionState {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, index) in &transaction.partitions {
        topics.entry(topic).or_default().push(*index);
    }
    let topics = topics.into_iter().map(|(topic, partitions)| {
        TopicData::default()
            .with_topic(TopicName(text(topic)))
            .with_partitions(partitions)
    });
    TransactionState::default()
        .with_transactional_id(id)
        .with_transaction_state(text(transaction.state.to_string()))
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(transaction.started_ms)
        .with_producer_id(transaction.producer_id.into())
        .with_producer_epoch(transaction.epoch)
        .with_topics(topics.collect())
}

impl Refuse for DescribeTransactionsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeTransactionsResponse {
        let states = self.transactional_ids.iter().map(|id| {
            TransactionState::default()
                .with_transactional_id(id.clone())
                .with_error_code(error.code())
        });
        DescribeTransactionsResponse::default().with_transaction_states(states.collect())
    }
}
