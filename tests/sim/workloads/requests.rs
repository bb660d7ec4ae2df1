//! The requests of a producer of transactions, in both protocols.

use super::DEALS;
use crate::sim::client::{Client, text, topic};
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, GroupId, InitProducerIdRequest,
    ProduceRequest, TransactionalId, TxnOffsetCommitRequest,
};
use std::collections::BTreeMap;
use velodrome::broker::batch::{BatchBuilder, BatchHeader};

/// `transaction.timeout.ms`
const TIMEOUT_MS: i32 = 4_000;

/// Who makes transactions.
#[derive(Clone)]
pub struct Producer {
    /// Its transactional id.
    pub id: String,
    pub producer_id: i64,
    pub epoch: i16,
    /// It speaks the protocol in which each end bumps the epoch, and partitions are taken in by writing (KIP-890).
    pub bumps: bool,
    /// The next sequence, by partition.
    pub sequences: BTreeMap<i32, i32>,
    in_doubt: bool,
}

impl Producer {
    /// An answer came, or none: then its request may yet arrive.
    pub fn heard(&mut self, code: Option<i16>) {
        self.in_doubt |= code.is_none();
    }

    /// Whether one of its requests may yet arrive.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    fn transactional_id(&self) -> TransactionalId {
        TransactionalId(text(&self.id))
    }
}

/// Takes a transactional id.
pub async fn initialise(
    client: &mut Client,
    coordinator: i32,
    id: &str,
    bumps: bool,
) -> Option<(i16, Producer)> {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(Some(TransactionalId(text(id))))
        .with_transaction_timeout_ms(TIMEOUT_MS)
        .with_producer_id((-1).into())
        .with_producer_epoch(-1);
    let answer = client.ask(coordinator, &request, 4).await?;
    let producer = Producer {
        id: id.to_owned(),
        producer_id: answer.producer_id.0,
        epoch: answer.producer_epoch,
        bumps,
        sequences: BTreeMap::new(),
        in_doubt: false,
    };
    Some((answer.error_code, producer))
}

/// Writes records to a partition.
pub async fn produce(
    client: &mut Client,
    leader: i32,
    from: &Producer,
    partition: i32,
    values: &[String],
) -> Option<i16> {
    let mut builder = BatchBuilder::default();
    for value in values {
        builder.push(None, Some(value.as_bytes()));
    }
    let header = BatchHeader {
        producer_id: from.producer_id,
        producer_epoch: from.epoch,
        base_sequence: from.sequences.get(&partition).copied().unwrap_or(0),
        ..BatchHeader::of_broker(client.history.now_ms())
    };
    let records = builder.build(header.in_transaction()).unwrap().bytes;
    let data = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(records));
    let data = TopicProduceData::default()
        .with_name(topic(DEALS))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_transactional_id(Some(from.transactional_id()))
        .with_acks(-1)
        .with_timeout_ms(1_500)
        .with_topic_data(vec![data]);
    let version = if from.bumps { 12 } else { 11 };
    let answer = client.ask(leader, &request, version).await?;
    Some(answer.responses[0].partition_responses[0].error_code)
}

/// Says that a partition is going to be written.
pub async fn add_partition(
    client: &mut Client,
    coordinator: i32,
    from: &Producer,
    partition: i32,
) -> Option<i16> {
    let topics = AddPartitionsToTxnTopic::default()
        .with_name(topic(DEALS))
        .with_partitions(vec![partition]);
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(from.transactional_id())
        .with_v3_and_below_producer_id(from.producer_id.into())
        .with_v3_and_below_producer_epoch(from.epoch)
        .with_v3_and_below_topics(vec![topics]);
    let answer = client.ask(coordinator, &request, 3).await?;
    let of_topic = &answer.results_by_topic_v3_and_below[0];
    Some(of_topic.results_by_partition[0].partition_error_code)
}

/// Says that a group's offset is going to be committed.
pub async fn add_offsets(client: &mut Client, coordinator: i32, from: &Producer, group: &str) -> Option<i16> {
    let request = AddOffsetsToTxnRequest::default()
        .with_transactional_id(from.transactional_id())
        .with_producer_id(from.producer_id.into())
        .with_producer_epoch(from.epoch)
        .with_group_id(GroupId(text(group)));
    let answer = client.ask(coordinator, &request, 3).await?;
    Some(answer.error_code)
}

/// Commits a group's offset, which counts with the transaction.
pub async fn commit_offset(
    client: &mut Client,
    coordinator: i32,
    from: &Producer,
    group: &str,
    offset: i64,
) -> Option<i16> {
    let data = TxnOffsetCommitRequestPartition::default()
        .with_partition_index(0)
        .with_committed_offset(offset)
        .with_committed_leader_epoch(-1)
        .with_committed_metadata(Some(text("")));
    let data = TxnOffsetCommitRequestTopic::default()
        .with_name(topic(DEALS))
        .with_partitions(vec![data]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(from.transactional_id())
        .with_group_id(GroupId(text(group)))
        .with_producer_id(from.producer_id.into())
        .with_producer_epoch(from.epoch)
        .with_generation_id(-1)
        .with_topics(vec![data]);
    let version = if from.bumps { 5 } else { 4 };
    let answer = client.ask(coordinator, &request, version).await?;
    Some(answer.topics[0].partitions[0].error_code)
}

/// Ends the transaction; the producer as it goes on where ends bump the epoch.
pub async fn end(
    client: &mut Client,
    coordinator: i32,
    from: &Producer,
    commits: bool,
) -> Option<(i16, Producer)> {
    let request = EndTxnRequest::default()
        .with_transactional_id(from.transactional_id())
        .with_producer_id(from.producer_id.into())
        .with_producer_epoch(from.epoch)
        .with_committed(commits);
    let version = if from.bumps { 5 } else { 3 };
    let answer = client.ask(coordinator, &request, version).await?;
    let next = Producer {
        producer_id: answer.producer_id.0,
        epoch: answer.producer_epoch,
        sequences: BTreeMap::new(),
        in_doubt: false,
        ..from.clone()
    };
    Some((answer.error_code, next))
}
