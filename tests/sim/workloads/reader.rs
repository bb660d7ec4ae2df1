//! A reader: it reads each partition from its start on, gapless, and tells what it was given.

use super::PARTITIONS;
use crate::sim::client::{Client, topic};
use crate::sim::ledger::Place;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use std::collections::BTreeMap;
use velodrome::broker::batch::{Batches, Records, records_of};

/// How far a partition has been read, and the latest leader epoch in which that was asked and answered.
#[derive(Default)]
struct Position {
    next: i64,
    epoch: i32,
}

/// Reads a topic that loses nothing, until it is told to end.
pub async fn run(mut client: Client, of: &'static str) {
    let mut positions: BTreeMap<i32, Position> = BTreeMap::new();
    while client.goes_on() {
        client.rest(10, 120).await;
        let partition = client.dice.number(0..=PARTITIONS - 1);
        let position = positions.entry(partition).or_default();
        let Some(leads) = client.leads(of, partition).await else {
            continue;
        };
        let Some((code, records)) = fetch(&mut client, leads, of, partition, position.next).await else {
            client.forget_leader(of, partition);
            continue;
        };
        match ResponseError::try_from_code(code) {
            None => {
                position.epoch = position.epoch.max(leads.1);
                position.next = take(&client, of, partition, position.next, records);
            }
            Some(ResponseError::OffsetOutOfRange) => {
                // A leader that is cut off, and leads no more, may be behind what was read; its epoch tells.
                client.forget_leader(of, partition);
                if leads.1 >= position.epoch {
                    client.history.broken(format_args!(
                        "{} had read {of}-{partition} up to {} in epoch {}, which is out of range in epoch {}",
                        client.name, position.next, position.epoch, leads.1
                    ));
                }
            }
            Some(_) => client.forget_leader(of, partition),
        }
    }
}

async fn fetch(
    client: &mut Client,
    (leader, epoch): (i32, i32),
    of: &str,
    partition: i32,
    position: i64,
) -> Option<(i16, Bytes)> {
    let wanted = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(position)
        .with_current_leader_epoch(epoch)
        .with_last_fetched_epoch(-1)
        .with_partition_max_bytes(1 << 16);
    let wanted = FetchTopic::default()
        .with_topic(topic(of))
        .with_partitions(vec![wanted]);
    let request = FetchRequest::default()
        .with_max_wait_ms(100)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![wanted]);
    let mut answer = client.ask(leader, &request, 12).await?;
    if answer.error_code != 0 {
        return Some((answer.error_code, Bytes::new()));
    }
    let data = answer.responses.pop()?.partitions.pop()?;
    Some((data.error_code, data.records.unwrap_or_default()))
}

/// Tells what was read; returns where to go on.
fn take(client: &Client, of: &str, partition: i32, position: i64, records: Bytes) -> i64 {
    let place: Place = (of.to_owned(), partition);
    let mut next = position;
    for batch in Batches::new(records) {
        if batch.header.base_offset > next {
            let gap = format!("{} found nothing at {next} of {of}-{partition}", client.name);
            client.history.broken(gap);
        }
        let expanded = records_of(&batch).unwrap();
        for record in Records::new(&expanded) {
            let record = record.unwrap();
            let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
            client
                .ledger
                .read(&place, batch.header.offset_of(&record), &value);
        }
        next = batch.header.next_offset();
    }
    next
}
