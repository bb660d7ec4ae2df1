//! A producer for the exercises' programs: records go out in the background, and [`RecordProducer::flush`] tells
//! whether all of them arrived.

use super::oauth::refreshes_tokens;
use super::patience::never_twice;
use super::{Admin, Connection, errors};
use crate::failure::{Failure, Outcome};
use crate::ui::units;
use parking_lot::Mutex;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};
use std::time::{Duration, Instant};

/// How long a record may take to be acknowledged before it counts as failed.
const DELIVERY: Duration = Duration::from_secs(30);

/// The largest record, in bytes: the broker's limit decides, not librdkafka's lower one.
const LARGEST: &str = "100000000";

/// How long to wait for room when the producer's buffer is full.
const ROOM: Duration = Duration::from_millis(100);

/// What failed since the last flush.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    first: Option<(String, KafkaError)>,
}

#[derive(Default)]
struct Reports(Mutex<Refused>);

refreshes_tokens!(Reports);

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            let mut refused = self.0.lock();
            refused.count += 1;
            refused
                .first
                .get_or_insert_with(|| (message.topic().to_owned(), error.clone()));
        }
    }
}

/// A record to send. Without a partition, the key decides as it does in Java's clients (murmur2), and without a key
/// chance does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outgoing<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// An idempotent producer that waits for all in-sync replicas.
pub struct RecordProducer {
    producer: BaseProducer<Reports>,
    connection: Connection,
    /// How long records may take; `None` for as long as the cluster is away.
    patience: Option<Duration>,
}

impl RecordProducer {
    /// A producer on that cluster.
    ///
    /// # Errors
    /// When no broker answers, or a connection property is wrong.
    pub fn connect(connection: &Connection) -> Outcome<Self> {
        Self::within(connection, Some(DELIVERY))
    }

    /// One whose records wait for the cluster for as long as it is away; [`RecordProducer::flush_for`] tells how it goes.
    ///
    /// # Errors
    /// As [`RecordProducer::connect`].
    pub fn patient(connection: &Connection) -> Outcome<Self> {
        Self::within(connection, None)
    }

    fn within(connection: &Connection, delivery: Option<Duration>) -> Outcome<Self> {
        connection.reach()?;
        let mut config = connection.client_config();
        config
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("message.max.bytes", LARGEST)
            // A topic that is given more partitions gets records in all of them soon, not after five minutes.
            .set("topic.metadata.refresh.interval.ms", "2000")
            // One property under two names: ours must win over either.
            .remove("delivery.timeout.ms")
            .set(
                "message.timeout.ms",
                delivery.unwrap_or_default().as_millis().to_string(),
            );
        let patience = never_twice(&mut config);
        let producer: BaseProducer<Reports> = config
            .create_with_context(Reports::default())
            .map_err(|error| told(&error).into_failure("cannot make a producer"))?;
        Ok(RecordProducer {
            producer,
            connection: connection.clone(),
            patience,
        })
    }

    /// Hands a record over, waiting for room when the buffer is full. It has arrived once [`RecordProducer::flush`]
    /// says so.
    ///
    /// # Errors
    /// When the record cannot be sent at all: too large, or a topic name that no broker takes.
    pub fn send(&self, record: Outgoing<'_>) -> Outcome {
        let headers = record
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header {
                    key,
                    value: Some(*value),
                })
            });
        let mut base: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(record.topic).headers(headers);
        base.key = record.key;
        base.payload = record.value;
        let begun = Instant::now();
        loop {
            match self.producer.send(base) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), returned)) => {
                    base = returned;
                    self.producer.poll(ROOM);
                    if self.patience.is_some_and(|patience| begun.elapsed() > patience) {
                        return self.flush();
                    }
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _)) => {
                    let failure =
                        Failure::request(format!("a record for topic `{}` is not written", record.topic));
                    return Err(failure.because(format!(
                        "it has more than {LARGEST} bytes, the most that are sent at once"
                    )));
                }
                Err((error, _)) => return Err(self.failure(record.topic, 1, &error)),
            }
        }
        self.producer.poll(Duration::ZERO);
        Ok(())
    }

    /// Waits until every record handed over so far is acknowledged or refused.
    ///
    /// # Errors
    /// When any record was refused since the last flush: how many, and why the first was.
    pub fn flush(&self) -> Outcome {
        if self.producer.flush(self.patience.unwrap_or(DELIVERY)).is_err() {
            self.give_up();
        }
        self.refused()
    }

    /// Gives up all records that have no answer. Their numbers are missing from the producer's sequence then, so whoever has
    /// the failure of a flush ends.
    fn give_up(&self) {
        while self.producer.in_flight_count() > 0 {
            self.producer.purge(PurgeConfig::default().queue().inflight());
            self.producer.poll(ROOM);
        }
    }

    /// The same for at most `wait`: whether every record is acknowledged by then.
    ///
    /// # Errors
    /// As [`RecordProducer::flush`], but for records that still wait.
    pub fn flush_for(&self, wait: Duration) -> Outcome<bool> {
        let arrived = self.producer.flush(wait).is_ok();
        self.refused().map(|()| arrived)
    }

    fn refused(&self) -> Outcome {
        let refused = std::mem::take(&mut *self.producer.context().0.lock());
        match refused.first {
            None => Ok(()),
            Some((topic, error)) => Err(self.failure(&topic, refused.count, &error)),
        }
    }

    fn failure(&self, topic: &str, count: u64, error: &KafkaError) -> Failure {
        let what = format!(
            "{} for topic `{topic}` not written",
            units::count(count, "record")
        );
        if matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)
        ) {
            if let Some(why) = self.lack_of_replicas(topic) {
                return Failure::request(what)
                    .because(why)
                    .hint(format!("velo topic describe {topic}"));
            }
            let seconds = DELIVERY.as_secs();
            return Failure::unreachable(what).because(format!(
                "{} did not acknowledge in {seconds} s",
                self.connection.bootstrap()
            ));
        }
        if let Some((_, why)) = self.producer.client().fatal_error() {
            return Failure::request(what)
                .because(format!("the producer cannot go on: {why}"))
                .hint("velo doctor");
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
            return Failure::request(what)
                .because("larger than the topic's max.message.bytes")
                .hint(format!("velo config set topic {topic} max.message.bytes=32MiB"));
        }
        let told = told(error);
        if told.is_unknown_topic() {
            let missing =
                Admin::connect(&self.connection).map_or_else(|gone| gone, |admin| admin.unknown_topic(topic));
            let failure = Failure::request(what).because(missing.in_a_line());
            return missing
                .hints()
                .iter()
                .fold(failure, |failure, hint| failure.hint(hint.as_str()));
        }
        told.into_failure(what)
    }

    /// Why the topic takes no records, if it lacks replicas; `None` as well when nobody tells.
    fn lack_of_replicas(&self, topic: &str) -> Option<String> {
        let admin = Admin::connect(&self.connection).ok()?;
        admin.lack_of_replicas(topic).ok()?
    }
}

fn told(error: &KafkaError) -> errors::KafkaError {
    error.into()
}
