//! The loop: records in, text out, until there is a reason to stop.

use super::formatter::Formatter;
use super::options::{Place, Wanted};
use crate::failure::{Failure, Outcome};
use crate::kafka::consumer::{Arrival, Consumer, Record, Reset, Start};
use crate::kafka::places::Places;
use crate::kafka::{Connection, ErrorCode, KafkaError};
use crate::scripts::Ending;
use crate::scripts::include::{Included, REFRESH};
use crate::scripts::java_words::java_message;
use crate::ui::Interrupt;
use crate::ui::buffered::Output;
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The longest wait for records before Ctrl-C and the clock are looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// When to end.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// After so many records.
    pub records: Option<u64>,
    /// When no record has come for so long.
    pub silence: Option<Duration>,
    /// Whether a record that cannot be shown is passed over.
    pub skip_errors: bool,
}

/// A consumer at work.
pub struct Reading<'a> {
    connection: &'a Connection,
    wanted: &'a Wanted,
    limits: Limits,
    interrupt: Interrupt,
    sink: Sink<'a>,
    /// The topics joined for, and when they were last looked for.
    topics: Vec<String>,
    refreshed: Option<Instant>,
    /// The topics of `--include`.
    included: Option<Included>,
    said: Option<ErrorCode>,
    consumer: Consumer,
}

/// Whether to go on.
enum Next {
    Read,
    End,
}

impl<'a> Reading<'a> {
    /// Nothing is read yet.
    pub fn new(
        connection: &'a Connection,
        wanted: &'a Wanted,
        formatter: &'a Formatter,
        limits: Limits,
        interrupt: Interrupt,
        consumer: Consumer,
    ) -> Self {
        Reading {
            connection,
            wanted,
            limits,
            interrupt,
            sink: Sink {
                formatter,
                limits,
                committing: wanted.partition.is_none() && wanted.commits,
                places: Places::default(),
                output: Output::new(),
                count: 0,
                broken: None,
                unshown: None,
                trouble: None,
            },
            topics: Vec::new(),
            refreshed: None,
            included: wanted.include.as_deref().map(Included::new),
            said: None,
            consumer,
        }
    }

    /// Reads to the end and leaves the group; the number of records, and how it ended.
    pub fn run(mut self) -> (u64, Result<(), Ending>) {
        let ended = self.start().and_then(|()| self.read());
        let count = self.sink.count;
        let finished = self.finish();
        (count, ended.and(finished))
    }

    fn start(&mut self) -> Result<(), Ending> {
        match self.wanted.partition {
            Some((partition, place)) => self.start_partition(partition, place),
            None => Ok(self.subscribe()?),
        }
    }

    fn start_partition(&mut self, partition: i32, place: Place) -> Result<(), Ending> {
        let topics: Vec<String> = self.wanted.topic.iter().cloned().collect();
        let code = u8::from(self.limits.silence.is_none());
        // Kafka's tool waits for such a partition until its time is up.
        let missing = |failure: Failure| Ending {
            code,
            ..Ending::from(failure)
        };
        let partitions = self
            .consumer
            .partitions(&topics, Some(partition))
            .map_err(missing)?;
        let reset = match self.wanted.reset {
            Reset::Earliest => Some(Start::Beginning),
            Reset::Latest => Some(Start::End),
            Reset::Refuse => None,
        };
        let start = match place {
            Place::Earliest => Start::Beginning,
            Place::Latest => Start::End,
            Place::Offset(offset) => Start::Offset(offset),
        };
        for span in self.consumer.spans(&partitions, start)? {
            let outside = matches!(place, Place::Offset(offset) if !(span.low..=span.high).contains(&offset));
            if !outside {
                self.consumer.start(&span)?;
                continue;
            }
            let Some(reset) = reset else {
                return Err(Ending {
                    code: 0,
                    ..Ending::failure(format!(
                        "Error processing message, terminating consumer process: The position is out of range for \
                         partition {}",
                        span.at
                    ))
                });
            };
            for span in self.consumer.spans(&partitions, reset)? {
                self.consumer.start(&span)?;
            }
        }
        Ok(())
    }

    /// Joins the group for the topics there are by now.
    fn subscribe(&mut self) -> Outcome {
        let topics = match (&self.wanted.topic, &self.wanted.include) {
            (Some(topic), _) => vec![topic.clone()],
            (None, _) => match &mut self.included {
                Some(included) => included.topics(self.connection)?,
                None => Vec::new(),
            },
        };
        self.refreshed = Some(Instant::now());
        if topics.is_empty() || topics == self.topics {
            return Ok(());
        }
        self.topics = topics;
        self.consumer.subscribe(&self.topics)
    }

    fn read(&mut self) -> Result<(), Ending> {
        let mut last = (0, Instant::now());
        while !self.sink.finished() {
            self.interrupt.check()?;
            if !self.serve(Duration::ZERO)? && !self.sink.finished() {
                self.sink.show();
                self.serve(GLANCE)?;
            }
            if let Next::End = self.judge()? {
                return Ok(());
            }
            if self.sink.count != last.0 {
                last = (self.sink.count, Instant::now());
            } else if self
                .limits
                .silence
                .is_some_and(|silence| last.1.elapsed() > silence)
            {
                return Ok(());
            }
            if self.wanted.include.is_some() && self.refreshed.is_none_or(|at| at.elapsed() > REFRESH) {
                self.subscribe()?;
            }
        }
        Ok(())
    }

    fn serve(&mut self, timeout: Duration) -> Result<bool, Ending> {
        let sink = &mut self.sink;
        let arrived = self.consumer.serve(timeout, |arrival| sink.take(arrival));
        if arrived {
            self.remember()?;
        }
        Ok(arrived)
    }

    /// What is committed was shown: written to stdout first.
    fn remember(&mut self) -> Result<(), Ending> {
        if !self.sink.committing {
            return Ok(());
        }
        self.sink.show();
        let positions = self.sink.places.take_positions();
        if !positions.is_empty() {
            self.consumer.remember(positions)?;
        }
        Ok(())
    }

    /// What went wrong in the meantime.
    fn judge(&mut self) -> Result<Next, Ending> {
        if self.sink.tell_broken() {
            return Ok(Next::End);
        }
        if let Some(why) = self.sink.unshown.take() {
            return Err(Ending::failure(format!(
                "Unknown error when running consumer: {why}"
            )));
        }
        let mut troubles = self.consumer.troubles();
        troubles.extend(self.sink.trouble.take());
        for trouble in troubles {
            if is_final(&trouble) {
                eprintln!(
                    "Error processing message, terminating consumer process: {}",
                    java_message(&trouble)
                );
                return Ok(Next::End);
            }
            if self.said != Some(trouble.code()) {
                self.said = Some(trouble.code());
                eprintln!("{trouble}; trying again");
            }
        }
        Ok(Next::Read)
    }

    /// Shows what is left, commits, leaves the group.
    fn finish(mut self) -> Result<(), Ending> {
        self.sink.show();
        self.remember()?;
        self.sink.tell_broken();
        if self.wanted.partition.is_some() || self.topics.is_empty() {
            self.consumer.abandon();
            return Ok(());
        }
        Ok(self.consumer.leave()?)
    }
}

/// Whether trying again is of no use.
fn is_final(trouble: &KafkaError) -> bool {
    use ErrorCode as Code;
    matches!(
        trouble.code(),
        Code::AutoOffsetReset
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::Authentication
            | Code::InvalidTopic
            | Code::InconsistentGroupProtocol
            | Code::FencedInstanceId
            | Code::Fatal
    )
}

/// Where records go.
struct Sink<'a> {
    formatter: &'a Formatter,
    limits: Limits,
    /// Positions are committed.
    committing: bool,
    places: Places,
    output: Output,
    count: u64,
    broken: Option<io::Error>,
    /// Why a record could not be shown.
    unshown: Option<String>,
    trouble: Option<KafkaError>,
}

impl Sink<'_> {
    fn finished(&self) -> bool {
        self.limits.records.is_some_and(|records| self.count >= records)
            && self.unshown.is_none()
            && self.broken.is_none()
    }

    fn take(&mut self, arrival: Arrival<'_>) -> ControlFlow<()> {
        match arrival {
            Arrival::Record(record) => self.write(&record),
            Arrival::End {
                topic,
                partition,
                offset,
            } => {
                if self.committing {
                    self.places.end(topic, partition, offset);
                }
                ControlFlow::Continue(())
            }
            Arrival::Trouble(trouble) => {
                self.trouble = Some(trouble);
                ControlFlow::Break(())
            }
        }
    }

    fn write(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if self.broken.is_some() || self.unshown.is_some() || self.finished() {
            return ControlFlow::Break(());
        }
        self.count += 1;
        if self.committing {
            self.places.pass(record);
        }
        if let Err(why) = self.formatter.write(record, self.output.buffer()) {
            if !self.limits.skip_errors {
                self.unshown = Some(why);
                return ControlFlow::Break(());
            }
            eprintln!("Error processing message, skipping this message: {why}");
        }
        if let Err(error) = self.output.write_if_full() {
            self.broken = Some(error);
            return ControlFlow::Break(());
        }
        if self.finished() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Says that nobody reads on, if so.
    fn tell_broken(&mut self) -> bool {
        let Some(error) = self.broken.take() else {
            return false;
        };
        if error.kind() != io::ErrorKind::BrokenPipe {
            eprintln!("{error}");
        }
        eprintln!("Unable to write to standard out, closing consumer.");
        true
    }

    /// Writes what is buffered.
    fn show(&mut self) {
        if let Err(error) = self.output.write_all() {
            self.broken.get_or_insert(error);
        }
    }
}
