//! Clients that go on whatever happens, and write down what they are told.

use super::history::{Fate, Place, Written, say};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use velodrome::kafka::record_producer::Outgoing;
use velodrome::kafka::{Admin, ConfigChange, ConfigResource, Connection, NewTopic, RecordProducer};

/// Where the idempotent client writes.
pub const NUMBERS: &str = "numbers";
/// Where transactions write.
pub const PAIRS: &str = "pairs";
/// Partitions of each.
pub const PARTITIONS: i32 = 3;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after something failed.
const REST: Duration = Duration::from_millis(200);

/// The cluster as clients are to reach it: they notice soon when a broker is away.
fn config(connection: &Connection) -> ClientConfig {
    let mut config = connection.client_config();
    for (name, value) in [("topic.metadata.refresh.interval.ms", "1000"), ("log_level", "0")] {
        config.set(name, value);
    }
    config
}

/// An idempotent producer that writes ten records at once to all partitions.
pub fn write_numbers(connection: &Connection, over: &AtomicBool) -> Vec<Written> {
    let mut written = Vec::new();
    let mut producer = None;
    let mut next = 0;
    while !over.load(Ordering::Acquire) {
        let Some(ready) = producer
            .take()
            .or_else(|| RecordProducer::connect(connection).ok())
        else {
            std::thread::park_timeout(REST);
            continue;
        };
        let values: Vec<String> = (next..next + 10).map(|number| format!("i.{number}")).collect();
        next += 10;
        let sent = values.iter().try_for_each(|value| {
            ready.send(Outgoing {
                topic: NUMBERS,
                key: Some(value.as_bytes()),
                value: Some(value.as_bytes()),
                ..Outgoing::default()
            })
        });
        let fate = match sent.and_then(|()| ready.flush()) {
            Ok(()) => {
                producer = Some(ready);
                Fate::Acknowledged
            }
            Err(error) => {
                say(format_args!("numbers below {next}: {error}"));
                Fate::Unknown
            }
        };
        // Each for itself: only a transaction is all or nothing.
        let each = values.into_iter().map(|value| Written {
            values: vec![value],
            fate,
        });
        written.extend(each);
    }
    written
}

/// A transactional producer: what an earlier one of the same id left open has ended once this returns.
fn transactional(connection: &Connection, id: &str) -> KafkaResult<ThreadedProducer<DefaultProducerContext>> {
    let producer: ThreadedProducer<DefaultProducerContext> = config(connection)
        .set("transactional.id", id)
        .set("transaction.timeout.ms", "20000")
        .create()?;
    producer.init_transactions(PATIENCE)?;
    Ok(producer)
}

/// Writes the values, one to each partition, in one transaction.
fn transact(
    producer: &ThreadedProducer<DefaultProducerContext>,
    values: &[String],
    commits: bool,
) -> KafkaResult<()> {
    producer.begin_transaction()?;
    for (partition, value) in (0..PARTITIONS).zip(values) {
        let record = BaseRecord::<(), str>::to(PAIRS)
            .partition(partition)
            .payload(value);
        producer.send(record).map_err(|(error, _)| error)?;
    }
    match commits {
        true => producer.commit_transaction(PATIENCE),
        false => producer
            .flush(PATIENCE)
            .and_then(|()| producer.abort_transaction(PATIENCE)),
    }
}

/// Transactions of one value to each partition. Each fourth one is aborted. Whatever fails, a new producer with the same id
/// begins.
pub fn write_pairs(connection: &Connection, writer: i32, over: &AtomicBool) -> Vec<Written> {
    let id = format!("pairs-{writer}");
    let mut written: Vec<Written> = Vec::new();
    let mut made = None;
    while !over.load(Ordering::Acquire) {
        let ready = match made.take().map_or_else(|| transactional(connection, &id), Ok) {
            Ok(ready) => ready,
            Err(error) => {
                say(format_args!("{id} cannot begin: {error}"));
                std::thread::park_timeout(REST);
                continue;
            }
        };
        let attempt = written.len();
        let commits = attempt % 4 != 3;
        let values: Vec<String> = (0..PARTITIONS)
            .map(|partition| format!("t{writer}.{attempt}.{partition}"))
            .collect();
        let fate = match transact(&ready, &values, commits) {
            Ok(()) => {
                made = Some(ready);
                if commits {
                    Fate::Acknowledged
                } else {
                    Fate::Aborted
                }
            }
            Err(error) => {
                say(format_args!("{id}, {attempt}: {error}"));
                // What was to be aborted is in no case to be seen.
                if commits { Fate::Unknown } else { Fate::Aborted }
            }
        };
        written.push(Written { values, fate });
    }
    end_last(connection, &id);
    written
}

/// What is left open, or decided and not ended, would keep readers from all that comes after it.
fn end_last(connection: &Connection, id: &str) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while let Err(error) = transactional(connection, id) {
        assert!(Instant::now() < deadline, "{id} cannot be ended: {error}");
        std::thread::park_timeout(REST);
    }
}

/// Reads committed records from the beginning on, as they come.
pub fn read(connection: &Connection, over: &AtomicBool) -> Vec<(Place, String)> {
    let consumer: BaseConsumer = config(connection)
        .set("group.id", "nobody")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .create()
        .unwrap();
    let mut places = TopicPartitionList::new();
    for topic in [NUMBERS, PAIRS] {
        for partition in 0..PARTITIONS {
            places
                .add_partition_offset(topic, partition, Offset::Beginning)
                .unwrap();
        }
    }
    consumer.assign(&places).unwrap();
    let mut seen = Vec::new();
    while !over.load(Ordering::Acquire) {
        // A broker that is away is no end of the reading.
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            let value = String::from_utf8_lossy(message.payload().unwrap_or_default());
            let place = (message.topic().to_owned(), message.partition(), message.offset());
            seen.push((place, value.into_owned()));
        }
    }
    seen
}

/// What an administrator was told of the topics it has made.
#[derive(Debug, Default)]
pub struct Topics {
    /// Each with the last setting that was acknowledged, and those of which nobody knows whether they came after it.
    made: BTreeMap<String, (Option<u32>, Vec<u32>)>,
    /// Those whose deletion was acknowledged.
    deleted: Vec<String>,
}

/// Makes topics, changes a setting of the newest, and deletes the oldest.
pub fn administer(connection: &Connection, over: &AtomicBool) -> Topics {
    let mut topics = Topics::default();
    let mut number = 0;
    while !over.load(Ordering::Acquire) {
        let Ok(admin) = Admin::connect(connection) else {
            std::thread::park_timeout(REST);
            continue;
        };
        let admin = admin.with_patience(PATIENCE);
        number += 1;
        let name = format!("made-{number}");
        let topic = NewTopic {
            replication_factor: Some(3),
            ..NewTopic::named(&name)
        };
        let created = admin.create_topics(&[topic], false);
        // Of what is unknown nothing is told, and its name is not used again.
        if created.is_ok_and(|answers| answers.iter().all(|(_, answer)| answer.is_ok())) {
            topics.made.insert(name.clone(), (None, Vec::new()));
            topics.change(&admin, &name, number);
        }
        if topics.made.len() > 3 {
            topics.delete_oldest(&admin);
        }
    }
    topics
}

impl Topics {
    fn change(&mut self, admin: &Admin, name: &str, value: u32) {
        let resource = ConfigResource::Topic(name.to_owned());
        let change = ConfigChange::Set("retention.ms".to_owned(), (100_000 + value).to_string());
        let told = admin.try_alter_configs(&resource, &[change], false);
        let (set, unknown) = self.made.get_mut(name).unwrap();
        match told {
            Ok(()) => *set = Some(value),
            Err(_) => unknown.push(value),
        }
    }

    fn delete_oldest(&mut self, admin: &Admin) {
        let number = |name: &&String| name.rsplit('-').next().unwrap().parse::<u32>().unwrap();
        let oldest = self.made.keys().min_by_key(number).unwrap().clone();
        self.made.remove(&oldest);
        let told = admin.delete_topics(std::slice::from_ref(&oldest));
        if told.is_ok_and(|answers| answers.iter().all(|(_, answer)| answer.is_ok())) {
            self.deleted.push(oldest);
        }
    }

    /// How many topics were made or deleted.
    pub fn count(&self) -> usize {
        self.made.len() + self.deleted.len()
    }

    /// What is not as it was told.
    pub fn wrongs(&self, admin: &Admin) -> Vec<String> {
        let mut wrongs = Vec::new();
        for name in &self.deleted {
            if admin.find_topic(name).unwrap().is_some() {
                wrongs.push(format!("{name} was deleted and is there"));
            }
        }
        for (name, (set, unknown)) in &self.made {
            if admin.find_topic(name).unwrap().is_none() {
                wrongs.push(format!("{name} was made and is not there"));
                continue;
            }
            let settings = admin
                .describe_configs(&ConfigResource::Topic(name.clone()))
                .unwrap();
            let found = settings.iter().find(|setting| setting.name == "retention.ms");
            let found = found.and_then(|setting| setting.value.as_deref()?.parse::<u32>().ok());
            let mut may_be = unknown.iter().chain(set).map(|value| 100_000 + value);
            if set.is_some() && !may_be.any(|value| found == Some(value)) {
                wrongs.push(format!(
                    "{name}: retention.ms is {found:?}, set was {set:?}, perhaps {unknown:?}"
                ));
            }
        }
        wrongs
    }
}
