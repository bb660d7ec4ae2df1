//! Reads a whole topic once, from its first record to its last: how a program's state comes back.

use super::group_consumer::Received;
use super::oauth::refreshes_tokens;
use super::{Admin, Connection, errors};
use crate::failure::{Failure, Outcome};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long the cluster may stay silent before the reading fails.
const SILENCE: Duration = Duration::from_secs(30);

/// Reads `topic` from the beginning to where it ends at this moment, handing every record to `take`: in order within a
/// partition. A topic that does not exist has no records. Joins no group and commits nothing.
///
/// # Errors
/// When no broker answers, or reading is refused.
pub fn read_to_end(connection: &Connection, topic: &str, take: impl FnMut(Received)) -> Outcome {
    read_from(connection, topic, Offset::Beginning, take)
}

/// The same for the last `count` records of each partition.
///
/// # Errors
/// As [`read_to_end`].
pub fn read_last(connection: &Connection, topic: &str, count: i64, take: impl FnMut(Received)) -> Outcome {
    read_from(connection, topic, Offset::OffsetTail(count), take)
}

/// A reader that only ever needs a token.
struct Quiet;

refreshes_tokens!(Quiet);

impl ConsumerContext for Quiet {}

fn read_from(connection: &Connection, topic: &str, start: Offset, mut take: impl FnMut(Received)) -> Outcome {
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
        // The end of a partition is told by an empty answer, which the broker would hold back for half a second.
        .set("fetch.wait.max.ms", "10")
        .create_with_context(Quiet)
        .map_err(|error| failed(&error))?;
    let mut assignment = TopicPartitionList::new();
    for found in &description.partitions {
        assignment
            .add_partition_offset(topic, found.partition, start)
            .map_err(|error| failed(&error))?;
    }
    let mut unread: BTreeSet<i32> = description
        .partitions
        .iter()
        .map(|found| found.partition)
        .collect();
    // A partition whose leader is not known yet is asked for where it begins half a second later.
    consumer
        .fetch_metadata(Some(topic), SILENCE)
        .map_err(|error| failed(&error))?;
    consumer.assign(&assignment).map_err(|error| failed(&error))?;
    let mut heard = Instant::now();
    while !unread.is_empty() {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => take(Received::copy(&message)),
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
