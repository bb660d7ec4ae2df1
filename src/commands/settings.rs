//! Settings by name, with values as people write them: `retention.ms=4s`, `segment.bytes=1GiB`.

use super::synonyms;
use crate::failure::{Failure, Outcome};
use crate::kafka::ConfigEntry;
use crate::nearest::nearest;
use crate::ui::units;

/// The settings a topic can have, for the nearest name to a slip when there is no topic to ask yet.
pub const TOPIC_SETTINGS: &[&str] = &[
    "cleanup.policy",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "delete.retention.ms",
    "errors.deadletterqueue.group.enable",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "follower.replication.throttled.replicas",
    "index.interval.bytes",
    "leader.replication.throttled.replicas",
    "local.retention.bytes",
    "local.retention.ms",
    "max.compaction.lag.ms",
    "max.decompressed.message.bytes",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "preallocate",
    "remote.copy.lag.bytes",
    "remote.copy.lag.ms",
    "remote.log.copy.disable",
    "remote.log.delete.on.disable",
    "remote.storage.enable",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
];

/// Defaults of topic settings that a broker does not tell, because its own setting of that kind is another (hours).
const UNTOLD_DEFAULTS: &[(&str, &str)] = &[
    ("retention.ms", "604800000"),
    ("segment.jitter.ms", "0"),
    ("segment.ms", "604800000"),
];

/// Kafka's default of a setting, if it has one.
pub fn default_value(entry: &ConfigEntry) -> Option<String> {
    let untold = || {
        UNTOLD_DEFAULTS
            .iter()
            .find(|(name, _)| *name == entry.name)
            .map(|(_, value)| *value)
    };
    entry.default_value().or_else(untold).map(str::to_owned)
}

/// What a setting's number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// Time, in units of so many milliseconds.
    Time(i64),
    /// Bytes.
    Size,
}

fn measure(name: &str) -> Option<Measure> {
    let last = name.rsplit('.').next()?;
    match last {
        "ms" => Some(Measure::Time(1)),
        "seconds" => Some(Measure::Time(1_000)),
        "minutes" => Some(Measure::Time(60_000)),
        "hours" => Some(Measure::Time(3_600_000)),
        "bytes" => Some(Measure::Size),
        "size" if name.ends_with("buffer.size") => Some(Measure::Size),
        _ => None,
    }
}

/// Splits `name=value` and turns a human value into Kafka's: `retention.ms=4s` is `4000`, `retention.ms=unlimited` `-1`.
///
/// # Errors
/// When there is no `=`, or the value is neither a number nor has a unit that fits the setting.
pub fn parse_assignment(text: &str) -> Outcome<(String, String)> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Failure::usage(format!("`{text}` has no value"))
            .because("a setting and its value are one word: NAME=VALUE")
            .hint(format!("{}={}", text.trim(), example(text.trim())))
    })?;
    let name = name.trim();
    to_kafka(name, value.trim()).map(|value| (name.to_owned(), value))
}

/// A value that a setting may well have.
fn example(name: &str) -> &'static str {
    match (name, measure(name)) {
        (_, Some(Measure::Time(_))) => "7d",
        (_, Some(Measure::Size)) => "1GiB",
        ("cleanup.policy", _) => "compact",
        _ => "VALUE",
    }
}

fn to_kafka(name: &str, value: &str) -> Outcome<String> {
    let wrong = |why: String| Failure::usage(format!("`{name}` cannot be `{value}`")).because(why);
    let Some(measure) = measure(name) else {
        return Ok(value.to_owned());
    };
    if matches!(value, "unlimited" | "never" | "forever" | "none") {
        let limitless = if name.starts_with("flush") { i64::MAX } else { -1 };
        return Ok(limitless.to_string());
    }
    if value.parse::<i64>().is_ok() {
        return Ok(value.to_owned());
    }
    match measure {
        Measure::Size => units::parse_bytes(value)
            .map(|bytes| bytes.to_string())
            .map_err(wrong),
        Measure::Time(unit) => {
            let milliseconds = units::parse_duration_ms(value).map_err(wrong)?;
            if milliseconds % unit != 0 {
                return Err(wrong(format!("it counts in steps of {}", units::duration(unit))));
            }
            Ok((milliseconds / unit).to_string())
        }
    }
}

/// A value as people read it, when that differs from the value itself: `604800000` ms is `7d`.
pub fn human(name: &str, value: &str) -> Option<String> {
    let number: i64 = value.parse().ok()?;
    let measure = measure(name)?;
    if number == i64::MAX || number == -1 {
        return Some("unlimited".to_owned());
    }
    if number <= 0 {
        return None;
    }
    Some(match measure {
        Measure::Size => Some(units::exact_bytes(number)).filter(|size| size.ends_with("iB"))?,
        Measure::Time(unit) => units::duration(number.checked_mul(unit)?),
    })
}

/// `4000 (4s)`, or the value alone when it reads well as it is.
pub fn shown(name: &str, value: &str) -> String {
    human(name, value).map_or_else(|| value.to_owned(), |human| format!("{value} ({human})"))
}

/// What to say of a setting that nobody knows; `known` are the names there are.
pub fn unknown<'a>(name: &str, noun: &str, known: impl IntoIterator<Item = &'a str>) -> Failure {
    let failure = Failure::request(format!("`{name}` is not a setting of a {noun}"));
    let synonym = match noun {
        "topic" => synonyms::of_topic(name),
        "broker" => synonyms::of_broker(name),
        _ => None,
    };
    if let Some(synonym) = synonym {
        let whose = if noun == "topic" { "broker" } else { "topic" };
        return failure
            .because(format!("a {whose} calls it so; a {noun} has it by another name"))
            .hint(format!("did you mean `{synonym}`?"));
    }
    match nearest(name, known) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("velo config get {noun} NAME --all")),
    }
}

/// Refuses a topic setting that nobody knows when it is close to one that is known; others are left to the broker,
/// which may be newer than this list.
///
/// # Errors
/// With the nearest name.
pub fn check_topic_setting(name: &str) -> Outcome {
    let meant = || {
        synonyms::of_topic(name)
            .or_else(|| nearest(name, TOPIC_SETTINGS.iter().copied()))
            .is_some()
    };
    if !TOPIC_SETTINGS.contains(&name) && meant() {
        return Err(unknown(name, "topic", TOPIC_SETTINGS.iter().copied()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_people_write_them() {
        for (text, value) in [
            ("retention.ms=4s", "4000"),
            ("retention.ms=4000", "4000"),
            ("retention.ms=unlimited", "-1"),
            ("segment.bytes=1GiB", "1073741824"),
            ("log.retention.hours=7d", "168"),
            ("cleanup.policy=compact,delete", "compact,delete"),
            ("flush.ms=never", "9223372036854775807"),
        ] {
            assert_eq!(parse_assignment(text).unwrap().1, value, "{text}");
        }
        for text in ["retention.ms", "retention.ms=soon", "log.retention.hours=90s"] {
            assert_eq!(
                parse_assignment(text).unwrap_err().kind().exit_code(),
                2,
                "{text}"
            );
        }
    }

    #[test]
    fn values_are_shown_as_people_read_them() {
        assert_eq!(shown("retention.ms", "604800000"), "604800000 (7d)");
        assert_eq!(shown("segment.bytes", "1073741824"), "1073741824 (1GiB)");
        assert_eq!(shown("retention.bytes", "-1"), "-1 (unlimited)");
        assert_eq!(shown("min.insync.replicas", "2"), "2");
    }

    #[test]
    fn a_name_without_a_value_is_no_unknown_setting() {
        let failure = parse_assignment("retention.ms").unwrap_err();
        assert_eq!(failure.what(), "`retention.ms` has no value");
        assert_eq!(failure.hints(), ["retention.ms=7d"]);
    }

    #[test]
    fn a_broker_s_name_finds_the_topic_s_and_the_other_way_round() {
        for (name, noun, meant) in [
            ("log.retention.ms", "topic", "retention.ms"),
            ("log.retention.hours", "topic", "retention.ms"),
            ("log.roll.ms", "topic", "segment.ms"),
            ("message.max.bytes", "topic", "max.message.bytes"),
            ("retention.ms", "broker", "log.retention.ms"),
        ] {
            let hint = format!("did you mean `{meant}`?");
            assert_eq!(
                unknown(name, noun, TOPIC_SETTINGS.iter().copied()).hints(),
                [hint],
                "{name}"
            );
        }
        assert!(check_topic_setting("log.roll.hours").is_err());
    }

    #[test]
    fn a_slip_in_a_name_finds_the_name_that_was_meant() {
        let failure = check_topic_setting("retention").unwrap_err();
        assert!(
            failure.to_string().contains("did you mean `retention.ms`?"),
            "{failure}"
        );
        check_topic_setting("retention.ms").unwrap();
        check_topic_setting("zz.unheard").unwrap();
    }
}
