//! `abort`: ends a transaction in one partition, whoever its coordinator is.

use super::{PRODUCERS, connect, failed, leader_of, partition, producers_of};
use crate::kafka::{OpenTransaction, TopicPartition, Wire};
use crate::scripts::Ending;
use crate::scripts::argparse::Parsed;

const CALL: &str = "abortTransaction(api=METADATA)";

/// Writes the marker.
pub(super) fn run(given: &Parsed) -> Result<(), Ending> {
    let partition = partition(given);
    let start = given.number::<i64>("start-offset");
    let producer = given.number::<i64>("producer-id");
    let (mut wire, open) = match (start, producer) {
        (Some(start), _) => {
            let what = format!("Failed to validate producer state for partition {partition}");
            let mut wire = connect(given, &what, PRODUCERS)?;
            let open = begun_at(&mut wire, &partition, start, &what)?;
            (wire, open)
        }
        (None, Some(producer)) => {
            let open = told(given, producer)?;
            let wire = connect(given, &failure(&partition, open), CALL)?;
            (wire, open)
        }
        (None, None) => {
            return Err(Ending::failure(
                "The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) \
                 or with --producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)",
            ));
        }
    };
    let what = failure(&partition, open);
    let leader = leader_of(&mut wire, &partition).map_err(failed(&what, CALL))?;
    wire.abort_transaction(&partition, leader, open)
        .map_err(failed(&what, CALL))
}

fn failure(partition: &TopicPartition, open: OpenTransaction) -> String {
    format!(
        "Failed to abort transaction AbortTransactionSpec(topicPartition={partition}, producerId={}, \
         producerEpoch={}, coordinatorEpoch={})",
        open.producer_id, open.producer_epoch, open.coordinator_epoch
    )
}

/// The transaction that begins at an offset, as the partition's leader knows it.
fn begun_at(
    wire: &mut Wire,
    partition: &TopicPartition,
    start: i64,
    what: &str,
) -> Result<OpenTransaction, Ending> {
    let producers = producers_of(wire, partition, None).map_err(failed(what, PRODUCERS))?;
    let mut producers = producers.into_iter();
    let found = producers.find(|producer| producer.transaction_start == Some(start));
    let found = found.and_then(|producer| {
        Some(OpenTransaction {
            producer_id: producer.id,
            producer_epoch: i16::try_from(producer.epoch).ok()?,
            coordinator_epoch: producer.coordinator_epoch.unwrap_or(0),
        })
    });
    found.ok_or_else(|| {
        Ending::failure(format!(
            "Could not find any open transactions starting at offset {start} on partition {partition}"
        ))
    })
}

fn told(given: &Parsed, producer_id: i64) -> Result<OpenTransaction, Ending> {
    let missing = |name: &str| Ending::failure(format!("Missing required argument --{name}"));
    let epoch = given.number("producer-epoch");
    let coordinator_epoch: Option<i32> = given.number("coordinator-epoch");
    Ok(OpenTransaction {
        producer_id,
        producer_epoch: epoch.ok_or_else(|| missing("producer-epoch"))?,
        // A producer that never ended a transaction shows -1, which no leader's epoch is.
        coordinator_epoch: coordinator_epoch
            .ok_or_else(|| missing("coordinator-epoch"))?
            .max(0),
    })
}
