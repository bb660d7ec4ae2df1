//! Facts about the things that a topic's recent records describe as JSON.

use super::{Group, Have, Renames, Said, Seen};
use crate::course::look::Look;
use crate::course::model::Wanted;
use crate::failure::Outcome;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How far back the records are called recent, in milliseconds before the newest one.
const RECENT_MS: i64 = 30_000;

/// What is asked of recent records. `key` names a thing by JSON fields, `keyed` takes only those since the last record without
/// a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ThingFact {
    /// How many different things they speak of.
    Things { topic: String, key: Vec<String> },
    /// How many of them have no key.
    Unkeyed { topic: String },
    /// How many things stand in more than one partition.
    Scattered {
        topic: String,
        key: Vec<String>,
        #[serde(default)]
        keyed: bool,
    },
    /// How many changes of a field one reader of all of them sees.
    Changes {
        topic: String,
        key: Vec<String>,
        field: String,
        #[serde(default)]
        keyed: bool,
    },
    /// How many more changes the members of a group, each with its own partitions, report than there really are.
    OverCount {
        topic: String,
        group: String,
        key: Vec<String>,
        field: String,
        #[serde(default)]
        keyed: bool,
    },
}

impl ThingFact {
    pub(super) const NAMES: &[&str] = &["things", "unkeyed", "scattered", "changes", "over-count"];

    pub(super) fn topic(&self) -> &str {
        let (Self::Things { topic, .. }
        | Self::Unkeyed { topic }
        | Self::Scattered { topic, .. }
        | Self::Changes { topic, .. }
        | Self::OverCount { topic, .. }) = self;
        topic
    }

    pub(super) fn group(&self) -> Option<&str> {
        match self {
            Self::OverCount { group, .. } => Some(group),
            _ => None,
        }
    }

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        if let Self::OverCount { group, .. } = self {
            *group = names.name(group);
        }
        let (Self::Things { topic, .. }
        | Self::Unkeyed { topic }
        | Self::Scattered { topic, .. }
        | Self::Changes { topic, .. }
        | Self::OverCount { topic, .. }) = self;
        *topic = names.name(topic);
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        let keyed = match self {
            Self::Things { .. } | Self::Unkeyed { .. } => false,
            Self::Scattered { keyed, .. } | Self::Changes { keyed, .. } | Self::OverCount { keyed, .. } => {
                *keyed
            }
        };
        let all = look.records(self.topic())?;
        let records = recent(&all, keyed);
        if records.is_empty() {
            return Ok(None);
        }
        Ok(match self {
            Self::Unkeyed { .. } => Have::count(records.iter().filter(|record| record.key.is_none()).count()),
            Self::Things { key, .. } => Have::count(places(&observations(key, None, &records)).len()),
            Self::Scattered { key, .. } => {
                let seen = observations(key, None, &records);
                let places = places(&seen);
                Have::count(places.values().filter(|partitions| partitions.len() > 1).count())
            }
            Self::Changes { key, field, .. } => {
                Have::number(changes(&observations(key, Some(field), &records), |_| Some(0)))
            }
            Self::OverCount {
                topic,
                group,
                key,
                field,
                ..
            } => {
                let group = look.group(group)?;
                let seen = observations(key, Some(field), &records);
                group
                    .as_ref()
                    .as_ref()
                    .and_then(|group| over_count(topic, group, &seen))
            }
        })
    }

    pub(super) fn said(&self) -> Said {
        let key = match self {
            Self::Things { .. } => "things",
            Self::Unkeyed { .. } => "unkeyed",
            Self::Scattered { .. } => "scattered",
            Self::Changes { .. } => "changes",
            Self::OverCount { .. } => "over-count",
        };
        let said = Said::about_topic(key, self.topic());
        match self.group() {
            Some(group) => said.and("group", group),
            None => said,
        }
    }
}

/// The records of the last seconds, oldest first.
fn recent(records: &[Seen], keyed: bool) -> Vec<&Seen> {
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
    let mut recent: Vec<&Seen> = records.iter().filter(|record| record.timestamp >= from).collect();
    recent.sort_by_key(|record| (record.timestamp, record.partition, record.offset));
    recent
}

/// A thing's value, as one record told it.
struct Observation {
    thing: String,
    value: i64,
    partition: i32,
}

fn observations(key: &[String], field: Option<&String>, records: &[&Seen]) -> Vec<Observation> {
    records
        .iter()
        .filter_map(|record| {
            let json: serde_json::Value = serde_json::from_slice(&record.value).ok()?;
            let names: Option<Vec<String>> = key
                .iter()
                .map(|field| json.get(field).map(ToString::to_string))
                .collect();
            Some(Observation {
                thing: names?.join("/"),
                value: match field {
                    Some(field) => json.get(field)?.as_i64()?,
                    None => 0,
                },
                partition: record.partition,
            })
        })
        .collect()
}

/// The partitions of each thing.
fn places(observations: &[Observation]) -> BTreeMap<&str, BTreeSet<i32>> {
    let mut places: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for seen in observations {
        places.entry(&seen.thing).or_default().insert(seen.partition);
    }
    places
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

fn over_count(topic: &str, group: &Group, seen: &[Observation]) -> Option<Have> {
    let alone = changes(seen, |_| Some(0));
    let together = changes(seen, |partition| {
        group.members.iter().position(|member| {
            member
                .owns
                .iter()
                .any(|(of, number)| of == topic && *number == partition)
        })
    });
    if alone == 0 || group.members.len() < 2 {
        return None;
    }
    Some(Have {
        value: Wanted::Number(together - alone),
        counted: Some((together, alone)),
    })
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
