//! Settings that a broker and its topics have under different names: the topic's counts for one topic, the broker's for all
//! that have none of their own (Kafka's `ServerTopicConfigSynonyms`).

/// The topic's name beside the broker's, or several of the broker's where it may count in other units.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("cleanup.policy", &["log.cleanup.policy"]),
    ("delete.retention.ms", &["log.cleaner.delete.retention.ms"]),
    ("file.delete.delay.ms", &["log.segment.delete.delay.ms"]),
    ("flush.messages", &["log.flush.interval.messages"]),
    (
        "flush.ms",
        &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    ),
    ("index.interval.bytes", &["log.index.interval.bytes"]),
    ("local.retention.bytes", &["log.local.retention.bytes"]),
    ("local.retention.ms", &["log.local.retention.ms"]),
    ("max.compaction.lag.ms", &["log.cleaner.max.compaction.lag.ms"]),
    ("max.message.bytes", &["message.max.bytes"]),
    (
        "message.timestamp.after.max.ms",
        &["log.message.timestamp.after.max.ms"],
    ),
    (
        "message.timestamp.before.max.ms",
        &["log.message.timestamp.before.max.ms"],
    ),
    ("message.timestamp.type", &["log.message.timestamp.type"]),
    ("min.cleanable.dirty.ratio", &["log.cleaner.min.cleanable.ratio"]),
    ("min.compaction.lag.ms", &["log.cleaner.min.compaction.lag.ms"]),
    ("preallocate", &["log.preallocate"]),
    ("remote.copy.lag.bytes", &["log.remote.copy.lag.bytes"]),
    ("remote.copy.lag.ms", &["log.remote.copy.lag.ms"]),
    ("retention.bytes", &["log.retention.bytes"]),
    (
        "retention.ms",
        &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
    ),
    ("segment.bytes", &["log.segment.bytes"]),
    ("segment.index.bytes", &["log.index.size.max.bytes"]),
    (
        "segment.jitter.ms",
        &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    ),
    ("segment.ms", &["log.roll.ms", "log.roll.hours"]),
];

/// The topic's name for what a broker calls `name`.
pub fn of_topic(name: &str) -> Option<&'static str> {
    let found = SYNONYMS.iter().find(|(_, broker)| broker.contains(&name));
    found.map(|(topic, _)| *topic)
}

/// The broker's name for what a topic calls `name`.
pub fn of_broker(name: &str) -> Option<&'static str> {
    let found = SYNONYMS.iter().find(|(topic, _)| *topic == name);
    found.and_then(|(_, broker)| broker.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::settings::TOPIC_SETTINGS;

    #[test]
    fn every_pair_is_a_topic_s_setting_and_no_other_setting_of_a_topic() {
        for (topic, broker) in SYNONYMS {
            assert!(TOPIC_SETTINGS.contains(topic), "{topic}");
            for name in *broker {
                assert!(!TOPIC_SETTINGS.contains(name), "{name}");
                assert_eq!(of_topic(name), Some(*topic));
            }
        }
        assert_eq!(of_broker("retention.ms"), Some("log.retention.ms"));
    }
}
