//! Records in and out: produce, fetch, offsets, deletion, retention, and what a crash may not lose.

mod deletion;
mod fetch;
mod offsets;
mod produce;
mod replicas;
mod sessions;

use crate::support::broker::TestBroker;
use crate::support::raw::RawClient;
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{
    CreateTopicsRequest, FetchRequest, ListOffsetsRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record,
    RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};

/// The greatest versions that name topics, not their ids.
pub const PRODUCE: i16 = 12;
pub const FETCH: i16 = 12;

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

fn topic_name(value: &str) -> TopicName {
    text(value).into()
}

async fn create(broker: &TestBroker, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
    create_with(broker, topic, partitions, 1, configs).await;
}

pub async fn create_with(
    broker: &TestBroker,
    topic: &str,
    partitions: i32,
    replicas: i16,
    configs: &[(&str, &str)],
) {
    let configs = configs.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
    });
    let topic = CreatableTopic::default()
        .with_name(topic_name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(replicas)
        .with_configs(configs.collect());
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    let response = broker.ask(request, 7).await;
    assert_eq!(
        response.topics[0].error_code, 0,
        "{:?}",
        response.topics[0].error_message
    );
}

/// Who writes a batch: producer id, epoch, first sequence.
pub type Producer = (i64, i16, i32);
pub const NOBODY: Producer = (NO_PRODUCER_ID, NO_PRODUCER_EPOCH, NO_SEQUENCE);

/// One batch with the values given, all at `timestamp`.
pub fn batch_of(producer: Producer, timestamp: i64, values: &[&str]) -> Bytes {
    encoded(producer, false, timestamp, values)
}

/// The same as a part of a transaction, all as of now.
pub fn transactional(producer: Producer, values: &[&str]) -> Bytes {
    encoded(producer, true, velodrome::clock::Clock::system().now_ms(), values)
}

fn encoded((id, epoch, sequence): Producer, transactional: bool, timestamp: i64, values: &[&str]) -> Bytes {
    let records: Vec<Record> = (0..)
        .zip(values)
        .map(|(at, value)| Record {
            transactional,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: id,
            producer_epoch: epoch,
            timestamp_type: TimestampType::Creation,
            offset: i64::from(at),
            // The encoder wants them to rise even where they mean nothing.
            sequence: sequence + at,
            timestamp,
            key: None,
            value: Some(Bytes::from((*value).to_owned())),
            headers: Default::default(),
        })
        .collect();
    let options = RecordEncodeOptions {
        version: 2,
        compression: Compression::None,
    };
    let mut bytes = BytesMut::new();
    RecordBatchEncoder::encode(&mut bytes, &records, &options).unwrap();
    bytes.freeze()
}

pub fn batch(values: &[&str]) -> Bytes {
    batch_of(NOBODY, velodrome::clock::Clock::system().now_ms(), values)
}

pub fn produce_request(topic: &str, partition: i32, records: Bytes, acks: i16) -> ProduceRequest {
    let data = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(vec![data]);
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic])
}

pub async fn produce(
    broker: &TestBroker,
    topic: &str,
    partition: i32,
    records: Bytes,
) -> PartitionProduceResponse {
    let response = broker
        .ask(produce_request(topic, partition, records, -1), PRODUCE)
        .await;
    response.responses[0].partition_responses[0].clone()
}

/// Produces one batch and returns its base offset.
async fn write(broker: &TestBroker, topic: &str, values: &[&str]) -> i64 {
    let answer = produce(broker, topic, 0, batch(values)).await;
    assert_eq!(answer.error_code, 0);
    answer.base_offset
}

/// A fetch of partitions of one topic, (index, offset) each, that doesn't wait.
pub fn fetch_request(topic: &str, partitions: &[(i32, i64)]) -> FetchRequest {
    let partitions = partitions.iter().map(|(index, offset)| {
        FetchPartition::default()
            .with_partition(*index)
            .with_fetch_offset(*offset)
            .with_partition_max_bytes(1 << 20)
    });
    FetchRequest::default()
        .with_max_bytes(50 << 20)
        .with_min_bytes(1)
        .with_topics(vec![
            FetchTopic::default()
                .with_topic(topic_name(topic))
                .with_partitions(partitions.collect()),
        ])
}

pub async fn fetch_one(client: &mut RawClient, request: FetchRequest) -> PartitionData {
    let mut response = client.ask(request, FETCH).await;
    assert_eq!(response.error_code, 0);
    response.responses.remove(0).partitions.remove(0)
}

/// All values of partition 0 from `offset` on, with their offsets.
async fn read(broker: &TestBroker, topic: &str, offset: i64) -> Vec<(i64, String)> {
    let mut client = broker.client().await;
    let mut found = Vec::new();
    let mut next = offset;
    loop {
        let data = fetch_one(&mut client, fetch_request(topic, &[(0, next)])).await;
        assert_eq!(data.error_code, 0);
        let values = values(&data);
        let Some((last, _)) = values.last() else {
            return found;
        };
        next = last + 1;
        found.extend(values.into_iter().filter(|(at, _)| *at >= offset));
    }
}

pub fn values(data: &PartitionData) -> Vec<(i64, String)> {
    let mut bytes = data.records.clone().unwrap_or_default();
    let sets = RecordBatchDecoder::decode_all(&mut bytes).unwrap();
    let records = sets.into_iter().flat_map(|set| set.records);
    records
        .map(|record| {
            let value = record.value.unwrap_or_default().to_vec();
            (record.offset, String::from_utf8(value).unwrap())
        })
        .collect()
}

pub async fn list_offset(broker: &TestBroker, topic: &str, timestamp: i64) -> ListOffsetsPartitionResponse {
    let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_topics(vec![topic]);
    broker.ask(request, 9).await.topics[0].partitions[0].clone()
}
