//! The machine that the tests ask, and the log it keeps its records in.

use crate::broker::batch::{self, BatchHeader};
use crate::broker::error::{BrokerError, Result};
use crate::broker::machine::tasks::Tasks;
use crate::broker::machine::{
    Encoded, Journal, LogRecord, Machine, Position, Producer, Refused, Shard, ShardSettings, Step,
};
use crate::broker::metadata::MetadataImage;
use crate::broker::records::RecordError;
use crate::broker::tests::bench::advance_until;
use crate::broker::world::watch;
use crate::clock::Clock;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// A name is set to a number, or forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set(pub String, pub Option<u8>);

impl LogRecord for Set {
    fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, RecordError> {
        match (key.unwrap_or_default(), value) {
            ([0, name @ ..], value) => {
                let number = value.and_then(|value| value.first().copied());
                Ok(Set(String::from_utf8_lossy(name).into_owned(), number))
            }
            (other, _) => Err(RecordError::UnknownType(
                other.first().copied().unwrap_or_default().into(),
            )),
        }
    }

    fn encode(&self) -> Result<Encoded, RecordError> {
        let key = [&[0], self.0.as_bytes()].concat();
        Ok((Some(key.into()), self.1.map(|number| Bytes::from(vec![number]))))
    }
}

/// Numbers by name. What is named `due-MS` is forgotten at that time; what is named `panic` is a mistake of ours.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Numbers {
    pub settled: BTreeMap<String, u8>,
    pub pending: BTreeMap<i64, Vec<Set>>,
    pub last: Option<i64>,
}

/// Who waits for a change, and how many changes were settled.
#[derive(Default)]
pub struct Waiting {
    pub parked: Vec<oneshot::Sender<&'static str>>,
    pub settled: usize,
}

impl Machine for Numbers {
    type Record = Set;
    type Settings = ();
    type Soft = Waiting;
    type Due = String;

    fn new(_settings: &()) -> Self {
        Numbers::default()
    }

    fn replay(&mut self, at: Position, record: Set) {
        assert_ne!(record.0, "panic");
        self.last = Some(at.offset);
        match (at.producer, record.1) {
            (Some(producer), _) => self.pending.entry(producer.id).or_default().push(record),
            (None, Some(number)) => {
                self.settled.insert(record.0, number);
            }
            (None, None) => {
                self.settled.remove(&record.0);
            }
        }
    }

    fn replay_marker(&mut self, at: i64, producer: Producer, commits: bool) {
        let records = self.pending.remove(&producer.id).unwrap_or_default();
        for record in records.into_iter().filter(|_| commits) {
            let (offset, producer) = (at, None);
            self.replay(Position { offset, producer }, record);
        }
    }

    fn leaves_alone(error: &RecordError) -> bool {
        matches!(error, RecordError::UnknownType(7))
    }

    fn take_up(&self, _now_ms: i64) -> Waiting {
        Waiting::default()
    }

    fn give_up(soft: Waiting) {
        for parked in soft.parked {
            let _ = parked.send("moved");
        }
    }

    fn on_image(&self, before: &MetadataImage, now: &MetadataImage) -> Vec<Set> {
        let number = u8::try_from(now.offset - before.offset).unwrap();
        vec![Set("image".into(), Some(number))]
    }

    fn due(&self, _soft: &Waiting) -> Option<i64> {
        self.settled.keys().filter_map(|name| due_of(name)).min()
    }

    fn all_due(&self, _soft: &Waiting, now_ms: i64) -> Vec<String> {
        let due = |name: &&String| due_of(name).is_some_and(|due| due <= now_ms);
        self.settled.keys().filter(due).cloned().collect()
    }

    fn on_due(&self, _soft: &Waiting, due: String, _now_ms: i64) -> Step<Self, ()> {
        Change::write(vec![Set(due, None)], ()).settling(|_, soft| soft.settled += 1)
    }
}

fn due_of(name: &str) -> Option<i64> {
    name.strip_prefix("due-")?.parse().ok()
}

/// A log in memory.
pub struct Memory {
    batches: Mutex<Vec<(i64, Bytes)>>,
    end: Mutex<i64>,
    committed: watch::Sender<u64>,
    pub appends: AtomicUsize,
    pub refuses: AtomicBool,
    /// Every record is committed as it is written.
    pub commits_at_once: AtomicBool,
    pub lost: AtomicBool,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            batches: Mutex::default(),
            end: Mutex::default(),
            committed: watch::Sender::new(0),
            appends: AtomicUsize::new(0),
            refuses: AtomicBool::new(false),
            commits_at_once: AtomicBool::new(true),
            lost: AtomicBool::new(false),
        }
    }
}

impl Memory {
    pub fn commit(&self) {
        let end = u64::try_from(*self.end.lock()).unwrap();
        self.committed.send_replace(end);
    }

    /// Loses the last batch, as a log that cannot read it again.
    pub fn lose_last(&self) {
        if let Some((base, _)) = self.batches.lock().pop() {
            *self.end.lock() = base;
        }
    }

    /// Writes past the shard.
    pub fn write(self: &Arc<Self>, header: BatchHeader, records: &[(&[u8], &[u8])]) {
        let mut builder = batch::BatchBuilder::default();
        for (key, value) in records {
            builder.push(Some(key), Some(value));
        }
        self.append(builder.build(header).unwrap().bytes).unwrap();
    }
}

impl Journal for Arc<Memory> {
    fn append(&self, batches: Bytes) -> Result<i64> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(BrokerError::Config("it refuses".into()));
        }
        self.appends.fetch_add(1, Ordering::Relaxed);
        let mut end = self.end.lock();
        let first = *end;
        for batch in batch::intact(batches)? {
            self.batches.lock().push((*end, batch.bytes));
            *end += i64::from(batch.header.record_count);
        }
        drop(end);
        if self.commits_at_once.load(Ordering::Relaxed) {
            self.commit();
        }
        Ok(first)
    }

    fn append_marker(&self, batch: Bytes) -> Result<i64> {
        self.append(batch)
    }

    fn start(&self) -> i64 {
        0
    }

    fn end(&self) -> i64 {
        *self.end.lock()
    }

    fn wait_for_disk(&self) {}

    fn read(&self, offset: i64, _max_bytes: usize) -> Result<Bytes> {
        let batches = self.batches.lock();
        let Some((base, bytes)) = batches.iter().rev().find(|(base, _)| *base <= offset) else {
            return Ok(Bytes::new());
        };
        let mut stamped = bytes.to_vec();
        stamped[..8].copy_from_slice(&base.to_be_bytes());
        Ok(stamped.into())
    }

    fn committed(&self) -> i64 {
        i64::try_from(*self.committed.borrow()).unwrap()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    fn is_ours(&self) -> bool {
        !self.lost.load(Ordering::Relaxed)
    }

    fn name(&self) -> String {
        "numbers-0".into()
    }
}

pub type Toy = Shard<Numbers, Arc<Memory>>;
pub type Change<A> = Step<Numbers, A>;

/// A shard on a log in memory.
pub struct Bench {
    pub log: Arc<Memory>,
    pub clock: Clock,
    pub shard: Arc<Toy>,
    tasks: Tasks,
}

impl Bench {
    /// A shard that has been loaded.
    pub fn new() -> Self {
        let bench = Bench::unloaded();
        bench.shard.load();
        bench
    }

    pub fn unloaded() -> Self {
        let (log, clock, tasks) = (Arc::default(), Clock::manual(1_000), Tasks::default());
        let shard = open(&log, &clock, &tasks);
        Bench {
            log,
            clock,
            shard,
            tasks,
        }
    }

    /// Another shard on the same log.
    pub fn again(&self) -> Arc<Toy> {
        let shard = open(&self.log, &self.clock, &self.tasks);
        shard.load();
        shard
    }

    pub fn numbers(&self) -> Numbers {
        state(&self.shard)
    }

    pub fn settled(&self) -> usize {
        self.shard.look(|_, soft| soft.settled).unwrap()
    }

    /// Sets a name to a number.
    pub async fn set(&self, name: &str, number: u8) -> Result<(), Refused> {
        let record = Set(name.to_owned(), Some(number));
        self.shard
            .ask(|_, _, _| {
                let step = Change::write(vec![record], ());
                Ok(step.settling(|_, soft| soft.settled += 1))
            })
            .await
    }

    /// Moves the clock and waits until `fact` holds.
    pub async fn advance_until(&self, ms: u64, fact: impl Fn() -> bool) {
        advance_until(&self.clock, ms, fact).await;
    }
}

pub fn state(shard: &Arc<Toy>) -> Numbers {
    shard.look(|machine, _| machine.clone()).unwrap()
}

fn open(log: &Arc<Memory>, clock: &Clock, tasks: &Tasks) -> Arc<Toy> {
    let settings = ShardSettings {
        clock: clock.clone(),
        commit_timeout: Duration::from_millis(50),
        tasks: tasks.starter(),
    };
    Arc::new(Shard::new(Arc::clone(log), settings, (), &Arc::default()))
}
