//! The coordinator's settings, by the names of Kafka's `server.properties`.

use crate::broker::config::NodeConfig;

/// Settings of the group coordinator; times are milliseconds, sizes are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: i64,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: i64,
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group waits for more members.
    pub initial_rebalance_delay_ms: i64,
    /// `group.max.size`: members of one group.
    pub max_size: usize,
    /// `offset.metadata.max.bytes`
    pub offset_metadata_max_bytes: usize,
    /// `offsets.commit.timeout.ms`: how long a commit waits for the replicas.
    pub commit_timeout_ms: u64,
    /// `offsets.retention.minutes`, in ms.
    pub retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub retention_check_interval_ms: i64,
}

impl GroupConfig {
    /// Takes the settings of a node, which have been checked when it was started.
    pub fn new(node: &NodeConfig) -> Self {
        let size = |name| usize::try_from(node.int(name)).unwrap_or(0);
        GroupConfig {
            min_session_timeout_ms: node.int("group.min.session.timeout.ms"),
            max_session_timeout_ms: node.int("group.max.session.timeout.ms"),
            initial_rebalance_delay_ms: node.int("group.initial.rebalance.delay.ms"),
            max_size: size("group.max.size"),
            offset_metadata_max_bytes: size("offset.metadata.max.bytes"),
            commit_timeout_ms: u64::try_from(node.int("offsets.commit.timeout.ms")).unwrap_or(0),
            retention_ms: node.int("offsets.retention.minutes").saturating_mul(60_000),
            retention_check_interval_ms: node.int("offsets.retention.check.interval.ms"),
        }
    }
}
