//! Which brokers get a new partition: leaders in turn, followers spread behind them, one rack after another.

use super::{ApiError, can_lead};
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use crate::broker::records::metadata::PartitionRecord;
use kafka_protocol::ResponseError;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A new partition: every replica that serves is in sync, the first of those leads.
pub(super) fn record(image: &MetadataImage, topic_id: Uuid, index: i32, replicas: &[i32]) -> MetadataRecord {
    let serving = replicas.iter().copied().filter(|id| can_lead(image, *id));
    let isr: Vec<i32> = serving.collect();
    let directory = |id: &i32| {
        let broker = image.brokers.get(id);
        broker.and_then(|broker| broker.log_dirs.first().copied())
    };
    MetadataRecord::Partition(PartitionRecord {
        partition_id: index,
        topic_id,
        replicas: replicas.to_vec(),
        leader: isr.first().copied().unwrap_or(-1),
        isr,
        leader_epoch: 0,
        partition_epoch: 0,
        directories: replicas
            .iter()
            .map(|id| directory(id).unwrap_or_default())
            .collect(),
        ..PartitionRecord::default()
    })
}

/// Replicas of each of `partitions` new partitions; `start` moves on from topic to topic, so that the leaders of many
/// small topics are spread too.
///
/// # Errors
/// `INVALID_REPLICATION_FACTOR` when there are not enough brokers.
pub(super) fn place(
    image: &MetadataImage,
    start: usize,
    partitions: usize,
    replication_factor: usize,
) -> Result<Vec<Vec<i32>>, ApiError> {
    let refuse = |why: String| {
        let message = format!("Unable to replicate the partition {replication_factor} time(s): {why}");
        ApiError::new(ResponseError::InvalidReplicationFactor, message)
    };
    let known = image.brokers.len();
    if replication_factor > known {
        return Err(refuse(format!(
            "The target replication factor of {replication_factor} cannot be reached because only {known} \
             broker(s) are registered or some brokers have all their log directories cordoned."
        )));
    }
    let order = by_turns(image);
    let usable = order.iter().filter(|id| can_lead(image, **id)).count();
    if usable == 0 {
        return Err(refuse("All brokers are currently fenced.".to_owned()));
    }
    let place_one = |partition: usize| {
        // The leader is one that serves; fenced ones come last.
        let first = (start + partition) % usable;
        let round = (start + partition) / usable;
        let followers = (1..order.len()).map(|step| {
            // Each round pairs leaders with other followers.
            (first + 1 + (step - 1 + round) % (order.len() - 1).max(1)) % order.len()
        });
        let mut replicas: Vec<i32> = std::iter::once(first)
            .chain(followers)
            .map(|at| order[at])
            .collect();
        replicas[1..].sort_by_key(|id| image.brokers.get(id).is_none_or(|broker| broker.fenced));
        replicas.truncate(replication_factor);
        replicas
    };
    Ok((0..partitions).map(place_one).collect())
}

/// Brokers one rack after another, those that can lead first.
fn by_turns(image: &MetadataImage) -> Vec<i32> {
    let mut order = Vec::new();
    for can_lead in [true, false] {
        let mut racks: BTreeMap<Option<&str>, Vec<i32>> = BTreeMap::new();
        for broker in image
            .brokers
            .values()
            .filter(|broker| broker.can_lead() == can_lead)
        {
            racks.entry(broker.rack.as_deref()).or_default().push(broker.id);
        }
        let deepest = racks.values().map(Vec::len).max().unwrap_or(0);
        for depth in 0..deepest {
            order.extend(racks.values().filter_map(|rack| rack.get(depth)));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn leaders_are_spread_and_no_broker_has_a_partition_twice() {
        let cluster = Cluster::of(&[101, 102, 103]);
        let placed = place(cluster.image(), 0, 6, 2).unwrap();
        for id in 101..=103 {
            assert_eq!(placed.iter().filter(|replicas| replicas[0] == id).count(), 2);
            assert_eq!(placed.iter().filter(|replicas| replicas.contains(&id)).count(), 4);
        }
        for replicas in &placed {
            assert_eq!(replicas.iter().collect::<BTreeSet<_>>().len(), 2);
        }
    }

    #[test]
    fn a_fenced_broker_leads_nothing() {
        let cluster = Cluster::of(&[1, 2]).fenced(1);
        assert_eq!(place(cluster.image(), 5, 2, 2).unwrap(), [[2, 1], [2, 1]]);
    }

    #[test]
    fn too_few_brokers_are_said_as_kafka_says_it() {
        let refused = |cluster: Cluster, factor| {
            let error = place(cluster.image(), 0, 1, factor).unwrap_err();
            assert_eq!(error.error, ResponseError::InvalidReplicationFactor);
            error.message
        };
        assert_eq!(
            refused(Cluster::of(&[1]), 3),
            "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached \
             because only 1 broker(s) are registered or some brokers have all their log directories cordoned."
        );
        assert_eq!(
            refused(Cluster::of(&[1]).fenced(1), 1),
            "Unable to replicate the partition 1 time(s): All brokers are currently fenced."
        );
    }
}
