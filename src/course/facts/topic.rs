//! Facts about a topic, its settings and offsets.

use super::{Have, PartitionOffsets, Renames, Said};
use crate::course::look::Look;
use crate::failure::Outcome;
use serde::Deserialize;

/// What is asked of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TopicFact {
    /// Whether it exists: yes or no.
    TopicExists { topic: String },
    /// How many partitions it has.
    Partitions { topic: String },
    /// The value of a setting.
    TopicConfig { topic: String, config: String },
    /// How many records were ever written to it: the sum of its end offsets.
    Written { topic: String },
    /// How many records it still holds: end offsets less start offsets.
    Kept { topic: String },
    /// How many records are gone from its front: the sum of its start offsets.
    Gone { topic: String },
    /// How many of its partitions hold records.
    PartitionsUsed { topic: String },
    /// The offset that the next record of one partition gets.
    EndOffset { topic: String, partition: i32 },
}

impl TopicFact {
    pub(super) const NAMES: &[&str] = &[
        "topic-exists",
        "partitions",
        "topic-config",
        "written",
        "kept",
        "gone",
        "partitions-used",
        "end-offset",
    ];

    pub(super) fn topic(&self) -> &str {
        let (Self::TopicExists { topic }
        | Self::Partitions { topic }
        | Self::TopicConfig { topic, .. }
        | Self::Written { topic }
        | Self::Kept { topic }
        | Self::Gone { topic }
        | Self::PartitionsUsed { topic }
        | Self::EndOffset { topic, .. }) = self;
        topic
    }

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        let (Self::TopicExists { topic }
        | Self::Partitions { topic }
        | Self::TopicConfig { topic, .. }
        | Self::Written { topic }
        | Self::Kept { topic }
        | Self::Gone { topic }
        | Self::PartitionsUsed { topic }
        | Self::EndOffset { topic, .. }) = self;
        *topic = names.name(topic);
    }

    pub(super) fn config(&self) -> Option<&str> {
        match self {
            Self::TopicConfig { config, .. } => Some(config),
            _ => None,
        }
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        let sum = |topic: &str, of: fn(&PartitionOffsets) -> i64| -> Outcome<Option<Have>> {
            let offsets = look.offsets(topic)?;
            Ok(offsets
                .as_ref()
                .as_ref()
                .and_then(|offsets| Have::number(offsets.iter().map(of).sum())))
        };
        match self {
            Self::TopicExists { topic } => Ok(Have::truth(look.topic(topic)?.is_some())),
            Self::Partitions { topic } => {
                let found = look.topic(topic)?;
                Ok(found.and_then(|partitions| Have::count(partitions.len())))
            }
            Self::TopicConfig { topic, config } => {
                let configs = look.topic_configs(topic)?;
                Ok(configs.get(config).and_then(|value| Have::text(value)))
            }
            Self::Written { topic } => sum(topic, |at| at.end),
            Self::Kept { topic } => sum(topic, |at| at.end - at.start),
            Self::Gone { topic } => sum(topic, |at| at.start),
            Self::PartitionsUsed { topic } => sum(topic, |at| i64::from(at.end > at.start)),
            Self::EndOffset { topic, partition } => {
                let offsets = look.offsets(topic)?;
                let mut all = offsets.as_ref().iter().flatten();
                Ok(all
                    .find(|at| at.partition == *partition)
                    .and_then(|at| Have::number(at.end)))
            }
        }
    }

    pub(super) fn said(&self) -> Said {
        let key = match self {
            Self::TopicExists { .. } => "topic-exists",
            Self::Partitions { .. } => "partitions",
            Self::TopicConfig { .. } => "topic-config",
            Self::Written { .. } => "written",
            Self::Kept { .. } => "kept",
            Self::Gone { .. } => "gone",
            Self::PartitionsUsed { .. } => "partitions-used",
            Self::EndOffset { .. } => "end-offset",
        };
        let said = Said::about_topic(key, self.topic());
        match self {
            Self::TopicConfig { config, .. } => said.and("config", config),
            Self::EndOffset { partition, .. } => said.and("partition", partition),
            _ => said,
        }
    }
}
