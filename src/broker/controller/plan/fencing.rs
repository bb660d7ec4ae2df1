//! Brokers that are let in, shut out, and forgotten (KIP-500, KIP-631).

use super::leadership::{coming, leaving};
use super::{ApiError, Step, View};
use crate::broker::metadata::{BrokerImage, MetadataRecord};
use crate::broker::records::metadata::{BrokerRegistrationChangeRecord, UnregisterBrokerRecord};
use kafka_protocol::ResponseError;

/// Shuts out a broker that is not heard of any more; one that is not there, or is fenced already, changes nothing.
pub fn fence(view: &View<'_>, broker_id: i32) -> Step<bool> {
    let serving = view.image.brokers.get(&broker_id).filter(|broker| !broker.fenced);
    Step {
        records: serving.map_or(Vec::new(), |broker| fenced(view, broker)),
        answer: serving.is_some(),
    }
}

/// Forgets a broker that will not come back; `BROKER_ID_NOT_REGISTERED` when it is not there.
pub fn unregister(view: &View<'_>, broker_id: i32) -> Step<Result<(), ApiError>> {
    let Some(broker) = view.image.brokers.get(&broker_id) else {
        let message = format!("Broker ID {broker_id} is not currently registered");
        return Step::only(Err(ApiError::new(ResponseError::BrokerIdNotRegistered, message)));
    };
    let mut records = leaving(view, broker_id);
    records.push(MetadataRecord::UnregisterBroker(UnregisterBrokerRecord {
        broker_id,
        broker_epoch: broker.epoch,
    }));
    Step {
        records,
        answer: Ok(()),
    }
}

/// Records that shut a broker out.
pub(super) fn fenced(view: &View<'_>, broker: &BrokerImage) -> Vec<MetadataRecord> {
    let mut records = leaving(view, broker.id);
    records.push(change(broker, Some(true), false));
    records
}

/// Records that let a broker in.
pub(super) fn unfenced(view: &View<'_>, broker: &BrokerImage) -> Vec<MetadataRecord> {
    let mut records = vec![change(broker, Some(false), false)];
    records.extend(coming(view, broker.id));
    records
}

/// Records that let a broker stop: what it leads goes to others first.
pub(super) fn stopped(view: &View<'_>, broker: &BrokerImage) -> Vec<MetadataRecord> {
    let mut records = leaving(view, broker.id);
    records.push(change(broker, (!broker.fenced).then_some(true), true));
    records
}

fn change(broker: &BrokerImage, fenced: Option<bool>, stopping: bool) -> MetadataRecord {
    MetadataRecord::BrokerRegistrationChange(BrokerRegistrationChangeRecord {
        broker_id: broker.id,
        broker_epoch: broker.epoch,
        fenced: match fenced {
            None => 0,
            Some(true) => 1,
            Some(false) => -1,
        },
        in_controlled_shutdown: stopping.into(),
        ..BrokerRegistrationChangeRecord::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;

    #[test]
    fn who_is_fenced_leads_nothing_more() {
        let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2]]);
        let step = fence(&cluster.view(), 1);
        assert!(step.answer);
        cluster.replay(step.records);
        assert!(cluster.image().brokers[&1].fenced);
        let partition = cluster.partition("t", 0);
        assert_eq!((partition.leader, partition.isr.as_slice()), (2, [2].as_slice()));
    }

    #[test]
    fn who_is_fenced_or_unknown_is_not_fenced_again() {
        let cluster = Cluster::of(&[1]).fenced(1);
        for id in [1, 9] {
            assert_eq!(fence(&cluster.view(), id), Step::only(false));
        }
    }

    #[test]
    fn who_is_unregistered_is_forgotten_and_leads_nothing_more() {
        let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2]]);
        let step = unregister(&cluster.view(), 1);
        assert_eq!(step.answer, Ok(()));
        cluster.replay(step.records);
        assert_eq!(cluster.image().brokers.keys().collect::<Vec<_>>(), [&2]);
        assert_eq!(cluster.partition("t", 0).leader, 2);
        let again = unregister(&cluster.view(), 1);
        assert_eq!(again.records, []);
        let refused = again.answer.unwrap_err();
        assert_eq!(refused.error, ResponseError::BrokerIdNotRegistered);
        assert_eq!(refused.message, "Broker ID 1 is not currently registered");
    }
}
