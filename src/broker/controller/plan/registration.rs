//! Brokers that join the cluster (KIP-500, KIP-631).

use super::leadership::{crashed, leaving};
use super::{Step, View};
use crate::broker::metadata::MetadataRecord;
use crate::broker::records::metadata::RegisterBrokerRecord;
use kafka_protocol::ResponseError;

/// What a broker says of itself when it starts; the epoch is ours to give.
pub type Registration = RegisterBrokerRecord;

/// Registers a broker, fenced until it has caught up; answers its epoch, the offset of the record. A process that
/// registers again, for it may not have heard the answer, stays what it is. `in_use` tells that another process with the
/// same id was heard of lately and may be so again. `previous` is the epoch in which the broker was registered when it stopped
/// cleanly, `None` where its request has no room for that: any other than the one that is known is of a broker that ended
/// without a clean stop since, and may have lost what it had (KIP-966).
///
/// # Errors
/// `INCONSISTENT_CLUSTER_ID`, and `DUPLICATE_BROKER_REGISTRATION` while another process with that id is alive.
pub fn register(
    view: &View<'_>,
    cluster_id: &str,
    mut registration: Registration,
    previous: Option<i64>,
    in_use: bool,
) -> Result<Step<i64>, ResponseError> {
    if cluster_id != view.image.cluster_id {
        return Err(ResponseError::InconsistentClusterId);
    }
    let id = registration.broker_id;
    let earlier = view.image.brokers.get(&id);
    let same = earlier.filter(|earlier| earlier.incarnation_id == registration.incarnation_id);
    let mut records = Vec::new();
    if let Some(same) = same {
        registration.fenced = same.fenced;
        registration.in_controlled_shutdown = same.in_controlled_shutdown;
        registration.broker_epoch = same.epoch;
    } else {
        if in_use && earlier.is_some_and(|earlier| !earlier.fenced) {
            return Err(ResponseError::DuplicateBrokerRegistration);
        }
        let stopped =
            previous.is_none_or(|previous| earlier.is_some_and(|earlier| earlier.epoch == previous));
        records = match stopped {
            true => leaving(view, id),
            false => crashed(view, id),
        };
        registration.fenced = true;
        registration.in_controlled_shutdown = false;
        registration.broker_epoch = view.next_offset + i64::try_from(records.len()).unwrap_or(0);
    }
    let answer = registration.broker_epoch;
    records.push(MetadataRecord::RegisterBroker(registration));
    Ok(Step { records, answer })
}

#[cfg(test)]
mod tests {
    use super::super::eligible::FEATURE;
    use super::super::table::{Cluster, NEXT_OFFSET};
    use super::*;
    use uuid::Uuid;

    fn process(broker_id: i32, incarnation: u128) -> Registration {
        Registration {
            broker_id,
            incarnation_id: Uuid::from_u128(incarnation),
            log_dirs: vec![Uuid::from_u128(500)],
            ..Registration::default()
        }
    }

    #[test]
    fn a_broker_begins_fenced_with_the_offset_of_its_record_as_its_epoch() {
        let mut cluster = Cluster::of(&[]);
        let step = register(&cluster.view(), "here", process(1, 9), None, false).unwrap();
        assert_eq!(step.answer, NEXT_OFFSET);
        cluster.replay(step.records);
        let broker = &cluster.image().brokers[&1];
        assert_eq!((broker.epoch, broker.fenced), (NEXT_OFFSET, true));
        assert_eq!(broker.log_dirs, [Uuid::from_u128(500)]);
    }

    #[test]
    fn what_an_earlier_process_led_goes_to_others_first() {
        let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2], &[1, 2]]);
        let step = register(&cluster.view(), "here", process(1, 9), None, false).unwrap();
        assert_eq!(step.records.len(), 3);
        assert_eq!(step.answer, NEXT_OFFSET + 2);
        cluster.replay(step.records);
        let broker = &cluster.image().brokers[&1];
        assert_eq!((broker.epoch, broker.fenced), (NEXT_OFFSET + 2, true));
        assert_eq!(cluster.partition("t", 0).leader, 2);
        assert_eq!(cluster.partition("t", 1).isr, [2]);
    }

    #[test]
    fn who_names_another_epoch_than_is_known_is_no_longer_in_sync_nor_eligible() {
        // The epoch that is named, and whether that tells of a clean stop; broker 1 is registered in epoch 1.
        for (previous, clean) in [(Some(1), true), (None, true), (Some(-1), false), (Some(7), false)] {
            let mut cluster = Cluster::of(&[1]).feature(FEATURE, 1);
            cluster = cluster
                .topic("t", &[&[1]])
                .topic("u", &[&[1, 2]])
                .with("u", 0, |partition| {
                    partition.isr = Vec::new();
                    partition.leader = -1;
                    partition.eligible = vec![1];
                    partition.last_eligible = vec![1];
                });
            let step = register(&cluster.view(), "here", process(1, 9), previous, false).unwrap();
            cluster.replay(step.records);
            let partitions = ["t", "u"].map(|topic| cluster.partition(topic, 0).clone());
            for partition in partitions {
                let eligible: &[i32] = if clean { &[1] } else { &[] };
                assert_eq!(partition.eligible, eligible, "{previous:?}");
                assert_eq!((partition.isr.len(), partition.leader), (0, -1));
                assert_eq!(partition.last_eligible, [1]);
            }
            assert_eq!(cluster.image().brokers[&1].epoch, step.answer);
        }
    }

    #[test]
    fn who_was_forgotten_meanwhile_may_have_lost_what_it_had() {
        let mut cluster = Cluster::of(&[]).feature(FEATURE, 1).topic("t", &[&[1, 2]]);
        cluster = cluster.with("t", 0, |partition| {
            partition.isr = Vec::new();
            partition.eligible = vec![1, 2];
        });
        let step = register(&cluster.view(), "here", process(1, 9), Some(1), false).unwrap();
        cluster.replay(step.records);
        assert_eq!(cluster.partition("t", 0).eligible, [2]);
    }

    #[test]
    fn a_process_that_registers_again_stays_what_it_is() {
        let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2]]);
        let step = register(&cluster.view(), "here", process(1, 1), None, true).unwrap();
        assert_eq!((step.answer, step.records.len()), (1, 1));
        cluster.replay(step.records);
        let broker = &cluster.image().brokers[&1];
        assert_eq!((broker.epoch, broker.fenced), (1, false));
        assert_eq!(cluster.partition("t", 0).leader, 1);
    }

    #[test]
    fn an_id_in_use_is_not_given_to_another_process() {
        // Fenced, heard of lately; whether the other is let in.
        for (fenced, in_use, let_in) in [
            (false, true, false),
            (false, false, true),
            (true, true, true),
            (true, false, true),
        ] {
            let mut cluster = Cluster::of(&[1]);
            if fenced {
                cluster = cluster.fenced(1);
            }
            let step = register(&cluster.view(), "here", process(1, 9), None, in_use);
            let refused = step.err();
            let expected = (!let_in).then_some(ResponseError::DuplicateBrokerRegistration);
            assert_eq!(refused, expected, "fenced {fenced}, in use {in_use}");
        }
    }

    #[test]
    fn a_broker_of_another_cluster_is_told_so() {
        let cluster = Cluster::of(&[]);
        let refused = register(&cluster.view(), "elsewhere", process(1, 9), None, false).unwrap_err();
        assert_eq!(refused, ResponseError::InconsistentClusterId);
    }
}
