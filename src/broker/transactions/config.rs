//! The coordinator's settings, by the names of Kafka's `server.properties`.

use crate::broker::config::NodeConfig;

/// Settings of the transaction coordinator; times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionConfig {
    /// `transaction.max.timeout.ms`
    pub max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`
    pub expiration_ms: i64,
    /// `transaction.abort.timed.out.transaction.cleanup.interval.ms`
    pub abort_interval_ms: i64,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`
    pub expiry_interval_ms: i64,
    /// `request.timeout.ms`: how long an answer waits for the replicas.
    pub commit_timeout_ms: u64,
}

impl TransactionConfig {
    /// Takes the settings of a node, which have been checked when it was started.
    pub fn new(node: &NodeConfig) -> Self {
        TransactionConfig {
            max_timeout_ms: i32::try_from(node.int("transaction.max.timeout.ms")).unwrap_or(i32::MAX),
            expiration_ms: node.int("transactional.id.expiration.ms"),
            abort_interval_ms: node.int("transaction.abort.timed.out.transaction.cleanup.interval.ms"),
            expiry_interval_ms: node.int("transaction.remove.expired.transaction.cleanup.interval.ms"),
            commit_timeout_ms: u64::try_from(node.int("request.timeout.ms")).unwrap_or(0),
        }
    }
}
