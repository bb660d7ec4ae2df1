//! `kafka-producer-perf-test`: how fast records can be written, and how long each takes.

mod options;
mod payload;
mod stats;

use super::java_format::{Value, metrics};
use super::java_words::{java_exception, java_message, no_metadata};
use super::throttle::Throttle;
use super::{Ending, client_properties, out};
use crate::clock::Clock;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::{ErrorCode, KafkaError};
use crate::kafka::producer::{Batch, Delivery, Producer, Settings};
use crate::kafka::transactions::no_coordinator;
use crate::scripts::way_out::no_metadata_hint;
use crate::ui::Interrupt;
use options::Work;
use payload::Payloads;
use stats::Stats;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The longest time between a Ctrl-C and its being noticed.
const GLANCE: Duration = Duration::from_millis(50);

/// `max.block.ms` of a Java producer.
const MAX_BLOCK: u64 = 60_000;

/// How many records are handed over at once when nothing holds them back.
const TOGETHER: u64 = 64;

/// Runs the script.
///
/// # Errors
/// The refusals of the command line, and a topic or a transaction coordinator that cannot be used.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let mut work = options::read(arguments)?;
    let max_block = work.properties.remove("max.block.ms");
    let max_block = match &max_block {
        None => MAX_BLOCK,
        Some(text) => text.parse().map_err(|_| {
            Ending::failure(format!(
                "org.apache.kafka.common.config.ConfigException: Invalid value {text} for configuration max.block.ms"
            ))
        })?,
    };
    let Some(bootstrap) = work.properties.get("bootstrap.servers").cloned() else {
        return Err(Ending::failure(
            "Exception in thread \"main\" org.apache.kafka.common.config.ConfigException: Missing required configuration \
             \"bootstrap.servers\" which has no default value.",
        ));
    };
    client_properties::producer_defaults(&mut work.properties)?;
    let transactional_id = work.properties.get("transactional.id").cloned();
    let connection = client_properties::connection(&bootstrap, std::mem::take(&mut work.properties))?;
    let interrupt = Interrupt::watch()?;
    let settings = Settings {
        create: true,
        ..Settings::default()
    };
    let begun = Instant::now();
    let producer = match Producer::open(&connection, &work.topic, settings) {
        Ok(producer) => producer,
        Err(failure) => {
            // Java's tool loses each record, one after the other, and sums up as if nothing were wrong.
            no_topic(&work.topic, begun.elapsed(), &failure).print();
            let now = Clock::system().now_ms();
            Stats::new(work.records, work.interval, false, now - 1).print_total(now);
            return Ok(0);
        }
    };
    let patience = Duration::from_millis(max_block);
    if let Some(id) = transactional_id {
        no_coordinator(&connection, &id).map_or(Ok(()), |error| Err(unfound(&id, &error)))?;
        producer
            .init_transactions(patience)
            .map_err(|error| in_transaction(&error))?;
    }
    Run::new(work, producer, interrupt, patience).run()
}

/// Java's words for a topic that the cluster does not tell of, and ours for the reason.
fn no_topic(topic: &str, waited: Duration, failure: &Failure) -> Ending {
    let (class, why) = no_metadata(topic, waited);
    Ending::failure(format!("{class}: {why}")).hint(no_metadata_hint(failure))
}

/// A cluster that coordinates no transactions.
fn unfound(id: &str, error: &KafkaError) -> Ending {
    Ending::failure(format!(
        "Exception in thread \"main\" org.apache.kafka.common.KafkaException: Could not find a coordinator with type \
         TRANSACTION with key {id} due to unexpected error: {}",
        java_message(error)
    ))
    .hint("leave out --transactional-id, --transaction-duration-ms and the property transactional.id")
}

/// A transaction that fails ends Java's tool by an exception.
fn in_transaction(error: &KafkaError) -> Ending {
    Ending::failure(format!("Exception in thread \"main\" {}", java_exception(error)))
}

/// What the producer's reports leave behind.
struct Reports {
    stats: Stats,
    steady: Option<Stats>,
    lost: u64,
    /// The last failure that was told, not to tell it for each record.
    told: Option<ErrorCode>,
    largest: usize,
}

impl Reports {
    /// The tag holds when the record was sent, in ms after `begun`, and whether it belongs to the steady part.
    fn take(&mut self, delivery: &Delivery<'_>, begun: i64) {
        if let Some(error) = &delivery.error {
            self.lose(error);
            return;
        }
        let now = Clock::system().now_ms();
        let sent = begun + i64::try_from(delivery.tag() >> 1).unwrap_or(0);
        let bytes = delivery.value().map_or(0, <[u8]>::len);
        self.largest = self.largest.max(bytes);
        self.stats.record(now - sent, bytes, now);
        if let Some(steady) = self.steady.as_mut().filter(|_| delivery.tag() & 1 == 1) {
            steady.record(now - sent, bytes, now);
        }
    }

    fn lose(&mut self, error: &KafkaError) {
        self.lost += 1;
        if self.told != Some(error.code()) {
            self.told = Some(error.code());
            eprintln!("{}", java_exception(error));
        }
    }
}

struct Run {
    work: Work,
    producer: Producer,
    interrupt: Interrupt,
    patience: Duration,
    /// When the test began, in ms since 1970-01-01 UTC.
    begun: i64,
    reports: Rc<RefCell<Reports>>,
    throttle: Throttle,
    /// When the open transaction began.
    transaction: Option<i64>,
}

impl Run {
    fn new(work: Work, producer: Producer, interrupt: Interrupt, patience: Duration) -> Self {
        if work.warmup > 0 {
            out(&format!(
                "Warmup first {} records. Steady state results will print after the complete test summary.",
                work.warmup
            ));
        }
        let begun = Clock::system().now_ms();
        let reports = Rc::new(RefCell::new(Reports {
            stats: Stats::new(work.records, work.interval, false, begun),
            steady: None,
            lost: 0,
            told: None,
            largest: 0,
        }));
        let shared = Rc::clone(&reports);
        producer.report_to(move |delivery| shared.borrow_mut().take(delivery, begun));
        Run {
            throttle: Throttle::new(work.throughput),
            work,
            producer,
            interrupt,
            patience,
            begun,
            reports,
            transaction: None,
        }
    }

    fn run(mut self) -> Result<u8, Ending> {
        let what = std::mem::replace(&mut self.work.payload, options::Payload::Monotonic);
        let mut payloads = Payloads::new(what, self.work.keys, self.work.seed);
        let mut next = 0;
        while next < self.work.records {
            next += self.send(next, &mut payloads)?;
            self.interrupt.check()?;
        }
        if self.transaction.is_some() {
            self.commit()?;
        }
        while !self.producer.flush(GLANCE) {
            self.interrupt.check()?;
        }
        self.report();
        Ok(0)
    }

    /// Sends the records from number `first` on that may go together, and waits as the throughput demands; answers how
    /// many there were.
    fn send(&mut self, first: u64, payloads: &mut Payloads) -> Result<u64, Ending> {
        let steady = self.work.warmup > 0 && first >= self.work.warmup;
        let end = if !steady && self.work.warmup > 0 {
            self.work.warmup
        } else {
            self.work.records
        };
        let alone = !self.throttle.is_off() || self.work.transaction.is_some();
        let count = if alone { 1 } else { TOGETHER.min(end - first) };
        let (sent, now) = (Instant::now(), Clock::system().now_ms());
        if steady && first == self.work.warmup {
            let records = self.work.records - self.work.warmup;
            let mut reports = self.reports.borrow_mut();
            reports.steady = Some(Stats::new(records, self.work.interval, true, now));
            reports.stats.silence();
        }
        if self.work.transaction.is_some() && self.transaction.is_none() {
            self.producer
                .begin_transaction()
                .map_err(|error| in_transaction(&error))?;
            self.transaction = Some(now);
        }
        let tag = usize::try_from(now - self.begun).unwrap_or(0) << 1 | usize::from(steady);
        self.enqueue(count, tag, payloads)?;
        self.producer.poll(Duration::ZERO);
        if let (Some(longest), Some(begun)) = (self.work.transaction, self.transaction)
            && longest <= now - begun
        {
            self.commit()?;
        }
        let pause = self.throttle.pause(first, sent);
        self.wait(pause)?;
        Ok(count)
    }

    fn enqueue(&self, count: u64, tag: usize, payloads: &mut Payloads) -> Result<(), Ending> {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push(payloads.write(&mut bytes).map(|key| key.to_string()));
            ends.push(bytes.len());
        }
        let mut batch = Batch::default();
        let mut start = 0;
        for (key, end) in keys.iter().zip(ends) {
            batch.push(key.as_ref().map(String::as_bytes), bytes.get(start..end), tag);
            start = end;
        }
        let begun = Instant::now();
        let full = || -> Outcome {
            if begun.elapsed() > self.patience {
                return Err(Failure::request(format!(
                    "Failed to allocate memory within the configured max blocking time {} ms.",
                    self.patience.as_millis()
                )));
            }
            self.interrupt.check()
        };
        let refused = |_: usize, error: KafkaError| self.reports.borrow_mut().lose(&error);
        Ok(self.producer.send_batch(&mut batch, refused, full)?)
    }

    fn wait(&self, pause: Duration) -> Result<(), Ending> {
        if pause.is_zero() {
            return Ok(());
        }
        let until = Instant::now().checked_add(pause);
        loop {
            let left = until.map_or(GLANCE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(());
            }
            self.interrupt.check()?;
            self.producer.poll(Duration::ZERO);
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }

    fn commit(&mut self) -> Result<(), Ending> {
        self.transaction = None;
        self.producer
            .commit_transaction(self.patience)
            .map_err(|error| in_transaction(&error))
    }

    fn report(&self) {
        let mut reports = self.reports.borrow_mut();
        let now = Clock::system().now_ms();
        reports.stats.print_total(now);
        if let Some(steady) = reports.steady.as_mut() {
            steady.print_total(now);
        }
        if self.work.metrics {
            out(&metrics(self.metrics(&reports, now)));
        }
    }

    /// Of the Java producer's metrics those that this tool counts itself.
    fn metrics(&self, reports: &Reports, now: i64) -> Vec<(String, Value)> {
        let client = format!("{{client-id={}}}", self.work.client);
        let topic = format!("{{client-id={}, topic={}}}", self.work.client, self.work.topic);
        let (records, bytes) = (reports.stats.records() as f64, reports.stats.bytes() as f64);
        let seconds = (now - self.begun).max(1) as f64 / 1000.0;
        let lost = reports.lost as f64;
        let mut all = Vec::new();
        for (group, tags) in [("producer-metrics", &client), ("producer-topic-metrics", &topic)] {
            for (name, value) in [
                ("record-send-total", records),
                ("record-send-rate", records / seconds),
                ("record-error-total", lost),
                ("record-error-rate", lost / seconds),
            ] {
                all.push((format!("{group}:{name}:{tags}"), Value::Double(value)));
            }
        }
        all.push((
            format!("producer-topic-metrics:byte-total:{topic}"),
            Value::Double(bytes),
        ));
        all.push((
            format!("producer-topic-metrics:byte-rate:{topic}"),
            Value::Double(bytes / seconds),
        ));
        all.push((
            format!("producer-metrics:record-size-avg:{client}"),
            Value::Double(bytes / records),
        ));
        all.push((
            format!("producer-metrics:record-size-max:{client}"),
            Value::Double(reports.largest as f64),
        ));
        let count = all.len() + 1;
        all.push((
            format!("kafka-metrics-count:count:{client}"),
            Value::Double(count as f64),
        ));
        all
    }
}
