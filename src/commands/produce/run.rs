//! The work of `velo produce`: lines in, records out, deliveries watched, Ctrl-C obeyed.

use super::records::Shape;
use super::stall::Stall;
use super::summary;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::kafka::Connection;
use crate::kafka::errors::{ErrorCode, KafkaError};
use crate::kafka::producer::{Batch, Producer};
use crate::ui::lines::{Chunk, Lines, Next, Source, split};
use crate::ui::{Interrupt, Ui};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The longest time between a Ctrl-C, or a failed delivery, and its being noticed.
const GLANCE: Duration = Duration::from_millis(50);

/// How many records are queued together.
const TOGETHER: usize = 1000;

/// What to write, and how.
pub struct Job {
    /// Where lines come from.
    pub source: Source,
    /// Records a second, at most.
    pub rate: Option<u64>,
    /// How lines become records.
    pub shape: Shape,
}

/// Writes all lines, and says what was written where.
///
/// # Errors
/// When a record was not written, a line is no record, the input cannot be read, or Ctrl-C was pressed.
pub fn run(context: &Context, topic: &str, producer: &Producer, job: &Job) -> Outcome {
    let prompting = job.source.file.is_none() && context.ui.interactive();
    let mut work = Work {
        lines: None,
        connection: &context.connection,
        topic,
        producer,
        job,
        ui: context.ui,
        interrupt: Interrupt::watch()?,
        prompting,
        progress: None,
        begun: Instant::now(),
        records: 0,
        refused: Vec::new(),
        refused_count: 0,
        told_at: None,
        stall: Stall::new(),
    };
    work.greet();
    let ended = work.send_all();
    // Nobody types any more: the terminal is as it was before.
    work.lines = None;
    let flushed = work.flush();
    if let Some(progress) = &work.progress {
        progress.finish_and_clear();
    }
    summary::show(context, topic, producer)?;
    ended?;
    flushed?;
    summary::verdict(
        &context.connection,
        producer,
        topic,
        &work.refused,
        work.refused_count,
    )
}

struct Work<'a> {
    connection: &'a Connection,
    topic: &'a str,
    producer: &'a Producer,
    job: &'a Job,
    ui: Ui,
    interrupt: Interrupt,
    /// What is being read.
    lines: Option<Lines>,
    /// A person types at our prompt.
    prompting: bool,
    progress: Option<ProgressBar>,
    begun: Instant,
    records: u64,
    /// Records that could not even be queued, with their line.
    refused: Vec<(usize, KafkaError)>,
    refused_count: u64,
    /// How many records were written when trouble was told: until there are more, it is the same trouble.
    told_at: Option<u64>,
    stall: Stall,
}

impl Work<'_> {
    fn greet(&mut self) {
        let topic = self.topic;
        if self.prompting {
            let line = match &self.job.shape.key_separator {
                Some(separator) => format!("key{}value", String::from_utf8_lossy(separator)),
                None => "text".to_owned(),
            };
            self.ui.say(format!(
                "Each line you type is a record for topic {topic} ({line}, then Enter). Ctrl-D on an empty line ends."
            ));
        } else if std::io::stderr().is_terminal() && !self.ui.quiet {
            let style = ProgressStyle::with_template("{spinner} {human_pos} records, {per_sec}, {elapsed}");
            self.progress = Some(match style {
                Ok(style) => ProgressBar::new_spinner().with_style(style),
                Err(_) => ProgressBar::new_spinner(),
            });
        }
    }

    fn send_all(&mut self) -> Outcome {
        self.lines = Some(if self.prompting {
            let prompt = if self.ui.quiet { "" } else { "> " };
            Lines::typed(prompt, self.job.source.repeat)?
        } else {
            Lines::read(&self.job.source)?
        });
        self.ask();
        loop {
            self.look_around()?;
            let next = self
                .lines
                .as_ref()
                .map_or(Ok(Next::End), |lines| lines.next(GLANCE));
            match next? {
                Next::Waiting => {}
                Next::End => return Ok(()),
                Next::Lines(chunk, first) => {
                    self.send_chunk(&chunk, first)?;
                    if self.prompting {
                        // What was typed is written before the next is asked for, so that a failure shows at once.
                        self.producer.flush(GLANCE * 10);
                    }
                    self.ask();
                }
            }
        }
    }

    /// Asks a person who types for the next line.
    fn ask(&self) {
        if let Some(lines) = &self.lines {
            lines.ask();
        }
    }

    fn send_chunk(&mut self, chunk: &Chunk, first: usize) -> Outcome {
        if self.job.rate.is_none() && self.job.shape.is_plain() {
            self.send_together(chunk, first)?;
        } else {
            for (at, line) in split(chunk).enumerate() {
                self.keep_pace()?;
                self.send_one(line, first + at)?;
            }
        }
        self.producer.poll(Duration::ZERO);
        Ok(())
    }

    /// As [`Work::send_one`] for each line, in a third less time.
    fn send_together(&mut self, chunk: &Chunk, first: usize) -> Outcome {
        let shape = &self.job.shape;
        let mut batch = Batch::default();
        for (at, line) in split(chunk).enumerate() {
            match shape.split(line) {
                Ok((key, value)) => batch.push(key, value, first + at),
                Err(why) => {
                    self.send_batch(&mut batch)?;
                    self.not_a_record(first + at, &why)?;
                }
            }
            if batch.len() == TOGETHER {
                self.send_batch(&mut batch)?;
            }
        }
        self.send_batch(&mut batch)
    }

    fn send_batch(&mut self, batch: &mut Batch<'_>) -> Outcome {
        let producer = self.producer;
        let mut refused = Vec::new();
        self.records += batch.len() as u64;
        let sent = producer.send_batch(
            batch,
            |number, error| refused.push((number, error)),
            || self.look_around(),
        );
        for (number, error) in refused {
            self.refuse(number, error);
        }
        sent
    }

    fn send_one(&mut self, line: &[u8], number: usize) -> Outcome {
        let (producer, job) = (self.producer, self.job);
        let sent = job.shape.read(line, |record| {
            producer.send(record, number, || self.look_around())
        });
        match sent {
            Ok(queued) => {
                self.records += 1;
                if let Err(error) = queued? {
                    self.refuse(number, error);
                }
                Ok(())
            }
            Err(why) => self.not_a_record(number, &why),
        }
    }

    /// A person is told and goes on; a file is wrong from here on.
    fn not_a_record(&self, number: usize, why: &str) -> Outcome {
        if self.prompting {
            self.ui.say(format!("not written: {why}"));
            return Ok(());
        }
        Err(Failure::request(format!("line {number} is not a record")).because(why))
    }

    fn refuse(&mut self, number: usize, error: KafkaError) {
        self.refused_count += 1;
        if self.refused.len() < summary::NAMED {
            self.refused.push((number, error));
        }
    }

    /// Waits until the next record is due, if there is a rate.
    fn keep_pace(&self) -> Outcome {
        let Some(rate) = self.job.rate else {
            return Ok(());
        };
        #[allow(clippy::cast_precision_loss)]
        let due = self.begun + Duration::from_secs_f64(self.records as f64 / rate as f64);
        while Instant::now() < due {
            self.interrupt.check()?;
            let left = due.saturating_duration_since(Instant::now());
            self.producer.poll(left.min(GLANCE));
            if let Some(progress) = &self.progress {
                progress.set_position(self.records);
            }
        }
        Ok(())
    }

    /// Ctrl-C, deliveries, connections, progress.
    fn look_around(&mut self) -> Outcome {
        self.interrupt.check()?;
        self.producer.poll(Duration::ZERO);
        if let Some(progress) = &self.progress {
            progress.set_position(self.records);
        }
        for trouble in self.producer.troubles() {
            // A fatal trouble is told with the records that it fails. Of one that lasts, once is enough.
            let written = self.producer.tally().written;
            if trouble.code() != ErrorCode::Fatal && self.told_at != Some(written) {
                self.say(&format!("no answer from the cluster: {trouble}; trying again"));
                self.told_at = Some(written);
            }
        }
        let written = self.producer.tally().written;
        if self.stall.is_news(written, self.producer.waits(), Instant::now())
            && let Some(why) = summary::lack(self.connection, self.topic)
        {
            self.say(&format!("nothing is acknowledged: {why}; trying again"));
        }
        Ok(())
    }

    /// Says something without spoiling the progress line, or the line that is being typed.
    fn say(&mut self, text: &str) {
        let typing = self.lines.as_mut().filter(|_| self.prompting && !self.ui.quiet);
        if typing.is_some_and(|lines| lines.say_above(text)) {
            return;
        }
        match &self.progress {
            Some(progress) => progress.suspend(|| self.ui.say(text)),
            None => self.ui.say(text),
        }
    }

    /// Waits for every answer. Ctrl-C leads here too; a second one ends the process.
    fn flush(&mut self) -> Outcome {
        while !self.producer.flush(GLANCE) {
            // Ctrl-C stops no flush: what was accepted is written. It is told at the end.
            let _ = self.look_around();
        }
        self.interrupt.check()
    }
}
