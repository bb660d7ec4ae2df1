//! The settings of topics, by Kafka's names, and the broker settings they fall back to.

use super::definition::{Definition, Kind, settings};

const LONG: Kind = Kind::Long { min: 0 };
const ANY_LONG: Kind = Kind::Long { min: i64::MIN };
/// An empty list means that records are kept for ever.
pub(super) const POLICIES: Kind = Kind::ListOf {
    words: &["compact", "delete"],
    may_be_empty: true,
};
const LIMIT: Kind = Kind::Long { min: -1 };

/// Settings that Kafka has and this broker does not act on: listed with their defaults, and no other value is taken.
const FIXED: &[&str] = &[
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.zstd.level",
    "errors.deadletterqueue.group.enable",
    "follower.replication.throttled.replicas",
    "leader.replication.throttled.replicas",
    "local.retention.bytes",
    "local.retention.ms",
    "max.decompressed.message.bytes",
    "preallocate",
    "remote.copy.lag.bytes",
    "remote.copy.lag.ms",
    "remote.log.copy.disable",
    "remote.log.delete.on.disable",
    "remote.storage.enable",
    "segment.jitter.ms",
];

/// Every topic setting of Kafka 4.4, in the order of names.
pub static TOPIC_SETTINGS: &[Definition] = settings! {
    "cleanup.policy": POLICIES, "delete",
        "What happens to old records: delete drops whole segments past retention, compact keeps the last of each key.";
    "compression.gzip.level": Kind::Int { min: -1 }, "-1", "Level of gzip when the broker compresses; only the default here.";
    "compression.lz4.level": Kind::Int { min: 1 }, "9", "Level of lz4 when the broker compresses; only the default here.";
    "compression.type": Kind::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), "producer",
        "Codec that batches are stored with; producer keeps the producer's.";
    "compression.zstd.level": Kind::Int { min: -131_072 }, "3", "Level of zstd when the broker compresses; only the default here.";
    "delete.retention.ms": LONG, "86400000", "How long compaction keeps tombstones.";
    "errors.deadletterqueue.group.enable": Kind::Boolean, "false", "Whether share groups may put here what they cannot read; there are none here.";
    "file.delete.delay.ms": LONG, "60000", "How long the files of a deleted segment stay.";
    "flush.messages": Kind::Long { min: 1 }, "9223372036854775807", "Records after which the log is synced to the disk.";
    "flush.ms": LONG, "9223372036854775807", "Time after which the log is synced to the disk.";
    "follower.replication.throttled.replicas": Kind::List { may_be_empty: true }, "", "Followers that are slowed down; none here.";
    "index.interval.bytes": Kind::Int { min: 0 }, "4096", "Bytes between two entries of the offset index.";
    "leader.replication.throttled.replicas": Kind::List { may_be_empty: true }, "", "Leaders that are slowed down; none here.";
    "local.retention.bytes": Kind::Long { min: -2 }, "-2", "Tiered storage: bytes kept on the broker; there is none here.";
    "local.retention.ms": Kind::Long { min: -2 }, "-2", "Tiered storage: time kept on the broker; there is none here.";
    "max.compaction.lag.ms": Kind::Long { min: 1 }, "9223372036854775807", "A record is compacted at the latest after so long.";
    "max.decompressed.message.bytes": Kind::Int { min: 1 }, "2147483639", "The largest record where the broker decompresses; only the default here.";
    "max.message.bytes": Kind::Int { min: 0 }, "1048588", "The largest record batch.";
    "message.timestamp.after.max.ms": LONG, "3600000", "How far a record's timestamp may lie ahead of the broker's clock.";
    "message.timestamp.before.max.ms": LONG, "9223372036854775807", "How far a record's timestamp may lie behind the broker's clock.";
    "message.timestamp.type": Kind::OneOf(&["CreateTime", "LogAppendTime"]), "CreateTime", "Whose clock stamps a record.";
    "min.cleanable.dirty.ratio": Kind::Double { min: 0.0, max: 1.0 }, "0.5", "The dirty part the log must have before it is compacted.";
    "min.compaction.lag.ms": LONG, "0", "A record is not compacted before so long.";
    "min.insync.replicas": Kind::Int { min: 1 }, "1", "Replicas that must be in sync for acks=all.";
    "preallocate": Kind::Boolean, "false", "Whether segment files are made in full size; never here.";
    "remote.copy.lag.bytes": LIMIT, "-1", "Tiered storage: bytes kept back from copying; there is none here.";
    "remote.copy.lag.ms": LIMIT, "0", "Tiered storage: time kept back from copying; there is none here.";
    "remote.log.copy.disable": Kind::Boolean, "false", "Tiered storage: stop copying; there is none here.";
    "remote.log.delete.on.disable": Kind::Boolean, "false", "Tiered storage: delete when turned off; there is none here.";
    "remote.storage.enable": Kind::Boolean, "false", "Tiered storage; there is none here.";
    "retention.bytes": ANY_LONG, "-1", "Bytes of a partition to keep; -1 for no limit.";
    "retention.ms": LIMIT, "604800000", "How long to keep records; -1 for ever.";
    "segment.bytes": Kind::Int { min: 1_048_576 }, "1073741824", "Size at which a segment is closed; only closed segments are deleted or compacted.";
    "segment.index.bytes": Kind::Int { min: 4 }, "10485760", "The largest size of the offset index.";
    "segment.jitter.ms": LONG, "0", "Random time taken off segment.ms; none here.";
    "segment.ms": Kind::Long { min: 1 }, "604800000", "Age at which a segment is closed even if it is not full.";
    "unclean.leader.election.enable": Kind::Boolean, "false", "Whether a replica that is not in sync may lead when no other can.";
};

/// The definition of a topic setting.
pub fn definition(name: &str) -> Option<&'static Definition> {
    TOPIC_SETTINGS
        .binary_search_by(|setting| setting.name.cmp(name))
        .ok()
        .map(|found| &TOPIC_SETTINGS[found])
}

/// The broker settings that stand for a topic setting where the topic has none of its own, the first that is set
/// winning, each with the milliseconds in its unit.
pub fn broker_names(name: &str) -> &'static [(&'static str, i64)] {
    const HOUR: i64 = 3_600_000;
    match name {
        "cleanup.policy" => &[("log.cleanup.policy", 1)],
        "compression.type" => &[("compression.type", 1)],
        "delete.retention.ms" => &[("log.cleaner.delete.retention.ms", 1)],
        "file.delete.delay.ms" => &[("log.segment.delete.delay.ms", 1)],
        "flush.messages" => &[("log.flush.interval.messages", 1)],
        "flush.ms" => &[("log.flush.interval.ms", 1)],
        "index.interval.bytes" => &[("log.index.interval.bytes", 1)],
        "max.compaction.lag.ms" => &[("log.cleaner.max.compaction.lag.ms", 1)],
        "max.message.bytes" => &[("message.max.bytes", 1)],
        "message.timestamp.after.max.ms" => &[("log.message.timestamp.after.max.ms", 1)],
        "message.timestamp.before.max.ms" => &[("log.message.timestamp.before.max.ms", 1)],
        "message.timestamp.type" => &[("log.message.timestamp.type", 1)],
        "min.cleanable.dirty.ratio" => &[("log.cleaner.min.cleanable.ratio", 1)],
        "min.compaction.lag.ms" => &[("log.cleaner.min.compaction.lag.ms", 1)],
        "min.insync.replicas" => &[("min.insync.replicas", 1)],
        "retention.bytes" => &[("log.retention.bytes", 1)],
        "retention.ms" => &[
            ("log.retention.ms", 1),
            ("log.retention.minutes", 60_000),
            ("log.retention.hours", HOUR),
        ],
        "segment.bytes" => &[("log.segment.bytes", 1)],
        "segment.index.bytes" => &[("log.index.size.max.bytes", 1)],
        "segment.ms" => &[("log.roll.ms", 1), ("log.roll.hours", HOUR)],
        "unclean.leader.election.enable" => &[("unclean.leader.election.enable", 1)],
        _ => &[],
    }
}

/// Checks the settings of a topic together.
///
/// # Errors
/// The text Kafka gives.
pub fn check_all<'a>(settings: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), String> {
    let (mut min_lag, mut max_lag) = (0, i64::MAX);
    for (name, value) in settings {
        let definition = definition(name).ok_or_else(|| format!("Unknown topic config name: {name}"))?;
        let canonical = definition.canonical(value)?;
        if FIXED.contains(&name) && definition.default != Some(canonical.as_str()) {
            let only = definition.default.unwrap_or_default();
            return Err(format!(
                "Invalid value {value} for configuration {name}: this broker has only {only:?}"
            ));
        }
        match name {
            "min.compaction.lag.ms" => min_lag = canonical.parse().unwrap_or(min_lag),
            "max.compaction.lag.ms" => max_lag = canonical.parse().unwrap_or(max_lag),
            _ => {}
        }
    }
    if min_lag > max_lag {
        return Err(format!(
            "conflict topic config setting min.compaction.lag.ms ({min_lag}) > max.compaction.lag.ms ({max_lag})"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_in_order_with_valid_defaults_and_known_broker_names() {
        assert!(TOPIC_SETTINGS.is_sorted_by_key(|setting| setting.name));
        for setting in TOPIC_SETTINGS {
            assert_eq!(
                setting.default.map(|value| setting.canonical(value)),
                setting.default.map(|value| Ok(value.to_owned()))
            );
            for (name, _) in broker_names(setting.name) {
                assert!(super::super::broker::definition(name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn unknown_names_and_bad_values_are_said_as_kafka_says_them() {
        let check = |name, value| check_all([(name, value)].into_iter()).unwrap_err();
        assert_eq!(
            check("retention.msx", "1"),
            "Unknown topic config name: retention.msx"
        );
        assert_eq!(
            check("retention.ms", "soon"),
            "Invalid value soon for configuration retention.ms: Not a number of type LONG"
        );
    }
}
