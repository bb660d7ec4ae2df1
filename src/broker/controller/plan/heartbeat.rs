//! What a heartbeat is answered, and what it changes (KIP-631).

use super::fencing::{fenced, stopped, unfenced};
use super::{Step, View, check_broker_epoch};
use kafka_protocol::ResponseError;

/// What a heartbeat says.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    /// Who.
    pub broker_id: i32,
    /// Epoch of its registration.
    pub broker_epoch: i64,
    /// Up to where it has applied the metadata log.
    pub metadata_offset: i64,
    /// It wants to be fenced, or to stay so.
    pub want_fence: bool,
    /// It wants to stop.
    pub want_shut_down: bool,
    /// The connection it came on.
    pub connection: u64,
}

/// What a heartbeat is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerState {
    /// It has read the metadata log up to its own registration.
    pub caught_up: bool,
    /// It is fenced.
    pub fenced: bool,
    /// It leads nothing more and may stop.
    pub should_shut_down: bool,
}

/// Unfences who has caught up, fences who wants it, lets go who wants to stop.
///
/// # Errors
/// `STALE_BROKER_EPOCH` when the broker must register again.
pub fn heartbeat(view: &View<'_>, heartbeat: &Heartbeat) -> Result<Step<BrokerState>, ResponseError> {
    check_broker_epoch(view.image, heartbeat.broker_id, heartbeat.broker_epoch)?;
    let brokers = &view.image.brokers;
    let broker = brokers
        .get(&heartbeat.broker_id)
        .ok_or(ResponseError::StaleBrokerEpoch)?;
    let caught_up = heartbeat.metadata_offset >= broker.epoch;
    if heartbeat.want_shut_down {
        let goes = !broker.in_controlled_shutdown;
        return Ok(Step {
            records: if goes { stopped(view, broker) } else { Vec::new() },
            answer: BrokerState {
                caught_up,
                fenced: true,
                should_shut_down: true,
            },
        });
    }
    let fence = match (broker.fenced, heartbeat.want_fence) {
        (true, false) => !caught_up,
        (_, wanted) => wanted,
    };
    let records = match (broker.fenced, fence) {
        (true, false) => unfenced(view, broker),
        (false, true) => fenced(view, broker),
        _ => Vec::new(),
    };
    let answer = BrokerState {
        caught_up,
        fenced: fence,
        should_shut_down: false,
    };
    Ok(Step { records, answer })
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;

    fn of_broker_1() -> Heartbeat {
        Heartbeat {
            broker_id: 1,
            broker_epoch: 1,
            metadata_offset: 1,
            want_fence: false,
            want_shut_down: false,
            connection: 0,
        }
    }

    fn told(cluster: &mut Cluster, beat: &Heartbeat) -> BrokerState {
        let step = heartbeat(&cluster.view(), beat).unwrap();
        let before = cluster.image().brokers[&1].fenced;
        let changed = before != step.answer.fenced && !step.answer.should_shut_down;
        assert_eq!(!step.records.is_empty(), changed || beat.want_shut_down);
        cluster.replay(step.records);
        step.answer
    }

    #[test]
    fn a_broker_is_let_in_once_it_has_caught_up_and_wants_it() {
        // Fenced, offset of its metadata, wants to be fenced; caught up, fenced then.
        let table = [
            (true, 0, false, false, true),
            (true, 1, false, true, false),
            (true, 1, true, true, true),
            (false, 1, false, true, false),
            (false, 0, false, false, false),
            (false, 1, true, true, true),
        ];
        for (is_fenced, metadata_offset, want_fence, caught_up, fenced) in table {
            let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1]]);
            if is_fenced {
                cluster = cluster.fenced(1).with("t", 0, |partition| partition.leader = -1);
            }
            let beat = Heartbeat {
                metadata_offset,
                want_fence,
                ..of_broker_1()
            };
            let state = BrokerState {
                caught_up,
                fenced,
                should_shut_down: false,
            };
            assert_eq!(told(&mut cluster, &beat), state, "{beat:?}");
            assert_eq!(cluster.image().brokers[&1].fenced, fenced);
            assert_eq!(cluster.partition("t", 0).leader, if fenced { -1 } else { 1 });
        }
    }

    #[test]
    fn who_wants_to_stop_hands_over_and_may() {
        let mut cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2]]);
        let beat = Heartbeat {
            want_shut_down: true,
            ..of_broker_1()
        };
        let state = BrokerState {
            caught_up: true,
            fenced: true,
            should_shut_down: true,
        };
        assert_eq!(told(&mut cluster, &beat), state);
        let broker = &cluster.image().brokers[&1];
        assert!(broker.fenced && broker.in_controlled_shutdown);
        assert_eq!(cluster.partition("t", 0).leader, 2);
        let again = heartbeat(&cluster.view(), &beat).unwrap();
        assert_eq!((again.records.len(), again.answer), (0, state));
    }

    #[test]
    fn who_is_not_registered_so_must_register_again() {
        let cluster = Cluster::of(&[1]);
        for (broker_id, broker_epoch) in [(1, 2), (9, 1)] {
            let beat = Heartbeat {
                broker_id,
                broker_epoch,
                ..of_broker_1()
            };
            let refused = heartbeat(&cluster.view(), &beat).unwrap_err();
            assert_eq!(refused, ResponseError::StaleBrokerEpoch);
        }
    }
}
