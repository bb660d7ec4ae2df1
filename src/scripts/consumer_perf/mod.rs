//! `kafka-consumer-perf-test`: how fast records can be read.

mod options;
mod progress;

use super::include::{Included, REFRESH};
use super::java_format::{Value, metrics};
use super::java_words::java_message;
use super::{Ending, client_properties, out};
use crate::clock::Clock;
use crate::kafka::consumer::{Arrival, Consumer, Membership, Record};
use crate::kafka::places::Places;
use crate::kafka::{Connection, ErrorCode, KafkaError};
use crate::ui::Interrupt;
use options::Work;
use progress::Progress;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The longest wait for records before Ctrl-C and the clock are looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// The same while the group is being joined, which is timed.
const JOINING: Duration = Duration::from_millis(5);

/// Runs the script.
///
/// # Errors
/// Kafka's refusals of the command line, and a cluster that cannot be read.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = options::read(arguments)?;
    if !parsed.has("hide-header") {
        out(progress::header(parsed.has("show-detailed-stats")));
    }
    let mut work = options::work(&parsed)?;
    let bootstrap = parsed.value("bootstrap-server")?.unwrap_or_default();
    let connection = client_properties::connection(bootstrap, std::mem::take(&mut work.properties))?;
    let interrupt = Interrupt::watch()?;
    let begun = Clock::system().now_ms();
    let membership = Membership {
        group: work.group.clone(),
        reset: work.reset,
    };
    let consumer = Consumer::open(&connection, work.isolation, Some(&membership))?;
    let mut reading = Reading::new(&work, consumer, interrupt, begun);
    let read = reading.read(&connection);
    if read.is_ok() {
        reading.report();
    }
    let left = reading.leave();
    read.and(left).map(|()| 0)
}

struct Reading<'a> {
    work: &'a Work,
    consumer: Consumer,
    interrupt: Interrupt,
    progress: Progress<'a>,
    places: Places,
    topics: Vec<String>,
    included: Option<Included>,
    refreshed: Instant,
    /// Whether this member has partitions.
    assigned: bool,
    said: Option<ErrorCode>,
}

impl<'a> Reading<'a> {
    fn new(work: &'a Work, consumer: Consumer, interrupt: Interrupt, begun: i64) -> Self {
        Reading {
            work,
            consumer,
            interrupt,
            progress: Progress::new(work, begun),
            places: Places::default(),
            topics: Vec::new(),
            included: work.include.as_deref().map(Included::new),
            refreshed: Instant::now(),
            assigned: false,
            said: None,
        }
    }

    fn read(&mut self, connection: &Connection) -> Result<(), Ending> {
        self.subscribe(connection)?;
        let mut heard = Instant::now();
        while self.progress.records < self.work.records {
            self.interrupt.check()?;
            if self.serve() {
                heard = Instant::now();
            } else if heard.elapsed() > self.work.timeout {
                out(&format!(
                    "WARNING: Exiting before consuming the expected number of records: timeout ({} ms) exceeded. You can \
                     use the --timeout option to increase the timeout.",
                    self.work.timeout.as_millis()
                ));
                return Ok(());
            }
            self.tell();
            if self.included.is_some() && self.refreshed.elapsed() > REFRESH {
                self.subscribe(connection)?;
            }
        }
        Ok(())
    }

    fn subscribe(&mut self, connection: &Connection) -> Result<(), Ending> {
        self.refreshed = Instant::now();
        let topics = match &mut self.included {
            Some(included) => included.topics(connection)?,
            None => self.work.topic.iter().cloned().collect(),
        };
        if !topics.is_empty() && topics != self.topics {
            self.consumer.subscribe(&topics)?;
            self.topics = topics;
        }
        Ok(())
    }

    /// Counts what has arrived, as much at a time as Java's consumer would hand out at least; whether there were
    /// records.
    fn serve(&mut self) -> bool {
        let before = self.progress.records;
        let timeout = if self.assigned { GLANCE } else { JOINING };
        let Reading {
            work,
            consumer,
            progress,
            places,
            said,
            ..
        } = self;
        let mut together: u64 = 0;
        let mut take = |record: &Record<'_>| {
            progress.add(record);
            if together.is_multiple_of(work.max_poll) {
                progress.look_at_clock();
            }
            together += 1;
            if together.is_multiple_of(work.max_poll) && progress.records >= work.records {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let arrived = consumer.serve(timeout, |arrival| match arrival {
            Arrival::Record(record) => {
                places.pass(&record);
                take(&record)
            }
            Arrival::End {
                topic,
                partition,
                offset,
            } => {
                places.end(topic, partition, offset);
                ControlFlow::Continue(())
            }
            Arrival::Trouble(trouble) => {
                tell_once(said, &trouble);
                ControlFlow::Continue(())
            }
        });
        if !arrived || !self.assigned {
            self.look_at_assignment();
        }
        self.remember();
        self.progress.records > before
    }

    /// Java's listener is told of rebalances; here the partitions are looked at.
    fn look_at_assignment(&mut self) {
        let assigned = !self.consumer.assignment().is_empty();
        if assigned != self.assigned {
            self.progress.rebalanced(assigned);
            self.assigned = assigned;
        }
    }

    fn remember(&mut self) {
        let positions = self.places.take_positions();
        if positions.is_empty() {
            return;
        }
        if let Err(failure) = self.consumer.remember(positions) {
            eprintln!("{failure}");
        }
    }

    fn tell(&mut self) {
        for trouble in self.consumer.troubles() {
            tell_once(&mut self.said, &trouble);
        }
    }

    fn report(&self) {
        self.progress.print_total();
        if self.work.metrics {
            out(&metrics(self.metrics()));
        }
    }

    /// Of the Java consumer's metrics those that this tool counts itself.
    fn metrics(&self) -> Vec<(String, Value)> {
        let client = format!("{{client-id={}}}", self.work.client);
        let (records, bytes) = (self.progress.records as f64, self.progress.bytes as f64);
        let seconds = self.progress.elapsed_ms().max(1) as f64 / 1000.0;
        let mut all: Vec<(String, Value)> = [
            ("records-consumed-total", records),
            ("records-consumed-rate", records / seconds),
            ("bytes-consumed-total", bytes),
            ("bytes-consumed-rate", bytes / seconds),
        ]
        .into_iter()
        .map(|(name, value)| {
            let name = format!("consumer-fetch-manager-metrics:{name}:{client}");
            (name, Value::Double(value))
        })
        .collect();
        all.push((
            format!("consumer-coordinator-metrics:rebalance-latency-total:{client}"),
            Value::Double(self.progress.joining_ms() as f64),
        ));
        let count = all.len() + 1;
        all.push((
            format!("kafka-metrics-count:count:{client}"),
            Value::Double(count as f64),
        ));
        all
    }

    /// Commits, unless the properties forbid it, and leaves the group.
    fn leave(self) -> Result<(), Ending> {
        if self.topics.is_empty() {
            self.consumer.abandon();
            return Ok(());
        }
        Ok(self.consumer.leave()?)
    }
}

fn tell_once(said: &mut Option<ErrorCode>, trouble: &KafkaError) {
    if *said != Some(trouble.code()) {
        *said = Some(trouble.code());
        eprintln!("{}", java_message(trouble));
    }
}
