//! The work of `velo consume`: records in, lines out, until there is a reason to stop.

use super::decode::Undecodable;
use super::output::show;
use super::plan::Plan;
use super::silence::{self, Known};
use crate::clock::Clock;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::kafka::Admin;
use crate::kafka::consumer::{Arrival, Consumer, Record, Span, Start};
use crate::kafka::errors::{ErrorCode, KafkaError};
use crate::kafka::places::Places;
use crate::kafka::types::TopicPartition;
use crate::ui::buffered::Output;
use crate::ui::foreign::Guard;
use crate::ui::units::count;
use crate::ui::{Interrupt, Ui};
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The longest wait for records before Ctrl-C and the clock are looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// How long nothing may be shown before the reason is told.
const SILENCE: Duration = Duration::from_secs(2);

/// How long a group may take to share out its partitions before it is said that this is waited for.
const JOINING: Duration = Duration::from_secs(1);

/// How long before it is asked whether the group can have a coordinator at all (Kafka waits 3 s for more members).
const UNUSUAL: Duration = Duration::from_secs(6);

/// How long a topic may be away that is deleted and made again.
const ABSENCE: Duration = Duration::from_secs(3);

/// How often new partitions are looked for.
const REFRESH: Duration = Duration::from_secs(5);

/// Reads and shows records.
///
/// # Errors
/// When a topic cannot be read, stdout cannot be written, or Ctrl-C was pressed.
pub fn run(context: &Context, plan: &Plan) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let waiting = context
        .ui
        .waiting_for(format!("an answer from {}", context.connection.bootstrap()));
    let mut consumer = Consumer::open(&context.connection, plan.isolation, plan.group.as_ref())?;
    let partitions = consumer.partitions(&plan.topics, plan.partition)?;
    let mut reading = Reading {
        context,
        plan,
        interrupt,
        sink: Sink::new(plan, context.ui),
        spans: Vec::new(),
        until: None,
        silent_since: Some(Instant::now()),
        joining: Joining::new(partitions.len()),
        refreshed: Instant::now(),
        said: None,
        consumer,
    };
    reading.start(&partitions)?;
    drop(waiting);
    let ended = reading.read();
    reading.finish(ended)
}

/// What was said of a group that has not given this member a partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    Joining,
    Unusual,
}

/// The way into a group.
struct Joining {
    since: Instant,
    said: Said,
    /// How many partitions there are to share out.
    partitions: usize,
}

impl Joining {
    fn new(partitions: usize) -> Self {
        Joining {
            since: Instant::now(),
            said: Said::Nothing,
            partitions,
        }
    }
}

/// Why reading ended.
enum End {
    /// All that was asked for is shown.
    Done,
    /// Nobody reads our output any more.
    PipeClosed,
    /// Ctrl-C.
    Interrupted,
}

struct Reading<'a> {
    context: &'a Context,
    plan: &'a Plan,
    interrupt: Interrupt,
    sink: Sink<'a>,
    /// Where each partition started; empty in a group.
    spans: Vec<Span>,
    /// A time to come: when it has, its offsets become the stops.
    until: Option<i64>,
    /// Since when nothing was shown; `None` once something was, or the reason was told.
    silent_since: Option<Instant>,
    joining: Joining,
    refreshed: Instant,
    said: Option<ErrorCode>,
    consumer: Consumer,
}

impl Reading<'_> {
    fn start(&mut self, partitions: &[TopicPartition]) -> Outcome {
        if self.plan.group.is_some() {
            return self.consumer.subscribe(&self.plan.topics);
        }
        self.spans = self.consumer.spans(partitions, self.plan.start)?;
        self.warn_of_offsets();
        for span in &self.spans {
            self.sink.places.add(span.at.clone(), None);
        }
        if self.plan.exit_at_end {
            let ends: Vec<_> = self.spans.iter().map(|span| span.high).collect();
            self.stop_at(&ends);
        }
        if let Some(until) = self.plan.until {
            if until > Clock::system().now_ms() {
                self.until = Some(until);
            } else {
                self.stop_at_time(until)?;
            }
        }
        self.spans.iter().try_for_each(|span| self.consumer.start(span))
    }

    fn warn_of_offsets(&self) {
        let Start::Offset(offset) = self.plan.start else {
            return;
        };
        for span in &self.spans {
            if offset < span.low {
                self.context.ui.say(format!(
                    "{}: offset {offset} is gone; the first is {}",
                    span.at, span.low
                ));
            } else if offset > span.high {
                self.context.ui.say(format!(
                    "{}: offset {offset} is not written yet; the next is {}",
                    span.at, span.high
                ));
            }
        }
    }

    /// Sets the offset to stop before, for each span.
    fn stop_at(&mut self, stops: &[i64]) {
        for (span, stop) in self.spans.iter().zip(stops) {
            self.sink.places.set_stop(&span.at, *stop, span.start);
        }
        self.sink.stopping = true;
    }

    fn stop_at_time(&mut self, until: i64) -> Outcome {
        let partitions: Vec<_> = self.spans.iter().map(|span| span.at.clone()).collect();
        let ends = self.consumer.spans(&partitions, Start::End)?;
        let times = self.consumer.offsets_at(&partitions, until)?;
        let stops: Vec<_> = times
            .iter()
            .zip(ends)
            .map(|(time, end)| time.unwrap_or(end.high))
            .collect();
        self.stop_at(&stops);
        Ok(())
    }

    fn read(&mut self) -> Outcome<End> {
        let mut last_chores = Instant::now();
        loop {
            if self.interrupt.pressed() {
                return Ok(End::Interrupted);
            }
            if self.sink.finished() {
                return Ok(End::Done);
            }
            let arrived = self.serve(Duration::ZERO)? || self.serve_idle()?;
            if let Some(error) = self.sink.broken.take() {
                return closed(error);
            }
            if let Some(trouble) = self.sink.trouble.take() {
                self.judge(trouble)?;
            }
            // A steady stream leaves no idle moment.
            if !arrived || last_chores.elapsed() > GLANCE {
                last_chores = Instant::now();
                if let Some(end) = self.chores()? {
                    return Ok(end);
                }
            }
        }
    }

    fn serve(&mut self, timeout: Duration) -> Outcome<bool> {
        let sink = &mut self.sink;
        let arrived = self.consumer.serve(timeout, |arrival| sink.take(arrival));
        if arrived && self.plan.group.is_some() {
            self.remember()?;
        }
        Ok(arrived)
    }

    /// Nothing waits: shows what is buffered, then waits for more.
    fn serve_idle(&mut self) -> Outcome<bool> {
        if let Err(error) = self.sink.output.write_all() {
            self.sink.broken = Some(error);
            return Ok(false);
        }
        if self.sink.finished() {
            return Ok(false);
        }
        self.serve(GLANCE)
    }

    /// What is committed was shown: written to stdout first.
    fn remember(&mut self) -> Outcome {
        if self.sink.broken.is_some() {
            return Ok(());
        }
        if let Err(error) = self.sink.output.write_all() {
            self.sink.broken = Some(error);
            return Ok(());
        }
        let positions = self.sink.places.take_positions();
        if positions.is_empty() {
            return Ok(());
        }
        self.consumer.remember(positions)
    }

    /// What is to be done from time to time.
    fn chores(&mut self) -> Outcome<Option<End>> {
        if self.sink.shown > 0 {
            self.silent_since = None;
        }
        for trouble in self.consumer.troubles() {
            self.tell(&trouble);
        }
        if self.until.is_some_and(|until| until <= Clock::system().now_ms())
            && let Some(until) = self.until.take()
        {
            self.stop_at_time(until)?;
        }
        if self.plan.group.is_some() && self.plan.exit_at_end {
            let assigned = self.consumer.assignment();
            if self.sink.places.done(&assigned) {
                return Ok(Some(End::Done));
            }
        }
        if self.plan.group.is_some() && self.consumer.assignment().is_empty() {
            self.join()?;
        } else {
            self.joining = Joining::new(self.joining.partitions);
            if self.silent_since.is_some_and(|since| since.elapsed() > SILENCE) {
                self.explain();
            }
        }
        if self.refreshed.elapsed() > REFRESH {
            self.refreshed = Instant::now();
            self.read_new_partitions()?;
        }
        Ok(None)
    }

    /// A topic that gets more partitions is read on in all of them (a group does so by itself), and one that is deleted
    /// ends the reading.
    fn read_new_partitions(&mut self) -> Outcome {
        let now = match self.consumer.partitions_now() {
            Ok(now) => now,
            Err(gone) => return self.judge(gone),
        };
        if self.plan.group.is_some() || self.plan.partition.is_some() || self.sink.stopping {
            return Ok(());
        }
        let known = &self.sink.places;
        let fresh: Vec<_> = now.into_iter().filter(|at| !known.contains(at)).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let spans = self.consumer.spans(&fresh, Start::Beginning)?;
        for span in &spans {
            self.consumer.start(span)?;
            self.sink.places.add(span.at.clone(), None);
        }
        self.spans.extend(spans);
        Ok(())
    }

    /// A failure that cannot pass ends the command, another is told once.
    fn judge(&mut self, trouble: KafkaError) -> Outcome {
        use ErrorCode as Code;
        let topics = self.plan.topics.join(", ");
        match trouble.code() {
            // A partition that was just added, or a topic that was just made again, may be news to librdkafka, which looks
            // again by itself.
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition
                if self.comes_back()? =>
            {
                Ok(())
            }
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
                Err(Failure::request(format!("cannot read on from {topics}"))
                    .because("the topic was deleted meanwhile")
                    .hint("velo topic list"))
            }
            Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::InconsistentGroupProtocol
            | Code::FencedInstanceId
            | Code::Fatal => Err(trouble.into_failure(format!("cannot read {topics}"))),
            _ => {
                self.tell(&trouble);
                Ok(())
            }
        }
    }

    /// Whether the topics are there, or again within a moment, as one that is deleted and made anew.
    fn comes_back(&self) -> Outcome<bool> {
        let begun = Instant::now();
        while self.consumer.partitions_now().is_err() {
            if begun.elapsed() > ABSENCE {
                return Ok(false);
            }
            self.interrupt.sleep_until(Instant::now() + GLANCE)?;
        }
        Ok(true)
    }

    fn tell(&mut self, trouble: &KafkaError) {
        if self.said != Some(trouble.code()) {
            self.said = Some(trouble.code());
            self.context.ui.say(format!("{trouble}; trying again"));
        }
    }

    /// The group has not given this member a partition yet: says so, and ends where it never will.
    fn join(&mut self) -> Outcome {
        let Some(membership) = &self.plan.group else {
            return Ok(());
        };
        // What is shown can only be missed from the moment on when there is something to read.
        self.silent_since = self.silent_since.map(|_| Instant::now());
        let group = &membership.group;
        let waited = self.joining.since.elapsed();
        if waited > JOINING && self.joining.said < Said::Joining {
            self.joining.said = Said::Joining;
            silence::joining(self.context, group);
        }
        if waited > UNUSUAL && self.joining.said < Said::Unusual {
            self.joining.said = Said::Unusual;
            let admin = Admin::connect(&self.context.connection)?;
            if let Some(lack) = admin.lack_of_coordinators()? {
                return Err(lack);
            }
            match admin.absence_of_coordinator(group)? {
                Some(why) => self
                    .context
                    .ui
                    .say(format!("group {group} cannot be joined now: {why}; trying again")),
                None => silence::without_partition(self.context, group),
            }
        }
        Ok(())
    }

    fn explain(&mut self) {
        if self.sink.undecodable.in_words().is_some() {
            // The reason was told when the first of them came.
            self.silent_since = None;
            return;
        }
        let known = Known {
            spans: &self.spans,
            partitions: self.joining.partitions,
            seen: self.sink.seen,
            ended: match self.plan.group {
                Some(_) => self.sink.places.done(&self.consumer.assignment()),
                None => self.sink.places.all_done(),
            },
        };
        if silence::explain(self.context, self.plan, &self.consumer, &known) {
            self.silent_since = None;
        } else {
            // Nothing is known yet: another look after another silence.
            self.silent_since = Some(Instant::now());
        }
    }

    /// Commits and leaves the group, and says how much was read.
    fn finish(mut self, ended: Outcome<End>) -> Outcome {
        let written = self.sink.output.write_all();
        if written.is_ok() && self.plan.group.is_some() {
            self.remember()?;
        }
        if matches!(ended, Ok(End::Done)) && self.sink.shown == 0 && self.silent_since.is_some() {
            self.explain();
        }
        let shown = self.sink.shown;
        if self.plan.group.is_some() {
            self.consumer.leave()?;
        } else {
            self.consumer.abandon();
        }
        match ended.map(|end| written.map_or_else(closed, |()| Ok(end)))?? {
            End::PipeClosed => Ok(()),
            end => {
                let undecodable = self.sink.undecodable.in_words();
                let undecodable = undecodable.map_or_else(String::new, |words| format!(", {words}"));
                let read = count(shown, "record");
                self.context.ui.say(format!("{read} read{undecodable}"));
                match end {
                    End::Interrupted => Err(Failure::interrupted()),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Nobody reads on: success, as `head` expects. Anything else is a failure.
fn closed(error: io::Error) -> Outcome<End> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(End::PipeClosed);
    }
    Err(Failure::request("cannot write the records").because(error))
}

/// Where records go.
pub struct Sink<'a> {
    plan: &'a Plan,
    places: Places,
    output: Output,
    guard: Guard,
    undecodable: Undecodable,
    /// Records that came.
    seen: u64,
    /// Records that were shown.
    shown: u64,
    /// There are offsets to stop at.
    stopping: bool,
    /// Positions matter: for stops, or for a group to commit.
    placing: bool,
    broken: Option<io::Error>,
    trouble: Option<KafkaError>,
}

impl<'a> Sink<'a> {
    fn new(plan: &'a Plan, ui: Ui) -> Self {
        Sink {
            plan,
            places: Places::default(),
            output: Output::new(),
            guard: Guard::of_stdout(),
            undecodable: Undecodable::none(ui),
            seen: 0,
            shown: 0,
            stopping: false,
            placing: plan.group.is_some() || plan.exit_at_end || plan.until.is_some(),
            broken: None,
            trouble: None,
        }
    }

    fn finished(&self) -> bool {
        self.plan.count.is_some_and(|count| self.shown >= count) || (self.stopping && self.places.all_done())
    }

    fn take(&mut self, arrival: Arrival<'_>) -> ControlFlow<()> {
        match arrival {
            Arrival::Record(record) => self.show(&record),
            Arrival::End {
                topic,
                partition,
                offset,
            } => {
                self.places.end(topic, partition, offset);
                self.on()
            }
            Arrival::Trouble(trouble) => {
                self.trouble = Some(trouble);
                ControlFlow::Break(())
            }
        }
    }

    fn show(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.seen += 1;
        if self.placing && !self.places.pass(record) {
            return self.on();
        }
        let out = self.output.buffer();
        if !show(self.plan, record, self.guard, &mut self.undecodable, out) {
            return self.on();
        }
        self.shown += 1;
        if let Err(error) = self.output.write_if_full() {
            self.broken = Some(error);
            return ControlFlow::Break(());
        }
        self.on()
    }

    fn on(&self) -> ControlFlow<()> {
        if self.finished() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}
