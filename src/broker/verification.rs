//! Asks the coordinator of a transactional id, here or on another broker, about partitions of its transaction (KIP-890).

use super::config::{NodeConfig, Settings};
use super::log::{Beginner, Guard, Leave};
use super::machine::Producer;
use super::metadata::AppliedMetadata;
use super::peers::{Brokers, Peers};
use super::replication::Partition;
use super::transactions::{BUMPS_EPOCH, TRANSACTIONS_TOPIC, TopicPartition, TransactionCoordinator};
use super::world::time::{after, sleep};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, TopicName, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version of the requests sent.
const VERSION: i16 = 5;

/// What the coordinator is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether the partitions are in the transaction.
    AreIn,
    /// To take them in: the client leaves that to the brokers.
    TakeIn,
}

/// A partition that a producer is going to write, and what it says of itself there.
pub struct Place {
    /// Led here.
    pub partition: Arc<Partition>,
    /// The producer.
    pub beginner: Beginner,
}

/// Asks the coordinators of transactions.
pub struct Verifier {
    config: Arc<NodeConfig>,
    metadata: Arc<AppliedMetadata>,
    /// Those that this broker coordinates.
    transactions: Arc<TransactionCoordinator>,
    brokers: Brokers,
    /// The ways to other brokers that coordinate transactions.
    coordinators: Peers,
}

impl Verifier {
    /// Asks this broker's own coordinator, and through `brokers` the others.
    pub fn new(
        config: Arc<NodeConfig>,
        metadata: Arc<AppliedMetadata>,
        transactions: Arc<TransactionCoordinator>,
        brokers: Brokers,
    ) -> Self {
        Verifier {
            config,
            metadata,
            transactions,
            brokers,
            coordinators: Peers::new("coordinators"),
        }
    }

    /// `transaction.partition.verification.enable`, which may change while the broker runs.
    fn is_enabled(&self) -> bool {
        let settings = Settings {
            image: &self.metadata.load(),
            node: &self.config,
        };
        settings
            .broker_value("transaction.partition.verification.enable")
            .as_deref()
            == Some("true")
    }

    /// By what a producer's records are let into each partition. The coordinator is asked about those where the transaction is
    /// not open yet.
    ///
    /// A marker that comes while it is asked takes the guard away. Where a client leaves it to the brokers to take partitions in,
    /// that may be the marker of its last transaction, of whose end it has heard already: then it is asked again.
    ///
    /// The errors are those that a producer knows: `TRANSACTION_ABORTABLE` for a partition that is not in the transaction,
    /// `INVALID_PRODUCER_EPOCH` for a fenced producer, `INVALID_PRODUCER_ID_MAPPING`, `CONCURRENT_TRANSACTIONS`,
    /// `COORDINATOR_NOT_AVAILABLE`, `COORDINATOR_LOAD_IN_PROGRESS`, `NOT_COORDINATOR`, `NETWORK_EXCEPTION`.
    pub async fn leaves(
        &self,
        id: &str,
        producer: Producer,
        places: &[Place],
        question: Question,
    ) -> Vec<Result<Leave, ResponseError>> {
        if !self.is_enabled() {
            return vec![Ok(Leave::Free); places.len()];
        }
        let rest = self.config.millis("add.partitions.to.txn.retry.backoff.ms");
        let until = after(self.config.millis("add.partitions.to.txn.retry.backoff.max.ms"));
        loop {
            let leaves = self.leaves_once(id, producer, places, question).await;
            let over = question == Question::AreIn || after(rest) > until;
            if !over && leaves.contains(&Err(ResponseError::ConcurrentTransactions)) {
                // The producer's last transaction is still being ended, which is a matter of moments.
                sleep(rest).await;
            } else if over
                || places
                    .iter()
                    .zip(&leaves)
                    .all(|(place, leave)| place.stands(*leave))
            {
                return leaves;
            }
        }
    }

    async fn leaves_once(
        &self,
        id: &str,
        producer: Producer,
        places: &[Place],
        question: Question,
    ) -> Vec<Result<Leave, ResponseError>> {
        let guards: Vec<Option<Guard>> = places
            .iter()
            .map(|place| place.partition.log.begin_verification(place.beginner))
            .collect();
        let asked: Vec<TopicPartition> = places
            .iter()
            .zip(&guards)
            .filter(|(_, guard)| guard.is_some())
            .map(|(Place { partition, .. }, _)| (partition.topic.clone(), partition.index))
            .collect();
        let mut results = match asked.is_empty() {
            true => Vec::new(),
            false => self.ask(id, producer, &asked, question).await,
        }
        .into_iter();
        let leaves = guards.into_iter().map(|guard| match guard {
            None => Ok(Leave::Open),
            Some(guard) => match results.next() {
                Some(Ok(())) => Ok(Leave::Verified(guard)),
                Some(Err(error)) => Err(for_producers(error)),
                None => Err(ResponseError::UnknownServerError),
            },
        });
        leaves.collect()
    }

    async fn ask(
        &self,
        id: &str,
        producer: Producer,
        partitions: &[TopicPartition],
        question: Question,
    ) -> Vec<Result<(), ResponseError>> {
        let all = |result: Result<(), ResponseError>| vec![result; partitions.len()];
        let Some(coordinator) = self.coordinator_of(id) else {
            return all(Err(ResponseError::CoordinatorNotAvailable));
        };
        if coordinator != self.config.node_id {
            let request = request(id, producer, partitions, question);
            let timeout = self.config.millis("request.timeout.ms");
            let connect = |purpose: &str| self.brokers.peer(coordinator, purpose);
            let asked = self
                .coordinators
                .ask(connect, coordinator, &request, VERSION, timeout);
            return match asked.await {
                Ok(response) => results_of(&response, partitions),
                Err(error) => {
                    tracing::debug!(coordinator, %error, "cannot ask the coordinator of a transaction");
                    all(Err(ResponseError::NetworkException))
                }
            };
        }
        match question {
            Question::AreIn => match self.transactions.verify(id, producer, partitions).await {
                Ok(found) => found.into_iter().map(is_in).collect(),
                Err(error) => all(Err(error)),
            },
            Question::TakeIn => {
                let taken = self
                    .transactions
                    .add(id, producer, partitions.to_vec(), BUMPS_EPOCH);
                all(taken.await)
            }
        }
    }

    fn coordinator_of(&self, id: &str) -> Option<i32> {
        let index = self.transactions.partition_for(id)?;
        let image = self.metadata.load();
        let leader = image.partition(TRANSACTIONS_TOPIC, index)?.leader;
        (leader >= 0).then_some(leader)
    }
}

impl Place {
    /// Whether what was found is still so; an error is.
    fn stands(&self, leave: Result<Leave, ResponseError>) -> bool {
        let Beginner {
            producer_id, epoch, ..
        } = self.beginner;
        leave.is_ok_and(|leave| self.partition.log.lets_in(producer_id, epoch, leave)) || leave.is_err()
    }
}

fn for_producers(error: ResponseError) -> ResponseError {
    match error {
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
        other => other,
    }
}

/// What a partition is told by whether it is in the transaction.
///
/// # Errors
/// `TRANSACTION_ABORTABLE`
pub fn is_in(found: bool) -> Result<(), ResponseError> {
    match found {
        true => Ok(()),
        false => Err(ResponseError::TransactionAbortable),
    }
}

fn request(
    id: &str,
    producer: Producer,
    partitions: &[TopicPartition],
    question: Question,
) -> AddPartitionsToTxnRequest {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, index) in partitions {
        topics.entry(topic).or_default().push(*index);
    }
    let topics = topics.into_iter().map(|(topic, indexes)| {
        AddPartitionsToTxnTopic::default()
            .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
            .with_partitions(indexes)
    });
    let transaction = AddPartitionsToTxnTransaction::default()
        .with_transactional_id(TransactionalId(StrBytes::from_string(id.to_owned())))
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch)
        .with_verify_only(question == Question::AreIn)
        .with_topics(topics.collect());
    AddPartitionsToTxnRequest::default().with_transactions(vec![transaction])
}

fn results_of(
    response: &AddPartitionsToTxnResponse,
    partitions: &[TopicPartition],
) -> Vec<Result<(), ResponseError>> {
    if let Some(error) = ResponseError::try_from_code(response.error_code) {
        return vec![Err(error); partitions.len()];
    }
    let mut codes: BTreeMap<(&str, i32), i16> = BTreeMap::new();
    let topics = response
        .results_by_transaction
        .iter()
        .flat_map(|result| &result.topic_results);
    for topic in topics {
        for partition in &topic.results_by_partition {
            codes.insert(
                (topic.name.as_str(), partition.partition_index),
                partition.partition_error_code,
            );
        }
    }
    let result = |(topic, index): &TopicPartition| match codes.get(&(topic.as_str(), *index)) {
        Some(code) => ResponseError::try_from_code(*code).map_or(Ok(()), Err),
        None => Err(ResponseError::UnknownServerError),
    };
    partitions.iter().map(result).collect()
}
