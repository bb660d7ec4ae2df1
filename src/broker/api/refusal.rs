//! Why a request gets no answer.

use kafka_protocol::messages::ApiKey;

/// Why a request got no answer: the connection is closed, as Kafka does.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such API on this listener.
    #[error("it asked for API {0}, which this listener does not serve")]
    UnknownApi(i16),
    /// No such version.
    #[error("it asked for version {version} of {key:?}")]
    UnsupportedVersion {
        /// The API.
        key: ApiKey,
        /// The version it wants.
        version: i16,
    },
    /// The bytes are no such request.
    #[error("its request can't be read: {0}")]
    Malformed(String),
    /// The answer could not be encoded: a mistake of ours.
    #[error("the answer can't be encoded: {0}")]
    Unanswerable(String),
    /// The request failed and its answer is not wanted.
    #[error("a request that wants no answer failed: {0}")]
    Hangup(String),
}
