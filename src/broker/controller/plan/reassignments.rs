//! Other replicas for a partition (KIP-455). Replicas do not move here, so what is done is done at once.

use super::draft::Draft;
use super::topic_checks::check_assignment;
use super::{ApiError, Step, View};
use crate::broker::error::Result;
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use crate::broker::records::metadata::PartitionChangeRecord;
use kafka_protocol::ResponseError;
use std::collections::BTreeSet;

/// A partition, and the brokers wanted for it; none to call off what is under way.
#[derive(Debug, Clone)]
pub struct Reassignment {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub index: i32,
    /// The brokers, the preferred leader first.
    pub replicas: Option<Vec<i32>>,
}

/// Puts the replicas of partitions into another order, each by itself. Other brokers than those that have a replica already
/// are refused.
///
/// # Errors
/// None but a mistake of the plan.
pub fn reassign(view: &View<'_>, wanted: &[Reassignment]) -> Result<Step<Vec<Result<(), ApiError>>>> {
    let mut draft = Draft::new(view);
    let mut outcomes = Vec::new();
    for one in wanted {
        let planned = reorder(draft.image(), one);
        outcomes.push(planned.map(|planned| planned.into_iter().for_each(|record| draft.add(record))));
    }
    draft.step(outcomes)
}

fn reorder(image: &MetadataImage, wanted: &Reassignment) -> Result<Option<MetadataRecord>, ApiError> {
    let unknown = |what: String| {
        let message = format!("Unable to find {what}.");
        ApiError::new(ResponseError::UnknownTopicOrPartition, message)
    };
    let Reassignment { topic, index, .. } = wanted;
    let found = image
        .topics
        .get(topic)
        .ok_or_else(|| unknown(format!("a topic named {topic}")))?;
    let partition = image.partition(topic, *index);
    let partition = partition.ok_or_else(|| unknown(format!("partition {topic}:{index}")))?;
    let Some(replicas) = &wanted.replicas else {
        let message = "No partition reassignment is in progress.";
        return Err(ApiError::new(ResponseError::NoReassignmentInProgress, message));
    };
    check_assignment(image, replicas, None)?;
    if *replicas == partition.replicas {
        return Ok(None);
    }
    let set = |brokers: &[i32]| brokers.iter().copied().collect::<BTreeSet<i32>>();
    if set(replicas) != set(&partition.replicas) {
        let message = format!(
            "This cluster does not move replicas between brokers: {topic}-{index} stays on {:?}, of which only the order \
             can change.",
            partition.replicas
        );
        return Err(ApiError::new(ResponseError::InvalidReplicaAssignment, message));
    }
    Ok(Some(MetadataRecord::PartitionChange(PartitionChangeRecord {
        partition_id: *index,
        topic_id: found.id,
        replicas: Some(replicas.clone()),
        ..PartitionChangeRecord::default()
    })))
}

#[cfg(test)]
mod tests {
    use super::super::table::{Cluster, message};
    use super::*;

    fn to(topic: &str, index: i32, replicas: Option<&[i32]>) -> Reassignment {
        Reassignment {
            topic: topic.to_owned(),
            index,
            replicas: replicas.map(<[i32]>::to_vec),
        }
    }

    #[test]
    fn replicas_come_into_another_order_and_the_leader_stays() {
        let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2], &[1, 2]]);
        let wanted = [to("t", 0, Some(&[2, 1])), to("t", 1, Some(&[1, 2]))];
        let step = reassign(&cluster.view(), &wanted).unwrap();
        assert_eq!(step.answer, [Ok(()), Ok(())]);
        assert_eq!(step.records.len(), 1, "what stays as it is is not written");
        cluster.replay(step.records);
        let partition = cluster.partition("t", 0);
        assert_eq!(
            (partition.replicas.as_slice(), partition.leader),
            ([2, 1].as_slice(), 1)
        );
        assert_eq!(partition.leader_epoch, 0);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let cluster = Cluster::of(&[1, 2, 3]).topic("t", &[&[1, 2]]);
        let unknown = ResponseError::UnknownTopicOrPartition;
        let table = [
            (
                to("missing", 0, Some(&[1])),
                unknown,
                "Unable to find a topic named missing.",
            ),
            (to("t", 1, Some(&[1])), unknown, "Unable to find partition t:1."),
            (to("t", -1, Some(&[1])), unknown, "Unable to find partition t:-1."),
            (
                to("t", 0, None),
                ResponseError::NoReassignmentInProgress,
                "No partition reassignment is in progress.",
            ),
            (
                to("t", 0, Some(&[1, 9])),
                ResponseError::InvalidReplicaAssignment,
                "The manual partition assignment includes broker 9, but no such broker is registered.",
            ),
            (
                to("t", 0, Some(&[1, 3])),
                ResponseError::InvalidReplicaAssignment,
                "This cluster does not move replicas between brokers: t-0 stays on [1, 2], of which only the order can \
                 change.",
            ),
        ];
        for (wanted, error, text) in table {
            let step = reassign(&cluster.view(), &[wanted]).unwrap();
            assert_eq!(step.records, []);
            assert_eq!(message(step.answer), (error, text.to_owned()));
        }
    }
}
