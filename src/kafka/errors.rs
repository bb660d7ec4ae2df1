//! What Kafka or librdkafka refused, and what a user is told of it.

use crate::failure::{Failure, Kind};
use rdkafka::types::RDKafkaErrorCode;
use std::fmt;

pub use rdkafka::types::RDKafkaErrorCode as ErrorCode;

/// An error code with the broker's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaError {
    code: ErrorCode,
    protocol_code: i16,
    text: String,
}

/// The answer for one of several things asked at once.
pub type Answer<T = ()> = Result<T, KafkaError>;

impl KafkaError {
    /// An error code and what was said with it, empty when nothing was.
    pub fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        KafkaError {
            code,
            protocol_code: i16::try_from(code as i32).unwrap_or(-1),
            text: text.into(),
        }
    }

    /// An error code of Kafka's protocol, which librdkafka may have no name for.
    pub fn of_protocol(code: i16, text: impl Into<String>) -> Self {
        KafkaError {
            protocol_code: code,
            ..Self::new(super::ffi::code_of(code.into()), text)
        }
    }

    /// A record of so many bytes that is not even sent, for it is larger than the client's own limit; in Java's words.
    pub fn too_large(size: usize, limit: usize) -> Self {
        KafkaError {
            protocol_code: -1,
            ..Self::new(
                RDKafkaErrorCode::MessageSizeTooLarge,
                format!(
                    "The message is {size} bytes when serialized which is larger than {limit}, which is the value of the \
                     max.request.size configuration."
                ),
            )
        }
    }

    /// The code as Kafka's protocol numbers it; negative when the fault is on this side.
    pub fn protocol_code(&self) -> i16 {
        self.protocol_code
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What the broker itself said, if it said more than the code.
    pub fn broker_words(&self) -> Option<&str> {
        let words = self.text.trim();
        // librdkafka's own words for the code may stand behind a prefix of its own.
        let generic = words.is_empty()
            || words.ends_with(super::ffi::describe(self.code))
            || words.starts_with("Broker: ");
        (!generic).then_some(words)
    }

    /// Whether no broker could be reached, or none answered in time.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self.code,
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                // The broker that was asked is none of the cluster's any more.
                | RDKafkaErrorCode::DestroyBroker
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::TimedOutQueue
                | RDKafkaErrorCode::WaitingForCoordinator
        )
    }

    /// Whether the topic or partition is not there.
    pub fn is_unknown_topic(&self) -> bool {
        matches!(
            self.code,
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::UnknownTopicId
        )
    }

    /// The failure of a command that wanted `what` (a sentence such as "cannot delete topic `a`").
    pub fn into_failure(self, what: impl Into<String>) -> Failure {
        let kind = match self.code {
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => Kind::Denied,
            _ if self.is_unreachable() => Kind::Unreachable,
            _ => Kind::Request,
        };
        let failure = Failure::new(kind, what).because(&self);
        match self.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        use RDKafkaErrorCode as Code;
        Some(match self.code {
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => "velo topic list",
            Code::GroupIdNotFound => "velo group list",
            Code::NonEmptyGroup | Code::GroupSubscribedToTopic | Code::UnknownMemberId => {
                "stop the group's consumers first; `velo group members GROUP` names them"
            }
            Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed => {
                "name a user who may in the file given with --command-config FILE"
            }
            Code::SaslAuthenticationFailed | Code::Authentication => {
                "correct the user or password (sasl.jaas.config) or the sasl.mechanism in the --command-config file"
            }
            Code::InvalidReplicationFactor | Code::BrokerNotAvailable => {
                "`velo doctor` shows how many brokers are up"
            }
            Code::UnsupportedVersion | Code::UnsupportedFeature => {
                "this cluster does not offer that request; `velo kafka-broker-api-versions --bootstrap-server HOST:PORT` shows \
                 what it does offer"
            }
            // Where nobody answers, the faces know what to do.
            _ => return None,
        })
    }

    fn explanation(&self) -> Option<&'static str> {
        use RDKafkaErrorCode as Code;
        Some(match self.code {
            Code::UnknownTopicOrPartition | Code::UnknownTopic => "there is no such topic or partition",
            Code::UnknownPartition => "the topic has no such partition",
            Code::TopicAlreadyExists => "a topic of that name is there already",
            Code::InvalidTopic => {
                "a topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ - and is neither `.` nor `..`"
            }
            Code::OperationTimedOut | Code::RequestTimedOut | Code::TimedOutQueue => "no answer in time",
            Code::MessageTimedOut => "no broker acknowledged it in time",
            Code::AllBrokersDown | Code::BrokerTransportFailure => "the connection failed or was closed",
            Code::DestroyBroker => "the broker that was asked is gone",
            Code::Resolve => "the host name cannot be resolved",
            Code::NonEmptyGroup => "the group has active members",
            Code::GroupSubscribedToTopic => "the group reads that topic",
            Code::GroupIdNotFound => "there is no such group",
            Code::UnknownMemberId => "the group has active members that commit for themselves",
            Code::OffsetOutOfRange => "the partition has no such offset",
            Code::LeaderNotAvailable | Code::NotLeaderForPartition => "the partition has no leader right now",
            Code::TopicAuthorizationFailed => "this user may not do that to the topic",
            Code::GroupAuthorizationFailed => "this user may not do that to the group",
            Code::ClusterAuthorizationFailed => "this user may not do that to the cluster",
            Code::PolicyViolation => "the cluster's policy forbids it",
            Code::ElectionNotNeeded => "the preferred replica leads already",
            _ => return None,
        })
    }
}

impl From<&rdkafka::error::KafkaError> for KafkaError {
    /// What `rdkafka`'s own clients report.
    fn from(error: &rdkafka::error::KafkaError) -> Self {
        use rdkafka::error::KafkaError as Reported;
        match (error, error.rdkafka_error_code()) {
            (_, Some(code)) => KafkaError::new(code, ""),
            // The sentence may quote the value, and the value may be a password.
            (Reported::ClientConfig(_, _, name, _), None) if super::connection::is_secret(name) => {
                KafkaError::new(
                    RDKafkaErrorCode::InvalidArgument,
                    format!("the value of `{name}` is refused"),
                )
            }
            (Reported::ClientConfig(_, words, name, _), None) => {
                KafkaError::new(RDKafkaErrorCode::InvalidArgument, format!("{words} ({name})"))
            }
            (Reported::ClientCreation(words) | Reported::Subscription(words), None) => {
                KafkaError::new(RDKafkaErrorCode::Fail, words)
            }
            (other, None) => KafkaError::new(RDKafkaErrorCode::Fail, other.to_string()),
        }
    }
}

impl fmt::Display for KafkaError {
    /// The broker's own words when it has some, else ours, without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.text.trim().trim_end_matches('.');
        let generic = self.broker_words().is_none();
        match self.explanation() {
            Some(ours) if generic || self.is_unreachable() => f.write_str(ours),
            _ if words.is_empty() => {
                f.write_str(super::ffi::describe(self.code).trim_start_matches("Broker: "))
            }
            _ => f.write_str(words.trim_start_matches("Broker: ").trim_start_matches("Local: ")),
        }
    }
}

impl std::error::Error for KafkaError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bare_code_is_shown() {
        let error = KafkaError::new(
            ErrorCode::UnknownTopicOrPartition,
            "Broker: Unknown topic or partition",
        );
        assert_eq!(error.to_string(), "there is no such topic or partition");
        let error = KafkaError::new(ErrorCode::InvalidConfig, "Unknown topic config name: retention");
        assert_eq!(error.to_string(), "Unknown topic config name: retention");
        let error = KafkaError::new(ErrorCode::OperationTimedOut, "");
        assert_eq!(error.into_failure("cannot list topics").kind().exit_code(), 3);
    }
}
