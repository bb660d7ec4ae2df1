//! In-sync replicas, changed on behalf of their leaders (AlterPartition, KIP-497, KIP-903).

use super::draft::Draft;
use super::eligible::Change;
use super::leadership::least_in_sync;
use super::{Step, View, can_lead, check_broker_epoch};
use crate::broker::config::{NodeConfig, topic_log_config};
use crate::broker::error::Result;
use crate::broker::metadata::{MetadataImage, MetadataRecord, PartitionImage};
use crate::broker::records::metadata::PartitionChangeRecord;
use kafka_protocol::ResponseError;
use uuid::Uuid;

/// A leader's wish to change the in-sync replicas.
#[derive(Debug, Clone)]
pub struct IsrChange {
    /// The topic.
    pub topic_id: Uuid,
    /// The partition.
    pub index: i32,
    /// Epoch the leader leads in.
    pub leader_epoch: i32,
    /// Partition epoch the leader knows.
    pub partition_epoch: i32,
    /// New in-sync replicas, and the epoch of each one's registration, -1 for any.
    pub isr: Vec<(i32, i64)>,
}

/// Changes in-sync replicas on behalf of their leaders; each answer is the partition as it is then.
///
/// # Errors
/// `STALE_BROKER_EPOCH` for the request as a whole; each change has its own outcome.
pub fn alter(
    view: &View<'_>,
    broker_id: i32,
    broker_epoch: i64,
    changes: &[IsrChange],
) -> Result<Step<Vec<Result<PartitionImage, ResponseError>>>> {
    check_broker_epoch(view.image, broker_id, broker_epoch)?;
    let mut draft = Draft::new(view);
    let mut outcomes = Vec::new();
    for change in changes {
        let outcome = check(draft.image(), view.config, broker_id, change).and_then(|record| {
            if let Some(record) = record {
                draft.add(MetadataRecord::PartitionChange(record));
            }
            partition_of(draft.image(), change).map(|(_, partition)| partition.clone())
        });
        outcomes.push(outcome);
    }
    draft.step(outcomes)
}

fn partition_of<'a>(
    image: &'a MetadataImage,
    change: &IsrChange,
) -> Result<(&'a str, &'a PartitionImage), ResponseError> {
    let topic = image
        .topic_by_id(change.topic_id)
        .ok_or(ResponseError::UnknownTopicId)?;
    let partition = image
        .partition(&topic.name, change.index)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    Ok((&topic.name, partition))
}

/// The record of a change that may be made; none where it changes nothing.
fn check(
    image: &MetadataImage,
    config: &NodeConfig,
    broker_id: i32,
    change: &IsrChange,
) -> Result<Option<PartitionChangeRecord>, ResponseError> {
    let (topic, partition) = partition_of(image, change)?;
    // A leader that knows more than we do talks to the wrong controller.
    if change.leader_epoch > partition.leader_epoch || change.partition_epoch > partition.partition_epoch {
        return Err(ResponseError::NotController);
    }
    if change.leader_epoch < partition.leader_epoch {
        return Err(ResponseError::FencedLeaderEpoch);
    }
    if partition.leader != broker_id {
        return Err(ResponseError::InvalidRequest);
    }
    if change.partition_epoch < partition.partition_epoch {
        return Err(ResponseError::InvalidUpdateVersion);
    }
    let isr: Vec<i32> = change.isr.iter().map(|(id, _)| *id).collect();
    let known = isr.iter().all(|id| partition.replicas.contains(id));
    if !known || !isr.contains(&broker_id) {
        return Err(ResponseError::InvalidRequest);
    }
    let registered = |(id, epoch): &(i32, i64)| {
        let broker = image.brokers.get(id);
        broker.is_some_and(|broker| *epoch == -1 || *epoch == broker.epoch)
    };
    let eligible = |member: &(i32, i64)| can_lead(image, member.0) && registered(member);
    if !change.isr.iter().all(eligible) {
        return Err(ResponseError::IneligibleReplica);
    }
    let least = least_in_sync(image, &topic_log_config(image, config, topic));
    let changed = Change::new(partition, least, isr, None);
    Ok(changed.record(change.topic_id, change.index))
}

#[cfg(test)]
mod tests {
    use super::super::eligible::FEATURE;
    use super::super::table::Cluster;
    use super::*;

    /// `t-0` of brokers 1, 2 and 3, led by 1 in epoch 5, partition epoch 7, all in sync.
    fn cluster() -> Cluster {
        let cluster = Cluster::of(&[1, 2, 3, 4]).topic("t", &[&[1, 2, 3]]);
        cluster.with("t", 0, |partition| {
            partition.leader_epoch = 5;
            partition.partition_epoch = 7;
        })
    }

    fn wish(cluster: &Cluster, epochs: (i32, i32), isr: &[(i32, i64)]) -> IsrChange {
        IsrChange {
            topic_id: cluster.id("t"),
            index: 0,
            leader_epoch: epochs.0,
            partition_epoch: epochs.1,
            isr: isr.to_vec(),
        }
    }

    #[test]
    fn the_leader_is_told_the_partition_as_it_is_then() {
        let mut cluster = cluster();
        let wish = wish(&cluster, (5, 7), &[(1, 1), (3, -1)]);
        let step = alter(&cluster.view(), 1, 1, &[wish]).unwrap();
        let told = step.answer.into_iter().next().unwrap().unwrap();
        cluster.replay(step.records);
        assert_eq!(&told, cluster.partition("t", 0));
        assert_eq!(
            (told.isr.as_slice(), told.partition_epoch),
            ([1, 3].as_slice(), 8)
        );
        assert_eq!(
            (told.leader, told.leader_epoch),
            (1, 5),
            "the leader goes on in its epoch"
        );
    }

    #[test]
    fn who_leaves_below_the_minimum_is_eligible_until_it_or_another_one_is_back() {
        let mut cluster = cluster().feature(FEATURE, 1).config("min.insync.replicas", "2");
        /// In-sync replicas that the leader wishes for, and who is eligible then.
        type Row<'a> = (&'a [(i32, i64)], &'a [i32]);
        let table: [Row<'_>; 4] = [
            (&[(1, 1), (3, 3)], &[]),
            (&[(1, 1)], &[3]),
            (&[(1, 1)], &[3]),
            (&[(1, 1), (2, 2)], &[]),
        ];
        for (isr, eligible) in table {
            let now = cluster.partition("t", 0).partition_epoch;
            let wish = wish(&cluster, (5, now), isr);
            let step = alter(&cluster.view(), 1, 1, &[wish]).unwrap();
            let told = step.answer.into_iter().next().unwrap().unwrap();
            cluster.replay(step.records);
            assert_eq!(&told, cluster.partition("t", 0));
            assert_eq!((told.eligible.as_slice(), told.leader_epoch), (eligible, 5));
        }
    }

    #[test]
    fn a_wish_that_does_not_fit_is_refused() {
        type Row<'a> = ((i32, i32), &'a [(i32, i64)], ResponseError);
        let table: [Row<'_>; 9] = [
            ((6, 7), &[(1, 1)], ResponseError::NotController),
            ((5, 8), &[(1, 1)], ResponseError::NotController),
            ((4, 7), &[(1, 1)], ResponseError::FencedLeaderEpoch),
            ((5, 6), &[(1, 1)], ResponseError::InvalidUpdateVersion),
            ((5, 7), &[(2, 2)], ResponseError::InvalidRequest),
            ((5, 7), &[], ResponseError::InvalidRequest),
            ((5, 7), &[(1, 1), (4, 4)], ResponseError::InvalidRequest),
            ((5, 7), &[(1, 1), (2, 9)], ResponseError::IneligibleReplica),
            ((5, 7), &[(1, 1), (3, 3)], ResponseError::IneligibleReplica),
        ];
        let cluster = cluster().fenced(3);
        for (epochs, isr, refusal) in table {
            let step = alter(&cluster.view(), 1, 1, &[wish(&cluster, epochs, isr)]).unwrap();
            assert_eq!(
                (step.records.len(), step.answer),
                (0, vec![Err(refusal)]),
                "{epochs:?} {isr:?}"
            );
        }
    }

    #[test]
    fn who_does_not_lead_or_is_another_than_it_was_changes_nothing() {
        let cluster = cluster();
        let wish = || vec![wish(&cluster, (5, 7), &[(1, 1)])];
        let step = alter(&cluster.view(), 2, 2, &wish()).unwrap();
        assert_eq!(step.answer, [Err(ResponseError::InvalidRequest)]);
        for (id, epoch) in [(1, 9), (9, 9)] {
            let refused = alter(&cluster.view(), id, epoch, &wish()).unwrap_err();
            assert_eq!(refused.response_error(), ResponseError::StaleBrokerEpoch);
        }
    }

    #[test]
    fn partitions_that_are_not_there_are_told_apart() {
        let cluster = cluster();
        let mut wishes = vec![wish(&cluster, (5, 7), &[(1, 1)]); 2];
        wishes[0].topic_id = Uuid::from_u128(9);
        wishes[1].index = 7;
        let step = alter(&cluster.view(), 1, 1, &wishes).unwrap();
        let refusals = [
            ResponseError::UnknownTopicId,
            ResponseError::UnknownTopicOrPartition,
        ];
        assert_eq!(step.answer, refusals.map(Err));
    }

    #[test]
    fn of_two_wishes_for_one_partition_the_second_comes_too_late() {
        let cluster = cluster();
        let wishes = [
            wish(&cluster, (5, 7), &[(1, 1), (2, 2)]),
            wish(&cluster, (5, 7), &[(1, 1)]),
        ];
        let step = alter(&cluster.view(), 1, 1, &wishes).unwrap();
        assert_eq!(step.records.len(), 1);
        assert_eq!(step.answer[1], Err(ResponseError::InvalidUpdateVersion));
    }
}
