//! `kafka-console-producer`: lines of standard input become records.

mod options;
mod reader;

use super::client_properties;
use super::java_format;
use super::java_words::{failure_message, java_message, no_metadata};
use super::options::Parsed;
use super::{Ending, out_now};
use crate::failure::{Failure, Kind, Outcome};
use crate::kafka::errors::ErrorCode;
use crate::kafka::producer::{Producer, Settings};
use crate::scripts::way_out::no_metadata_hint;
use crate::ui::Interrupt;
use crate::ui::lines::{Lines, Next, Source, split};
use reader::LineReader;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The longest time between a Ctrl-C, or a failed delivery, and its being noticed.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs the script.
///
/// # Errors
/// Kafka's refusals of the command line, a line that is no record, and with `--sync` a record that was not written.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = options::read(arguments)?;
    let class = parsed.value("line-reader")?.unwrap_or(options::LINE_READER);
    if class != options::LINE_READER {
        return Err(
            Ending::failure(format!("java.lang.ClassNotFoundException: {class}")).hint(format!(
                "no Java class can be loaded here; leave out --line-reader, which means {}",
                options::LINE_READER
            )),
        );
    }
    let reader = LineReader::new(&options::reader(&parsed)?)?;
    let topic = parsed.value("topic")?.unwrap_or_default();
    let (producer, max_block) = match open(&parsed, topic)? {
        Ok(opened) => opened,
        // Kafka's tool reports the failed send and ends as if nothing were wrong.
        Err(ending) if parsed.has("sync") => return Err(ending),
        Err(ending) => return Err(Ending { code: 0, ..ending }),
    };
    let mut work = Work {
        producer,
        reader,
        topic,
        max_block,
        sync: parsed.has("sync"),
        prompting: std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
        interrupt: Interrupt::watch()?,
        number: 0,
        told: 0,
        said: None,
    };
    let sent = work.send_all();
    let flushed = work.flush();
    sent?;
    flushed?;
    Ok(0)
}

/// The producer and its `max.block.ms`; the inner ending is that of a topic that cannot be reached.
fn open(parsed: &Parsed, topic: &str) -> Result<Result<(Producer, Duration), Ending>, Ending> {
    let mut properties = options::producer(parsed)?;
    let max_block = properties.remove("max.block.ms").unwrap_or_default();
    let max_block: u64 = max_block.parse().map_err(|_| {
        Ending::failure(format!(
            "org.apache.kafka.common.config.ConfigException: Invalid value {max_block} for configuration max.block.ms"
        ))
    })?;
    let bootstrap = parsed.value("bootstrap-server")?.unwrap_or_default();
    let connection = client_properties::connection(bootstrap, properties)?;
    let settings = Settings {
        create: true,
        ..Settings::default()
    };
    let begun = Instant::now();
    Ok(match Producer::open(&connection, topic, settings) {
        Ok(producer) => Ok((producer, Duration::from_millis(max_block))),
        // Settings that do not go together.
        Err(failure) if failure.kind() == Kind::Usage => return Err(failure.into()),
        Err(failure) => Err(no_topic(topic, begun.elapsed(), &failure)),
    })
}

/// Java's words for a topic that the cluster does not tell of, and ours for the reason.
fn no_topic(topic: &str, waited: Duration, failure: &Failure) -> Ending {
    let (class, why) = no_metadata(topic, waited);
    if class.ends_with("InvalidTopicException") {
        return not_sent(topic, &why);
    }
    if failure.kind() == Kind::Denied {
        return not_sent(topic, &failure_message(failure)).hints_of(failure);
    }
    not_sent(topic, &why).hint(no_metadata_hint(failure))
}

fn not_sent(topic: &str, why: &str) -> Ending {
    Ending::failure(format!(
        "Error when sending message to topic {topic} with error: {why}"
    ))
}

struct Work<'a> {
    producer: Producer,
    reader: LineReader,
    topic: &'a str,
    max_block: Duration,
    sync: bool,
    /// A person types.
    prompting: bool,
    interrupt: Interrupt,
    /// Lines read so far.
    number: usize,
    /// Failed deliveries that were told.
    told: u64,
    /// The last connection trouble that was told, not to tell it again.
    said: Option<ErrorCode>,
}

impl Work<'_> {
    fn send_all(&mut self) -> Result<(), Ending> {
        let lines = Lines::read(&Source {
            file: None,
            repeat: 1,
        })?;
        self.prompt();
        loop {
            self.look_around()?;
            match lines.next(GLANCE)? {
                Next::Waiting => {}
                Next::End => return Ok(()),
                Next::Lines(chunk, _) => {
                    // Java ends a line at a lone carriage return, too.
                    for line in split(&chunk).flat_map(|line| line.split(|byte| *byte == b'\r')) {
                        self.send(line)?;
                        self.prompt();
                    }
                }
            }
        }
    }

    fn send(&mut self, line: &[u8]) -> Result<(), Ending> {
        self.number += 1;
        let Work {
            producer,
            interrupt,
            max_block,
            number,
            ..
        } = self;
        let begun = Instant::now();
        let full = || -> Outcome {
            if begun.elapsed() > *max_block {
                return Err(Failure::request(format!(
                    "Failed to allocate memory within the configured max blocking time {} ms.",
                    max_block.as_millis()
                )));
            }
            interrupt.check()
        };
        let text = java_format::text(line);
        let queued = self
            .reader
            .read(&text, *number, |record| producer.send(record, *number, full))?;
        match queued {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.refused(&java_message(&error))?,
            Err(failure) => {
                self.interrupt.check()?;
                self.refused(failure.what())?;
            }
        }
        if self.sync {
            self.flush()?;
        }
        Ok(())
    }

    /// A record that was not written: with `--sync` the end, else no more than a line on stderr.
    fn refused(&self, why: &str) -> Result<(), Ending> {
        let ending = not_sent(self.topic, why);
        if self.sync {
            return Err(ending);
        }
        ending.print();
        Ok(())
    }

    /// Ctrl-C, deliveries, connections.
    fn look_around(&mut self) -> Result<(), Ending> {
        self.interrupt.check()?;
        self.producer.poll(Duration::ZERO);
        self.tell()
    }

    fn tell(&mut self) -> Result<(), Ending> {
        for trouble in self.producer.troubles() {
            let code = trouble.code();
            // A fatal trouble is told with the records that it fails.
            if code != ErrorCode::Fatal && self.said != Some(code) {
                eprintln!("no answer from the cluster: {trouble}; trying again");
                self.said = Some(code);
            }
        }
        let (lost, first) = {
            let tally = self.producer.tally();
            (tally.lost, tally.first_lost.clone())
        };
        let known = usize::try_from(self.told).unwrap_or(usize::MAX);
        self.told = lost;
        first
            .iter()
            .skip(known)
            .try_for_each(|one| self.refused(&java_message(&one.error)))
    }

    /// Waits for every answer. Ctrl-C stops no flush: what was accepted is written; a second one ends the process.
    fn flush(&mut self) -> Result<(), Ending> {
        while !self.producer.flush(GLANCE) {
            self.tell()?;
        }
        self.tell()?;
        Ok(self.interrupt.check()?)
    }

    fn prompt(&self) {
        if self.prompting {
            out_now(">");
        }
    }
}
