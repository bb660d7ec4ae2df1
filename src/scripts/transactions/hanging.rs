//! `find-hanging`: transactions that are open in a partition, and that no coordinator is going to end.

use super::{NOT_FOUND, PRODUCERS, connect, failed, now_ms, partition, producers_of};
use crate::kafka::{PartitionProducer, TopicPartition, TransactionFilter, Wire};
use crate::scripts::Ending;
use crate::scripts::argparse::Parsed;
use crate::scripts::wire_tool::print_table;
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;

/// A transaction that is open in a partition.
struct Open {
    partition: TopicPartition,
    producer: PartitionProducer,
}

/// Looks for them.
pub(super) fn run(given: &Parsed) -> Result<(), Ending> {
    if !given.has("topic") && !given.has("broker-id") {
        return Err(Ending::failure(
            "The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search",
        ));
    }
    if given.has("partition") && !given.has("topic") {
        return Err(Ending::failure(
            "The --partition argument requires --topic to be provided",
        ));
    }
    let mut wire = connect(given, "Failed to list topics", "listTopics")?;
    let partitions = partitions(&mut wire, given)?;
    let candidates = candidates(&mut wire, given, &partitions)?;
    let hanging = hanging(&mut wire, candidates)?;
    let now = now_ms();
    let rows: Vec<_> = hanging.iter().map(|open| row(open, now)).collect();
    let headers = [
        "Topic",
        "Partition",
        "ProducerId",
        "ProducerEpoch",
        "CoordinatorEpoch",
        "StartOffset",
        "LastTimestamp",
        "Duration(min)",
    ];
    print_table(headers, &rows);
    Ok(())
}

fn row(open: &Open, now: i64) -> [String; 8] {
    let Open { partition, producer } = open;
    [
        partition.topic.clone(),
        partition.partition.to_string(),
        producer.id.to_string(),
        producer.epoch.to_string(),
        producer.coordinator_epoch.unwrap_or(-1).to_string(),
        producer.transaction_start.unwrap_or(-1).to_string(),
        producer.last_timestamp.to_string(),
        ((now - producer.last_timestamp) / MINUTE_MS).to_string(),
    ]
}

/// Where to look: one partition, those of a topic, or all of a broker.
fn partitions(wire: &mut Wire, given: &Parsed) -> Result<Vec<TopicPartition>, Ending> {
    if given.has("partition") {
        return Ok(vec![partition(given)]);
    }
    let topic = given.value("topic");
    let what = match topic {
        Some(_) => "Failed to describe 1 topics",
        None => "Failed to list topics",
    };
    let topics = topic.map(|topic| [topic]);
    let places = wire
        .partition_places(topics.as_ref().map(<[&str; 1]>::as_slice))
        .map_err(failed(what, "describeTopics"))?;
    let broker = given.number::<i32>("broker-id");
    Ok(places
        .into_iter()
        .filter(|place| broker.is_none_or(|broker| place.replicas.contains(&broker)))
        .map(|place| place.partition)
        .collect())
}

/// The transactions that have been open for longer than a transaction may be.
fn candidates(wire: &mut Wire, given: &Parsed, partitions: &[TopicPartition]) -> Result<Vec<Open>, Ending> {
    let broker = given.number::<i32>("broker-id");
    let whom = broker.map_or("Optional.empty".to_owned(), |id| format!("Optional[{id}]"));
    let what = format!(
        "Failed to describe producers for {} partitions on broker {whom}",
        partitions.len()
    );
    let timeout: i64 = given.number("max-transaction-timeout").unwrap_or(0);
    let now = now_ms();
    let mut candidates = Vec::new();
    for partition in partitions {
        let producers = producers_of(wire, partition, broker).map_err(failed(&what, PRODUCERS))?;
        let old = producers.into_iter().filter(|producer| {
            producer.transaction_start.is_some() && now - producer.last_timestamp > timeout * MINUTE_MS
        });
        candidates.extend(old.map(|producer| Open {
            partition: partition.clone(),
            producer,
        }));
    }
    Ok(candidates)
}

/// Those among them that no coordinator knows to be open there.
fn hanging(wire: &mut Wire, candidates: Vec<Open>) -> Result<Vec<Open>, Ending> {
    let mut producers: Vec<i64> = candidates.iter().map(|open| open.producer.id).collect();
    producers.sort_unstable();
    producers.dedup();
    if producers.is_empty() {
        return Ok(candidates);
    }
    let what = format!("Failed to list transactions for {} producers", producers.len());
    let filter = TransactionFilter {
        producers,
        ..TransactionFilter::default()
    };
    let listed = wire
        .list_transactions(&filter)
        .map_err(failed(&what, "listTransactions(api=METADATA)"))?;
    let mut awaited: BTreeMap<i64, Vec<TopicPartition>> = BTreeMap::new();
    let what = format!("Failed to describe {} transactions", listed.len());
    for listing in &listed {
        match wire.describe_transaction(&listing.transactional_id) {
            Ok(found) => awaited
                .entry(listing.producer_id)
                .or_default()
                .extend(found.partitions),
            Err(error) if error.protocol_code() == NOT_FOUND => {}
            Err(error) => return Err(failed(&what, "describeTransactions(api=FIND_COORDINATOR)")(error)),
        }
    }
    let is_awaited = |open: &Open| {
        let partitions = awaited.get(&open.producer.id);
        partitions.is_some_and(|partitions| partitions.contains(&open.partition))
    };
    Ok(candidates.into_iter().filter(|open| !is_awaited(open)).collect())
}
