//! Reads a whole topic once, from its first record to its last: how a program's state comes back.

use super::consumer::Isolation;
use super::group_consumer::Received;
use super::oauth::refreshes_tokens;
use super::{Admin, Connection, errors};
use crate::failure::{Failure, Outcome};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the cluster may stay silent before the reading fails.
const SILENCE: Duration = Duration::from_secs(30);

/// Reads `topic` from the beginning to where it ends at this moment, handing every record to `take`: in order within a
/// partition. A topic that does not exist has no records. Joins no group and commits nothing.
///
/// # Errors
/// When no broker answers, or reading is refused.
pub fn read_to_end(connection: &Connection, topic: &str, take: impl FnMut(Received)) -> Outcome {
    let all = |_| Some((Offset::Beginning, i64::MAX));
    read_spans(connection, topic, Isolation::ReadCommitted, all, take)
}

/// The same for the last `count` records of each partition.
///
/// # Errors
/// As [`read_to_end`].
pub fn read_last(connection: &Connection, topic: &str, count: i64, take: impl FnMut(Received)) -> Outcome {
    let last = |_| Some((Offset::OffsetTail(count), i64::MAX));
    read_spans(connection, topic, Isolation::ReadCommitted, last, take)
}

/// The same for what some partitions hold from one offset up to, and without, another.
///
/// # Errors
/// As [`read_to_end`].
pub fn read_between(
    connection: &Connection,
    topic: &str,
    spans: &BTreeMap<i32, (i64, i64)>,
    take: impl FnMut(Received),
) -> Outcome {
    read_between_as(connection, topic, Isolation::ReadCommitted, spans, take)
}

/// The same as a reader of this isolation sees it: one of uncommitted records also sees those of transactions that are open or
/// were aborted.
///
/// # Errors
/// As [`read_to_end`].
pub fn read_between_as(
    connection: &Connection,
    topic: &str,
    isolation: Isolation,
    spans: &BTreeMap<i32, (i64, i64)>,
    take: impl FnMut(Received),
) -> Outcome {
    let span = |partition: i32| {
        let (from, to) = spans.get(&partition)?;
        (from < to).then_some((Offset::Offset(*from), *to))
    };
    if spans.keys().all(|partition| span(*partition).is_none()) {
        return Ok(());
    }
    read_spans(connection, topic, isolation, span, take)
}

/// A reader that only ever needs a token.
struct Quiet;

refreshes_tokens!(Quiet);

impl ConsumerContext for Quiet {}

/// Reads of each partition what `span` says: where to start, and the first offset that is not wanted.
fn read_spans(
    connection: &Connection,
    topic: &str,
    isolation: Isolation,
    span: impl Fn(i32) -> Option<(Offset, i64)>,
    mut take: impl FnMut(Received),
) -> Outcome {
    let Some(description) = Admin::connect(connection)?.find_topic(topic)? else {
        return Ok(());
    };
    let failed = |error: &KafkaError| {
        errors::KafkaError::from(error).into_failure(format!("cannot read topic `{topic}`"))
    };
    let consumer: BaseConsumer<Quiet> = connection
        .client_config()
        // librdkafka assigns partitions to groups only; this one never joins nor commits.
        .set("group.id", "velo-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", isolation.name())
        // The end of a partition is told by an empty answer, which the broker would hold back for half a second.
        .set("fetch.wait.max.ms", "10")
        .create_with_context(Quiet)
        .map_err(|error| failed(&error))?;
    let mut assignment = TopicPartitionList::new();
    let mut unread = BTreeMap::new();
    for found in &description.partitions {
        let Some((start, end)) = span(found.partition) else {
            continue;
        };
        assignment
            .add_partition_offset(topic, found.partition, start)
            .map_err(|error| failed(&error))?;
        unread.insert(found.partition, end);
    }
    // A partition whose leader is not known yet is asked for where it begins half a second later.
    consumer
        .fetch_metadata(Some(topic), SILENCE)
        .map_err(|error| failed(&error))?;
    consumer.assign(&assignment).map_err(|error| failed(&error))?;
    let mut heard = Instant::now();
    while !unread.is_empty() {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                let (partition, offset) = (message.partition(), message.offset());
                let Some(end) = unread.get(&partition).copied() else {
                    continue;
                };
                if offset < end {
                    take(Received::copy(&message));
                }
                if offset + 1 >= end {
                    unread.remove(&partition);
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                unread.remove(&partition);
            }
            // Deleted meanwhile: it has no records. If it is there, what librdkafka knows of it is older.
            Some(Err(error))
                if errors::KafkaError::from(&error).is_unknown_topic()
                    && Admin::connect(connection)?.find_topic(topic)?.is_none() =>
            {
                return Ok(());
            }
            Some(Err(error)) if fatal(&error) || heard.elapsed() > SILENCE => return Err(failed(&error)),
            None if heard.elapsed() > SILENCE => {
                return Err(Failure::unreachable(format!("topic `{topic}` cannot be read"))
                    .because(format!("no answer for {} s", SILENCE.as_secs())));
            }
            _ => continue,
        }
        heard = Instant::now();
    }
    Ok(())
}

fn fatal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::TopicAuthorizationFailed)
    )
}
