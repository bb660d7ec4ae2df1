//! Who leads a partition when brokers come and go.

use super::{View, can_lead};
use crate::broker::config::topic_log_config;
use crate::broker::metadata::image::NO_LEADER_CHANGE;
use crate::broker::metadata::{MetadataRecord, PartitionImage, TopicImage};
use crate::broker::records::metadata::PartitionChangeRecord;

/// What happens to partitions when a broker goes.
pub(super) fn leaving(view: &View<'_>, broker_id: i32) -> Vec<MetadataRecord> {
    changes(&Electorate {
        view,
        leaving: Some(broker_id),
        coming: None,
    })
}

/// What happens to partitions when a broker comes.
pub(super) fn coming(view: &View<'_>, broker_id: i32) -> Vec<MetadataRecord> {
    changes(&Electorate {
        view,
        leaving: None,
        coming: Some(broker_id),
    })
}

/// What must change of all partitions now.
fn changes(electorate: &Electorate<'_>) -> Vec<MetadataRecord> {
    let topics = electorate.view.image.topics.values();
    let changes = topics.flat_map(|topic| electorate.changes_of(topic));
    changes.map(MetadataRecord::PartitionChange).collect()
}

/// What decides an election beside the partition itself.
struct Electorate<'a> {
    view: &'a View<'a>,
    /// A broker that is just going: it counts as fenced already.
    leaving: Option<i32>,
    /// A broker that is just coming: it counts as unfenced already.
    coming: Option<i32>,
}

impl Electorate<'_> {
    fn can_lead(&self, broker: i32) -> bool {
        self.leaving != Some(broker) && (self.coming == Some(broker) || can_lead(self.view.image, broker))
    }

    /// Whether a topic may elect a replica that is not in sync.
    fn unclean(&self, topic: &str) -> bool {
        topic_log_config(self.view.image, self.view.config, topic).unclean_leader_election
    }

    /// The first replica, in their order, that is in `isr` and can lead.
    fn clean_leader(&self, partition: &PartitionImage, isr: &[i32]) -> Option<i32> {
        let mut replicas = partition.replicas.iter().copied();
        replicas.find(|replica| isr.contains(replica) && self.can_lead(*replica))
    }

    fn changes_of(&self, topic: &TopicImage) -> Vec<PartitionChangeRecord> {
        let partitions = (0..).zip(&topic.partitions);
        partitions
            .filter_map(|(index, partition)| self.change_of(topic, index, partition))
            .collect()
    }

    fn change_of(
        &self,
        topic: &TopicImage,
        index: i32,
        partition: &PartitionImage,
    ) -> Option<PartitionChangeRecord> {
        let mut isr: Vec<i32> = partition.isr.clone();
        isr.retain(|replica| Some(*replica) != self.leaving);
        if isr.is_empty() {
            // The last one in sync stays so: it alone has all records.
            isr.clone_from(&partition.isr);
        }
        let mut leader = partition.leader;
        if leader == -1 || !self.can_lead(leader) {
            leader = self.clean_leader(partition, &isr).unwrap_or(-1);
            if isr.is_empty()
                && let Some(eligible) = self.clean_leader(partition, &partition.eligible)
            {
                // With nobody in sync, one of those that have all that was committed leads (KIP-966).
                leader = eligible;
                isr = vec![eligible];
            }
            if leader == -1 && self.unclean(&topic.name) {
                let mut replicas = partition.replicas.iter().copied();
                if let Some(unclean) = replicas.find(|replica| self.can_lead(*replica)) {
                    leader = unclean;
                    isr = vec![unclean];
                }
            }
        }
        let isr = (isr != partition.isr).then_some(isr);
        let leader = (leader != partition.leader).then_some(leader);
        let change = partition.change(topic.id, index, isr, leader);
        (change.isr.is_some() || change.leader != NO_LEADER_CHANGE).then_some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;
    use crate::broker::metadata::ConfigResource;

    /// Leader, in-sync replicas and leader epoch of `t-0`.
    fn state(cluster: &Cluster) -> (i32, Vec<i32>, i32) {
        let partition = cluster.partition("t", 0);
        (partition.leader, partition.isr.clone(), partition.leader_epoch)
    }

    #[test]
    fn who_goes_hands_over_to_the_next_in_sync_and_leaves_it() {
        // Replicas and those in sync, led by 1; who is fenced and who goes; then leader, in sync, and leader epoch.
        type Ids = &'static [i32];
        type Before = ((Ids, Ids), (Ids, i32));
        let table: [(Before, (i32, Ids, i32)); 6] = [
            (((&[1, 2, 3], &[1, 2, 3]), (&[], 1)), (2, &[2, 3], 1)),
            (((&[1, 2, 3], &[1, 2, 3]), (&[2], 1)), (3, &[2, 3], 1)),
            (((&[1, 2, 3], &[1, 3]), (&[], 1)), (3, &[3], 1)),
            (((&[1, 2], &[1, 2]), (&[], 2)), (1, &[1], 0)),
            // The last one in sync stays so, and nobody leads.
            (((&[1, 2], &[1]), (&[], 1)), (-1, &[1], 1)),
            // Who has no replica changes nothing.
            (((&[1, 2], &[1, 2]), (&[], 3)), (1, &[1, 2], 0)),
        ];
        for (((replicas, isr), (fenced, goes)), (new_leader, new_isr, epoch)) in table {
            let mut cluster = Cluster::of(&[1, 2, 3])
                .topic("t", &[replicas])
                .with("t", 0, |partition| partition.isr = isr.to_vec());
            for id in fenced {
                cluster = cluster.fenced(*id);
            }
            let records = leaving(&cluster.view(), goes);
            cluster.replay(records);
            assert_eq!(
                state(&cluster),
                (new_leader, new_isr.to_vec(), epoch),
                "{replicas:?} {isr:?}"
            );
        }
    }

    #[test]
    fn with_nobody_in_sync_an_eligible_replica_leads_and_no_other() {
        let mut cluster = Cluster::of(&[1, 2]).fenced(1).fenced(2).topic("t", &[&[1, 2]]);
        cluster = cluster.with("t", 0, |partition| {
            partition.isr = Vec::new();
            partition.leader = -1;
            partition.eligible = vec![2];
            partition.last_eligible = vec![2];
        });
        assert_eq!(coming(&cluster.view(), 1), []);
        let records = coming(&cluster.view(), 2);
        cluster.replay(records);
        assert_eq!(state(&cluster), (2, vec![2], 1));
        let partition = cluster.partition("t", 0);
        assert_eq!((partition.eligible.len(), partition.last_eligible.len()), (0, 0));
    }

    #[test]
    fn the_last_in_sync_leads_again_when_it_comes() {
        let mut cluster = Cluster::of(&[1, 2]).fenced(1).fenced(2).topic("t", &[&[1, 2]]);
        cluster = cluster.with("t", 0, |partition| {
            partition.isr = vec![1];
            partition.leader = -1;
        });
        assert_eq!(coming(&cluster.view(), 2), []);
        let records = coming(&cluster.view(), 1);
        let [MetadataRecord::PartitionChange(change)] = records.as_slice() else {
            panic!("{records:?}")
        };
        assert_eq!((change.leader, &change.isr), (1, &None));
        assert_eq!(change.eligible_leader_replicas, None, "an old record holds it");
    }

    #[test]
    fn a_replica_out_of_sync_leads_only_where_the_topic_allows_it() {
        let mut cluster = Cluster::of(&[1, 2])
            .fenced(2)
            .topic("t", &[&[1, 2]])
            .topic("u", &[&[1, 2]]);
        for topic in ["t", "u"] {
            cluster = cluster.with(topic, 0, |partition| partition.isr = vec![1]);
        }
        let setting = crate::broker::records::metadata::ConfigRecord {
            resource_type: ConfigResource::Topic("u".to_owned()).kind_and_name().0,
            resource_name: "u".to_owned(),
            name: "unclean.leader.election.enable".to_owned(),
            value: Some("true".to_owned()),
        };
        cluster.replay(vec![MetadataRecord::Config(setting)]);
        let gone = leaving(&cluster.view(), 1);
        cluster.replay(gone);
        let mut cluster = cluster.fenced(1);
        let come = coming(&cluster.view(), 2);
        cluster.replay(come);
        assert_eq!(state(&cluster), (-1, vec![1], 1));
        let unclean = cluster.partition("u", 0);
        assert_eq!((unclean.leader, unclean.isr.as_slice()), (2, [2].as_slice()));
    }
}
