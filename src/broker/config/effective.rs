//! Which value of a setting counts: the topic's, the broker's own, that of all brokers, the file's, the default.

use super::definition::Definition;
use super::{NodeConfig, broker, topic};
use crate::broker::log::{CleanupPolicy, LogConfig, TimestampType};
use crate::broker::metadata::{ConfigResource, MetadataImage};

/// Where a value comes from, by its number in DescribeConfigs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
pub enum ConfigSource {
    /// Set for the topic.
    Topic = 1,
    /// Set for one broker while it runs.
    DynamicBroker = 2,
    /// Set for all brokers while they run.
    DynamicDefaultBroker = 3,
    /// From the node's properties.
    StaticBroker = 4,
    /// Kafka's default.
    Default = 5,
    /// Set for the group.
    Group = 8,
}

/// One of the places that say something about a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    /// Its name there.
    pub name: String,
    /// What it says.
    pub value: String,
    /// Which place it is.
    pub source: ConfigSource,
}

/// The value that counts, and all that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The value; `None` is null.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ConfigSource,
    /// Everything said, strongest first.
    pub synonyms: Vec<Synonym>,
}

/// What the settings of a node and of the cluster add up to.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The cluster's.
    pub image: &'a MetadataImage,
    /// The node's.
    pub node: &'a NodeConfig,
}

impl Settings<'_> {
    fn set(&self, resource: &ConfigResource, name: &str) -> Option<&str> {
        self.image.configs.get(resource)?.get(name).map(String::as_str)
    }

    /// What a place says of a broker setting under exactly this name, as it was given there.
    fn said(&self, name: &str, source: ConfigSource) -> Option<&str> {
        match source {
            ConfigSource::DynamicBroker => self.set(&ConfigResource::Broker(Some(self.node.node_id)), name),
            ConfigSource::DynamicDefaultBroker => self.set(&ConfigResource::Broker(None), name),
            ConfigSource::StaticBroker => self.node.properties.get(name).map(String::as_str),
            ConfigSource::Default => broker::definition(name)?.default,
            ConfigSource::Topic | ConfigSource::Group => None,
        }
    }

    /// What is said of a broker setting and of those that say the same in other units, from where it is first said
    /// itself; as in Kafka, nothing where it is not.
    fn broker_synonyms(&self, name: &str) -> Vec<Synonym> {
        let places = [
            ConfigSource::DynamicBroker,
            ConfigSource::DynamicDefaultBroker,
            ConfigSource::StaticBroker,
            ConfigSource::Default,
        ];
        let said = places.into_iter().flat_map(|source| {
            let names = broker::synonyms(name).iter();
            names.filter_map(move |name| {
                Some(Synonym {
                    name: (*name).to_owned(),
                    value: self.said(name, source)?.to_owned(),
                    source,
                })
            })
        });
        said.skip_while(|synonym| synonym.name != name).collect()
    }

    /// A broker setting of this node. Its value is in Kafka's form; what was said is as it was given.
    pub fn broker(&self, definition: &Definition) -> Effective {
        let synonyms = self.broker_synonyms(definition.name);
        let first = synonyms.first();
        Effective {
            value: first.map(|first| canonical(definition, &first.value)),
            source: first.map_or(ConfigSource::Default, |first| first.source),
            synonyms,
        }
    }

    /// The value of a broker setting of this node; `None` where that is null, or the name is unknown.
    pub fn broker_value(&self, name: &str) -> Option<String> {
        self.broker(broker::definition(name)?).value
    }

    /// A topic setting; `topic` may be of a topic that does not exist.
    pub fn topic(&self, topic: &str, definition: &Definition) -> Effective {
        let names = topic::broker_names(definition.name);
        let own = self.set(&ConfigResource::Topic(topic.to_owned()), definition.name);
        let own = own.map(|value| canonical(definition, value));
        let mut synonyms: Vec<Synonym> = own
            .iter()
            .map(|value| Synonym {
                name: definition.name.to_owned(),
                value: value.clone(),
                source: ConfigSource::Topic,
            })
            .collect();
        if let Some((name, _)) = names.first() {
            synonyms.extend(self.broker_synonyms(name));
        }
        let inherited = || {
            names.iter().find_map(|(name, unit)| {
                let said = self.broker_synonyms(name).into_iter().next()?;
                let value = canonical(broker::definition(name)?, &said.value);
                Some(in_milliseconds(&value, *unit))
            })
        };
        Effective {
            value: own
                .or_else(inherited)
                .or_else(|| definition.default.map(str::to_owned)),
            source: synonyms
                .first()
                .map_or(ConfigSource::Default, |first| first.source),
            synonyms,
        }
    }

    /// The settings that a topic's logs act on.
    pub fn log_config(&self, topic: &str) -> LogConfig {
        let text = |name: &str| {
            let definition = topic::definition(name);
            definition
                .and_then(|definition| self.topic(topic, definition).value)
                .unwrap_or_default()
        };
        let long = |name: &str| text(name).parse::<i64>().unwrap_or(0);
        let size = |name: &str| u32::try_from(long(name)).unwrap_or(0);
        let policy = text("cleanup.policy");
        let has = |word: &str| policy.split(',').any(|part| part == word);
        LogConfig {
            segment_bytes: size("segment.bytes"),
            segment_ms: long("segment.ms"),
            segment_index_bytes: size("segment.index.bytes"),
            index_interval_bytes: size("index.interval.bytes"),
            retention_bytes: long("retention.bytes"),
            retention_ms: long("retention.ms"),
            max_message_bytes: size("max.message.bytes"),
            cleanup_policy: CleanupPolicy {
                delete: has("delete"),
                compact: has("compact"),
            },
            delete_retention_ms: long("delete.retention.ms"),
            min_compaction_lag_ms: long("min.compaction.lag.ms"),
            max_compaction_lag_ms: long("max.compaction.lag.ms"),
            min_cleanable_dirty_ratio: text("min.cleanable.dirty.ratio").parse().unwrap_or(0.5),
            timestamp_type: if text("message.timestamp.type") == "LogAppendTime" {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            timestamp_before_max_ms: long("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: long("message.timestamp.after.max.ms"),
            compression_type: text("compression.type"),
            flush_messages: long("flush.messages"),
            flush_ms: long("flush.ms"),
            file_delete_delay_ms: long("file.delete.delay.ms"),
            min_insync_replicas: i32::try_from(long("min.insync.replicas")).unwrap_or(1),
            unclean_leader_election: text("unclean.leader.election.enable") == "true",
            producer_id_expiration_ms: self
                .broker_value("producer.id.expiration.ms")
                .and_then(|value| value.parse().ok())
                .unwrap_or(i64::MAX),
        }
    }
}

/// The value in Kafka's form. One that is none, left by an older version, stays as it is.
fn canonical(definition: &Definition, value: &str) -> String {
    definition.canonical(value).unwrap_or_else(|_| value.to_owned())
}

fn in_milliseconds(value: &str, unit: i64) -> String {
    match value.parse::<i64>() {
        // Every negative number of hours or minutes means for ever.
        Ok(number) if unit != 1 && number < 0 => "-1".to_owned(),
        Ok(number) if unit != 1 => number.saturating_mul(unit).to_string(),
        _ => value.to_owned(),
    }
}

/// The settings that a topic's logs act on; see [`Settings::log_config`].
pub fn topic_log_config(image: &MetadataImage, node: &NodeConfig, topic: &str) -> LogConfig {
    Settings { image, node }.log_config(topic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn node(properties: &[(&str, &str)]) -> NodeConfig {
        let properties: BTreeMap<String, String> = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        NodeConfig::from_properties(properties).unwrap()
    }

    #[test]
    fn a_bare_node_gives_logs_kafkas_defaults() {
        let config = topic_log_config(&MetadataImage::default(), &node(&[]), "any");
        assert_eq!(config, LogConfig::default());
    }

    #[test]
    fn the_topics_own_setting_beats_the_brokers_milliseconds_beat_hours() {
        let node = node(&[("log.retention.hours", "2"), ("log.retention.minutes", "30")]);
        let mut image = MetadataImage::default();
        assert_eq!(topic_log_config(&image, &node, "t").retention_ms, 30 * 60_000);
        image.configs.insert(
            ConfigResource::Topic("t".to_owned()),
            BTreeMap::from([("retention.ms".to_owned(), "4000".to_owned())]),
        );
        assert_eq!(topic_log_config(&image, &node, "t").retention_ms, 4_000);
    }

    #[test]
    fn a_setting_of_all_brokers_reaches_the_logs() {
        let node = node(&[("producer.id.expiration.ms", "9000")]);
        let mut image = MetadataImage::default();
        assert_eq!(
            topic_log_config(&image, &node, "t").producer_id_expiration_ms,
            9_000
        );
        image.configs.insert(
            ConfigResource::Broker(None),
            BTreeMap::from([("producer.id.expiration.ms".to_owned(), "5000".to_owned())]),
        );
        assert_eq!(
            topic_log_config(&image, &node, "t").producer_id_expiration_ms,
            5_000
        );
    }
}
