//! Adding partitions to topics (KIP-195).

use super::draft::Draft;
use super::placement::{self, place};
use super::topic_checks::{check_assignment, check_count};
use super::topics::Placed;
use super::{ApiError, Step, View};
use crate::broker::error::Result;
use crate::broker::metadata::{MetadataImage, MetadataRecord, TopicImage};
use kafka_protocol::ResponseError;

/// Partitions that somebody wants a topic to have.
#[derive(Debug, Clone, Default)]
pub struct MorePartitions {
    /// The topic.
    pub name: String,
    /// How many it shall have in all.
    pub count: i32,
    /// Replicas of the new ones, if they are given.
    pub assignments: Option<Vec<Vec<i32>>>,
}

/// Adds partitions to topics, each by itself. `start` is where the placement starts. With `validate_only` nothing is written.
///
/// # Errors
/// None but a mistake of the plan.
pub fn create(
    view: &View<'_>,
    topics: &[MorePartitions],
    validate_only: bool,
    mut start: usize,
) -> Result<Step<Placed<()>>> {
    let mut draft = Draft::new(view);
    let mut outcomes = Vec::new();
    for more in topics {
        let added = add(draft.image(), more, &mut start);
        outcomes.push(added.map(|added| added.into_iter().for_each(|record| draft.add(record))));
    }
    let next_start = start;
    draft.step_unless(validate_only, Placed { outcomes, next_start })
}

fn add(
    image: &MetadataImage,
    more: &MorePartitions,
    start: &mut usize,
) -> Result<Vec<MetadataRecord>, ApiError> {
    let topic = image.topics.get(&more.name).ok_or_else(|| {
        ApiError::new(
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )
    })?;
    let added = count_added(topic, more.count)?;
    check_count(topic.partitions.len() + added)?;
    let factor = topic
        .partitions
        .first()
        .map_or(1, |partition| partition.replicas.len());
    let replicas = match &more.assignments {
        Some(given) if given.len() != added => {
            let message = format!(
                "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
                given.len()
            );
            return Err(ApiError::new(ResponseError::InvalidReplicaAssignment, message));
        }
        Some(given) => {
            for replicas in given {
                check_assignment(image, replicas, Some(factor))?;
            }
            given.clone()
        }
        None => {
            let placed = place(image, *start, added, factor)?;
            *start += added;
            placed
        }
    };
    let first = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
    Ok((first..)
        .zip(&replicas)
        .map(|(index, replicas)| placement::record(image, topic.id, index, replicas))
        .collect())
}

/// How many partitions come on top.
fn count_added(topic: &TopicImage, wanted: i32) -> Result<usize, ApiError> {
    let now = topic.partitions.len();
    let message = match usize::try_from(wanted) {
        Ok(wanted) if wanted > now => return Ok(wanted - now),
        Ok(wanted) if wanted == now => format!("Topic already has {now} partition(s)."),
        _ => format!(
            "The topic {} currently has {now} partition(s); {wanted} would not be an increase.",
            topic.name
        ),
    };
    Err(ApiError::new(ResponseError::InvalidPartitions, message))
}

#[cfg(test)]
mod tests {
    use super::super::table::{Cluster, message};
    use super::*;

    fn more(name: &str, count: i32, assignments: Option<&[&[i32]]>) -> MorePartitions {
        MorePartitions {
            name: name.to_owned(),
            count,
            assignments: assignments.map(|all| all.iter().map(|ids| ids.to_vec()).collect()),
        }
    }

    fn replicas(cluster: &Cluster, topic: &str) -> Vec<Vec<i32>> {
        let partitions = &cluster.image().topics[topic].partitions;
        partitions.iter().map(|one| one.replicas.clone()).collect()
    }

    #[test]
    fn partitions_come_behind_those_there_are_placed_or_as_given() {
        let mut cluster = Cluster::of(&[1, 2])
            .topic("placed", &[&[1]])
            .topic("given", &[&[1]]);
        let wanted = [more("placed", 3, None), more("given", 2, Some(&[&[2]]))];
        let step = create(&cluster.view(), &wanted, false, 1).unwrap();
        assert_eq!(step.answer.outcomes, [Ok(()), Ok(())]);
        assert_eq!(step.answer.next_start, 3);
        cluster.replay(step.records);
        assert_eq!(replicas(&cluster, "placed"), [[1], [2], [1]]);
        assert_eq!(replicas(&cluster, "given"), [[1], [2]]);
    }

    #[test]
    fn a_topic_named_twice_grows_from_where_it_was_left() {
        let mut cluster = Cluster::of(&[1]).topic("t", &[&[1]]);
        let step = create(
            &cluster.view(),
            &[more("t", 2, None), more("t", 3, None)],
            false,
            0,
        )
        .unwrap();
        cluster.replay(step.records);
        assert_eq!(replicas(&cluster, "t").len(), 3);
    }

    #[test]
    fn what_is_no_increase_or_does_not_fit_is_refused_in_kafkas_words() {
        let cluster = Cluster::of(&[1, 2]).topic("t", &[&[1], &[2]]);
        let invalid = ResponseError::InvalidPartitions;
        let table = [
            (
                more("missing", 3, None),
                ResponseError::UnknownTopicOrPartition,
                "This server does not host this topic-partition.",
            ),
            (more("t", 2, None), invalid, "Topic already has 2 partition(s)."),
            (
                more("t", 1, None),
                invalid,
                "The topic t currently has 2 partition(s); 1 would not be an increase.",
            ),
            (
                more("t", -5, None),
                invalid,
                "The topic t currently has 2 partition(s); -5 would not be an increase.",
            ),
            (
                more("t", 4, Some(&[&[1]])),
                ResponseError::InvalidReplicaAssignment,
                "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.",
            ),
            (
                more("t", 3, Some(&[&[9]])),
                ResponseError::InvalidReplicaAssignment,
                "The manual partition assignment includes broker 9, but no such broker is registered.",
            ),
            (
                more("t", 10_001, None),
                invalid,
                "Number of partitions must not be larger than 10000.",
            ),
        ];
        for (wanted, error, text) in table {
            let step = create(&cluster.view(), &[wanted], false, 0).unwrap();
            assert_eq!(step.records, []);
            assert_eq!(message(step.answer.outcomes), (error, text.to_owned()));
        }
    }

    #[test]
    fn what_is_only_checked_is_not_written() {
        let cluster = Cluster::of(&[1]).topic("t", &[&[1]]);
        let step = create(&cluster.view(), &[more("t", 2, None)], true, 0).unwrap();
        assert_eq!((step.records.len(), step.answer.outcomes), (0, vec![Ok(())]));
    }
}
