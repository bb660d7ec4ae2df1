//! Errors inside the broker; handlers turn them into Kafka's error codes.

use kafka_protocol::ResponseError;
use std::path::PathBuf;

/// Why the broker could not do something.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// An answer that the protocol has an error code for.
    #[error("{0:?}")]
    Protocol(ResponseError),
    /// The file system failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder concerned.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Single records of a batch are refused, and the batch with them: the first of them, in order, at least one.
    #[error("{0:?}")]
    Records(Vec<RecordFault>),
    /// A setting the node cannot run with; the text names the setting and what to do.
    #[error("{0}")]
    Config(String),
    /// The metadata holds what this broker does not act on.
    #[error("{0}")]
    Unsupported(#[from] Unsupported),
}

/// What the metadata of a cluster holds and this broker does not act on: to go on without it would lose it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the metadata log holds {what} at offset {offset}, written at metadata.version {}: this broker does not act on it, \
     and would lose it with the next snapshot; it has changed nothing",
    metadata_version.map_or("unknown".to_owned(), |version| version.to_string())
)]
pub struct Unsupported {
    /// The record, by Kafka's name where it has one.
    pub what: String,
    /// Where it stands; of a snapshot, its last offset.
    pub offset: i64,
    /// `metadata.version` of the cluster there.
    pub metadata_version: Option<i16>,
}

/// A record that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFault {
    /// Its place in the batch, from 0.
    pub index: i32,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It has no key, and its topic is compacted.
    NoKey,
    /// Its timestamp is outside of `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms`.
    Timestamp {
        /// The timestamp, in ms since 1970-01-01 UTC.
        timestamp: i64,
        /// The offset that the producer gave it.
        offset: i64,
        /// The least that is allowed now.
        earliest: i64,
        /// The greatest that is allowed now.
        latest: i64,
    },
}

impl BrokerError {
    /// Wraps an I/O error with the path it happened on.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| BrokerError::Io { path, source }
    }

    /// The error code a client is told: storage failures are `KAFKA_STORAGE_ERROR`.
    pub fn response_error(&self) -> ResponseError {
        match self {
            BrokerError::Protocol(error) => *error,
            BrokerError::Io { .. } => ResponseError::KafkaStorageError,
            BrokerError::Records(faults) if faults.iter().any(|fault| fault.why != Why::NoKey) => {
                ResponseError::InvalidTimestamp
            }
            BrokerError::Records(_) => ResponseError::InvalidRecord,
            BrokerError::Config(_) => ResponseError::InvalidConfig,
            BrokerError::Unsupported(_) => ResponseError::UnsupportedVersion,
        }
    }
}

impl From<ResponseError> for BrokerError {
    fn from(error: ResponseError) -> Self {
        BrokerError::Protocol(error)
    }
}

/// A result inside the broker.
pub type Result<T, E = BrokerError> = std::result::Result<T, E>;
