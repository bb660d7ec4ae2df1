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
    /// A setting the node cannot run with; the text names the setting and what to do.
    #[error("{0}")]
    Config(String),
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
            BrokerError::Config(_) => ResponseError::InvalidConfig,
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
