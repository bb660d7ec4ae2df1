//! An idempotent producer: it sends each batch until it is acknowledged, one at a time to each partition.

use super::{PARTITIONS, SAFE};
use crate::sim::client::{Client, code_name, topic};
use crate::sim::ledger::Place;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{InitProducerIdRequest, ProduceRequest};
use std::collections::BTreeMap;
use velodrome::broker::batch::{BatchBuilder, BatchHeader};

/// A producer, as the brokers know it.
struct Identity {
    id: i64,
    epoch: i16,
    /// The next sequence, by partition.
    sequences: BTreeMap<i32, i32>,
}

/// What is sent: records that follow one another.
struct Batch {
    partition: i32,
    values: Vec<String>,
}

/// Refusals of a batch, as one that cannot follow what is known, before it counts as a loss.
const MOST_LOST: u32 = 300;

/// How an attempt ended.
enum Sent {
    /// The offset of the first record; `None` where the broker does not know it any more.
    Taken(Option<i64>),
    Again,
    /// The brokers know this producer differently than it does.
    Lost(i16),
}

/// Produces to a topic until it is told to end; waits for all in-sync replicas, or for the leader alone.
pub async fn run(mut client: Client, to: &'static str, acks: i16) {
    let mut identity = identify(&mut client).await;
    let mut number = 0;
    while client.goes_on() {
        client.rest(5, 60).await;
        let partition = client.dice.number(0..=PARTITIONS - 1);
        let count = client.dice.number(1..=3);
        let values = (0..count).map(|_| {
            number += 1;
            format!("{}-{number}", client.name)
        });
        let batch = Batch {
            partition,
            values: values.collect(),
        };
        match deliver(&mut client, &identity, &batch, to, acks).await {
            None => return,
            Some(Sent::Lost(_)) => {
                identity = identify(&mut client).await;
            }
            Some(Sent::Taken(first)) => {
                let sequence = identity.sequences.entry(partition).or_default();
                *sequence += count;
                note(&client, &batch, first, to);
            }
            Some(Sent::Again) => unreachable!("it goes on until it is taken"),
        }
    }
}

fn note(client: &Client, batch: &Batch, first: Option<i64>, to: &str) {
    let place: Place = (to.to_owned(), batch.partition);
    let (first_value, count) = (&batch.values[0], batch.values.len());
    let at = first.map_or("somewhere".to_owned(), |first| first.to_string());
    client.history.note(format_args!(
        "{count} from {first_value} on acknowledged at {at} of {to}-{}",
        batch.partition
    ));
    if let (Some(first), true) = (first, to == SAFE) {
        for (offset, value) in (first..).zip(&batch.values) {
            client.ledger.acknowledged(&place, offset, value);
        }
    }
}

async fn identify(client: &mut Client) -> Identity {
    loop {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(60_000);
        let answer = client.ask_any(&request, 4).await;
        if let Some(answer) = answer.filter(|answer| answer.error_code == 0) {
            return Identity {
                id: answer.producer_id.0,
                epoch: answer.producer_epoch,
                sequences: BTreeMap::new(),
            };
        }
        client.rest(20, 200).await;
    }
}

/// Sends until there is an outcome; `None` when told to end before.
async fn deliver(
    client: &mut Client,
    identity: &Identity,
    batch: &Batch,
    to: &str,
    acks: i16,
) -> Option<Sent> {
    let mut lost = 0;
    loop {
        match attempt(client, identity, batch, to, acks).await {
            // A leader that is cut off, and leads no more, does not know what came after; the one that leads must.
            Sent::Lost(code) if to == SAFE => {
                lost += 1;
                if lost == MOST_LOST {
                    let (name, error, at) = (client.name.clone(), code_name(code), batch.partition);
                    client.history.broken(format_args!(
                        "{name} is refused by {error} in {to}-{at} again and again, where nothing can be lost"
                    ));
                    return None;
                }
                client.forget_leader(to, batch.partition);
                client.rest(100, 300).await;
            }
            Sent::Again if client.goes_on() => client.rest(10, 200).await,
            Sent::Again => return None,
            outcome => return Some(outcome),
        }
    }
}

async fn attempt(client: &mut Client, identity: &Identity, batch: &Batch, to: &str, acks: i16) -> Sent {
    let Some(leader) = client.leader(to, batch.partition).await else {
        return Sent::Again;
    };
    let mut builder = BatchBuilder::default();
    for value in &batch.values {
        builder.push(None, Some(value.as_bytes()));
    }
    let header = BatchHeader {
        producer_id: identity.id,
        producer_epoch: identity.epoch,
        base_sequence: identity.sequences.get(&batch.partition).copied().unwrap_or(0),
        ..BatchHeader::of_broker(client.history.now_ms())
    };
    let records = builder.build(header).unwrap().bytes;
    let partition = PartitionProduceData::default()
        .with_index(batch.partition)
        .with_records(Some(records));
    let data = TopicProduceData::default()
        .with_name(topic(to))
        .with_partition_data(vec![partition]);
    let request = ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(1_500)
        .with_topic_data(vec![data]);
    let Some(answer) = client.ask(leader, &request, 9).await else {
        client.forget_leader(to, batch.partition);
        return Sent::Again;
    };
    let answer = &answer.responses[0].partition_responses[0];
    judge(client, batch, to, answer.error_code, answer.base_offset)
}

fn judge(client: &mut Client, batch: &Batch, to: &str, code: i16, base_offset: i64) -> Sent {
    match ResponseError::try_from_code(code) {
        None => Sent::Taken((base_offset >= 0).then_some(base_offset)),
        Some(ResponseError::DuplicateSequenceNumber) => Sent::Taken(None),
        Some(
            ResponseError::OutOfOrderSequenceNumber
            | ResponseError::InvalidProducerEpoch
            | ResponseError::UnknownProducerId,
        ) => Sent::Lost(code),
        Some(
            ResponseError::NotLeaderOrFollower
            | ResponseError::UnknownTopicOrPartition
            | ResponseError::LeaderNotAvailable
            | ResponseError::NotEnoughReplicas
            | ResponseError::NotEnoughReplicasAfterAppend
            | ResponseError::RequestTimedOut
            | ResponseError::KafkaStorageError,
        ) => {
            client.forget_leader(to, batch.partition);
            Sent::Again
        }
        Some(error) => {
            let name = client.name.clone();
            client
                .history
                .broken(format_args!("{name} was refused by {error:?} in {to}"));
            Sent::Again
        }
    }
}
