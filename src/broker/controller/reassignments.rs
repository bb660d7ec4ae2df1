//! Other replicas for a partition (KIP-455). Replicas do not move here, so what is done is done at once.

use super::topic_checks::check_assignment;
use super::{ApiError, Controller};
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

impl Controller {
    /// Puts the replicas of partitions into another order, each by itself. Other brokers than those that have a replica
    /// already are refused.
    pub fn reassign(&self, wanted: &[Reassignment]) -> Vec<Result<(), ApiError>> {
        let state = self.state.lock();
        let image = self.image();
        let planned: Vec<Result<Option<MetadataRecord>, ApiError>> =
            wanted.iter().map(|one| plan(&image, one)).collect();
        let records = planned
            .iter()
            .filter_map(|planned| planned.clone().ok().flatten());
        match self.write(&state, records.collect()) {
            Ok(()) => planned.into_iter().map(|planned| planned.map(|_| ())).collect(),
            Err(error) => {
                let error = ApiError::from(error);
                wanted.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }
}

fn plan(image: &MetadataImage, wanted: &Reassignment) -> Result<Option<MetadataRecord>, ApiError> {
    let unknown = |what: String| {
        let message = format!("Unable to find {what}.");
        ApiError::new(ResponseError::UnknownTopicOrPartition, message)
    };
    let Reassignment { topic, index, .. } = wanted;
    let found = image
        .topics
        .get(topic)
        .ok_or_else(|| unknown(format!("a topic named {topic}")))?;
    let partition = usize::try_from(*index)
        .ok()
        .and_then(|index| found.partitions.get(index));
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
        replicas: Some(replicas.clone()),
        ..partition.change(found.id, *index, None, None)
    })))
}
