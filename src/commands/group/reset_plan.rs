//! Where a group's committed offsets would go: worked out first, shown, then done.

use crate::bom;
use crate::commands::position::{self, Position};
use crate::failure::{Failure, Outcome};
use crate::kafka::admin::PartitionOffsets;
use crate::kafka::{Admin, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goal {
    /// A place that means the same in every partition.
    To(Position),
    /// So many records on from the committed offset, or back.
    ShiftBy(i64),
    /// An offset of its own for each partition.
    Given(BTreeMap<TopicPartition, i64>),
}

/// One committed offset and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    /// The partition.
    pub partition: TopicPartition,
    /// The committed offset, `None` when there is none yet.
    pub before: Option<i64>,
    /// The offset to commit.
    pub after: i64,
    /// What a user should know of it.
    pub note: Option<&'static str>,
}

/// Works out all moves. Offsets outside of what a partition has are drawn to its first or last.
///
/// # Errors
/// When a topic or partition is not there, there is nothing to move, or a shift has nothing to start from.
pub(super) fn plan(admin: &Admin, group: &str, topics: &[String], goal: &Goal) -> Outcome<Vec<Move>> {
    let committed: BTreeMap<TopicPartition, i64> = admin
        .committed_offsets(group)?
        .into_iter()
        .map(|(partition, committed)| (partition, committed.offset))
        .collect();
    let partitions = partitions(admin, &committed, topics, goal)?;
    if partitions.is_empty() {
        return Err(
            Failure::request(format!("group `{group}` has no committed offsets to move"))
                .hint(format!("velo group reset {group} --topic TOPIC --to earliest")),
        );
    }
    let wanted = match goal {
        Goal::To(position) => position.resolve(admin, &partitions)?,
        Goal::Given(offsets) => offsets.clone(),
        Goal::ShiftBy(shift) => shifted(group, &partitions, &committed, *shift)?,
    };
    let ranges = admin.offset_range(&partitions)?;
    Ok(partitions
        .into_iter()
        .filter_map(|partition| {
            let (after, note) = within(*wanted.get(&partition)?, *ranges.get(&partition)?);
            Some(Move {
                before: committed.get(&partition).copied(),
                partition,
                after,
                note,
            })
        })
        .collect())
}

fn partitions(
    admin: &Admin,
    committed: &BTreeMap<TopicPartition, i64>,
    topics: &[String],
    goal: &Goal,
) -> Outcome<Vec<TopicPartition>> {
    let mut chosen = BTreeSet::new();
    if let Goal::Given(offsets) = goal {
        for topic in offsets
            .keys()
            .map(|partition| &partition.topic)
            .collect::<BTreeSet<_>>()
        {
            let all = admin.partitions_of(topic)?;
            let numbers: Vec<i32> = offsets
                .keys()
                .filter(|partition| partition.topic == *topic)
                .map(|partition| partition.partition)
                .collect();
            chosen.extend(position::some_of(&all, topic, &numbers)?);
        }
    } else if topics.is_empty() {
        chosen.extend(committed.keys().cloned());
    } else {
        for text in topics {
            chosen.extend(position::partitions(admin, text)?);
        }
    }
    Ok(chosen.into_iter().collect())
}

fn shifted(
    group: &str,
    partitions: &[TopicPartition],
    committed: &BTreeMap<TopicPartition, i64>,
    shift: i64,
) -> Outcome<BTreeMap<TopicPartition, i64>> {
    partitions
        .iter()
        .map(|partition| {
            let from = committed.get(partition).ok_or_else(|| {
                Failure::request(format!("group `{group}` cannot be shifted in {partition}"))
                    .because("it has not committed there, so there is nothing to shift from")
                    .hint(format!("velo group reset {group} --to earliest"))
            })?;
            Ok((partition.clone(), from.saturating_add(shift)))
        })
        .collect()
}

fn within(wanted: i64, range: PartitionOffsets) -> (i64, Option<&'static str>) {
    if wanted < range.earliest {
        (range.earliest, Some("the first record there is"))
    } else if wanted > range.latest {
        (range.latest, Some("the end"))
    } else {
        (wanted, None)
    }
}

/// Reads lines `TOPIC,PARTITION,OFFSET`, as Kafka's own tool exports them; empty lines and `#` comments are passed over.
///
/// # Errors
/// When the file cannot be read, or a line is of another form: which.
pub(super) fn read_file(path: &Path) -> Outcome<BTreeMap<TopicPartition, i64>> {
    let text = bom::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}", path.display())).because(error))?;
    let mut offsets = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (partition, offset) = parse_line(line).ok_or_else(|| {
            Failure::usage(format!("line {number} of {} is no offset", path.display()))
                .because(format!("`{line}` is not TOPIC,PARTITION,OFFSET"))
                .hint("for example: velib-stations,0,42")
        })?;
        offsets.insert(partition, offset);
    }
    Ok(offsets)
}

fn parse_line(line: &str) -> Option<(TopicPartition, i64)> {
    let mut fields = line.split(',').map(|field| field.trim().trim_matches('"'));
    let (topic, partition, offset) = (fields.next()?, fields.next()?, fields.next()?);
    if topic.is_empty() || fields.next().is_some() {
        return None;
    }
    let offset = offset.parse().ok().filter(|offset| *offset >= 0)?;
    Some((TopicPartition::new(topic, partition.parse().ok()?), offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_file_is_topic_partition_offset() {
        assert_eq!(
            parse_line("trips,2,42"),
            Some((TopicPartition::new("trips", 2), 42))
        );
        assert_eq!(
            parse_line("\"trips\", 2, 42"),
            Some((TopicPartition::new("trips", 2), 42))
        );
        for wrong in ["trips,2", "trips,x,1", "trips,1,-1", ",0,1", "trips,0,1,1"] {
            assert_eq!(parse_line(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn offsets_stay_within_what_there_is() {
        let range = PartitionOffsets {
            earliest: 5,
            latest: 9,
        };
        assert_eq!(within(3, range), (5, Some("the first record there is")));
        assert_eq!(within(7, range), (7, None));
        assert_eq!(within(12, range), (9, Some("the end")));
    }
}
