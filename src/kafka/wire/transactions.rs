//! Other people's transactions: ListTransactions, DescribeTransactions, DescribeProducers (KIP-664), WriteTxnMarkers, and
//! InitProducerId, which ends a transaction by taking over its id.

use super::{To, Wire, check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::TopicPartition;
use kafka_protocol::ResponseError;
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::ProducerState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{
    DescribeProducersRequest, DescribeTransactionsRequest, InitProducerIdRequest, ListTransactionsRequest,
    MetadataRequest, ProducerId, TopicName, TransactionalId, WriteTxnMarkersRequest,
};
use std::time::{Duration, Instant};

/// How long a coordinator may take to load or move.
const SETTLING: Duration = Duration::from_secs(8);
/// One pause in that time.
const PAUSE: Duration = Duration::from_millis(100);

/// The timeout that an id has once it was taken over, in ms; Java's default for a request.
const TAKEN_OVER_MS: i32 = 30_000;

/// Which transactions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Only in these states, in the protocol's words; in all when empty.
    pub states: Vec<String>,
    /// Only of these producers; of all when empty.
    pub producers: Vec<i64>,
    /// Only those that have been open for longer, in ms.
    pub duration_ms: Option<i64>,
    /// Only those whose transactional id matches this regular expression (KIP-1152).
    pub pattern: Option<String>,
}

/// A transaction in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionListing {
    /// Who coordinates it.
    pub coordinator: i32,
    /// `transactional.id`
    pub transactional_id: String,
    /// The producer's id.
    pub producer_id: i64,
    /// Its state in the protocol's words.
    pub state: String,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionDescription {
    /// Who coordinates it.
    pub coordinator: i32,
    /// Its state in the protocol's words.
    pub state: String,
    /// The producer's id.
    pub producer_id: i64,
    /// The producer's epoch.
    pub producer_epoch: i16,
    /// How long it may stay open, in ms.
    pub timeout_ms: i32,
    /// When it was begun, in ms since 1970; nothing when none is open.
    pub started: Option<i64>,
    /// The partitions it has written to, or whose marker is still to be written.
    pub partitions: Vec<TopicPartition>,
}

/// A producer that has written to a partition lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionProducer {
    /// Its id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i32,
    /// The sequence number of its last record.
    pub last_sequence: i32,
    /// When it last wrote, in ms since 1970.
    pub last_timestamp: i64,
    /// Of the coordinator that wrote its last marker, if any.
    pub coordinator_epoch: Option<i32>,
    /// Where its open transaction begins, if it has one.
    pub transaction_start: Option<i64>,
}

/// A partition with the brokers that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionPlace {
    /// Which.
    pub partition: TopicPartition,
    /// Its leader, if it has one.
    pub leader: Option<i32>,
    /// All of its brokers.
    pub replicas: Vec<i32>,
}

/// What a marker in a partition's log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTransaction {
    /// The producer's id.
    pub producer_id: i64,
    /// The producer's epoch.
    pub producer_epoch: i16,
    /// Of the coordinator in whose name it is ended.
    pub coordinator_epoch: i32,
}

impl Wire {
    /// The transactions that all brokers coordinate, in the brokers' order.
    ///
    /// # Errors
    /// When a broker does not answer, refuses, or cannot filter so.
    pub fn list_transactions(&mut self, filter: &TransactionFilter) -> Answer<Vec<TransactionListing>> {
        let producers = filter.producers.iter().map(|id| ProducerId(*id));
        let request = ListTransactionsRequest::default()
            .with_state_filters(filter.states.iter().map(|state| text(state)).collect())
            .with_producer_id_filters(producers.collect())
            .with_duration_filter(filter.duration_ms.unwrap_or(-1))
            .with_transactional_id_pattern(filter.pattern.as_deref().map(text));
        let mut listed = Vec::new();
        for node in self.nodes()? {
            let answer = self.settled(|wire| {
                let answer = wire.ask(To::Node(node.id), &request)?;
                let words = format!(
                    "ListTransactions request sent to broker {} failed with an unexpected exception",
                    node.id
                );
                check(answer.error_code, Some(text(&words))).map(|()| answer)
            })?;
            listed.extend(
                answer
                    .transaction_states
                    .into_iter()
                    .map(|told| TransactionListing {
                        coordinator: node.id,
                        transactional_id: told.transactional_id.to_string(),
                        producer_id: told.producer_id.0,
                        state: told.transaction_state.to_string(),
                    }),
            );
        }
        Ok(listed)
    }

    /// One transaction, as its coordinator knows it.
    ///
    /// # Errors
    /// When there is none with that id, or the coordinator does not answer; in Java's words, for the broker has none.
    pub fn describe_transaction(&mut self, transactional_id: &str) -> Answer<TransactionDescription> {
        let request = DescribeTransactionsRequest::default()
            .with_transactional_ids(vec![TransactionalId(text(transactional_id))]);
        self.settled(|wire| {
            let coordinator = wire.transaction_coordinator(transactional_id)?;
            let answer = wire.ask(To::Node(coordinator), &request)?;
            let told = answer
                .transaction_states
                .into_iter()
                .next()
                .ok_or_else(|| KafkaError::new(ErrorCode::BadMessage, "the answer has no transaction"))?;
            let why = match told.error_code.err() {
                Some(ResponseError::TransactionalIdAuthorizationFailed) => "due to authorization failure",
                Some(ResponseError::TransactionalIdNotFound) => "because the ID could not be found",
                _ => "due to unexpected error",
            };
            let words =
                format!("DescribeTransactions request for transactionalId `{transactional_id}` failed {why}");
            check(told.error_code, Some(text(&words)))?;
            let partitions = told.topics.iter().flat_map(|topic| {
                topic
                    .partitions
                    .iter()
                    .map(|partition| TopicPartition::new(topic.topic.as_str(), *partition))
            });
            Ok(TransactionDescription {
                coordinator,
                partitions: partitions.collect(),
                state: told.transaction_state.to_string(),
                producer_id: told.producer_id.0,
                producer_epoch: told.producer_epoch,
                timeout_ms: told.transaction_timeout_ms,
                started: (told.transaction_start_time_ms >= 0).then_some(told.transaction_start_time_ms),
            })
        })
    }

    /// Takes over a transactional id, which aborts its open transaction and shuts its producer out.
    ///
    /// # Errors
    /// When the coordinator does not answer, or refuses.
    pub fn terminate_transaction(&mut self, transactional_id: &str) -> Answer {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text(transactional_id))))
            .with_transaction_timeout_ms(TAKEN_OVER_MS)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        self.settled(|wire| {
            let coordinator = wire.transaction_coordinator(transactional_id)?;
            let answer = wire.ask(To::Node(coordinator), &request)?;
            check(answer.error_code, None)
        })
    }

    /// The producers that have written to a partition lately, as one of its brokers knows them.
    ///
    /// # Errors
    /// When the broker does not answer, or has no such partition.
    pub fn describe_producers(
        &mut self,
        partition: &TopicPartition,
        broker: i32,
    ) -> Answer<Vec<PartitionProducer>> {
        let topic = TopicRequest::default()
            .with_name(TopicName(text(&partition.topic)))
            .with_partition_indexes(vec![partition.partition]);
        let request = DescribeProducersRequest::default().with_topics(vec![topic]);
        let answer = self.ask(To::Node(broker), &request)?;
        let mut producers = Vec::new();
        for told in answer.topics.into_iter().flat_map(|topic| topic.partitions) {
            check(told.error_code, told.error_message)?;
            producers.extend(told.active_producers.into_iter().map(producer));
        }
        Ok(producers)
    }

    /// Writes the marker of an abort into a partition, whoever its coordinator is.
    ///
    /// # Errors
    /// When the leader does not answer, or refuses.
    pub fn abort_transaction(
        &mut self,
        partition: &TopicPartition,
        leader: i32,
        open: OpenTransaction,
    ) -> Answer {
        let topic = WritableTxnMarkerTopic::default()
            .with_name(TopicName(text(&partition.topic)))
            .with_partition_indexes(vec![partition.partition]);
        let marker = WritableTxnMarker::default()
            .with_producer_id(ProducerId(open.producer_id))
            .with_producer_epoch(open.producer_epoch)
            .with_coordinator_epoch(open.coordinator_epoch)
            .with_transaction_result(false)
            .with_topics(vec![topic]);
        let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
        let answer = self.ask(To::Node(leader), &request)?;
        let partitions = answer
            .markers
            .into_iter()
            .flat_map(|marker| marker.topics)
            .flat_map(|topic| topic.partitions);
        for told in partitions {
            check(told.error_code, None)?;
        }
        Ok(())
    }

    /// The partitions of these topics, or of all, with the brokers that have them.
    ///
    /// # Errors
    /// When the cluster does not answer, or has no such topic.
    pub fn partition_places(&mut self, topics: Option<&[&str]>) -> Answer<Vec<PartitionPlace>> {
        let wanted = topics.map(|topics| {
            let named = topics
                .iter()
                .map(|topic| MetadataRequestTopic::default().with_name(Some(TopicName(text(topic)))));
            named.collect()
        });
        let request = MetadataRequest::default()
            .with_topics(wanted)
            .with_allow_auto_topic_creation(false);
        let answer = self.ask(To::Any, &request)?;
        let mut places = Vec::new();
        for topic in answer.topics {
            check(topic.error_code, None)?;
            let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
            places.extend(topic.partitions.iter().map(|told| PartitionPlace {
                partition: TopicPartition::new(name.as_str(), told.partition_index),
                leader: (told.leader_id.0 >= 0).then_some(told.leader_id.0),
                replicas: told.replica_nodes.iter().map(|id| id.0).collect(),
            }));
        }
        Ok(places)
    }

    /// Asks again while a coordinator is loading or moving.
    fn settled<T>(&mut self, ask: impl Fn(&mut Self) -> Answer<T>) -> Answer<T> {
        let begun = Instant::now();
        loop {
            match ask(self) {
                Err(error) if is_settling(&error) && begun.elapsed() < SETTLING => std::thread::sleep(PAUSE),
                answer => return answer,
            }
        }
    }
}

fn is_settling(error: &KafkaError) -> bool {
    matches!(
        error.code(),
        ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator
            | ErrorCode::ConcurrentTransactions
    )
}

fn producer(told: ProducerState) -> PartitionProducer {
    PartitionProducer {
        id: told.producer_id.0,
        epoch: told.producer_epoch,
        last_sequence: told.last_sequence,
        last_timestamp: told.last_timestamp,
        coordinator_epoch: (told.coordinator_epoch >= 0).then_some(told.coordinator_epoch),
        transaction_start: (told.current_txn_start_offset >= 0).then_some(told.current_txn_start_offset),
    }
}
