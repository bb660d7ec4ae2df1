//! A reader: it reads each partition from its start on, gapless, and tells what it was given.

use super::{DEALS, PARTITIONS};
use crate::sim::client::{Client, topic};
use crate::sim::ledger::Place;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use std::collections::{BTreeMap, BTreeSet};
use velodrome::broker::batch::{Batches, Records, records_of};

/// How far a partition has been read, and the latest leader epoch in which that was asked and answered.
#[derive(Default)]
struct Position {
    next: i64,
    epoch: i32,
}

/// What one fetch of a partition brought.
#[derive(Default)]
struct Fetched {
    code: i16,
    records: Bytes,
    aborted: Vec<Aborted>,
}

/// An aborted transaction: its producer, and where it began.
pub type Aborted = (i64, i64);

/// Reads a topic that loses nothing, until it is told to end; of one with transactions what is committed.
pub async fn run(mut client: Client, of: &'static str) {
    let mut positions: BTreeMap<i32, Position> = BTreeMap::new();
    while client.goes_on() {
        client.rest(10, 120).await;
        let partition = client.dice.number(0..=PARTITIONS - 1);
        let position = positions.entry(partition).or_default();
        let Some(leads) = client.leads(of, partition).await else {
            continue;
        };
        let Some(fetched) = fetch(&mut client, leads, of, partition, position.next).await else {
            client.forget_leader(of, partition);
            continue;
        };
        match ResponseError::try_from_code(fetched.code) {
            None => {
                position.epoch = position.epoch.max(leads.1);
                position.next = take(&client, of, partition, position.next, fetched);
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
) -> Option<Fetched> {
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
        .with_isolation_level(i8::from(of == DEALS))
        .with_topics(vec![wanted]);
    let mut answer = client.ask(leader, &request, 12).await?;
    if answer.error_code != 0 {
        let code = answer.error_code;
        return Some(Fetched {
            code,
            ..Fetched::default()
        });
    }
    let data = answer.responses.pop()?.partitions.pop()?;
    let aborted = data.aborted_transactions.into_iter().flatten();
    Some(Fetched {
        code: data.error_code,
        records: data.records.unwrap_or_default(),
        aborted: aborted
            .map(|aborted| (aborted.producer_id.0, aborted.first_offset))
            .collect(),
    })
}

/// Tells what was read; returns where to go on.
fn take(client: &Client, of: &str, partition: i32, position: i64, fetched: Fetched) -> i64 {
    let place: Place = (of.to_owned(), partition);
    let mut next = position;
    for batch in Batches::new(fetched.records.clone()) {
        if batch.header.base_offset > next {
            let gap = format!("{} found nothing at {next} of {of}-{partition}", client.name);
            client.history.broken(gap);
        }
        next = batch.header.next_offset();
    }
    for (offset, value) in visible(fetched.records, fetched.aborted) {
        client.ledger.read(&place, offset, &value);
        if of == DEALS {
            client.deals.read(&value);
        }
    }
    next
}

/// The records with their offsets, but for those of aborted transactions, as every client leaves them out.
pub fn visible(records: Bytes, mut aborted: Vec<Aborted>) -> Vec<(i64, String)> {
    aborted.sort_by_key(|(_, first)| std::cmp::Reverse(*first));
    let mut left_out = BTreeSet::new();
    let mut found = Vec::new();
    for batch in Batches::new(records) {
        let header = batch.header;
        while let Some((producer, _)) = aborted.pop_if(|(_, first)| *first <= header.last_offset()) {
            left_out.insert(producer);
        }
        if header.is_control() {
            left_out.remove(&header.producer_id);
            continue;
        }
        if header.is_transactional() && left_out.contains(&header.producer_id) {
            continue;
        }
        let expanded = records_of(&batch).unwrap();
        for record in Records::new(&expanded) {
            let record = record.unwrap();
            let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
            found.push((header.offset_of(&record), value));
        }
    }
    found
}
