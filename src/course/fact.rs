//! Facts: what can be read from a cluster, and how each is worked out.

use super::model::{Check, FactName, Wanted};
use crate::failure::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// How far back the records are called recent, in milliseconds before the newest one.
const RECENT_MS: i64 = 30_000;

/// How many records of each partition are read at most.
const RECENT_RECORDS: i64 = 12_000;

/// A partition and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// Its number.
    pub partition: i32,
    /// The first offset still there.
    pub start: i64,
    /// The offset that the next record gets.
    pub end: i64,
}

/// A member of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// The partitions it has, by topic.
    pub owns: Vec<(String, i32)>,
}

/// A consumer group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Who is in it now.
    pub members: Vec<Member>,
    /// Committed offsets by topic and partition.
    pub committed: BTreeMap<(String, i32), i64>,
}

/// A record as far as lessons look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Where it lies.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its time, in milliseconds since 1970-01-01 UTC.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Vec<u8>,
}

/// What lessons read from a cluster. The live one asks Kafka; tests have one in memory.
pub trait ClusterFacts {
    /// The names of all topics with their number of partitions, internal ones left out.
    fn topics(&self) -> Outcome<BTreeMap<String, usize>>;
    /// The names of all groups.
    fn groups(&self) -> Outcome<BTreeSet<String>>;
    /// A setting of a topic; `None` when there is no such topic or setting.
    fn topic_config(&self, topic: &str, name: &str) -> Outcome<Option<String>>;
    /// Start and end of each partition of a topic that exists.
    fn offsets(&self, topic: &str) -> Outcome<Vec<PartitionOffsets>>;
    /// A group; `None` when there is none.
    fn group(&self, group: &str) -> Outcome<Option<Group>>;
    /// The last records of each partition, at most `per_partition` of each.
    fn records(&self, topic: &str, per_partition: i64) -> Outcome<Vec<Seen>>;
    /// Makes a topic that is not there yet.
    fn create_topic(&self, topic: &str, partitions: i32) -> Outcome;
    /// Deletes topics; those that are not there are no failure.
    fn remove_topics(&self, topics: &[String]) -> Outcome;
    /// Deletes groups, and says which are still in use; those that are not there are no failure.
    fn remove_groups(&self, groups: &[String]) -> Outcome<Vec<String>>;
}

/// A value read from the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// The value that is compared.
    pub value: Wanted,
    /// Where it comes from, when that says more: (changes reported, changes that really were).
    pub counted: Option<(i64, i64)>,
}

impl Have {
    fn number(number: i64) -> Option<Self> {
        Some(Have {
            value: Wanted::Number(number),
            counted: None,
        })
    }

    fn count(number: usize) -> Option<Self> {
        Self::number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// Reads the fact of a check. `None`: what it is about is not there.
///
/// # Errors
/// When the cluster does not answer.
pub fn read(facts: &dyn ClusterFacts, check: &Check) -> Outcome<Option<Have>> {
    let topic = check.topic.as_deref().unwrap_or_default();
    let group = check.group.as_deref().unwrap_or_default();
    let topics = facts.topics()?;
    if check.fact == FactName::TopicExists {
        return Ok(Some(Have {
            value: Wanted::Bool(topics.contains_key(topic)),
            counted: None,
        }));
    }
    if check.topic.is_some() && !topics.contains_key(topic) {
        return Ok(None);
    }
    match check.fact {
        FactName::TopicExists | FactName::Partitions => {
            Ok(topics.get(topic).and_then(|partitions| Have::count(*partitions)))
        }
        FactName::TopicConfig => topic_config(facts, topic, check),
        FactName::Written | FactName::Kept | FactName::Gone | FactName::PartitionsUsed => {
            Ok(sum_of_offsets(check.fact, &facts.offsets(topic)?))
        }
        FactName::Members | FactName::TakenOver | FactName::SmallestShare | FactName::Committed => Ok(facts
            .group(group)?
            .and_then(|group| of_group(check, topic, &group))),
        FactName::ReadByAGroup => read_by_a_group(facts, topic),
        FactName::Things | FactName::Unkeyed | FactName::Scattered | FactName::Changes => {
            Ok(of_records(check, &recent(facts, topic, check.keyed)?))
        }
        FactName::OverCount => over_count(facts, topic, group, check),
    }
}

fn topic_config(facts: &dyn ClusterFacts, topic: &str, check: &Check) -> Outcome<Option<Have>> {
    let name = check.config.as_deref().unwrap_or_default();
    Ok(facts.topic_config(topic, name)?.map(|value| Have {
        value: value.parse().map_or(Wanted::Text(value), Wanted::Number),
        counted: None,
    }))
}

fn sum_of_offsets(fact: FactName, offsets: &[PartitionOffsets]) -> Option<Have> {
    if fact == FactName::PartitionsUsed {
        return Have::count(
            offsets
                .iter()
                .filter(|partition| partition.end > partition.start)
                .count(),
        );
    }
    Have::number(
        offsets
            .iter()
            .map(|partition| match fact {
                FactName::Gone => partition.start,
                FactName::Kept => partition.end - partition.start,
                _ => partition.end,
            })
            .sum(),
    )
}

fn of_group(check: &Check, topic: &str, group: &Group) -> Option<Have> {
    let share = |member: &Member| member.owns.iter().filter(|(owned, _)| owned == topic).count();
    let members = group.members.iter();
    match check.fact {
        FactName::Members => Have::count(members.filter(|member| share(member) > 0).count()),
        // Who takes over from nobody has not taken over.
        FactName::TakenOver if check.since.is_empty() => None,
        FactName::TakenOver => Have::count(
            members
                .filter(|member| share(member) > 0 && !check.since.contains(&member.id))
                .count(),
        ),
        FactName::SmallestShare => Have::count(members.map(share).min()?),
        _ => Have::number(committed(group, topic)),
    }
}

fn committed(group: &Group, topic: &str) -> i64 {
    group
        .committed
        .iter()
        .filter(|((of, _), _)| of == topic)
        .map(|(_, offset)| offset)
        .sum()
}

fn read_by_a_group(facts: &dyn ClusterFacts, topic: &str) -> Outcome<Option<Have>> {
    let mut most = 0;
    for name in facts.groups()? {
        if let Some(group) = facts.group(&name)? {
            most = most.max(committed(&group, topic));
        }
    }
    Ok(Have::number(most))
}

/// The records of the last seconds, oldest first.
fn recent(facts: &dyn ClusterFacts, topic: &str, keyed: bool) -> Outcome<Vec<Seen>> {
    let mut records = facts.records(topic, RECENT_RECORDS)?;
    let newest = records.iter().map(|record| record.timestamp).max().unwrap_or(0);
    let from = if keyed {
        let last_without = records
            .iter()
            .filter(|record| record.key.is_none())
            .map(|record| record.timestamp)
            .max();
        last_without.map_or(0, |last| last + 1).max(newest - RECENT_MS)
    } else {
        newest - RECENT_MS
    };
    records.retain(|record| record.timestamp >= from);
    records.sort_by_key(|record| (record.timestamp, record.partition, record.offset));
    Ok(records)
}

fn of_records(check: &Check, records: &[Seen]) -> Option<Have> {
    if records.is_empty() {
        return None;
    }
    match check.fact {
        FactName::Unkeyed => Have::count(records.iter().filter(|record| record.key.is_none()).count()),
        FactName::Changes => Have::number(changes(&observations(check, records), |_| Some(0))),
        _ => {
            let mut places: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
            for seen in observations(check, records) {
                places.entry(seen.thing).or_default().insert(seen.partition);
            }
            match check.fact {
                FactName::Things => Have::count(places.len()),
                _ => Have::count(places.values().filter(|partitions| partitions.len() > 1).count()),
            }
        }
    }
}

/// A thing's value, as one record told it.
struct Observation {
    thing: String,
    value: i64,
    partition: i32,
}

fn observations(check: &Check, records: &[Seen]) -> Vec<Observation> {
    records
        .iter()
        .filter_map(|record| {
            let json: serde_json::Value = serde_json::from_slice(&record.value).ok()?;
            let names: Option<Vec<String>> = check
                .key
                .iter()
                .map(|field| json.get(field).map(ToString::to_string))
                .collect();
            Some(Observation {
                thing: names?.join("/"),
                value: match &check.field {
                    Some(field) => json.get(field)?.as_i64()?,
                    None => 0,
                },
                partition: record.partition,
            })
        })
        .collect()
}

/// How many changes of value the readers see, each reading the partitions that `reader` gives it.
fn changes(observations: &[Observation], reader: impl Fn(i32) -> Option<usize>) -> i64 {
    let mut last: BTreeMap<(usize, &str), i64> = BTreeMap::new();
    let mut changes = 0;
    for seen in observations {
        let Some(reader) = reader(seen.partition) else {
            continue;
        };
        // A first sight says nothing.
        let before = last.insert((reader, &seen.thing), seen.value);
        changes += i64::from(before.is_some_and(|before| before != seen.value));
    }
    changes
}

fn over_count(facts: &dyn ClusterFacts, topic: &str, group: &str, check: &Check) -> Outcome<Option<Have>> {
    let Some(group) = facts.group(group)? else {
        return Ok(None);
    };
    let records = recent(facts, topic, check.keyed)?;
    let seen = observations(check, &records);
    let alone = changes(&seen, |_| Some(0));
    let together = changes(&seen, |partition| {
        group.members.iter().position(|member| {
            member
                .owns
                .iter()
                .any(|(of, number)| of == topic && *number == partition)
        })
    });
    if alone == 0 || group.members.len() < 2 {
        return Ok(None);
    }
    Ok(Some(Have {
        value: Wanted::Number(together - alone),
        counted: Some((together, alone)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(partition: i32, number: i64, stands: i64) -> Observation {
        Observation {
            thing: number.to_string(),
            value: stands,
            partition,
        }
    }

    #[test]
    fn two_readers_of_scattered_records_report_a_change_twice() {
        let records = [seen(0, 7, 5), seen(1, 7, 5), seen(0, 7, 6), seen(1, 7, 6)];
        assert_eq!(changes(&records, |_| Some(0)), 1);
        assert_eq!(changes(&records, |partition| usize::try_from(partition).ok()), 2);
    }
}
