//! Blocks of producer ids (KIP-730).

use super::{Step, View, check_broker_epoch};
use crate::broker::metadata::MetadataRecord;
use crate::broker::records::metadata::ProducerIdsRecord;
use kafka_protocol::ResponseError;

/// Producer ids in a block.
const BLOCK: i32 = 1000;

/// A block of producer ids for a broker: first id and count.
///
/// # Errors
/// `STALE_BROKER_EPOCH` when the broker is not registered with that epoch; `UNKNOWN_SERVER_ERROR` when all are given.
pub fn allocate(
    view: &View<'_>,
    broker_id: i32,
    broker_epoch: i64,
) -> Result<Step<(i64, i32)>, ResponseError> {
    check_broker_epoch(view.image, broker_id, broker_epoch)?;
    let first = view.image.next_producer_id;
    let next_producer_id = first
        .checked_add(i64::from(BLOCK))
        .ok_or(ResponseError::UnknownServerError)?;
    Ok(Step {
        records: vec![MetadataRecord::ProducerIds(ProducerIdsRecord {
            broker_id,
            broker_epoch,
            next_producer_id,
        })],
        answer: (first, BLOCK),
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;

    #[test]
    fn no_id_is_given_twice() {
        let mut cluster = Cluster::of(&[1, 2]);
        for (broker, block) in [(1, (0, BLOCK)), (2, (1_000, BLOCK)), (1, (2_000, BLOCK))] {
            let step = allocate(&cluster.view(), broker, i64::from(broker)).unwrap();
            assert_eq!(step.answer, block);
            cluster.replay(step.records);
        }
        assert_eq!(cluster.image().next_producer_id, 3_000);
    }

    #[test]
    fn who_is_not_registered_so_gets_none() {
        let cluster = Cluster::of(&[1]);
        for (id, epoch) in [(1, 2), (9, 1)] {
            let refused = allocate(&cluster.view(), id, epoch).unwrap_err();
            assert_eq!(refused, ResponseError::StaleBrokerEpoch);
        }
    }

    #[test]
    fn ids_do_not_begin_anew_when_all_are_given() {
        let mut cluster = Cluster::of(&[1]);
        cluster.replay(vec![MetadataRecord::ProducerIds(ProducerIdsRecord {
            next_producer_id: i64::MAX - 1,
            ..ProducerIdsRecord::default()
        })]);
        let refused = allocate(&cluster.view(), 1, 1).unwrap_err();
        assert_eq!(refused, ResponseError::UnknownServerError);
    }
}
