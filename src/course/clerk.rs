//! A clerk who writes an invoice for each order of a topic, and notes in a group how far the orders are done: before the work, after
//! it, or with it in one transaction. The clerk can be made to die in the middle of a batch, as a program does that is killed.

use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::{Polled, Received, Start};
use crate::kafka::stream_producer::Assurance;
use crate::kafka::transactions::TransactionError;
use crate::kafka::{Connection, GroupConsumer, KafkaError, StreamProducer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many orders are noted together.
const BATCH: usize = 49;

/// How long to wait for an order, and how soon Ctrl-C is seen.
const GLANCE: Duration = Duration::from_millis(50);

/// How long the cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the transaction of a clerk who died stays open unless another takes its place: time to look at it.
const OPEN: Duration = Duration::from_secs(600);

/// When it is noted that a batch of orders is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Commit {
    /// Before the work: at most once
    Before,
    /// After the work: at least once
    After,
    /// With the work, in one transaction: exactly once
    Together,
}

/// What the clerk is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The topic of the orders.
    pub orders: String,
    /// The topic of the invoices, which exists: an invoice has its order's `PARTITION-OFFSET` as key and its text as value.
    pub invoices: String,
    /// The group in which is noted how far the orders are done.
    pub group: String,
    /// When.
    pub commit: Commit,
    /// The clerk dies when about to write the invoice of the order at this offset.
    pub die_at: Option<i64>,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Invoices that were written, and have arrived.
    pub written: u64,
    /// The offset of the order at which the clerk died.
    pub died_at: Option<i64>,
}

/// Works until all orders that there are have been dealt with, or until the clerk dies. Tells `begins` the offset of the first order of
/// each partition. Whoever died still has the place in the group, and an open transaction: the caller ends the process.
///
/// # Errors
/// When the cluster refuses or does not answer, and what `go_on` says.
pub fn work(
    connection: &Connection,
    plan: &Plan,
    begins: &dyn Fn(i64),
    go_on: &dyn Fn() -> Outcome,
) -> Outcome<(Shift, Desk)> {
    let mut desk = Desk::open(connection, plan)?;
    let mut hand = Vec::new();
    let mut unread = BTreeSet::new();
    loop {
        match desk.consumer.poll(GLANCE)? {
            Polled::Assigned(assigned) => {
                hand.clear();
                unread = assigned.iter().map(|given| given.partition).collect();
                assigned.iter().for_each(|given| begins(given.start));
            }
            Polled::Record(order) => hand.push(order),
            Polled::End(partition) => {
                unread.remove(&partition);
                let last = unread.is_empty();
                if last && !hand.is_empty() {
                    desk.batch(&std::mem::take(&mut hand), plan, go_on)?;
                }
                if last || desk.shift.died_at.is_some() {
                    return Ok((desk.shift, desk));
                }
            }
            Polled::Revoked | Polled::Replaced => return Err(taken_away(plan)),
            Polled::Nothing | Polled::Trouble(_) => go_on()?,
        }
        if hand.len() == BATCH {
            desk.batch(&std::mem::take(&mut hand), plan, go_on)?;
            if desk.shift.died_at.is_some() {
                return Ok((desk.shift, desk));
            }
        }
    }
}

fn taken_away(plan: &Plan) -> Failure {
    Failure::request(format!(
        "group `{}` has given the orders to somebody else",
        plan.group
    ))
    .because("another clerk works in it, or the topic is gone")
}

/// Where the clerk works.
pub struct Desk {
    consumer: GroupConsumer,
    producer: StreamProducer,
    shift: Shift,
}

impl Desk {
    fn open(connection: &Connection, plan: &Plan) -> Outcome<Self> {
        let who = who(&plan.group);
        let assurance = match plan.commit {
            Commit::Before | Commit::After => Assurance::Idempotent,
            Commit::Together => Assurance::Transactional {
                id: who.clone(),
                timeout: OPEN,
            },
        };
        let producer = StreamProducer::connect(connection, &assurance)?;
        if plan.commit == Commit::Together {
            // Ends what a clerk before has left open.
            let begun = producer.init_transactions(PATIENCE);
            begun.map_err(|failed| StreamProducer::cannot_begin(&who, failed))?;
        }
        let consumer =
            GroupConsumer::join_as(connection, &plan.group, &plan.orders, Start::Earliest, Some(&who))?;
        Ok(Desk {
            consumer,
            producer,
            shift: Shift {
                written: 0,
                died_at: None,
            },
        })
    }

    /// Goes home in order: the place in the group is free at once.
    ///
    /// # Errors
    /// When the group's coordinator does not answer.
    pub fn leave(self, connection: &Connection, group: &str) -> Outcome {
        drop(self.consumer);
        GroupConsumer::remove_instance(connection, group, &who(group))
    }

    /// Does a batch, and notes it when the plan says so.
    fn batch(&mut self, orders: &[Received], plan: &Plan, go_on: &dyn Fn() -> Outcome) -> Outcome {
        let done: BTreeMap<i32, i64> = orders
            .iter()
            .map(|order| (order.partition, order.offset + 1))
            .collect();
        match plan.commit {
            Commit::Before => {
                self.note(&done, plan)?;
                self.write(orders, plan, go_on)
            }
            Commit::After => {
                self.write(orders, plan, go_on)?;
                match self.shift.died_at {
                    None => self.note(&done, plan),
                    Some(_) => Ok(()),
                }
            }
            Commit::Together => {
                self.producer.begin_transaction().map_err(refused)?;
                self.write(orders, plan, go_on)?;
                if self.shift.died_at.is_some() {
                    return Ok(());
                }
                let noted = self.producer.send_offsets(&self.consumer, &done, PATIENCE);
                noted.map_err(refused)?;
                self.producer.commit_transaction(PATIENCE).map_err(refused)
            }
        }
    }

    fn note(&self, done: &BTreeMap<i32, i64>, plan: &Plan) -> Outcome {
        match self.consumer.commit(done)? {
            true => Ok(()),
            false => Err(taken_away(plan)),
        }
    }

    /// Writes the invoices up to the order of death, and waits until they have arrived.
    fn write(&mut self, orders: &[Received], plan: &Plan, go_on: &dyn Fn() -> Outcome) -> Outcome {
        for order in orders {
            if plan.die_at == Some(order.offset) {
                self.shift.died_at = plan.die_at;
                break;
            }
            let number = format!("{}-{}", order.partition, order.offset);
            let invoice = (number.as_bytes(), order.value.as_deref());
            let sent = self.producer.send(&plan.invoices, None, invoice, 0, go_on)?;
            sent.map_err(refused)?;
            self.shift.written += 1;
        }
        while !self.producer.flush(GLANCE)? {
            go_on()?;
        }
        Ok(())
    }
}

/// The clerk's name: as a member of the group, and as whose transactions these are.
fn who(group: &str) -> String {
    format!("{group}-clerk")
}

fn refused(failed: TransactionError) -> Failure {
    KafkaError::from(failed).into_failure("an invoice cannot be written")
}
