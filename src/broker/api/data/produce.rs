//! Produce (key 0): appends record batches, which stay the bytes they came as.

use super::produce_verification::{self, Leaves};
use crate::broker::api::{Refuse, Reply, RequestContext};
use crate::broker::batch::{BatchHeader, MAGIC, MAGIC_AT};
use crate::broker::error::{BrokerError, Why};
use crate::broker::log::{Appended, Leave};
use crate::broker::replication::{Partition, Partitions, is_internal};
use crate::broker::verification::Verifier;
use crate::broker::world::time::{Instant, after};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceResponse,
    TopicProduceResponse,
};
use kafka_protocol::protocol::StrBytes;
use std::sync::Arc;
use std::time::Duration;

/// From this version on topics are named by id.
const BY_ID: i16 = 13;
/// From this version on zstd is known to the client.
const ZSTD: i16 = 7;
/// From this version on a client is told who leads instead (KIP-951).
const TELLS_LEADER: i16 = 10;
/// The number of zstd in a batch's attributes, the greatest there is.
const ZSTD_CODEC: i16 = 4;

/// Why a partition's records were refused.
struct Refusal {
    error: ResponseError,
    message: Option<String>,
    /// The records at fault, by their place in the batch, where they are known.
    records: Vec<(i32, String)>,
}

impl From<ResponseError> for Refusal {
    fn from(error: ResponseError) -> Self {
        Refusal {
            error,
            message: None,
            records: Vec::new(),
        }
    }
}

fn invalid(message: String) -> Refusal {
    Refusal {
        error: ResponseError::InvalidRecord,
        message: Some(message),
        records: Vec::new(),
    }
}

/// Records that were written, but wait for the disk or for the in-sync replicas.
struct Waiting {
    topic: usize,
    slot: usize,
    partition: Arc<Partition>,
    written: Appended,
}

/// Waits until each may be acknowledged; the outcomes in their order.
async fn acknowledged(waiting: &[Waiting], acks: i16, deadline: Instant) -> Vec<Result<(), ResponseError>> {
    let mut outcomes = Vec::with_capacity(waiting.len());
    // What is not seen cannot be replicated: so the disk for all of them first.
    for one in waiting {
        let settled = one.partition.settled(&one.written).await;
        outcomes.push(settled.map_err(|error| error.response_error()));
    }
    for (one, outcome) in waiting.iter().zip(&mut outcomes) {
        if acks == -1 && outcome.is_ok() {
            let last_offset = one.written.last_offset;
            *outcome = one.partition.await_acknowledged(last_offset, deadline).await;
        }
    }
    outcomes
}

/// Appends to each partition and waits for the replicas if `acks` is -1. With `acks` = 0 the answer is not sent; if
/// it holds an error the connection is closed, which is how such a producer learns of it.
pub async fn handle(
    (partitions, verifier): (Partitions, Arc<Verifier>),
    ctx: RequestContext,
    request: ProduceRequest,
) -> Reply<ProduceResponse> {
    let acks = request.acks;
    let answer = produce(&partitions, &verifier, &ctx, request).await;
    match first_error(&answer) {
        _ if acks != 0 => Reply::Answer(answer),
        None => Reply::Silence,
        Some(error) => Reply::Hangup(error),
    }
}

/// The first error of an answer, in words for the log.
fn first_error(answer: &ProduceResponse) -> Option<String> {
    let mut partitions = answer
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses);
    let failed = partitions.find(|partition| partition.error_code != 0)?;
    let error = ResponseError::try_from_code(failed.error_code)?;
    Some(format!("partition {}: {error}", failed.index))
}

async fn produce(
    partitions: &Partitions,
    verifier: &Verifier,
    ctx: &RequestContext,
    request: ProduceRequest,
) -> ProduceResponse {
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let deadline = after(timeout);
    let mut answer = ProduceResponse::default();
    let mut waiting = Vec::new();
    let rules = Rules {
        acks: request.acks,
        version: ctx.api_version,
        leaves: leaves(partitions, verifier, ctx, &request).await,
    };
    for topic in request.topic_data {
        let place = answer.responses.len();
        let response = append_topic(partitions, &rules, topic, place, &mut waiting);
        answer.responses.push(response);
    }
    let outcomes = acknowledged(&waiting, rules.acks, deadline).await;
    for (waiting, outcome) in waiting.into_iter().zip(outcomes) {
        if let Err(error) = outcome
            && let Some(response) = answer.responses.get_mut(waiting.topic)
            && let Some(slot) = response.partition_responses.get_mut(waiting.slot)
        {
            slot.error_code = error.code();
            slot.base_offset = -1;
        }
    }
    if ctx.api_version >= TELLS_LEADER {
        name_leaders(partitions, ctx.session.listener_name(), &mut answer);
    }
    answer
}

/// What holds for all partitions of one request.
struct Rules {
    acks: i16,
    version: i16,
    /// By what records of transactions are let in, or why none are.
    leaves: Result<Leaves, ResponseError>,
}

impl Rules {
    fn leave(&self, place: (usize, usize)) -> Result<Leave, Refusal> {
        let leaves = self.leaves.as_ref().map_err(|error| Refusal::from(*error))?;
        let leave = leaves.get(&place).copied().unwrap_or(Ok(Leave::Free));
        leave.map_err(|error| Refusal {
            error,
            message: produce_verification::words(error),
            records: Vec::new(),
        })
    }
}

async fn leaves(
    partitions: &Partitions,
    verifier: &Verifier,
    ctx: &RequestContext,
    request: &ProduceRequest,
) -> Result<Leaves, ResponseError> {
    match &request.transactional_id {
        None if produce_verification::has_transactional(request) => {
            Err(ResponseError::TransactionalIdAuthorizationFailed)
        }
        None => Ok(Leaves::new()),
        Some(_) => produce_verification::leaves(partitions, verifier, ctx.api_version, request).await,
    }
}

fn append_topic(
    partitions: &Partitions,
    rules: &Rules,
    topic: TopicProduceData,
    place: usize,
    waiting: &mut Vec<Waiting>,
) -> TopicProduceResponse {
    let mut response = TopicProduceResponse::default()
        .with_name(topic.name.clone())
        .with_topic_id(topic.topic_id);
    for (data_place, data) in topic.partition_data.into_iter().enumerate() {
        let index = data.index;
        let leave = rules.leave((place, data_place));
        let outcome =
            leave.and_then(|leave| append(partitions, rules, (&topic.name, topic.topic_id), data, leave));
        let answer = match outcome {
            Ok((partition, written)) => {
                let answer = PartitionProduceResponse::default()
                    .with_index(index)
                    .with_base_offset(written.base_offset)
                    .with_log_append_time_ms(written.log_append_time)
                    .with_log_start_offset(written.log_start_offset);
                let replicated = rules.acks != -1 || partition.log.high_watermark() > written.last_offset;
                if written.unsettled.is_some() || !replicated {
                    waiting.push(Waiting {
                        topic: place,
                        slot: response.partition_responses.len(),
                        partition,
                        written,
                    });
                }
                answer
            }
            Err(refusal) => refused(rules, index, refusal),
        };
        response.partition_responses.push(answer);
    }
    response
}

fn append(
    partitions: &Partitions,
    rules: &Rules,
    (name, id): (&str, uuid::Uuid),
    data: PartitionProduceData,
    leave: Leave,
) -> Result<(Arc<Partition>, Appended), Refusal> {
    if !matches!(rules.acks, -1..=1) {
        return Err(ResponseError::InvalidRequiredAcks.into());
    }
    let (partition, _) = match rules.version {
        BY_ID.. => partitions.led_by_id(id, data.index)?,
        _ => partitions.led_by_name(name, data.index)?,
    };
    if is_internal(&partition.topic) {
        let message = format!("Clients cannot write to the internal topic {}.", partition.topic);
        return Err(Refusal {
            error: ResponseError::InvalidTopicException,
            message: Some(message),
            records: Vec::new(),
        });
    }
    let records = data.records.unwrap_or_default();
    check(rules, &records)?;
    let size = records.len();
    let written = partition.write(records, rules.acks, leave);
    let written = written.map_err(|error| explain(&partition, size, &error))?;
    Ok((partition, written))
}

/// What a request must hold whatever its log says: exactly one batch, of the only format there is.
fn check(rules: &Rules, records: &Bytes) -> Result<(), Refusal> {
    let Some(magic) = records.get(MAGIC_AT) else {
        return Err(invalid(
            "A produce request must have one record batch per partition.".to_owned(),
        ));
    };
    if i8::from_be_bytes([*magic]) != MAGIC {
        return Err(invalid(format!("Record batches must have magic {MAGIC}.")));
    }
    let header = BatchHeader::parse(records).ok_or(ResponseError::CorruptMessage)?;
    if header.size() < records.len() {
        return Err(invalid(
            "A produce request may have only one record batch per partition.".to_owned(),
        ));
    }
    if header.codec() > ZSTD_CODEC || header.codec() == ZSTD_CODEC && rules.version < ZSTD {
        return Err(ResponseError::UnsupportedCompressionType.into());
    }
    if header.is_control() {
        return Err(invalid("Clients may not write control records.".to_owned()));
    }
    Ok(())
}

/// Adds to the log's error what helps the person at the producer.
fn explain(partition: &Partition, size: usize, error: &BrokerError) -> Refusal {
    if let BrokerError::Io { .. } = error {
        tracing::error!(topic = partition.topic, partition = partition.index, %error, "cannot append");
    }
    let records = match error {
        BrokerError::Records(faults) => faults
            .iter()
            .map(|fault| (fault.index, words(&fault.why, partition)))
            .collect(),
        _ => Vec::new(),
    };
    let error = error.response_error();
    let message = match error {
        ResponseError::MessageTooLarge => Some(format!(
            "The record batch has {size} bytes, more than max.message.bytes={} of topic {}.",
            partition.config().max_message_bytes,
            partition.topic
        )),
        ResponseError::InvalidTimestamp => {
            Some("One or more records have been rejected due to invalid timestamp".to_owned())
        }
        _ if !records.is_empty() => Some(summary(&records)),
        _ => None,
    };
    Refusal {
        error,
        message,
        records,
    }
}

/// What Kafka says of a record that is refused.
fn words(why: &Why, partition: &Partition) -> String {
    match why {
        Why::NoKey => format!(
            "Compacted topic cannot accept message without key in topic partition {}-{}",
            partition.topic, partition.index
        ),
        Why::Timestamp {
            timestamp,
            offset,
            earliest,
            latest,
        } => format!(
            "Timestamp {timestamp} of message with offset {offset} is out of range. The timestamp should be within \
             [{earliest}, {latest}]"
        ),
    }
}

/// The same of all of them.
fn summary(records: &[(i32, String)]) -> String {
    let first: Vec<String> = records
        .iter()
        .take(3)
        .map(|(index, why)| format!("RecordError(batchIndex={index}, message='{why}')"))
        .collect();
    format!(
        "One or more records have been rejected due to {} record errors in total, and only showing the first three errors \
         at most: [{}]",
        records.len(),
        first.join(", ")
    )
}

fn refused(rules: &Rules, index: i32, refusal: Refusal) -> PartitionProduceResponse {
    let mut answer = PartitionProduceResponse::default()
        .with_index(index)
        .with_error_code(refusal.error.code())
        .with_base_offset(-1)
        .with_log_append_time_ms(-1)
        .with_log_start_offset(-1);
    // Version 8 brought the texts (KIP-467).
    if rules.version >= 8 {
        let named = |(index, why): (i32, String)| {
            BatchIndexAndErrorMessage::default()
                .with_batch_index(index)
                .with_batch_index_error_message(Some(StrBytes::from_string(why)))
        };
        answer.record_errors = refusal.records.into_iter().map(named).collect();
        answer.error_message = refusal.message.map(StrBytes::from_string);
    }
    answer
}

/// Names the leader of each partition that this broker does not lead, and where it listens.
fn name_leaders(partitions: &Partitions, listener: &str, answer: &mut ProduceResponse) {
    let mut endpoints: Vec<NodeEndpoint> = Vec::new();
    for topic in &mut answer.responses {
        for partition in &mut topic.partition_responses {
            if partition.error_code != ResponseError::NotLeaderOrFollower.code() {
                continue;
            }
            let name = partitions.topic_name(&topic.name, topic.topic_id);
            let (leader, epoch) = partitions.current_leader(&name, partition.index);
            partition.current_leader = LeaderIdAndEpoch::default()
                .with_leader_id(leader.into())
                .with_leader_epoch(epoch);
            if endpoints.iter().any(|endpoint| endpoint.node_id.0 == leader) {
                continue;
            }
            if let Some((host, port, rack)) = partitions.endpoint(leader, listener) {
                let endpoint = NodeEndpoint::default()
                    .with_node_id(leader.into())
                    .with_host(StrBytes::from_string(host))
                    .with_port(port)
                    .with_rack(rack.map(StrBytes::from_string));
                endpoints.push(endpoint);
            }
        }
    }
    answer.node_endpoints = endpoints;
}

impl Refuse for ProduceRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> ProduceResponse {
        let topics = self.topic_data.iter().map(|topic| {
            let partitions = topic.partition_data.iter().map(|data| {
                PartitionProduceResponse::default()
                    .with_index(data.index)
                    .with_error_code(error.code())
                    .with_base_offset(-1)
            });
            TopicProduceResponse::default()
                .with_name(topic.name.clone())
                .with_topic_id(topic.topic_id)
                .with_partition_responses(partitions.collect())
        });
        ProduceResponse::default().with_responses(topics.collect())
    }

    fn wants_answer(&self) -> bool {
        self.acks != 0
    }
}
