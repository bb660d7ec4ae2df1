//! Who leads a partition when brokers come and go.

use super::eligible::{self, Change};
use super::{View, can_lead};
use crate::broker::config::topic_log_config;
use crate::broker::log::LogConfig;
use crate::broker::metadata::{MetadataImage, MetadataRecord, PartitionImage, TopicImage};
use crate::broker::records::metadata::PartitionChangeRecord;

/// What happens to partitions when a broker goes.
pub(super) fn leaving(view: &View<'_>, broker_id: i32) -> Vec<MetadataRecord> {
    Electorate::on(view, Moved::Leaving(broker_id)).changes()
}

/// What happens to partitions when a broker turns out to have ended without a clean stop: what it had may be gone, so it is
/// neither in sync nor eligible any more (KIP-966). Where the cluster keeps no eligible leader replicas, the last one in sync
/// has to be taken for complete all the same.
pub(super) fn crashed(view: &View<'_>, broker_id: i32) -> Vec<MetadataRecord> {
    let moved = match eligible::are_kept(view.image) {
        true => Moved::Crashed(broker_id),
        false => Moved::Leaving(broker_id),
    };
    Electorate::on(view, moved).changes()
}

/// What happens to partitions when a broker comes.
pub(super) fn coming(view: &View<'_>, broker_id: i32) -> Vec<MetadataRecord> {
    Electorate::on(view, Moved::Coming(broker_id)).changes()
}

/// `min.insync.replicas` of a topic, where the cluster keeps eligible leader replicas.
pub(super) fn least_in_sync(image: &MetadataImage, config: &LogConfig) -> Option<i32> {
    eligible::are_kept(image).then_some(config.min_insync_replicas)
}

/// The broker about which something changes.
#[derive(Clone, Copy)]
enum Moved {
    /// It goes, and counts as fenced already.
    Leaving(i32),
    /// The same, and it may have lost records.
    Crashed(i32),
    /// It comes, and counts as unfenced already.
    Coming(i32),
}

/// What decides an election beside the partition itself.
struct Electorate<'a> {
    view: &'a View<'a>,
    moved: Moved,
}

impl<'a> Electorate<'a> {
    fn on(view: &'a View<'a>, moved: Moved) -> Self {
        Electorate { view, moved }
    }

    fn can_lead(&self, broker: i32) -> bool {
        match self.moved {
            Moved::Leaving(id) | Moved::Crashed(id) if id == broker => false,
            Moved::Coming(id) if id == broker => true,
            _ => can_lead(self.view.image, broker),
        }
    }

    /// What must change of all partitions now.
    fn changes(&self) -> Vec<MetadataRecord> {
        let topics = self.view.image.topics.values();
        let changes = topics.flat_map(|topic| self.changes_of(topic));
        changes.map(MetadataRecord::PartitionChange).collect()
    }

    /// Whether it matters to a partition.
    fn concerns(&self, partition: &PartitionImage) -> bool {
        match self.moved {
            Moved::Leaving(id) => partition.isr.contains(&id),
            Moved::Crashed(id) => partition.isr.contains(&id) || partition.eligible.contains(&id),
            Moved::Coming(_) => partition.leader == -1,
        }
    }

    fn changes_of(&self, topic: &TopicImage) -> Vec<PartitionChangeRecord> {
        let partitions = (0..).zip(&topic.partitions);
        let mut concerned = partitions
            .filter(|(_, partition)| self.concerns(partition))
            .peekable();
        if concerned.peek().is_none() {
            return Vec::new();
        }
        let config = topic_log_config(self.view.image, self.view.config, &topic.name);
        concerned
            .filter_map(|(index, partition)| self.change_of(&config, partition).record(topic.id, index))
            .collect()
    }

    fn change_of<'p>(&self, config: &LogConfig, partition: &'p PartitionImage) -> Change<'p> {
        let least = least_in_sync(self.view.image, config);
        let mut isr = partition.isr.clone();
        if let Moved::Leaving(id) | Moved::Crashed(id) = self.moved {
            isr.retain(|replica| *replica != id);
        }
        if isr.is_empty() && least.is_none() {
            // The last one in sync stays so: it alone has all records.
            isr.clone_from(&partition.isr);
        }
        let crashed = match self.moved {
            Moved::Crashed(id) => Some(id),
            Moved::Leaving(_) | Moved::Coming(_) => None,
        };
        self.elect(config, partition, Change::new(partition, least, isr, crashed))
    }

    /// Leaves the lead where it is, or gives it to the first replica, in their order, that may have it.
    fn elect<'p>(&self, config: &LogConfig, partition: &PartitionImage, change: Change<'p>) -> Change<'p> {
        let may_lead = |replica: &i32| change.may_be_led_by(*replica) && self.can_lead(*replica);
        if may_lead(&partition.leader) {
            return change;
        }
        let replicas = || partition.replicas.iter().copied();
        if let Some(leader) = replicas().find(may_lead) {
            return change.led_by(leader);
        }
        if let Some(last) = change.last_leader().filter(|last| self.can_lead(*last)) {
            return change.led_at_a_loss_by(last);
        }
        let any = replicas().find(|replica| self.can_lead(*replica));
        match any.filter(|_| config.unclean_leader_election) {
            Some(unclean) => change.led_at_a_loss_by(unclean),
            None => change.led_by(-1),
        }
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

    /// In-sync and eligible replicas, who led last, and the leader of `t-0`.
    fn eligibles(cluster: &Cluster) -> (Vec<i32>, Vec<i32>, Vec<i32>, i32) {
        let partition = cluster.partition("t", 0).clone();
        (
            partition.isr,
            partition.eligible,
            partition.last_eligible,
            partition.leader,
        )
    }

    /// `t-0` on three brokers, of which two must be in sync, where eligible leader replicas are kept.
    fn of_three() -> Cluster {
        let cluster = Cluster::of(&[1, 2, 3]).feature(eligible::FEATURE, 1);
        let cluster = cluster.config("min.insync.replicas", "2");
        cluster.topic("t", &[&[1, 2, 3]])
    }

    #[test]
    fn the_last_in_sync_that_crashed_does_not_lead_and_who_stopped_cleanly_does() {
        let mut cluster = of_three();
        for (goes, then) in [
            (2, (vec![1, 3], vec![], vec![], 1)),
            (3, (vec![1], vec![3], vec![], 1)),
        ] {
            let records = leaving(&cluster.view(), goes);
            cluster.replay(records);
            cluster = cluster.fenced(goes);
            assert_eq!(eligibles(&cluster), then);
        }
        // The leader comes back after a loss of power that nobody had heard of.
        let records = crashed(&cluster.view(), 1);
        cluster.replay(records);
        cluster = cluster.fenced(1);
        assert_eq!(eligibles(&cluster), (vec![], vec![3], vec![1], -1));
        for waits in [1, 2] {
            assert_eq!(coming(&cluster.view(), waits), [], "{waits} may lack records");
        }
        let records = coming(&cluster.view(), 3);
        cluster.replay(records);
        assert_eq!(eligibles(&cluster), (vec![3], vec![], vec![], 3));
    }

    #[test]
    fn the_last_in_sync_that_goes_is_eligible_and_leads_again_when_it_comes() {
        let mut cluster = Cluster::of(&[1])
            .feature(eligible::FEATURE, 1)
            .topic("t", &[&[1]]);
        let records = leaving(&cluster.view(), 1);
        cluster.replay(records);
        cluster = cluster.fenced(1);
        assert_eq!(eligibles(&cluster), (vec![], vec![1], vec![1], -1));
        let records = coming(&cluster.view(), 1);
        cluster.replay(records);
        assert_eq!(eligibles(&cluster), (vec![1], vec![], vec![], 1));
    }

    #[test]
    fn where_all_that_were_eligible_crashed_who_led_last_leads_and_nobody_else() {
        let mut cluster = of_three().with("t", 0, |partition| {
            partition.isr = Vec::new();
            partition.leader = -1;
            partition.eligible = vec![2];
            partition.last_eligible = vec![2];
        });
        cluster = cluster.fenced(1).fenced(2);
        let records = crashed(&cluster.view(), 2);
        cluster.replay(records);
        assert_eq!(eligibles(&cluster), (vec![], vec![], vec![2], -1));
        assert_eq!(coming(&cluster.view(), 1), []);
        let records = coming(&cluster.view(), 2);
        cluster.replay(records);
        assert_eq!(eligibles(&cluster), (vec![2], vec![], vec![], 2));
    }

    #[test]
    fn without_the_feature_a_crash_is_a_leave() {
        let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2]]);
        for goes in [2, 1] {
            assert_eq!(crashed(&cluster.view(), goes), leaving(&cluster.view(), goes));
            let records = crashed(&cluster.view(), goes);
            cluster.replay(records);
            cluster = cluster.fenced(goes);
        }
        assert_eq!(eligibles(&cluster), (vec![1], vec![], vec![], -1));
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
