//! Replicas that are not in sync, have all that was committed all the same, and so may lead (KIP-966).
//!
//! The high watermark stands still while fewer replicas are in sync than `min.insync.replicas` asks for. So whoever leaves
//! them then misses nothing that is committed, and stays *eligible* until enough are in sync again: unless its broker ends
//! without a clean stop, which may have cost it records.

use crate::broker::metadata::image::NO_LEADER_CHANGE;
use crate::broker::metadata::{MetadataImage, PartitionImage};
use crate::broker::records::metadata::PartitionChangeRecord;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The feature by which a cluster has them.
pub(super) const FEATURE: &str = "eligible.leader.replicas.version";

/// Whether the cluster has them.
pub(super) fn are_kept(image: &MetadataImage) -> bool {
    image.features.get(FEATURE).is_some_and(|level| *level > 0)
}

/// What a partition becomes.
pub(super) struct Change<'a> {
    partition: &'a PartitionImage,
    kept: bool,
    isr: Vec<i32>,
    eligible: Vec<i32>,
    leader: i32,
}

impl<'a> Change<'a> {
    /// The partition with other in-sync replicas, or the same again. `least` is the topic's `min.insync.replicas`, `None`
    /// where the cluster keeps no eligible leader replicas; `crashed` has ended without a clean stop.
    pub(super) fn new(
        partition: &'a PartitionImage,
        least: Option<i32>,
        isr: Vec<i32>,
        crashed: Option<i32>,
    ) -> Self {
        let least = least.map(|least| usize::try_from(least).unwrap_or(0));
        let eligible = match least.map(|least| least.min(partition.replicas.len())) {
            // What Apache Kafka left behind counts until somebody is in sync.
            None if isr.is_empty() => partition.eligible.clone(),
            Some(least) if isr.len() < least => {
                let left = partition.eligible.iter().chain(&partition.isr).copied();
                let left = left.filter(|replica| !isr.contains(replica) && Some(*replica) != crashed);
                left.collect::<BTreeSet<i32>>().into_iter().collect()
            }
            None | Some(_) => Vec::new(),
        };
        Change {
            partition,
            kept: least.is_some(),
            leader: partition.leader,
            isr,
            eligible,
        }
    }

    /// Whether a replica would lead without a loss.
    pub(super) fn may_be_led_by(&self, replica: i32) -> bool {
        self.isr.contains(&replica) || self.isr.is_empty() && self.eligible.contains(&replica)
    }

    /// Who led last, where nobody would lead without a loss.
    pub(super) fn last_leader(&self) -> Option<i32> {
        match self.partition.last_eligible.as_slice() {
            [last] if self.kept && self.isr.is_empty() && self.eligible.is_empty() => Some(*last),
            _ => None,
        }
    }

    /// Led by one who may, or by nobody (-1). An eligible one is in sync by that.
    pub(super) fn led_by(mut self, leader: i32) -> Self {
        if self.eligible.contains(&leader) {
            self.isr = vec![leader];
            self.eligible.retain(|replica| *replica != leader);
        }
        self.leader = leader;
        self
    }

    /// Led by one who may lack records, which are lost then.
    pub(super) fn led_at_a_loss_by(mut self, leader: i32) -> Self {
        self.isr = vec![leader];
        self.eligible.clear();
        self.leader = leader;
        self
    }

    /// The record that says what changes; none where nothing does.
    pub(super) fn record(self, topic_id: Uuid, index: i32) -> Option<PartitionChangeRecord> {
        let last_known_elr = self.last_known();
        let partition = self.partition;
        let other = |new: Vec<i32>, old: &[i32]| (new != old).then_some(new);
        let record = PartitionChangeRecord {
            partition_id: index,
            topic_id,
            leader: match self.leader {
                same if same == partition.leader => NO_LEADER_CHANGE,
                other => other,
            },
            isr: other(self.isr, &partition.isr),
            eligible_leader_replicas: other(self.eligible, &partition.eligible),
            last_known_elr,
            ..PartitionChangeRecord::default()
        };
        let nothing = PartitionChangeRecord {
            partition_id: index,
            topic_id,
            ..PartitionChangeRecord::default()
        };
        (record != nothing).then_some(record)
    }

    /// The new last known eligible replicas, if they are new. As Apache Kafka does unless it is told otherwise, they hold who led
    /// last from when nobody is in sync any more until somebody leads.
    fn last_known(&self) -> Option<Vec<i32>> {
        let PartitionImage {
            isr, last_eligible, ..
        } = self.partition;
        if self.kept && self.isr.is_empty() && !isr.is_empty() {
            // A partition without a leader still has its last replica in sync where the feature is younger than that.
            let last = match (self.partition.leader, isr.as_slice()) {
                (-1, [alone]) => *alone,
                (leader, _) => leader,
            };
            return (*last_eligible != [last]).then(|| vec![last]);
        }
        let leads = if self.kept {
            self.leader >= 0
        } else {
            !self.isr.is_empty()
        };
        (leads && !last_eligible.is_empty()).then(Vec::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In-sync, eligible and last known eligible replicas, and the leader.
    type State<'a> = (&'a [i32], &'a [i32], &'a [i32], i32);

    fn partition((isr, eligible, last, leader): State<'_>) -> PartitionImage {
        PartitionImage {
            replicas: vec![1, 2, 3],
            isr: isr.to_vec(),
            eligible: eligible.to_vec(),
            last_eligible: last.to_vec(),
            leader,
            ..PartitionImage::default()
        }
    }

    /// The state after a record.
    fn after(before: &PartitionImage, record: Option<PartitionChangeRecord>) -> PartitionImage {
        let record = record.unwrap_or_default();
        let mut after = before.clone();
        after.isr = record.isr.unwrap_or(after.isr);
        after.eligible = record.eligible_leader_replicas.unwrap_or(after.eligible);
        after.last_eligible = record.last_known_elr.unwrap_or(after.last_eligible);
        if record.leader != NO_LEADER_CHANGE {
            after.leader = record.leader;
        }
        after
    }

    #[test]
    fn who_leaves_below_the_minimum_stays_eligible_until_enough_are_in_sync() {
        // Before; `min.insync.replicas`, new in-sync replicas, who crashed; the eligible ones then.
        type Row<'a> = (State<'a>, (Option<i32>, &'a [i32], Option<i32>), &'a [i32]);
        let table: [Row<'_>; 12] = [
            ((&[1, 2, 3], &[], &[], 1), (Some(2), &[1, 2], None), &[]),
            ((&[1, 2], &[], &[], 1), (Some(2), &[1], None), &[2]),
            ((&[1, 2, 3], &[], &[], 1), (Some(2), &[1], None), &[2, 3]),
            ((&[1, 2, 3], &[], &[], 1), (Some(3), &[2, 3], None), &[1]),
            ((&[1], &[2], &[], 1), (Some(2), &[], None), &[1, 2]),
            ((&[1], &[2], &[], 1), (Some(2), &[1, 3], None), &[]),
            // With one that is enough nobody is eligible, but the last one in sync when it goes.
            ((&[1, 2], &[], &[], 1), (Some(1), &[1], None), &[]),
            ((&[1], &[], &[], 1), (Some(1), &[], None), &[1]),
            // More than there are cannot be asked for.
            ((&[1, 2, 3], &[], &[], 1), (Some(9), &[1, 2, 3], None), &[]),
            // Who crashed is not eligible, and is no longer if it was.
            ((&[1, 2], &[], &[], 1), (Some(2), &[1], Some(2)), &[]),
            ((&[1], &[2, 3], &[], 1), (Some(2), &[1], Some(2)), &[3]),
            // Without the feature nobody is.
            ((&[1, 2], &[3], &[], 1), (None, &[1], None), &[]),
        ];
        for (before, (least, isr, crashed), eligible) in table {
            let before = partition(before);
            let change = Change::new(&before, least, isr.to_vec(), crashed);
            let after = after(&before, change.record(Uuid::nil(), 0));
            assert_eq!(after.eligible, eligible, "{before:?} {isr:?}");
            assert_eq!(after.isr, isr);
        }
    }

    #[test]
    fn who_led_last_is_remembered_while_nobody_is_in_sync() {
        // Before; whether the feature is on, new in-sync replicas, new leader; who led last then.
        type Row<'a> = (State<'a>, (bool, &'a [i32], i32), &'a [i32]);
        let table: [Row<'_>; 7] = [
            ((&[1], &[], &[], 1), (true, &[], -1), &[1]),
            ((&[1], &[], &[], -1), (true, &[], -1), &[1]),
            ((&[1], &[2], &[3], 1), (true, &[], -1), &[1]),
            ((&[], &[], &[1], -1), (true, &[], -1), &[1]),
            ((&[], &[2], &[1], -1), (true, &[], 2), &[]),
            ((&[1], &[], &[2], 1), (true, &[1], 1), &[]),
            ((&[1], &[], &[2], 1), (false, &[1], 1), &[]),
        ];
        for (before, (kept, isr, leader), last) in table {
            let before = partition(before);
            let change = Change::new(&before, kept.then_some(2), isr.to_vec(), None).led_by(leader);
            let after = after(&before, change.record(Uuid::nil(), 0));
            assert_eq!(
                (after.last_eligible.as_slice(), after.leader),
                (last, leader),
                "{before:?}"
            );
        }
    }

    #[test]
    fn an_eligible_one_leads_only_where_nobody_is_in_sync_and_is_by_that() {
        let some = partition((&[1], &[2], &[], 1));
        let change = Change::new(&some, Some(2), vec![1], None);
        assert!(change.may_be_led_by(1) && !change.may_be_led_by(2));
        let none = partition((&[], &[1, 2], &[1], -1));
        let change = Change::new(&none, Some(2), Vec::new(), None);
        assert!(change.may_be_led_by(1) && change.may_be_led_by(2) && !change.may_be_led_by(3));
        let led = after(&none, change.led_by(2).record(Uuid::nil(), 0));
        assert_eq!(
            (led.isr.as_slice(), led.eligible.as_slice(), led.leader),
            ([2].as_slice(), [1].as_slice(), 2)
        );
    }

    #[test]
    fn who_led_last_may_lead_at_a_loss_where_nobody_is_eligible_any_more() {
        // In-sync, eligible, last known; who could.
        let table: [(State<'_>, Option<i32>); 4] = [
            ((&[], &[], &[2], -1), Some(2)),
            ((&[], &[3], &[2], -1), None),
            ((&[1], &[], &[2], 1), None),
            ((&[], &[], &[2, 3], -1), None),
        ];
        for (state, last) in table {
            let partition = partition(state);
            let change = |least| Change::new(&partition, least, partition.isr.clone(), None);
            assert_eq!(change(Some(2)).last_leader(), last, "{state:?}");
            assert_eq!(change(None).last_leader(), None, "without the feature");
        }
        let gone = partition((&[], &[], &[2], -1));
        let change = Change::new(&gone, Some(2), Vec::new(), None).led_at_a_loss_by(2);
        let led = after(&gone, change.record(Uuid::nil(), 0));
        assert_eq!(
            (led.isr.as_slice(), led.last_eligible.as_slice(), led.leader),
            ([2].as_slice(), [].as_slice(), 2)
        );
    }

    #[test]
    fn nothing_new_is_no_record() {
        let same = partition((&[1], &[2], &[], 1));
        assert_eq!(
            Change::new(&same, Some(2), vec![1], None).record(Uuid::nil(), 0),
            None
        );
    }
}
