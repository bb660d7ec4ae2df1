//! The first contact of a producer or consumer: wait for a broker, find a topic's partitions, or say what is wrong.

use super::errors::{ErrorCode, KafkaError};
use super::ffi::{Handle, Topic};
use super::{Admin, Connection};
use crate::failure::{Failure, Outcome};
use std::time::{Duration, Instant};

/// How long to wait for the answer of a broker that accepts connections.
const PATIENCE: Duration = Duration::from_secs(10);

/// One try.
const TRY: Duration = Duration::from_millis(250);

/// What to do about a topic that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is a mistake.
    Refuse,
    /// The cluster makes it when asked (`auto.create.topics.enable`), which takes a moment.
    Await,
}

/// The partitions of a topic, in order. It is a client's first question, or one of its first.
///
/// # Errors
/// When no broker answers, as [`Connection::reach`] tells it, or there is no such topic.
pub(super) fn partitions_of(
    handle: &Handle,
    connection: &Connection,
    name: &str,
    topic: &Topic,
    missing: Missing,
) -> Outcome<Vec<i32>> {
    let begun = Instant::now();
    loop {
        match handle.partitions(topic, TRY) {
            Ok(partitions) => return Ok(partitions),
            // A topic that is being created has no leader for an instant.
            // librdkafka tries for ever where nothing listens: who is there is asked only now, since it costs a connection.
            Err(error) if error.is_unreachable() && begun.elapsed() < PATIENCE => connection.reach()?,
            Err(error)
                if (error.code() == ErrorCode::LeaderNotAvailable
                    || (error.is_unknown_topic() && missing == Missing::Await))
                    && begun.elapsed() < PATIENCE =>
            {
                if error.is_unknown_topic() {
                    // This one is answered at once.
                    std::thread::sleep(TRY / 5);
                }
            }
            Err(error) => return Err(refused(connection, name, error)),
        }
    }
}

fn refused(connection: &Connection, name: &str, error: KafkaError) -> Failure {
    if error.is_unknown_topic() {
        return Admin::connect(connection).map_or_else(|gone| gone, |admin| admin.unknown_topic(name));
    }
    error.into_failure(format!("cannot use topic `{name}`"))
}
