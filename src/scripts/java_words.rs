//! What Apache Kafka's Java clients say of an error code when the broker sent no words of its own.

use super::Ending;
use crate::failure::{Failure, Kind};
use crate::kafka::{ErrorCode, KafkaError};
use std::time::Duration;

/// The message that a Java tool prints for this error.
pub fn java_message(error: &KafkaError) -> String {
    match error.broker_words() {
        Some(words) => words.to_owned(),
        None => default_message(error.code()).map_or_else(|| error.to_string(), str::to_owned),
    }
}

/// The same behind the name of Java's exception, as a tool prints an exception whole.
pub fn java_exception(error: &KafkaError) -> String {
    format!("{}: {}", java_class(error.code()), java_message(error))
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
pub fn failure_message(failure: &Failure) -> &str {
    match failure.kind() {
        Kind::Denied => failure.why().unwrap_or(failure.what()),
        _ => failure.what(),
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
        _ => message.to_owned(),
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
    use ErrorCode as Code;
    let name = match code {
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
            "UnknownTopicOrPartition"
        }
        Code::OperationTimedOut | Code::RequestTimedOut | Code::TimedOutQueue | Code::MessageTimedOut => {
            "Timeout"
        }
        Code::InvalidTopic => "InvalidTopic",
        Code::MessageSizeTooLarge => "RecordTooLarge",
        Code::NonEmptyGroup => "GroupNotEmpty",
        Code::InvalidConfig => "InvalidConfiguration",
        Code::SaslAuthenticationFailed | Code::Authentication => "SaslAuthentication",
        other => return format!("org.apache.kafka.common.errors.{other:?}Exception"),
    };
    format!("org.apache.kafka.common.errors.{name}Exception")
}

/// The words of the protocol's error table that Java prints by default.
fn default_message(code: ErrorCode) -> Option<&'static str> {
    use ErrorCode as Code;
    Some(match code {
        Code::OffsetOutOfRange => {
            "The requested offset is not within the range of offsets maintained by the server."
        }
        Code::UnknownTopicOrPartition => "This server does not host this topic-partition.",
        Code::LeaderNotAvailable => {
            "There is no leader for this topic-partition as we are in the middle of a leadership election."
        }
        Code::RequestTimedOut => "The request timed out.",
        Code::BrokerNotAvailable => "The broker is not available.",
        Code::CoordinatorLoadInProgress => "The coordinator is loading and hence can't process requests.",
        Code::CoordinatorNotAvailable => "The coordinator is not available.",
        Code::NotCoordinator => "This is not the correct coordinator.",
        Code::InvalidTopic => "The request attempted to perform an operation on an invalid topic.",
        Code::UnknownMemberId => "The coordinator is not aware of this member.",
        Code::TopicAuthorizationFailed => "Topic authorization failed.",
        Code::GroupAuthorizationFailed => "Group authorization failed.",
        Code::ClusterAuthorizationFailed => "Cluster authorization failed.",
        Code::UnsupportedVersion => "The version of API is not supported.",
        Code::TopicAlreadyExists => "Topic with this name already exists.",
        Code::InvalidPartitions => "Number of partitions is below 1.",
        Code::InvalidReplicationFactor => {
            "Replication factor is below 1 or larger than the number of available brokers."
        }
        Code::InvalidReplicaAssignment => "Replica assignment is invalid.",
        Code::InvalidConfig => "Configuration is invalid.",
        Code::PolicyViolation => "Request parameters do not satisfy the configured policy.",
        Code::SecurityDisabled => "Security features are disabled.",
        Code::NonEmptyGroup => "The group is not empty.",
        Code::GroupIdNotFound => "The group id does not exist.",
        Code::LogDirNotFound => "The user-specified log directory is not found in the broker config.",
        Code::NoReassignmentInProgress => "No partition reassignment is in progress.",
        Code::TopicDeletionDisabled => "Topic deletion is disabled.",
        Code::PreferredLeaderNotAvailable => "The preferred leader was not available.",
        Code::EligibleLeadersNotAvailable => "Eligible topic partition leaders are not available.",
        Code::ElectionNotNeeded => "Leader election not needed for topic partition.",
        Code::GroupSubscribedToTopic => {
            "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it."
        }
        Code::AutoOffsetReset => "Undefined offset with no reset policy for a partition.",
        Code::MessageTimedOut => "The record was not acknowledged in time.",
        _ => return None,
    })
}
