//! Produce: before a producer's first records of a transaction are taken into a partition, the transaction's coordinator must
//! know of that partition (KIP-890). Otherwise nobody would ever end what was begun there.

use crate::broker::batch::BatchHeader;
use crate::broker::log::{Beginner, Leave};
use crate::broker::machine::Producer;
use crate::broker::replication::Partitions;
use crate::broker::verification::{Place, Question, Verifier};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use std::collections::BTreeMap;

/// From this version on the partition is taken into the transaction here: the client did not say so before.
const TAKES_IN: i16 = 12;
/// From this version on a client knows `TRANSACTION_ABORTABLE`.
const ABORTABLE: i16 = 11;
/// From this version on topics are named by id.
const BY_ID: i16 = 13;

/// By what each partition's records are let in; by the places of topic and partition in the request.
pub(super) type Leaves = BTreeMap<(usize, usize), Result<Leave, ResponseError>>;

/// Whether a request holds records of a transaction.
pub(super) fn has_transactional(request: &ProduceRequest) -> bool {
    let mut partitions = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    partitions.any(|data| header_of(data).is_some_and(|header| header.is_transactional()))
}

fn header_of(data: &PartitionProduceData) -> Option<BatchHeader> {
    BatchHeader::parse(data.records.as_ref()?)
}

/// By what the records of each partition are let in. Records of no transaction need no leave.
///
/// # Errors
/// `INVALID_PRODUCER_ID_MAPPING` where the records are of more than one producer.
pub(super) async fn leaves(
    partitions: &Partitions,
    verifier: &Verifier,
    version: i16,
    request: &ProduceRequest,
) -> Result<Leaves, ResponseError> {
    let mut leaves = Leaves::new();
    let Some(id) = &request.transactional_id else {
        return Ok(leaves);
    };
    let (mut producer, mut asked, mut places) = (None, Vec::new(), Vec::new());
    for (topic_place, topic) in request.topic_data.iter().enumerate() {
        for (data_place, data) in topic.partition_data.iter().enumerate() {
            let Some(header) = header_of(data).filter(BatchHeader::is_transactional) else {
                continue;
            };
            let writer = Producer {
                id: header.producer_id,
                epoch: header.producer_epoch,
            };
            if *producer.get_or_insert(writer) != writer {
                return Err(ResponseError::InvalidProducerIdMapping);
            }
            match place(partitions, version, topic, data.index, &header) {
                Some(place) => {
                    asked.push((topic_place, data_place));
                    places.push(place);
                }
                // Should it be led here in a moment, nothing begins there.
                None => {
                    leaves.insert((topic_place, data_place), Ok(Leave::Open));
                }
            }
        }
    }
    let question = match version {
        TAKES_IN.. => Question::TakeIn,
        _ => Question::AreIn,
    };
    if let Some(producer) = producer {
        let found = verifier.leaves(id, producer, &places, question).await;
        let found = found
            .into_iter()
            .map(|leave| leave.map_err(|error| told(version, error)));
        leaves.extend(asked.into_iter().zip(found));
    }
    Ok(leaves)
}

/// The partition, if it is led here, and what its producer says of itself.
fn place(
    partitions: &Partitions,
    version: i16,
    topic: &TopicProduceData,
    index: i32,
    header: &BatchHeader,
) -> Option<Place> {
    let led = match version {
        BY_ID.. => partitions.led_by_id(topic.topic_id, index),
        _ => partitions.led_by_name(&topic.name, index),
    };
    let (partition, _) = led.ok()?;
    Some(Place {
        partition,
        beginner: Beginner {
            producer_id: header.producer_id,
            epoch: header.producer_epoch,
            sequence: header.base_sequence,
            bumps_epoch: version >= TAKES_IN,
        },
    })
}

/// What a producer of that version knows how to go on from.
fn told(version: i16, error: ResponseError) -> ResponseError {
    match error {
        ResponseError::TransactionAbortable if version < ABORTABLE => ResponseError::InvalidTxnState,
        // Very common while a transaction is being ended, and known to those who leave it to the brokers.
        ResponseError::ConcurrentTransactions if version >= TAKES_IN => error,
        // Waited out without a look at the metadata.
        ResponseError::ConcurrentTransactions
        | ResponseError::NetworkException
        | ResponseError::CoordinatorLoadInProgress
        | ResponseError::CoordinatorNotAvailable
        | ResponseError::NotCoordinator => ResponseError::NotEnoughReplicas,
        other => other,
    }
}

/// The text that goes with it.
pub(super) fn words(error: ResponseError) -> Option<String> {
    match error {
        ResponseError::InvalidTxnState => Some("Partition was not added to the transaction".to_owned()),
        ResponseError::NotEnoughReplicas => {
            Some("Unable to verify the partition has been added to the transaction.".to_owned())
        }
        _ => None,
    }
}
