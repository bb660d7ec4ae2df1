//! Which partitions a reset is about, and the offsets it goes to.

use super::{OPTIONS, failed, late, options, reset_file, trouble};
use crate::clock::Clock;
use crate::kafka::{Admin, KafkaError, OffsetSpec, TopicPartition};
use crate::scripts::java_format::split;
use crate::scripts::java_order::hash_map_order;
use crate::scripts::java_words::java_message;
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

type Offsets = Vec<(TopicPartition, i64)>;

/// Topics as typed, `orders` or `orders:0,2`.
pub(super) struct Topics {
    /// Their partitions; those named by number need not exist.
    pub(super) partitions: Vec<TopicPartition>,
    /// Topics whose partitions could not be asked for.
    pub(super) unknown: Vec<(String, KafkaError)>,
}

pub(super) fn parse_topics(admin: &Admin, typed: &[String]) -> Result<Topics, Ending> {
    let mut topics = Topics {
        partitions: Vec::new(),
        unknown: Vec::new(),
    };
    for text in typed.iter().filter(|text| text.contains(':')) {
        topics.partitions.extend(numbered(text)?);
    }
    let whole: Vec<String> = typed.iter().filter(|text| !text.contains(':')).cloned().collect();
    for (name, answer) in admin.describe_topics(&whole).map_err(failed("describeTopics"))? {
        match answer {
            Ok(topic) => topics.partitions.extend(
                topic
                    .partitions
                    .iter()
                    .map(|partition| TopicPartition::new(&name, partition.partition)),
            ),
            Err(refusal) => topics.unknown.push((name, refusal)),
        }
    }
    let mut seen = BTreeSet::new();
    topics
        .partitions
        .retain(|partition| seen.insert(partition.clone()));
    Ok(topics)
}

fn numbered(text: &str) -> Result<Vec<TopicPartition>, Ending> {
    let parts = split(text, ':');
    let [topic, numbers] = parts.as_slice() else {
        return Err(OPTIONS.misuse(format!(
            "Invalid topic arg '{text}', expected topic name and partitions"
        )));
    };
    let number = |number: &str| {
        number.parse().map_err(|_| {
            OPTIONS.misuse(format!(
                "Invalid partition '{number}' specified in topic arg '{text}''"
            ))
        })
    };
    split(numbers, ',')
        .into_iter()
        .map(|text| Ok(TopicPartition::new(*topic, number(text)?)))
        .collect()
}

/// Where the group goes, in Java's order.
pub(super) fn offsets(admin: &Admin, parsed: &Parsed, group: &str) -> Result<Offsets, Ending> {
    let partitions = partitions(admin, parsed, group)?;
    check_all(admin, &partitions)?;
    let mut offsets = chosen(admin, parsed, group, &partitions)?;
    hash_map_order(&mut offsets, |(partition, _)| partition);
    Ok(offsets)
}

fn partitions(admin: &Admin, parsed: &Parsed, group: &str) -> Result<Vec<TopicPartition>, Ending> {
    if parsed.has("all-topics") {
        return Ok(committed(admin, group)?.into_keys().collect());
    }
    if parsed.has("topic") {
        let topics = parse_topics(admin, parsed.values("topic"))?;
        return match topics.unknown.first() {
            Some((_, refusal)) => Err(trouble(java_message(refusal))),
            None => Ok(topics.partitions),
        };
    }
    if parsed.has("from-file") {
        return Ok(Vec::new());
    }
    Err(OPTIONS.misuse("One of the reset scopes should be defined: --all-topics, --topic."))
}

/// That all partitions are there, and served.
fn check_all(admin: &Admin, partitions: &[TopicPartition]) -> Result<(), Ending> {
    if partitions.iter().any(|partition| partition.topic.is_empty()) {
        return Err(trouble(
            "java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidTopicException: The given \
             topic name '' cannot be represented in a request.",
        ));
    }
    let topics: BTreeSet<String> = partitions
        .iter()
        .map(|partition| partition.topic.clone())
        .collect();
    let topics: Vec<String> = topics.into_iter().collect();
    let mut leaders = BTreeMap::new();
    for (name, answer) in admin.describe_topics(&topics).map_err(failed("describeTopics"))? {
        match answer {
            Ok(topic) => leaders.extend(
                topic
                    .partitions
                    .iter()
                    .map(|partition| (TopicPartition::new(&name, partition.partition), partition.leader)),
            ),
            Err(refusal) if refusal.is_unknown_topic() => {}
            Err(refusal) => return Err(trouble(java_message(&refusal))),
        }
    }
    let those = |wanted: fn(Option<&Option<i32>>) -> bool| {
        let names = partitions
            .iter()
            .filter(|partition| wanted(leaders.get(*partition)));
        names.map(ToString::to_string).collect::<Vec<_>>()
    };
    let missing = those(|leader| leader.is_none());
    if !missing.is_empty() {
        return Err(trouble(format!(
            "The partitions \"{}\" do not exist",
            missing.join(",")
        )));
    }
    let leaderless = those(|leader| leader == Some(&None));
    if !leaderless.is_empty() {
        return Err(trouble(format!(
            "The partitions \"{}\" have no leader",
            leaderless.join(",")
        )));
    }
    Ok(())
}

fn chosen(
    admin: &Admin,
    parsed: &Parsed,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<Offsets, Ending> {
    if let Some(offset) = parsed.number::<i64>("to-offset").map_err(late)? {
        let wanted = partitions.iter().map(|partition| (partition.clone(), offset));
        return within_range(admin, wanted.collect());
    }
    if parsed.has("to-earliest") {
        return listed(admin, partitions, OffsetSpec::Earliest);
    }
    if parsed.has("to-latest") {
        return listed(admin, partitions, OffsetSpec::Latest);
    }
    if let Some(by) = parsed.number::<i64>("shift-by").map_err(late)? {
        return shifted(admin, group, partitions, by);
    }
    if let Some(text) = parsed.value("to-datetime").map_err(late)? {
        return at(admin, partitions, datetime_ms(text)?);
    }
    if let Some(text) = parsed.value("by-duration").map_err(late)? {
        let ago = duration_ms(text).ok_or_else(|| trouble("Text cannot be parsed to a Duration"))?;
        return at(admin, partitions, Clock::system().now_ms().saturating_sub(ago));
    }
    if let Some(path) = parsed.value("from-file").map_err(late)? {
        let wanted = reset_file::offsets(parsed, group, path)?;
        let named: Vec<TopicPartition> = wanted.iter().map(|(partition, _)| partition.clone()).collect();
        check_all(admin, &named)?;
        return within_range(admin, wanted);
    }
    if parsed.has("to-current") {
        return current(admin, group, partitions);
    }
    Err(options::no_scenario())
}

fn committed(admin: &Admin, group: &str) -> Result<BTreeMap<TopicPartition, i64>, Ending> {
    let committed = admin
        .committed_offsets(group)
        .map_err(failed("listConsumerGroupOffsets"))?;
    Ok(committed
        .into_iter()
        .map(|(partition, committed)| (partition, committed.offset))
        .collect())
}

/// One offset of each partition; those that have none at that time are left out.
fn listed(admin: &Admin, partitions: &[TopicPartition], spec: OffsetSpec) -> Result<Offsets, Ending> {
    let answers = admin
        .list_offsets(partitions, spec)
        .map_err(failed("listOffsets"))?;
    let mut offsets = Vec::new();
    for (partition, answer) in answers {
        let found = answer.map_err(|refusal| trouble(java_message(&refusal)))?;
        offsets.extend(found.offset.map(|offset| (partition, offset)));
    }
    Ok(offsets)
}

fn shifted(admin: &Admin, group: &str, partitions: &[TopicPartition], by: i64) -> Result<Offsets, Ending> {
    let committed = committed(admin, group)?;
    let mut wanted = Vec::new();
    for partition in partitions {
        let offset = committed.get(partition).ok_or_else(|| {
            OPTIONS.misuse(format!(
                "Cannot shift offset for partition {partition} since there is no current committed offset"
            ))
        })?;
        wanted.push((partition.clone(), offset.saturating_add(by)));
    }
    within_range(admin, wanted)
}

/// The first records at or after a moment; behind the last record of partitions that have none.
fn at(admin: &Admin, partitions: &[TopicPartition], moment: i64) -> Result<Offsets, Ending> {
    let mut offsets = listed(admin, partitions, OffsetSpec::Timestamp(moment))?;
    let mut without: Vec<TopicPartition> = partitions
        .iter()
        .filter(|partition| offsets.iter().all(|(found, _)| found != *partition))
        .cloned()
        .collect();
    hash_map_order(&mut without, |partition| partition);
    for partition in &without {
        out(&format!(
            "\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.",
            partition.partition, partition.topic
        ));
    }
    offsets.extend(listed(admin, &without, OffsetSpec::Latest)?);
    Ok(offsets)
}

fn current(admin: &Admin, group: &str, partitions: &[TopicPartition]) -> Result<Offsets, Ending> {
    let committed = committed(admin, group)?;
    let mut offsets = Vec::new();
    let mut without = Vec::new();
    for partition in partitions {
        match committed.get(partition) {
            Some(offset) => offsets.push((partition.clone(), *offset)),
            None => without.push(partition.clone()),
        }
    }
    offsets.extend(listed(admin, &without, OffsetSpec::Latest)?);
    Ok(offsets)
}

/// Offsets outside a partition become its first or last, which is told on stderr.
fn within_range(admin: &Admin, wanted: Offsets) -> Result<Offsets, Ending> {
    let partitions: Vec<TopicPartition> = wanted.iter().map(|(partition, _)| partition.clone()).collect();
    let first: BTreeMap<_, _> = listed(admin, &partitions, OffsetSpec::Earliest)?
        .into_iter()
        .collect();
    let end: BTreeMap<_, _> = listed(admin, &partitions, OffsetSpec::Latest)?
        .into_iter()
        .collect();
    Ok(wanted
        .into_iter()
        .map(|(partition, offset)| {
            let first = first.get(&partition).copied().unwrap_or(offset);
            let end = end.get(&partition).copied().unwrap_or(offset);
            let warn = |relation: &str, value: i64| {
                eprintln!(
                    "WARN New offset ({offset}) is {relation} offset for topic partition {partition}. Value will be set \
                     to {value}"
                );
                value
            };
            let offset = if offset > end {
                warn("higher than latest", end)
            } else if offset < first {
                warn("lower than earliest", first)
            } else {
                offset
            };
            (partition, offset)
        })
        .collect())
}

/// `2026-01-31T10:00:00.000`, UTC, or with an offset such as `Z`, `+02`, `+02:00`; milliseconds since 1970.
fn datetime_ms(text: &str) -> Result<i64, Ending> {
    let Some(("T", time)) = text
        .find('T')
        .map(|at| text.split_at(at))
        .map(|(_, rest)| rest.split_at(1))
    else {
        return Err(trouble(
            "java.text.ParseException: Error parsing timestamp. It does not contain a 'T' according to ISO8601 format",
        ));
    };
    let zoned = time
        .split('T')
        .next()
        .unwrap_or_default()
        .contains(['+', '-', 'Z']);
    let text = format!("{text}{}", if zoned { "" } else { "Z" });
    moment(&text).ok_or_else(|| trouble(format!("java.text.ParseException: Unparseable date: \"{text}\"")))
}

/// As Java's `SimpleDateFormat` reads `yyyy-MM-dd'T'HH:mm:ss.SSSXXX`, else with `X`: numbers of any length (`.5` are five
/// milliseconds), and what follows is not looked at. So `+0230` is two hours.
fn moment(text: &str) -> Option<i64> {
    let pattern = regex::Regex::new(
        r"^([0-9]+)-([0-9]+)-([0-9]+)T([0-9]+):([0-9]+):([0-9]+)\.([0-9]+)(?:Z|([-+])([0-9]{2})(?::([0-9]{2}))?)",
    );
    let found = pattern.ok()?.captures(text)?;
    let number = |at: usize| {
        found
            .get(at)
            .map_or(Some(0), |part| part.as_str().parse::<i64>().ok())
    };
    let small = |at: usize| i8::try_from(number(at)?).ok();
    let year = i16::try_from(number(1)?).ok()?;
    let nanoseconds = i32::try_from(number(7)?.checked_mul(1_000_000)?).ok()?;
    let local = DateTime::new(
        year,
        small(2)?,
        small(3)?,
        small(4)?,
        small(5)?,
        small(6)?,
        nanoseconds,
    )
    .ok()?;
    let (hours, minutes) = (number(9)?, number(10)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let sign = if found.get(8).is_some_and(|sign| sign.as_str() == "-") {
        -1
    } else {
        1
    };
    let utc = local.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp::from(utc).as_millisecond() - sign * (hours * 60 + minutes) * 60_000)
}

/// The milliseconds that Java's `Duration.parse` reads: `P1DT2H3M4.5S`, each part with a sign of its own, and one before all.
pub fn duration_ms(text: &str) -> Option<i64> {
    let pattern = regex::Regex::new(
        r"(?i)^([-+]?)P(?:([-+]?[0-9]+)D)?(T(?:([-+]?[0-9]+)H)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+)(?:[.,]([0-9]{0,9}))?S)?)?$",
    )
    .ok()?;
    let parts = pattern.captures(text)?;
    let number = |index: usize| {
        parts.get(index).map_or(Some(0), |part| {
            part.as_str().trim_start_matches('+').parse::<i64>().ok()
        })
    };
    let has = |index: usize| parts.get(index).is_some();
    let time_given = has(4) || has(5) || has(6);
    if (!has(2) || has(3)) && !time_given {
        return None;
    }
    let fraction = parts.get(7).map_or("", |part| part.as_str());
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let negative = parts.get(6).is_some_and(|part| part.as_str().starts_with('-'));
    let seconds = number(2)?
        .checked_mul(86_400)?
        .checked_add(number(4)?.checked_mul(3600)?)?
        .checked_add(number(5)?.checked_mul(60)?)?
        .checked_add(number(6)?)?;
    let milliseconds =
        seconds
            .checked_mul(1000)?
            .checked_add(if negative { -thousandths } else { thousandths })?;
    Some(if parts.get(1).is_some_and(|sign| sign.as_str() == "-") {
        -milliseconds
    } else {
        milliseconds
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_a_topic_are_split_as_java_splits() {
        assert_eq!(numbered("t:1,0,").unwrap().len(), 2);
        assert!(
            numbered("t:")
                .unwrap_err()
                .stderr
                .starts_with("Invalid topic arg 't:'")
        );
    }

    #[test]
    fn durations_and_datetimes_read_as_java_reads_them() {
        assert_eq!(duration_ms("PT1H"), Some(3_600_000));
        assert_eq!(duration_ms("P1DT2M0.5S"), Some(86_400_000 + 120_000 + 500));
        assert_eq!(duration_ms("-pt1m"), Some(-60_000));
        assert_eq!(duration_ms("PT"), None);
        assert_eq!(duration_ms("1h"), None);
        assert_eq!(
            datetime_ms("2026-01-01T00:00:00.000").ok(),
            Some(1_767_225_600_000)
        );
        assert_eq!(
            datetime_ms("2026-01-01T02:00:00.000+02:00").ok(),
            Some(1_767_225_600_000)
        );
        assert!(datetime_ms("2026-01-01T00:00:00").is_err());
        assert_eq!(datetime_ms("2026-1-1T2:0:0.5+0230").ok(), Some(1_767_225_600_005));
        assert!(datetime_ms("2026-02-30T00:00:00.000Z").is_err());
    }
}
