//! The coordinator's settings, by the names of Kafka's `server.properties`.

use crate::broker::error::{BrokerError, Result};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Settings of the group coordinator; times are milliseconds, sizes are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group waits for more members.
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.size`: members of one group.
    pub max_size: i32,
    /// `offset.metadata.max.bytes`
    pub offset_metadata_max_bytes: i32,
    /// `offsets.commit.timeout.ms`: how long a commit waits for the replicas.
    pub commit_timeout_ms: i32,
    /// `offsets.retention.minutes`, in ms.
    pub retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub retention_check_interval_ms: i64,
    /// `offsets.topic.num.partitions`
    pub topic_partitions: i32,
    /// `offsets.topic.replication.factor`
    pub topic_replication_factor: i16,
    /// `offsets.topic.segment.bytes`
    pub topic_segment_bytes: i32,
}

impl Default for GroupConfig {
    /// Apache Kafka 4.3's defaults with its shipped `config/server.properties`.
    fn default() -> Self {
        GroupConfig {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            max_size: i32::MAX,
            offset_metadata_max_bytes: 4_096,
            commit_timeout_ms: 5_000,
            retention_ms: 7 * 24 * 3_600_000,
            retention_check_interval_ms: 600_000,
            topic_partitions: 50,
            topic_replication_factor: 1,
            topic_segment_bytes: 104_857_600,
        }
    }
}

impl GroupConfig {
    /// Reads the settings; what is absent keeps its default.
    ///
    /// # Errors
    /// A value that is no number, or out of its range; the text names the setting.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Self> {
        let default = GroupConfig::default();
        let minutes = number(
            properties,
            "offsets.retention.minutes",
            default.retention_ms / 60_000,
            1,
        )?;
        Ok(GroupConfig {
            min_session_timeout_ms: number(
                properties,
                "group.min.session.timeout.ms",
                default.min_session_timeout_ms,
                1,
            )?,
            max_session_timeout_ms: number(
                properties,
                "group.max.session.timeout.ms",
                default.max_session_timeout_ms,
                1,
            )?,
            initial_rebalance_delay_ms: number(
                properties,
                "group.initial.rebalance.delay.ms",
                default.initial_rebalance_delay_ms,
                0,
            )?,
            max_size: number(properties, "group.max.size", default.max_size, 1)?,
            offset_metadata_max_bytes: number(
                properties,
                "offset.metadata.max.bytes",
                default.offset_metadata_max_bytes,
                0,
            )?,
            commit_timeout_ms: number(
                properties,
                "offsets.commit.timeout.ms",
                default.commit_timeout_ms,
                1,
            )?,
            retention_ms: minutes.saturating_mul(60_000),
            retention_check_interval_ms: number(
                properties,
                "offsets.retention.check.interval.ms",
                default.retention_check_interval_ms,
                1,
            )?,
            topic_partitions: number(
                properties,
                "offsets.topic.num.partitions",
                default.topic_partitions,
                1,
            )?,
            topic_replication_factor: number(
                properties,
                "offsets.topic.replication.factor",
                default.topic_replication_factor,
                1,
            )?,
            topic_segment_bytes: number(
                properties,
                "offsets.topic.segment.bytes",
                default.topic_segment_bytes,
                1,
            )?,
        })
    }
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    properties: &BTreeMap<String, String>,
    name: &str,
    default: T,
    least: T,
) -> Result<T> {
    let Some(text) = properties.get(name) else {
        return Ok(default);
    };
    match text.trim().parse() {
        Ok(value) if value >= least => Ok(value),
        _ => Err(BrokerError::Config(format!(
            "{name}={text} is not a number of {least} or more"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn settings_that_are_given_replace_the_defaults() {
        let config = GroupConfig::from_properties(&properties(&[
            ("offsets.retention.minutes", "2"),
            ("group.initial.rebalance.delay.ms", "0"),
        ]))
        .unwrap();
        assert_eq!(config.retention_ms, 120_000);
        assert_eq!(config.initial_rebalance_delay_ms, 0);
        assert_eq!(config.topic_partitions, 50);
    }

    #[test]
    fn a_setting_that_is_no_number_is_named() {
        let error = GroupConfig::from_properties(&properties(&[("group.max.size", "many")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "group.max.size=many is not a number of 1 or more"
        );
    }
}
