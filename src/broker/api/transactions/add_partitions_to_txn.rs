//! AddPartitionsToTxn (key 24): a client says which partitions it is going to write in its transaction; since version 4 brokers
//! say so for several transactions at once, or ask whether partitions are in them (KIP-890).

use crate::broker::api::parts::{Metadata, Transactions};
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::machine::Producer;
use crate::broker::metadata::AppliedMetadata;
use crate::broker::transactions::{BUMPS_EPOCH, TopicPartition, TransactionCoordinator};
use crate::broker::verification;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, TopicName};
use std::collections::BTreeMap;

/// From this version on brokers ask, for several transactions.
const BATCHED: i16 = 4;
/// From this version on a client knows `PRODUCER_FENCED`.
const FENCES: i16 = 2;

/// Answers when all is on every in-sync replica.
pub async fn handle(
    (metadata, transactions): (Metadata, Transactions),
    ctx: RequestContext,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    if ctx.api_version < BATCHED {
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(request.v3_and_below_transactional_id)
            .with_producer_id(request.v3_and_below_producer_id)
            .with_producer_epoch(request.v3_and_below_producer_epoch)
            .with_topics(request.v3_and_below_topics);
        let results = of_one(&metadata, &transactions, &ctx, &transaction).await;
        return AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results);
    }
    let mut results = Vec::with_capacity(request.transactions.len());
    for transaction in &request.transactions {
        let result = AddPartitionsToTxnResult::default()
            .with_transactional_id(transaction.transactional_id.clone())
            .with_topic_results(of_one(&metadata, &transactions, &ctx, transaction).await);
        results.push(result);
    }
    AddPartitionsToTxnResponse::default().with_results_by_transaction(results)
}

async fn of_one(
    metadata: &AppliedMetadata,
    transactions: &TransactionCoordinator,
    ctx: &RequestContext,
    transaction: &AddPartitionsToTxnTransaction,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let partitions: Vec<TopicPartition> = transaction
        .topics
        .iter()
        .flat_map(|topic| {
            let name = topic.name.to_string();
            topic.partitions.iter().map(move |index| (name.clone(), *index))
        })
        .collect();
    let results = take_in(metadata, transactions, ctx, transaction, &partitions).await;
    let codes: BTreeMap<TopicPartition, i16> = partitions
        .into_iter()
        .zip(results)
        .map(|(partition, result)| {
            let code = result.err().map_or(0, |error| ctx.fencing(FENCES, error).code());
            (partition, code)
        })
        .collect();
    transaction
        .topics
        .iter()
        .map(|topic| by_partition(topic, &codes))
        .collect()
}

fn by_partition(
    topic: &AddPartitionsToTxnTopic,
    codes: &BTreeMap<TopicPartition, i16>,
) -> AddPartitionsToTxnTopicResult {
    let results = topic.partitions.iter().map(|index| {
        let code = codes.get(&(topic.name.to_string(), *index)).copied();
        AddPartitionsToTxnPartitionResult::default()
            .with_partition_index(*index)
            .with_partition_error_code(code.unwrap_or(0))
    });
    AddPartitionsToTxnTopicResult::default()
        .with_name(TopicName(topic.name.0.clone()))
        .with_results_by_partition(results.collect())
}

/// One result for each partition. Where one of them does not exist, none is taken in.
async fn take_in(
    metadata: &AppliedMetadata,
    transactions: &TransactionCoordinator,
    ctx: &RequestContext,
    transaction: &AddPartitionsToTxnTransaction,
    partitions: &[TopicPartition],
) -> Vec<Result<(), ResponseError>> {
    let image = metadata.load_full();
    let exists = |(topic, index): &TopicPartition| image.partition(topic, *index).is_some();
    if !partitions.iter().all(exists) {
        let result = |partition| match exists(partition) {
            true => Err(ResponseError::OperationNotAttempted),
            false => Err(ResponseError::UnknownTopicOrPartition),
        };
        return partitions.iter().map(result).collect();
    }
    let id = transaction.transactional_id.as_str();
    let producer = Producer {
        id: transaction.producer_id.0,
        epoch: transaction.producer_epoch,
    };
    let all = |result: Result<(), ResponseError>| vec![result; partitions.len()];
    if transaction.verify_only {
        return match transactions.verify(id, producer, partitions).await {
            Ok(found) => found.into_iter().map(verification::is_in).collect(),
            Err(error) => all(Err(error)),
        };
    }
    let version = if ctx.api_version >= BATCHED {
        BUMPS_EPOCH
    } else {
        0
    };
    all(transactions.add(id, producer, partitions.to_vec(), version).await)
}

impl Refuse for AddPartitionsToTxnRequest {
    fn refused(&self, version: i16, error: ResponseError) -> AddPartitionsToTxnResponse {
        if version >= BATCHED {
            return AddPartitionsToTxnResponse::default().with_error_code(error.code());
        }
        let topics = self.v3_and_below_topics.iter().map(|topic| {
            let results = topic.partitions.iter().map(|index| {
                AddPartitionsToTxnPartitionResult::default()
                    .with_partition_index(*index)
                    .with_partition_error_code(error.code())
            });
            AddPartitionsToTxnTopicResult::default()
                .with_name(topic.name.clone())
                .with_results_by_partition(results.collect())
        });
        AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(topics.collect())
    }
}
