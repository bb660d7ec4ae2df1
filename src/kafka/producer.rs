//! Writing records to one topic.

use super::Connection;
use super::errors::{ErrorCode, KafkaError};
use super::ffi::{Handle, Reports, Topic};
use super::patience::{Patience, never_twice};
use super::reach::{self, Missing};
use crate::failure::{Failure, Outcome};
use crate::ui::units::count;
use rdkafka::ClientConfig;
use std::cell::{Cell, Ref, RefCell};
use std::time::{Duration, Instant};

pub use super::ffi::{Batch, Delivery, Lost, NewRecord, Tally, Written};

/// Who must have a record before it counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Acks {
    /// Nobody: records may be lost unseen, and offsets stay unknown
    #[value(name = "0")]
    None,
    /// The leader
    #[value(name = "1")]
    Leader,
    /// All in-sync replicas
    #[value(alias = "-1")]
    All,
}

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs)]
pub enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings<'a> {
    /// `acks`; by default all.
    pub acks: Option<Acks>,
    /// `compression.type`; by default none.
    pub compression: Option<Compression>,
    /// The partition for every record; by default the one its key falls to, any without a key.
    pub partition: Option<i32>,
    /// A topic that is not there is made by the cluster, if it does so (`auto.create.topics.enable`).
    pub create: bool,
    /// `transactional.id` of a producer of transactions.
    pub transactional_id: Option<&'a str>,
}

/// A producer of one topic. Each record is kept and sent again until it is acknowledged or its time is up
/// (`delivery.timeout.ms`); with acks=all it is idempotent, and [`never_twice`] says what that means for its time.
pub struct Producer {
    name: String,
    config: ClientConfig,
    client: RefCell<Native>,
    reports: Reports,
    partition: Option<i32>,
    /// The largest record that it sends, in bytes (`max.request.size`).
    largest: usize,
    /// Of an idempotent producer.
    patience: Option<Patience>,
    /// How many records were taken into the queue.
    queued: Cell<u64>,
}

/// The client that writes, and its topic, which is destroyed first.
struct Native {
    topic: Topic,
    handle: Handle,
}

impl Producer {
    /// Connects, and makes sure that the topic exists.
    ///
    /// # Errors
    /// When no broker answers, there is no such topic or partition, or a connection property is wrong.
    pub fn open(connection: &Connection, topic: &str, settings: Settings<'_>) -> Outcome<Self> {
        let mut config = configuration(connection, settings);
        let patience = never_twice(&mut config).map(Patience::new);
        let largest = largest_record(connection, &config);
        let handle = Handle::producer(&config)
            .map_err(|error| Failure::usage("cannot make a producer").because(error))?;
        let refused = |error: KafkaError| error.into_failure(format!("cannot use topic `{topic}`"));
        let native = handle.topic(topic).map_err(refused)?;
        let missing = if settings.create {
            Missing::Await
        } else {
            Missing::Refuse
        };
        let partitions = reach::partitions_of(&handle, connection, topic, &native, missing)?;
        // librdkafka asks for an idempotent producer's id whenever metadata arrive and a broker is connected, else every
        // half second. The first metadata come from the bootstrap connection, which it then closes: these are the
        // second, from a broker that stays.
        if config.get("enable.idempotence") == Some("true") {
            reach::partitions_of(&handle, connection, topic, &native, missing)?;
        }
        if let Some(wanted) = settings.partition
            && !partitions.contains(&wanted)
        {
            return Err(no_partition(topic, wanted, &partitions));
        }
        Ok(Producer {
            name: topic.to_owned(),
            reports: handle.reports(),
            config,
            client: RefCell::new(Native {
                topic: native,
                handle,
            }),
            partition: settings.partition,
            largest,
            patience,
            queued: Cell::new(0),
        })
    }

    /// Queues a record, copying it; `tag` comes back with its failure. While the queue is full, waits and calls `full`
    /// again and again.
    ///
    /// # Errors
    /// That of `full`. The inner error says why the record can never be written, for example because it is too large.
    pub fn send(
        &self,
        record: &NewRecord<'_>,
        tag: usize,
        mut full: impl FnMut() -> Outcome,
    ) -> Outcome<Result<(), KafkaError>> {
        if record.size() > self.largest {
            return Ok(Err(KafkaError::too_large(record.size(), self.largest)));
        }
        loop {
            let answer = {
                let client = self.client.borrow();
                client.handle.enqueue(&client.topic, self.partition, record, tag)
            };
            match answer {
                Err(error) if error.code() == ErrorCode::QueueFull => self.make_room(&mut full)?,
                answer => {
                    self.count(usize::from(answer.is_ok()));
                    return Ok(answer);
                }
            }
        }
    }

    /// Queues all records of a batch, which is empty then; else as [`Producer::send`]. Records that can never be written
    /// go to `refused` with their tag.
    ///
    /// # Errors
    /// That of `full`.
    pub fn send_batch(
        &self,
        batch: &mut Batch<'_>,
        mut refused: impl FnMut(usize, KafkaError),
        mut full: impl FnMut() -> Outcome,
    ) -> Outcome {
        batch.refuse_larger(self.largest, |tag, size| {
            refused(tag, KafkaError::too_large(size, self.largest));
        });
        while !batch.is_empty() {
            let before = batch.len();
            {
                let client = self.client.borrow();
                client
                    .handle
                    .enqueue_batch(&client.topic, self.partition, batch, &mut refused);
            }
            self.count(before - batch.len());
            if !batch.is_empty() {
                self.make_room(&mut full)?;
            }
        }
        Ok(())
    }

    fn count(&self, queued: usize) {
        self.queued.set(self.queued.get() + queued as u64);
    }

    fn make_room(&self, full: &mut impl FnMut() -> Outcome) -> Outcome {
        self.poll(Duration::from_millis(20));
        full()
    }

    /// Takes in the answers that have come, waiting up to `timeout` for the first.
    pub fn poll(&self, timeout: Duration) {
        self.client.borrow().handle.poll(timeout);
        self.give_up_in_time();
    }

    /// Sends without lingering and waits up to `timeout`; whether every record is answered.
    pub fn flush(&self, timeout: Duration) -> bool {
        let done = self.client.borrow().handle.flush(timeout);
        if !done {
            self.give_up_in_time();
        }
        done
    }

    /// An idempotent producer's records whose time is up are given up, all at once.
    fn give_up_in_time(&self) {
        let Some(patience) = &self.patience else {
            return;
        };
        let progress = self.queued.get() + self.reports.answered();
        if !patience.is_over(progress, Instant::now()) || self.client.borrow().handle.waiting() == 0 {
            return;
        }
        self.client.borrow().handle.give_up();
        match self.begin_again() {
            Ok(next) => *self.client.borrow_mut() = next,
            // Made of the same settings as the one before. If that fails, the next records fail as those did.
            Err(error) => tracing::error!("cannot begin again after records were given up: {error}"),
        }
    }

    fn begin_again(&self) -> Result<Native, KafkaError> {
        let handle = self.client.borrow().handle.successor(&self.config)?;
        let topic = handle.topic(&self.name)?;
        Ok(Native { topic, handle })
    }

    /// Whether records wait for an answer.
    pub fn waits(&self) -> bool {
        self.queued.get() > self.reports.answered()
    }

    /// What became of the records so far.
    pub fn tally(&self) -> Ref<'_, Tally> {
        self.reports.tally()
    }

    /// From now on `report` is told of each record that was written or lost, while this thread polls or flushes, in
    /// place of the tally. It must not use this producer.
    pub fn report_to(&self, report: impl FnMut(&Delivery<'_>) + 'static) {
        self.reports.to(report);
    }

    /// Makes the producer ready for transactions, which needs a `transactional.id` among its properties.
    ///
    /// # Errors
    /// What the cluster's transaction coordinator refuses, or that it does not answer within `timeout`.
    pub fn init_transactions(&self, timeout: Duration) -> Result<(), KafkaError> {
        Ok(self.client.borrow().handle.init_transactions(timeout)?)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When the producer cannot go on.
    pub fn begin_transaction(&self) -> Result<(), KafkaError> {
        Ok(self.client.borrow().handle.begin_transaction()?)
    }

    /// Waits until the transaction's records are written, and commits it.
    ///
    /// # Errors
    /// When one of them was lost, the coordinator refuses, or it does not answer within `timeout`.
    pub fn commit_transaction(&self, timeout: Duration) -> Result<(), KafkaError> {
        Ok(self.client.borrow().handle.commit_transaction(timeout)?)
    }

    /// Aborts the transaction; what was not written yet is given up.
    ///
    /// # Errors
    /// When the coordinator refuses, or does not answer within `timeout`.
    pub fn abort_transaction(&self, timeout: Duration) -> Result<(), KafkaError> {
        Ok(self.client.borrow().handle.abort_transaction(timeout)?)
    }

    /// What went wrong with connections since the last call.
    pub fn troubles(&self) -> Vec<KafkaError> {
        self.client.borrow().handle.troubles()
    }
}

/// `partition` is not one of the topic's.
pub(super) fn no_partition(topic: &str, partition: i32, partitions: &[i32]) -> Failure {
    let last = partitions.last().copied().unwrap_or(0);
    let has = match partitions.len() {
        1 => "1 partition: 0".to_owned(),
        all => format!("{}: 0 to {last}", count(all, "partition")),
    };
    Failure::usage(format!("topic `{topic}` has no partition {partition}"))
        .because(format!("it has {has}"))
        .hint(format!("velo topic describe {topic}"))
}

/// An idempotent producer of librdkafka has one batch of a partition under way at a time, and while a further one is ready its
/// thread asks the socket without pause whether the answer is there. So the queue holds less than two full batches: the
/// second is completed by what fits in when the first is answered, and the thread sleeps until then. A batch is as large as a
/// topic takes unless told otherwise (`max.message.bytes`, 1,048,588): 9,400 lines of some hundred bytes fill it.
const IDEMPOTENT_QUEUE: [(&str, &str); 4] = [
    ("batch.num.messages", "9400"),
    ("batch.size", "1040000"),
    ("queue.buffering.max.messages", "18799"),
    ("linger.ms", "10"),
];

/// Long enough for somebody who types the records, short enough for those who wait for them when that comes to no end.
const TRANSACTION_TIMEOUT: (&str, &str) = ("transaction.timeout.ms", "300000");

/// `max.request.size` by librdkafka's name.
const LIMIT: &str = "message.max.bytes";

fn configuration(connection: &Connection, settings: Settings<'_>) -> ClientConfig {
    let mut config = connection.client_config();
    if let Some(id) = settings.transactional_id {
        config.set("transactional.id", id);
    }
    if let Some(acks) = settings.acks {
        // One property under two names: the option must win over either.
        config.remove("request.required.acks").set(
            "acks",
            match acks {
                Acks::None => "0",
                Acks::Leader => "1",
                Acks::All => "all",
            },
        );
    }
    if let Some(compression) = settings.compression {
        config.remove("compression.codec").set(
            "compression.type",
            match compression {
                Compression::None => "none",
                Compression::Gzip => "gzip",
                Compression::Snappy => "snappy",
                Compression::Lz4 => "lz4",
                Compression::Zstd => "zstd",
            },
        );
    }
    let idempotent = is_idempotent(&config);
    let create = if settings.create { "true" } else { "false" };
    let mut defaults = vec![
        // A misspelt topic is a mistake, not a wish for a new one, unless Kafka's own tool would have it so.
        ("allow.auto.create.topics", create),
        ("enable.idempotence", if idempotent { "true" } else { "false" }),
        // As Java's clients do, so that a key has the same partition whoever writes it.
        ("partitioner", "murmur2_random"),
        // The broker's limit decides, not librdkafka's lower one.
        (LIMIT, "100000000"),
        ("delivery.timeout.ms", "60000"),
        // New partitions are used soon.
        ("topic.metadata.refresh.interval.ms", "5000"),
    ];
    if idempotent {
        defaults.extend(IDEMPOTENT_QUEUE);
    }
    if settings.transactional_id.is_some() {
        defaults.push(TRANSACTION_TIMEOUT);
    }
    for (name, value) in defaults {
        if config.get(name).is_none() {
            config.set(name, value);
        }
    }
    config
}

/// The largest record that a producer with these settings sends. It is held against it here, as Java's clients do, and in
/// their words: librdkafka counts otherwise, and gives a record up by the code that a broker has for it.
fn largest_record(connection: &Connection, config: &ClientConfig) -> usize {
    let limit = || config.get(LIMIT).and_then(|text| text.parse().ok());
    // What is no number librdkafka refuses by its name.
    connection.request_limit().or_else(limit).unwrap_or(usize::MAX)
}

/// Whether a producer with these settings is idempotent by default: all in-sync replicas must have a record, and, as in
/// Java's producer, it may be sent again.
fn is_idempotent(config: &ClientConfig) -> bool {
    let acks = config.get("acks").or(config.get("request.required.acks"));
    let retries = config.get("retries").or(config.get("message.send.max.retries"));
    matches!(acks, None | Some("all" | "-1")) && retries != Some("0")
}
