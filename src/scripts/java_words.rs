//! What Apache Kafka's Java clients say of an error code when the broker sent no words of its own.

use super::Ending;
use super::java_errors::ERRORS;
use crate::failure::{Failure, Kind};
use crate::kafka::{ErrorCode, KafkaError};
use std::time::Duration;

/// The message that a Java tool prints for this error.
pub fn java_message(error: &KafkaError) -> String {
    match error.broker_words() {
        Some(words) => words.to_owned(),
        None => default_message(error).map_or_else(|| error.to_string(), str::to_owned),
    }
}

/// The same behind the name of Java's exception, as a tool prints an exception whole.
pub fn java_exception(error: &KafkaError) -> String {
    format!(
        "{}: {}",
        class_of(error.code(), error.protocol_code()),
        java_message(error)
    )
}

/// Java's exception, and its message, for a topic that the cluster told nothing of for so long.
pub fn no_metadata(topic: &str, waited: Duration) -> (String, String) {
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if topic.chars().all(legal) {
        let waited = waited.as_millis();
        let why = format!("Topic {topic} not present in metadata after {waited} ms.");
        return (java_class(ErrorCode::OperationTimedOut), why);
    }
    (
        java_class(ErrorCode::InvalidTopic),
        format!("Invalid topics: [{topic}]"),
    )
}

/// The message of Java's exception for a cluster that could not be asked.
pub fn failure_message(failure: &Failure) -> String {
    match (failure.kind(), failure.why()) {
        (Kind::Denied, Some(why)) => why.to_owned(),
        (Kind::Usage, _) => failure.in_a_line(),
        _ => failure.what().to_owned(),
    }
}

/// The same behind the name of Java's exception, where Java has one for it.
pub fn failure_exception(failure: &Failure) -> String {
    let message = failure_message(failure);
    match failure.kind() {
        Kind::Denied if message.starts_with("SSL handshake failed") => {
            format!("org.apache.kafka.common.errors.SslAuthenticationException: {message}")
        }
        Kind::Denied => format!("org.apache.kafka.common.errors.SaslAuthenticationException: {message}"),
        _ => message,
    }
}

impl Ending {
    /// Adds what to do about a failure.
    #[must_use]
    pub fn hints_of(mut self, failure: &Failure) -> Self {
        self.hints.extend_from_slice(failure.hints());
        self
    }
}

/// Java's exception for an error code.
pub fn java_class(code: ErrorCode) -> String {
    class_of(code, i16::try_from(code as i32).unwrap_or_default())
}

fn class_of(code: ErrorCode, protocol_code: i16) -> String {
    use ErrorCode as Code;
    let name = match code {
        // In a batch with others that were refused.
        Code::InvalidDifferentRecord => return "org.apache.kafka.common.KafkaException".to_owned(),
        Code::UnknownTopic | Code::UnknownPartition => "UnknownTopicOrPartition",
        Code::OperationTimedOut | Code::TimedOutQueue | Code::MessageTimedOut => "Timeout",
        // The client's own limit has no code of the protocol.
        Code::MessageSizeTooLarge => "RecordTooLarge",
        Code::Authentication => "SaslAuthentication",
        Code::SSL => "SslAuthentication",
        other => match known(protocol_code) {
            Some((_, name, _)) => name,
            None => return format!("org.apache.kafka.common.errors.{other:?}Exception"),
        },
    };
    format!("org.apache.kafka.common.errors.{name}Exception")
}

/// The words of the protocol's error table that Java prints by default.
fn default_message(error: &KafkaError) -> Option<&'static str> {
    match error.code() {
        ErrorCode::AutoOffsetReset => Some("Undefined offset with no reset policy for a partition."),
        ErrorCode::MessageTimedOut => Some("The record was not acknowledged in time."),
        _ => known(error.protocol_code()).map(|(_, _, words)| *words),
    }
}

fn known(code: i16) -> Option<&'static (i16, &'static str, &'static str)> {
    ERRORS.iter().find(|(known, _, _)| *known == code)
}
