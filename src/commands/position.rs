//! A place in a partition, as typed: `earliest`, `latest`, an offset, or a moment such as `@-1h`.

use crate::clock::Clock;
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, OffsetSpec, TopicPartition};
use crate::ui::when;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A place in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The first record there is.
    Earliest,
    /// Behind the last record.
    Latest,
    /// This offset.
    Offset(i64),
    /// The first record at or after this moment, in ms since 1970-01-01 UTC.
    Time(i64),
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "earliest" | "beginning" | "start" => Ok(Position::Earliest),
            "latest" | "end" => Ok(Position::Latest),
            moment if moment.starts_with('@') => {
                when::parse_ms(moment, Clock::system().now_ms()).map(Position::Time)
            }
            offset => offset
                .parse()
                .ok()
                .filter(|offset| *offset >= 0)
                .map(Position::Offset)
                .ok_or_else(|| {
                    format!("`{text}` is neither `earliest`, `latest`, an offset, nor a moment such as @-1h")
                }),
        }
    }
}

impl Position {
    /// The offset of this place in each partition. A moment after the last record is the end. An offset is as it was
    /// typed, even when the partition has no such offset.
    ///
    /// # Errors
    /// When the cluster could not be asked, or a partition has no leader.
    pub fn resolve(
        self,
        admin: &Admin,
        partitions: &[TopicPartition],
    ) -> Outcome<BTreeMap<TopicPartition, i64>> {
        let spec = match self {
            Position::Offset(offset) => {
                return Ok(partitions
                    .iter()
                    .map(|partition| (partition.clone(), offset))
                    .collect());
            }
            Position::Earliest => OffsetSpec::Earliest,
            Position::Latest => OffsetSpec::Latest,
            Position::Time(moment) => OffsetSpec::Timestamp(moment),
        };
        let listed = admin.list_offsets(partitions, spec)?;
        let mut offsets = BTreeMap::new();
        let mut beyond = Vec::new();
        for (partition, answer) in listed {
            match answer {
                Ok(found) => match found.offset {
                    Some(offset) => {
                        offsets.insert(partition, offset);
                    }
                    None => beyond.push(partition),
                },
                Err(error) => {
                    return Err(error.into_failure(format!("cannot find that place in {partition}")));
                }
            }
        }
        if !beyond.is_empty() {
            offsets.extend(Position::Latest.resolve(admin, &beyond)?);
        }
        Ok(offsets)
    }
}

/// Partitions as typed: `orders` is all of a topic's, `orders:0,2` some.
///
/// # Errors
/// When the topic or a partition is not there.
pub fn partitions(admin: &Admin, text: &str) -> Outcome<Vec<TopicPartition>> {
    let (topic, wanted) = text
        .split_once(':')
        .map_or((text, None), |(topic, list)| (topic, Some(list)));
    let all = admin.partitions_of(topic)?;
    let Some(wanted) = wanted else {
        return Ok(all);
    };
    let numbers = wanted
        .split(',')
        .map(|number| number.trim().parse())
        .collect::<Result<Vec<i32>, _>>()
        .map_err(|_| {
            Failure::usage(format!("`{text}` names no partitions"))
                .hint("TOPIC, or TOPIC:0,2 for some partitions")
        })?;
    some_of(&all, topic, &numbers)
}

/// Those of a topic's partitions that are asked for; all when none is.
///
/// # Errors
/// When a partition is not there.
pub fn some_of(all: &[TopicPartition], topic: &str, numbers: &[i32]) -> Outcome<Vec<TopicPartition>> {
    if numbers.is_empty() {
        return Ok(all.to_vec());
    }
    numbers
        .iter()
        .map(|number| {
            let found = all.iter().find(|partition| partition.partition == *number);
            found.cloned().ok_or_else(|| {
                Failure::request(format!("topic `{topic}` has no partition {number}"))
                    .because(format!("its partitions are 0 to {}", all.len().saturating_sub(1)))
                    .hint(format!("velo topic describe {topic}"))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_people_write_them() {
        assert_eq!("earliest".parse(), Ok(Position::Earliest));
        assert_eq!("end".parse(), Ok(Position::Latest));
        assert_eq!("42".parse(), Ok(Position::Offset(42)));
        for moment in ["@1767225600000", "@1767225600"] {
            assert_eq!(moment.parse(), Ok(Position::Time(1_767_225_600_000)));
        }
        assert!("-5".parse::<Position>().is_err());
        assert!("soon".parse::<Position>().is_err());
    }
}
