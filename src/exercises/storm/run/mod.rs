//! `velo storm run`: the whole topology in one process, a thread for each task.
//!
//! ```text
//! stations (spouts) --fields grouping on (contract, number)--> empties (bolts) --shuffle grouping--> events
//! ```
//! At least once, as Storm has it: each record's tuple is the root of a tree, which is complete once the tuple and the events
//! that are anchored to it are acked. Offsets are committed up to the first record whose tree is not. A tree that fails, or is
//! not complete within the message timeout, grows anew from its record: its event comes again, and no other.
//!
//! A spout that is given a partition first reads the records before the committed offset, so that a station is as well known
//! after a restart, or a rebalance, as before.

mod acker;
mod bolt;
mod counts;
mod noted;
mod sink;
mod spout;
mod tuple;

pub use counts::{About, Shown, SpoutCounts, StreamCounts};
pub use noted::running;

use super::Position;
use super::source::Source;
use crate::exercises::velib::topics;
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::Start;
use crate::kafka::{Admin, Connection, NewTopic, RecordProducer};
use crate::process::Process;
use crate::ui::Ui;
use crate::ui::units::{count, counted};
use counts::Counts;
use noted::Note;
use parking_lot::Mutex;
use spout::{Spout, Work};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle, park_timeout};
use std::time::{Duration, Instant};
use tuple::{ToAcker, ToBolt, ToSink, ToSpout};

/// How soon Ctrl-C is seen, and the end of all work.
const GLANCE: Duration = Duration::from_millis(20);
/// How often the counts are noted for `velo storm topology`.
const NOTE_EVERY: Duration = Duration::from_millis(500);
/// How often offsets are committed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// Tuples that fail on purpose, for a class to see what comes of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// The share of events that the last bolt fails.
    pub fail: f64,
    /// The share that it tells and does not ack.
    pub lose: f64,
    /// Which ones: the same number, the same chance.
    pub seed: u64,
}

/// What the topology does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The stations' topic.
    pub topic: String,
    /// The spouts' group.
    pub group: String,
    /// Where to begin in partitions the group has committed nothing for.
    pub start: Start,
    /// How many spout tasks.
    pub spouts: usize,
    /// How many tasks of the bolt that finds the events.
    pub parallelism: usize,
    /// `topology.max.spout.pending`: how many tuples of a spout may be under way.
    pub max_spout_pending: usize,
    /// `topology.message.timeout.secs`: how long a tuple tree may take.
    pub message_timeout: Duration,
    /// `topology.tick.tuple.freq.secs`, if there are to be ticks.
    pub tick: Option<Duration>,
    /// A topic for the events.
    pub output_topic: Option<String>,
    /// Whether they are printed.
    pub print: bool,
    /// How many records before the committed offset of a partition are read for what they say of the stations.
    pub look_back: i64,
    /// How long acks are waited for at the end.
    pub farewell: Duration,
    /// End once everything that was there at the start is dealt with.
    pub exit_at_end: bool,
    /// What fails on purpose.
    pub faults: Faults,
}

/// What all tasks share.
struct Shared<'a> {
    plan: &'a Plan,
    ui: Ui,
    counts: Counts,
    ending: AtomicBool,
    /// By spout: whether it has nothing more to do.
    complete: Mutex<Vec<bool>>,
    /// The first failure of a task.
    failure: Mutex<Option<Failure>>,
}

impl Shared<'_> {
    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    fn tell_complete(&self, spout: usize, complete: bool) {
        if let Some(one) = self.complete.lock().get_mut(spout) {
            *one = complete;
        }
    }

    fn is_complete(&self) -> bool {
        self.plan.exit_at_end && self.complete.lock().iter().all(|one| *one)
    }

    /// Counts what is no station, and names it the first time.
    fn tell_strange(&self, count: u64, at: Position, why: &str) {
        if self.counts.pass_over(count) == count {
            self.ui.say(format!(
                "{at} is no station ({why}); such tuples are acked without an event"
            ));
        }
    }

    /// A task that fails ends the topology.
    fn settle(&self, ended: Outcome) {
        if let Err(failure) = ended {
            self.failure.lock().get_or_insert(failure);
            self.end();
        }
    }
}

/// Ends the topology when its task ends by a panic, which is told by itself.
struct Sentinel<'a>(&'a Shared<'a>);

impl Drop for Sentinel<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = Failure::request("a task of the topology ended by a mistake of velo's");
            self.0.settle(Err(why));
        }
    }
}

/// Runs the topology until `go_on` fails, or the plan is done. Its counts are noted below `state`. The last words, on stderr,
/// say what was counted.
///
/// # Errors
/// What `go_on` says, and when the cluster cannot be read or written.
pub fn run(
    connection: &Connection,
    plan: &Plan,
    ui: Ui,
    state: &Path,
    go_on: &dyn Fn() -> Outcome,
) -> Outcome {
    let joining = ui.waiting_for(format!("a share of `{}` in group `{}`", plan.topic, plan.group));
    let admin = Admin::connect(connection)?;
    // Before any topic is made: a misspelt one is not to be taken for the output topic.
    admin.describe_topic(&plan.topic)?;
    if let Some(topic) = &plan.output_topic {
        topics::ensure(&admin, &NewTopic::named(topic))?;
    }
    drop(admin);
    let join = |_| Source::join(connection, &plan.group, &plan.topic, plan.start, COMMIT_EVERY);
    let sources = (0..plan.spouts).map(join).collect::<Outcome<Vec<Source>>>()?;
    let producer = match &plan.output_topic {
        Some(_) => Some(RecordProducer::connect(connection)?),
        None => None,
    };
    drop(joining);
    let shared = Shared {
        plan,
        ui,
        counts: Counts::default(),
        ending: AtomicBool::new(false),
        complete: Mutex::new(vec![false; plan.spouts]),
        failure: Mutex::new(None),
    };
    let note = Note::begin(state, about(plan))?;
    let begun = Instant::now();
    let ended = std::thread::scope(|scope| {
        let topology = Topology::start(scope, connection, &shared, sources, producer);
        let mut write = |shared: &Shared<'_>| note.write(&shared.counts.shown(note.about(), begun.elapsed()));
        topology.tend(&shared, &mut write, go_on)
    });
    last_words(&shared.counts.shown(note.about(), begun.elapsed()), ui);
    let failure = shared.failure.lock().take();
    failure.map_or(ended, Err)
}

fn about(plan: &Plan) -> About {
    About {
        process: Process::own(),
        topic: plan.topic.clone(),
        group: plan.group.clone(),
        output_topic: plan.output_topic.clone(),
        spouts: plan.spouts,
        parallelism: plan.parallelism,
        tick_secs: plan.tick.map(|tick| tick.as_secs_f64()),
    }
}

/// The tasks at work.
struct Topology<'scope> {
    spouts: Vec<ScopedJoinHandle<'scope, ()>>,
    /// For tick tuples.
    bolts: Vec<Sender<ToBolt>>,
    sink: Sender<ToSink>,
}

impl<'scope> Topology<'scope> {
    fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        connection: &'env Connection,
        shared: &'env Shared<'env>,
        sources: Vec<Source>,
        producer: Option<RecordProducer>,
    ) -> Self {
        let (to_acker, acks) = channel();
        let (to_spouts, inboxes): (Vec<_>, Vec<_>) = sources.iter().map(|_| channel()).unzip();
        start_acker(scope, acks, to_spouts, shared);
        let (sink, events) = channel();
        let acker = to_acker.clone();
        scope.spawn(move || {
            let _sentinel = Sentinel(shared);
            shared.settle(sink::run(&events, &acker, producer.as_ref(), shared));
        });
        let bolts = (0..shared.plan.parallelism)
            .map(|_| start_bolt(scope, &sink, &to_acker, shared))
            .collect::<Vec<_>>();
        let spout = |(index, (source, inbox))| {
            let mut spout = Spout {
                index,
                source,
                connection,
                shared,
                inbox,
                bolts: bolts.clone(),
                acker: to_acker.clone(),
                work: Work::new(),
            };
            scope.spawn(move || {
                let _sentinel = Sentinel(shared);
                shared.settle(spout.run());
            })
        };
        let spouts = sources.into_iter().zip(inboxes).enumerate().map(spout).collect();
        Topology { spouts, bolts, sink }
    }

    /// Sends ticks and notes the counts until the spouts have ended; the other tasks end after them.
    fn tend(
        self,
        shared: &Shared<'_>,
        note: &mut dyn FnMut(&Shared<'_>) -> Outcome,
        go_on: &dyn Fn() -> Outcome,
    ) -> Outcome {
        let mut ended = Ok(());
        let (mut noted, mut ticked) = (None, Instant::now());
        while !self.spouts.iter().all(ScopedJoinHandle::is_finished) {
            if ended.is_ok() && !shared.is_ending() {
                ended = go_on();
                if ended.is_err() || shared.is_complete() {
                    shared.end();
                }
            }
            if noted.is_none_or(|at: Instant| at.elapsed() > NOTE_EVERY) {
                noted = Some(Instant::now());
                shared.settle(note(shared));
            }
            if shared.plan.tick.is_some_and(|tick| ticked.elapsed() >= tick) {
                ticked = Instant::now();
                self.tick();
            }
            park_timeout(GLANCE);
        }
        ended
    }

    fn tick(&self) {
        for bolt in &self.bolts {
            // The bolts live as long as this, but for a panic that ends the run by itself.
            let _ = bolt.send(ToBolt::Tick);
        }
        let _ = self.sink.send(ToSink::Tick);
    }
}

fn start_acker<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    acks: Receiver<ToAcker>,
    spouts: Vec<Sender<ToSpout>>,
    shared: &'env Shared<'env>,
) {
    scope.spawn(move || {
        let _sentinel = Sentinel(shared);
        acker::serve(&acks, &spouts, shared.plan.message_timeout, &shared.counts);
    });
}

fn start_bolt<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    sink: &Sender<ToSink>,
    acker: &Sender<ToAcker>,
    shared: &'env Shared<'env>,
) -> Sender<ToBolt> {
    let (sender, inbox) = channel();
    let (sink, acker) = (sink.clone(), acker.clone());
    scope.spawn(move || {
        let _sentinel = Sentinel(shared);
        bolt::run(&inbox, &sink, &acker, shared);
    });
    sender
}

fn last_words(shown: &Shown, ui: Ui) {
    let strange = match shown.no_station {
        0 => String::new(),
        some => format!(", {}", counted(some, "was no station", "were no stations")),
    };
    let events = shown.streams.iter().find(|stream| stream.to == "events");
    let spout = &shown.spout;
    ui.say(format!(
        "{} emitted ({} again), {} acked, {} failed ({} timed out){strange}; {} emitted",
        count(spout.emitted, "tuple"),
        spout.replayed,
        spout.acked,
        spout.failed,
        spout.timed_out,
        count(events.map_or(0, |stream| stream.emitted), "event"),
    ));
}
