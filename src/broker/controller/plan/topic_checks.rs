//! What a topic may be called, and what a manual assignment must look like; in Kafka's words.

use super::ApiError;
use crate::broker::metadata::MetadataImage;
use kafka_protocol::ResponseError;
use std::collections::BTreeSet;

/// Kafka's limit: with `-` and the partition the folder's name stays under 255 bytes.
const MAX_NAME: usize = 249;
/// More partitions than this in one topic is a mistake on one machine: each has files of its own.
const MAX_PARTITIONS: usize = 10_000;

/// Checks how many partitions a topic is to have.
///
/// # Errors
/// `INVALID_PARTITIONS`.
pub(super) fn check_count(partitions: usize) -> Result<(), ApiError> {
    if partitions <= MAX_PARTITIONS {
        return Ok(());
    }
    let message = format!("Number of partitions must not be larger than {MAX_PARTITIONS}.");
    Err(ApiError::new(ResponseError::InvalidPartitions, message))
}

/// Checks a topic's name; only such names ever become folders.
///
/// # Errors
/// `INVALID_TOPIC_EXCEPTION`.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let why = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        _ if name.len() > MAX_NAME => {
            format!("the length of '{name}' is longer than the max allowed length {MAX_NAME}")
        }
        _ if !name.chars().all(allowed) => format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        ),
        _ => return Ok(()),
    };
    let message = format!("Topic name is invalid: {why}");
    Err(ApiError::new(ResponseError::InvalidTopicException, message))
}

/// Names that differ only in `.` and `_` would collide in metrics, so Kafka refuses the second.
pub(super) fn check_collision<'a>(
    name: &str,
    mut others: impl Iterator<Item = &'a str>,
) -> Result<(), ApiError> {
    if !name.contains(['.', '_']) {
        return Ok(());
    }
    let same = |other: &&str| *other != name && other.replace('.', "_") == name.replace('.', "_");
    others.find(same).map_or(Ok(()), |other| {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        Err(ApiError::new(ResponseError::InvalidTopicException, message))
    })
}

/// Checks the replicas given for one partition.
///
/// # Errors
/// `INVALID_REPLICA_ASSIGNMENT`.
pub(super) fn check_assignment(
    image: &MetadataImage,
    replicas: &[i32],
    factor: Option<usize>,
) -> Result<(), ApiError> {
    let refuse = |what: String| {
        let message = format!("The manual partition assignment includes {what}");
        Err(ApiError::new(ResponseError::InvalidReplicaAssignment, message))
    };
    if replicas.is_empty() {
        return refuse("an empty replica list.".to_owned());
    }
    let mut seen = BTreeSet::new();
    for broker in replicas {
        if !image.brokers.contains_key(broker) {
            return refuse(format!("broker {broker}, but no such broker is registered."));
        }
        if !seen.insert(broker) {
            return refuse(format!("the broker {broker} more than once."));
        }
    }
    match factor {
        Some(factor) if factor != replicas.len() => refuse(format!(
            "a partition with {} replica(s), but this is not consistent with previous partitions, which have \
             {factor} replica(s).",
            replicas.len()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;

    #[test]
    fn names_that_could_leave_the_folder_or_confuse_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a b",
            "é",
            "a\0b",
            "a\\b",
            &"x".repeat(250),
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["a", "a.b", "velib-stations", "_x", "...", &"x".repeat(249)] {
            assert!(check_name(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn an_assignment_names_brokers_that_are_there_each_once_and_as_many_as_the_others() {
        let cluster = Cluster::of(&[1, 2]).fenced(2);
        let check = |replicas: &[i32], factor| {
            let checked = check_assignment(cluster.image(), replicas, factor);
            checked.err().map(|error| error.message)
        };
        assert_eq!(check(&[2, 1], None), None);
        assert_eq!(check(&[2, 1], Some(2)), None);
        let table: [(&[i32], _, _); 4] = [
            (&[], None, "an empty replica list."),
            (&[1, 9], None, "broker 9, but no such broker is registered."),
            (&[1, 2, 1], None, "the broker 1 more than once."),
            (
                &[1],
                Some(2),
                "a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 \
                 replica(s).",
            ),
        ];
        for (replicas, factor, why) in table {
            let message = format!("The manual partition assignment includes {why}");
            assert_eq!(check(replicas, factor), Some(message));
        }
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert!(check_collision("a.b", ["a_b"].into_iter()).is_err());
        assert!(check_collision("a.b", ["a.b", "a.c", "ab"].into_iter()).is_ok());
    }
}
