//! A producer for programs that make streams of streams: several topics, partitions by key or by number, at least once or
//! in transactions with the offsets of what was read.

use super::errors::{ErrorCode, KafkaError};
use super::ffi::{Handle, NewRecord, Topic};
use super::patience::never_twice;
use super::transactions::{Remedy, TransactionError};
use super::{Connection, GroupConsumer};
use crate::failure::{Failure, Outcome};
use rdkafka::ClientConfig;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// How long to wait for room when the producer's buffer is full, before the caller is asked whether to go on.
const ROOM: Duration = Duration::from_millis(20);

/// The most records that wait to be acknowledged.
const QUEUE: &str = "100000";

/// The largest record, in bytes: the broker's limit decides, not librdkafka's lower one.
const LARGEST: &str = "100000000";

/// What became of the records since the last look.
#[derive(Debug, Default)]
struct Delivered {
    /// The greatest offset by the number that the records were sent with.
    newest: BTreeMap<usize, i64>,
    /// How many were lost, and why the first was.
    lost: Option<(u64, KafkaError)>,
}

/// How a producer makes sure of what it writes.
#[derive(Debug, Clone)]
pub enum Assurance {
    /// Idempotent: each record once, kept for as long as the cluster is away.
    Idempotent,
    /// In transactions.
    Transactional {
        /// `transactional.id`: a later producer of the same ends what an earlier one left open.
        id: String,
        /// `transaction.timeout.ms`: how long a transaction may be open before the cluster aborts it.
        timeout: Duration,
    },
}

/// A producer that waits for all in-sync replicas.
pub struct StreamProducer {
    /// Destroyed before the client, which they belong to.
    topics: RefCell<BTreeMap<String, Rc<Topic>>>,
    handle: Handle,
    delivered: Rc<RefCell<Delivered>>,
}

impl StreamProducer {
    /// A producer on that cluster.
    ///
    /// # Errors
    /// When no broker answers, or a connection property is wrong.
    pub fn connect(connection: &Connection, assurance: &Assurance) -> Outcome<Self> {
        connection.reach()?;
        let mut config = connection.client_config();
        configure(&mut config, assurance);
        // Whatever time it names: the caller decides for how long to wait.
        let _ = never_twice(&mut config);
        let handle =
            Handle::producer(&config).map_err(|error| error.into_failure("cannot make a producer"))?;
        let delivered: Rc<RefCell<Delivered>> = Rc::default();
        let noted = Rc::clone(&delivered);
        handle.reports().to(move |delivery| {
            let mut delivered = noted.borrow_mut();
            match &delivery.error {
                None => {
                    let newest = delivered.newest.entry(delivery.tag()).or_insert(-1);
                    *newest = delivery.offset().max(*newest);
                }
                Some(error) => {
                    let lost = delivered.lost.get_or_insert_with(|| (0, error.clone()));
                    lost.0 += 1;
                }
            }
        });
        Ok(StreamProducer {
            topics: RefCell::default(),
            handle,
            delivered,
        })
    }

    /// Hands a record over; without a partition its key decides, as in Java's clients. `tag` says under which number
    /// [`StreamProducer::newest`] tells its offset. While the buffer is full, waits and asks `go_on`.
    ///
    /// # Errors
    /// That of `go_on`. The inner error says why the record cannot be written: it is too large, or the producer cannot go on,
    /// for which the transaction has its remedy.
    pub fn send(
        &self,
        topic: &str,
        partition: Option<i32>,
        (key, value): (&[u8], Option<&[u8]>),
        tag: usize,
        go_on: &dyn Fn() -> Outcome,
    ) -> Outcome<Result<(), TransactionError>> {
        let refused = |error: KafkaError| {
            let remedy = match error.code() {
                ErrorCode::Fatal | ErrorCode::Fenced => Remedy::NewProducer,
                ErrorCode::MessageSizeTooLarge | ErrorCode::InvalidTopic | ErrorCode::InvalidArgument => {
                    Remedy::None
                }
                _ => Remedy::Abort,
            };
            Err(TransactionError::new(error, remedy))
        };
        let native = match self.topic(topic) {
            Ok(native) => native,
            Err(error) => return Ok(refused(error)),
        };
        let record = NewRecord {
            key: Some(key),
            value,
            ..NewRecord::default()
        };
        loop {
            match self.handle.enqueue(&native, partition, &record, tag) {
                Err(error) if error.code() == ErrorCode::QueueFull => {
                    self.handle.poll(ROOM);
                    go_on()?;
                }
                answer => return Ok(answer.or_else(refused)),
            }
        }
    }

    fn topic(&self, name: &str) -> Result<Rc<Topic>, KafkaError> {
        if let Some(known) = self.topics.borrow().get(name) {
            return Ok(Rc::clone(known));
        }
        let made = Rc::new(self.handle.topic(name)?);
        self.topics.borrow_mut().insert(name.to_owned(), Rc::clone(&made));
        Ok(made)
    }

    /// Takes in the answers that have come.
    pub fn poll(&self) {
        self.handle.poll(Duration::ZERO);
    }

    /// Sends without lingering, and waits up to `wait`: whether every record is acknowledged.
    ///
    /// # Errors
    /// When records were lost since the last call: how many, and why the first was.
    pub fn flush(&self, wait: Duration) -> Outcome<bool> {
        let done = self.handle.flush(wait);
        match self.delivered.borrow_mut().lost.take() {
            None => Ok(done),
            Some((count, error)) => {
                let records = crate::ui::units::count(count, "record");
                Err(error.into_failure(format!("{records} not written")))
            }
        }
    }

    /// The greatest offset of the records that were sent with `tag` and are acknowledged.
    pub fn newest(&self, tag: usize) -> Option<i64> {
        let newest = self.delivered.borrow().newest.get(&tag).copied();
        newest.filter(|offset| *offset >= 0)
    }

    /// Gets the producer's id, and ends what an earlier producer of the same `transactional.id` left open.
    ///
    /// # Errors
    /// When the coordinator refuses, or does not answer within `timeout`.
    pub fn init_transactions(&self, timeout: Duration) -> Result<(), TransactionError> {
        self.handle.init_transactions(timeout)
    }

    /// Begins a transaction: what is sent from now on belongs to it.
    ///
    /// # Errors
    /// When the producer has failed for good.
    pub fn begin_transaction(&self) -> Result<(), TransactionError> {
        self.handle.begin_transaction()
    }

    /// Adds to the transaction, per partition, the offset of the next record that `member`'s group reads.
    ///
    /// # Errors
    /// When the group has given the partitions to others, a coordinator refuses, or none answers within `timeout`.
    pub fn send_offsets(
        &self,
        member: &GroupConsumer,
        next: &BTreeMap<i32, i64>,
        timeout: Duration,
    ) -> Result<(), TransactionError> {
        let (offsets, consumer) = member.offsets_to_send(next)?;
        self.handle.send_offsets(&offsets, consumer, timeout)
    }

    /// Waits until the transaction's records are written, and commits it.
    ///
    /// # Errors
    /// When one of them was lost, the coordinator refuses, or it does not answer within `timeout`.
    pub fn commit_transaction(&self, timeout: Duration) -> Result<(), TransactionError> {
        self.handle.commit_transaction(timeout)
    }

    /// Aborts the transaction, with what it has not written yet.
    ///
    /// # Errors
    /// When the coordinator refuses, or does not answer within `timeout`.
    pub fn abort_transaction(&self, timeout: Duration) -> Result<(), TransactionError> {
        let aborted = self.handle.abort_transaction(timeout);
        // What was given up belonged to it.
        self.delivered.borrow_mut().lost = None;
        aborted
    }

    /// What went wrong with connections since the last call, in words.
    pub fn troubles(&self) -> Vec<String> {
        self.handle.troubles().iter().map(ToString::to_string).collect()
    }

    /// What it means that a transactional producer cannot begin.
    pub fn cannot_begin(id: &str, failed: TransactionError) -> Failure {
        KafkaError::from(failed).into_failure(format!("the transactional id `{id}` cannot be used"))
    }
}

fn configure(config: &mut ClientConfig, assurance: &Assurance) {
    config
        .set("enable.idempotence", "true")
        .set("allow.auto.create.topics", "false")
        // As Java's clients do, so that a key has the same partition whoever writes it.
        .set("partitioner", "murmur2_random")
        .set("message.max.bytes", LARGEST)
        .set("queue.buffering.max.messages", QUEUE)
        .set("topic.metadata.refresh.interval.ms", "5000")
        // One property under two names: ours must win over either.
        .remove("delivery.timeout.ms");
    match assurance {
        Assurance::Idempotent => {
            config.remove("transactional.id").set("message.timeout.ms", "0");
        }
        Assurance::Transactional { id, timeout } => {
            let timeout = timeout.as_millis().to_string();
            config
                .set("transactional.id", id)
                .set("transaction.timeout.ms", &timeout)
                .set("message.timeout.ms", &timeout);
        }
    }
}
