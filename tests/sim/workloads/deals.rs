//! Producers of transactions: they write to several partitions, perhaps a group's offset as well, and commit, abort, or walk
//! away. Some share a transactional id: whoever comes later fences the one before.

use super::requests::{self, Producer};
use super::{DEALS, PARTITIONS};
use crate::sim::client::{Client, code_name};
use kafka_protocol::ResponseError;

/// The clients, and their transactional ids.
pub const DEALERS: [(&str, &str); 3] = [("t1", "one"), ("t2", "two"), ("t3", "two")];

/// Attempts at a request before it is given up.
const MOST_TRIES: u32 = 25;

/// How a part of a transaction went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Done,
    /// The producer has to begin anew.
    Over,
}

/// What an answer means.
enum Answer {
    Done,
    Again,
    Over,
}

/// Makes transactions until it is told to end; the last may stay open.
pub async fn run(mut client: Client, id: &'static str) {
    let mut number = 0;
    while client.goes_on() {
        let Some(mut producer) = initialise(&mut client, id).await else {
            return;
        };
        for _ in 0..client.dice.number(1..=8) {
            number += 1;
            let name = format!("{}-{number}", client.name);
            let made = deal(&mut client, &mut producer, &name, number).await;
            if made == Part::Over || !client.goes_on() {
                break;
            }
            client.rest(5, 100).await;
        }
        client.rest(50, 1_500).await;
    }
}

/// Ends what is open of a transactional id, by taking it; false when it cannot be had.
pub async fn conclude(client: &mut Client, id: &str) -> bool {
    for _ in 0..1_000 {
        if attempt_to_initialise(client, id, false).await.is_some() {
            return true;
        }
        client.rest(50, 100).await;
    }
    false
}

async fn initialise(client: &mut Client, id: &str) -> Option<Producer> {
    // Half of them speak the older protocol, in which clients say what they are going to write.
    let bumps = client.dice.number(0..=1) == 0;
    while client.goes_on() {
        if let Some(producer) = attempt_to_initialise(client, id, bumps).await {
            return Some(producer);
        }
        client.rest(20, 300).await;
    }
    None
}

async fn attempt_to_initialise(client: &mut Client, id: &str, bumps: bool) -> Option<Producer> {
    let coordinator = client.coordinator_of_transactions(id).await?;
    let (code, producer) = requests::initialise(client, coordinator, id, bumps).await?;
    if code != 0 {
        told(client, "be initialised", id, code);
        return None;
    }
    client.history.note(format_args!(
        "{} has {id}, in epoch {}",
        client.name, producer.epoch
    ));
    client.deals.initialised(id, producer.epoch);
    Some(producer)
}

/// One transaction.
async fn deal(client: &mut Client, producer: &mut Producer, name: &str, number: i32) -> Part {
    let mut wrote = false;
    for part in 0..client.dice.number(1..=4) {
        client.rest(0, 60).await;
        let partition = client.dice.number(0..=PARTITIONS - 1);
        let values: Vec<String> = (0..client.dice.number(1..=2))
            .map(|record| format!("{name}/{part}.{record}"))
            .collect();
        if write(client, producer, partition, &values).await == Part::Over {
            return Part::Over;
        }
        client.deals.wrote(name, partition, values);
        wrote = true;
    }
    if client.dice.number(0..=2) == 0 {
        let group = format!("{}-offsets", client.name);
        if write_offset(client, producer, &group, number.into()).await == Part::Over {
            return Part::Over;
        }
        client.deals.wrote_offset(name, &group, number.into());
    }
    if client.dice.number(0..=14) == 0 {
        client
            .history
            .note(format_args!("{} walks away from {name}", client.name));
        client.rest(0, 6_000).await;
        return Part::Over;
    }
    let commits = wrote && client.dice.number(0..=3) > 0;
    let ended = end(client, producer, name, commits).await;
    // In the older protocol the epoch stays: what went without an answer may come, and count for the next transaction.
    match producer.is_in_doubt() && !producer.bumps {
        true => Part::Over,
        false => ended,
    }
}

/// Writes records, with as many attempts as it takes.
async fn write(client: &mut Client, producer: &mut Producer, partition: i32, values: &[String]) -> Part {
    let id = producer.id.clone();
    if !producer.bumps && take_in(client, producer, partition).await == Part::Over {
        return Part::Over;
    }
    for attempt in 0..MOST_TRIES {
        let followed = attempt == 0 && client.deals.is_followed(&id, producer.epoch);
        let code = match client.leader(DEALS, partition).await {
            Some(leader) => {
                let code = requests::produce(client, leader, producer, partition, values).await;
                producer.heard(code);
                code
            }
            None => None,
        };
        match meaning(client, "write", &id, code) {
            Answer::Done => {
                must_not_be_followed(client, followed, "wrote", producer);
                *producer.sequences.entry(partition).or_default() += i32::try_from(values.len()).unwrap();
                return Part::Done;
            }
            Answer::Again => {
                client.forget_leader(DEALS, partition);
                client.rest(10, 150).await;
            }
            Answer::Over => return Part::Over,
        }
    }
    Part::Over
}

/// Tells the coordinator of a partition, as clients of the older protocol do.
async fn take_in(client: &mut Client, producer: &mut Producer, partition: i32) -> Part {
    let id = producer.id.clone();
    for _ in 0..MOST_TRIES {
        let code = match client.coordinator_of_transactions(&id).await {
            Some(coordinator) => {
                let code = requests::add_partition(client, coordinator, producer, partition).await;
                producer.heard(code);
                code
            }
            None => None,
        };
        match meaning(client, "take a partition in", &id, code) {
            Answer::Done => return Part::Done,
            Answer::Again => client.rest(10, 150).await,
            Answer::Over => return Part::Over,
        }
    }
    Part::Over
}

/// Commits a group's offset in the transaction.
async fn write_offset(client: &mut Client, producer: &mut Producer, group: &str, offset: i64) -> Part {
    let id = producer.id.clone();
    for attempt in 0..MOST_TRIES {
        let followed = attempt == 0 && client.deals.is_followed(&id, producer.epoch);
        if !producer.bumps {
            let code = match client.coordinator_of_transactions(&id).await {
                Some(coordinator) => {
                    let code = requests::add_offsets(client, coordinator, producer, group).await;
                    producer.heard(code);
                    code
                }
                None => None,
            };
            match meaning(client, "take a group in", &id, code) {
                Answer::Done => {}
                Answer::Again => {
                    client.rest(10, 150).await;
                    continue;
                }
                Answer::Over => return Part::Over,
            }
        }
        let code = match client.coordinator(group).await {
            Some(coordinator) => {
                let code = requests::commit_offset(client, coordinator, producer, group, offset).await;
                producer.heard(code);
                code
            }
            None => None,
        };
        match meaning(client, "commit an offset", &id, code) {
            Answer::Done => {
                must_not_be_followed(client, followed, "committed an offset", producer);
                return Part::Done;
            }
            Answer::Again => client.rest(10, 150).await,
            Answer::Over => return Part::Over,
        }
    }
    Part::Over
}

/// Commits or aborts.
async fn end(client: &mut Client, producer: &mut Producer, name: &str, commits: bool) -> Part {
    let id = producer.id.clone();
    if commits {
        client.deals.asked(name);
    }
    for attempt in 0..MOST_TRIES {
        let followed = attempt == 0 && client.deals.is_followed(&id, producer.epoch);
        let mut next = None;
        let code = match client.coordinator_of_transactions(&id).await {
            Some(coordinator) => {
                let answer = requests::end(client, coordinator, producer, commits).await;
                next = answer.as_ref().map(|(_, next)| next.clone());
                let code = answer.map(|(code, _)| code);
                producer.heard(code);
                code
            }
            None => None,
        };
        match meaning(client, "end a transaction", &id, code) {
            Answer::Done => {
                must_not_be_followed(client, followed, "ended a transaction", producer);
                let how = if commits { "committed" } else { "aborted" };
                client.history.note(format_args!("{name} is {how}"));
                if commits {
                    client.deals.committed(name);
                }
                if let Some(next) = next.filter(|_| producer.bumps) {
                    *producer = next;
                }
                return Part::Done;
            }
            Answer::Again => client.rest(10, 200).await,
            Answer::Over => return Part::Over,
        }
    }
    Part::Over
}

/// Who has been followed when it asks is refused. A repeated request may be told what had been done before.
fn must_not_be_followed(client: &Client, followed: bool, what: &str, producer: &Producer) {
    if followed {
        client.history.broken(format_args!(
            "{} {what} as {} in epoch {}, which somebody else had since",
            client.name, producer.id, producer.epoch
        ));
    }
}

fn meaning(client: &Client, what: &str, id: &str, code: Option<i16>) -> Answer {
    let Some(code) = code else {
        return Answer::Again;
    };
    match ResponseError::try_from_code(code) {
        None | Some(ResponseError::DuplicateSequenceNumber) => return Answer::Done,
        Some(
            ResponseError::NotLeaderOrFollower
            | ResponseError::UnknownTopicOrPartition
            | ResponseError::LeaderNotAvailable
            | ResponseError::NotEnoughReplicas
            | ResponseError::NotEnoughReplicasAfterAppend
            | ResponseError::RequestTimedOut
            | ResponseError::KafkaStorageError
            | ResponseError::NetworkException,
        ) => return Answer::Again,
        _ => {}
    }
    told(client, what, id, code)
}

/// Errors of the coordinator.
fn told(client: &Client, what: &str, id: &str, code: i16) -> Answer {
    let (name, error) = (&client.name, code_name(code));
    match ResponseError::try_from_code(code) {
        Some(
            ResponseError::ConcurrentTransactions
            | ResponseError::CoordinatorNotAvailable
            | ResponseError::CoordinatorLoadInProgress
            | ResponseError::NotCoordinator,
        ) => Answer::Again,
        Some(
            ResponseError::InvalidProducerEpoch
            | ResponseError::ProducerFenced
            | ResponseError::InvalidTxnState
            | ResponseError::TransactionAbortable
            | ResponseError::OutOfOrderSequenceNumber
            | ResponseError::UnknownProducerId
            | ResponseError::InvalidProducerIdMapping,
        ) => {
            client
                .history
                .note(format_args!("{name} cannot {what} of {id}: {error}"));
            Answer::Over
        }
        _ => {
            client
                .history
                .broken(format_args!("{name} cannot {what} of {id}: {error}"));
            Answer::Over
        }
    }
}
