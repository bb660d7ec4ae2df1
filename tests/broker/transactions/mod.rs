//! Transactions, asked for in the bare protocol: what each version of it is answered, and what readers see.

mod hanging;
mod markers;
mod offsets;
mod producing;
mod several;

use super::data::{FETCH, create_with, fetch_request, transactional, values};
use crate::support::broker::TestBroker;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, DescribeTransactionsRequest, EndTxnRequest, EndTxnResponse,
    FindCoordinatorRequest, InitProducerIdRequest, ListOffsetsRequest, ProduceRequest, TopicName,
    TransactionalId,
};
use kafka_protocol::protocol::StrBytes;
use std::time::{Duration, Instant};

/// Versions of the requests that a client of each protocol sends: before KIP-890 and since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Old,
    New,
}

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

fn topic_name(value: &str) -> TopicName {
    text(value).into()
}

fn transactional_id(value: &str) -> TransactionalId {
    text(value).into()
}

fn error(code: i16) -> Option<ResponseError> {
    ResponseError::try_from_code(code)
}

/// A producer of transactions, as a client's library keeps it.
struct Writer {
    id: String,
    protocol: Protocol,
    producer_id: i64,
    epoch: i16,
    sequence: i32,
}

impl Writer {
    /// Finds its coordinator and is initialised there.
    async fn at(broker: &TestBroker, id: &str, protocol: Protocol) -> Self {
        let find = FindCoordinatorRequest::default()
            .with_key_type(1)
            .with_coordinator_keys(vec![text(id)]);
        eventually("there is a coordinator", async || {
            let found = broker.ask(find.clone(), 4).await.coordinators.remove(0);
            found.error_code == 0
        })
        .await;
        let mut writer = Writer {
            id: id.to_owned(),
            protocol,
            producer_id: -1,
            epoch: -1,
            sequence: 0,
        };
        writer.initialise(broker).await;
        writer
    }

    async fn try_initialise(&mut self, broker: &TestBroker) -> Option<ResponseError> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(transactional_id(&self.id)))
            .with_transaction_timeout_ms(60_000)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let answer = broker.ask(request, 5).await;
        if answer.error_code == 0 {
            self.producer_id = answer.producer_id.0;
            self.epoch = answer.producer_epoch;
            self.sequence = 0;
        }
        error(answer.error_code)
    }

    async fn initialise(&mut self, broker: &TestBroker) {
        eventually("the producer is initialised", async || {
            self.try_initialise(broker).await.is_none()
        })
        .await;
    }

    /// Says that it is going to write a partition; clients of the new protocol never do.
    async fn add(&self, broker: &TestBroker, topic: &str, partition: i32) -> Option<ResponseError> {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(topic_name(topic))
            .with_partitions(vec![partition]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(transactional_id(&self.id))
            .with_v3_and_below_producer_id(self.producer_id.into())
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let answer = broker.ask(request, 3).await;
        let results = &answer.results_by_topic_v3_and_below[0].results_by_partition;
        error(results[0].partition_error_code)
    }

    async fn try_write(
        &mut self,
        broker: &TestBroker,
        version: i16,
        (topic, partition): (&str, i32),
        values: &[&str],
    ) -> Option<ResponseError> {
        let records = transactional((self.producer_id, self.epoch, self.sequence), values);
        let data = PartitionProduceData::default()
            .with_index(partition)
            .with_records(Some(records));
        let topic = TopicProduceData::default()
            .with_name(topic_name(topic))
            .with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_transactional_id(Some(transactional_id(&self.id)))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![topic]);
        let answer = broker.ask(request, version).await;
        let answer = &answer.responses[0].partition_responses[0];
        if answer.error_code == 0 {
            self.sequence += i32::try_from(values.len()).unwrap();
        }
        error(answer.error_code)
    }

    /// Writes to a partition; sequences are counted for one alone.
    async fn write(&mut self, broker: &TestBroker, partition: (&str, i32), values: &[&str]) {
        let version = match self.protocol {
            Protocol::New => 12,
            Protocol::Old => {
                assert_eq!(self.add(broker, partition.0, partition.1).await, None);
                11
            }
        };
        assert_eq!(self.try_write(broker, version, partition, values).await, None);
    }

    async fn try_end(&mut self, broker: &TestBroker, commits: bool) -> EndTxnResponse {
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional_id(&self.id))
            .with_producer_id(self.producer_id.into())
            .with_producer_epoch(self.epoch)
            .with_committed(commits);
        let version = if self.protocol == Protocol::New { 5 } else { 4 };
        broker.ask(request, version).await
    }

    /// Ends the transaction, and waits until its markers are in.
    async fn end(&mut self, broker: &TestBroker, commits: bool) {
        let answer = self.try_end(broker, commits).await;
        assert_eq!(error(answer.error_code), None);
        if self.protocol == Protocol::New {
            assert_eq!(answer.producer_epoch, self.epoch + 1);
            self.producer_id = answer.producer_id.0;
            self.epoch = answer.producer_epoch;
            self.sequence = 0;
        }
        self.is_over(broker).await;
    }

    async fn is_over(&self, broker: &TestBroker) {
        eventually("the transaction is over", async || {
            self.state(broker).await.starts_with("Complete")
        })
        .await;
    }

    /// Its state, as the coordinator describes it; empty when that is not known.
    async fn state(&self, broker: &TestBroker) -> String {
        let request =
            DescribeTransactionsRequest::default().with_transactional_ids(vec![transactional_id(&self.id)]);
        let answer = broker.ask(request, 0).await;
        answer.transaction_states[0].transaction_state.to_string()
    }
}

/// What a reader of committed records is given of a partition from its start: last stable offset, values before it without
/// markers, and the aborted transactions among them by first offset.
async fn committed(broker: &TestBroker, topic: &str, partition: i32) -> (i64, Vec<String>, Vec<i64>) {
    try_committed(broker, topic, partition).await.unwrap()
}

/// The same of a broker that may not have heard yet that it leads the partition.
async fn try_committed(
    broker: &TestBroker,
    topic: &str,
    partition: i32,
) -> Result<(i64, Vec<String>, Vec<i64>), ResponseError> {
    let request = fetch_request(topic, &[(partition, 0)]).with_isolation_level(1);
    let mut answer = broker.ask(request, FETCH).await;
    let data = answer.responses.remove(0).partitions.remove(0);
    if let Some(error) = error(data.error_code) {
        return Err(error);
    }
    let aborted = data.aborted_transactions.clone().unwrap_or_default();
    let first = aborted.iter().map(|aborted| aborted.first_offset);
    let is_marker = |value: &String| value.bytes().all(|byte| byte < b' ');
    let read = values(&data).into_iter().map(|(_, value)| value);
    let read = read.filter(|value| !is_marker(value));
    Ok((data.last_stable_offset, read.collect(), first.collect()))
}

/// Where a partition ends to readers of that isolation.
async fn end_of(broker: &TestBroker, topic: &str, isolation: i8) -> i64 {
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_isolation_level(isolation)
        .with_topics(vec![topic]);
    broker.ask(request, 9).await.topics[0].partitions[0].offset
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "never seen: {what}");
        tokio::task::yield_now().await;
    }
}

async fn with_topic(partitions: i32) -> TestBroker {
    let broker = TestBroker::start().await;
    create_with(&broker, "t", partitions, 1, &[]).await;
    broker
}
