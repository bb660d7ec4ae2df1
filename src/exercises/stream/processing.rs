//! Records in, records out, a store in between: a processor at work in a group, at least once or exactly once.
//!
//! Records are worked on as they come. What is in hand is concluded when there is nothing more to read at the moment, and else
//! several times a second.
//!
//! At least once, for what is in hand in this order: what it emits is written and acknowledged, what it has changed is in the changelog,
//! then on disk, and its offsets are committed. Killed in between, its records are read again; what was emitted of them may be emitted a
//! second time, unless the store is ahead already, and nothing is lost.
//!
//! Exactly once: all three are one transaction (KIP-447), and what has changed goes to disk after it is committed. Killed at any
//! moment, either all that was in hand was done or nothing.

use super::changelog::Changelog;
use super::instance::Instance;
use super::store::{Store, StoreKey, StoreValue};
use super::stores::Stores;
use super::timer::Timer;
use super::worker::{Member, Next, Turn, Work};
use crate::clock::Clock;
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::{Assigned, Limits, Received};
use crate::kafka::stream_producer::Assurance;
use crate::kafka::transactions::{Remedy, TransactionError};
use crate::kafka::{Connection, StreamProducer};
use crate::ui::Ui;
use std::time::{Duration, Instant};

/// What may become of a record when something dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Guarantee {
    /// Nothing is lost; after a kill something may be emitted a second time
    AtLeastOnce,
    /// Nothing is lost and nothing is there twice for whoever reads committed records, by transactions
    ExactlyOnce,
}

/// Most records of one batch. Several make a transaction: it costs the cluster about as much whatever is in it.
const BATCH: usize = 5_000;
/// The longest time to collect one.
const MOMENT: Duration = Duration::from_millis(100);
/// What is in hand for so long is concluded, whatever else comes.
const SOON: Duration = Duration::from_millis(100);
/// The same of who is behind, and in no hurry to tell each step.
const BEHIND: Duration = Duration::from_millis(300);
/// Who gets so many records at once, and has come to the end of no partition, is behind, and who gets a whole batch.
const MANY: usize = 1_000;
/// With something in hand, how long to wait for more before it is concluded.
const PAUSE: Duration = Duration::from_millis(5);
/// The same of who is behind: there is more, and a busy machine brings it a little later.
const LULL: Duration = Duration::from_millis(20);
/// How long a transaction may be open before the cluster aborts it: so long others wait for one whose process is dead for good.
const OPEN: Duration = Duration::from_secs(10);
/// One try of a call that waits for the cluster.
const TRY: Duration = Duration::from_secs(2);
/// The number under which emitted records are counted; a changelog's are under that of their partition behind it.
const EMITTED: usize = 0;

/// Something to emit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// What a processor works with: the store of the record's partition, and a way out.
pub struct Desk<'a, K, V> {
    /// The store of the partition.
    pub store: &'a mut Store<K, V>,
    /// What is emitted, in order.
    pub out: &'a mut Vec<Emitted>,
    /// The wall clock, in ms since 1970-01-01 UTC.
    pub now_ms: i64,
}

/// What is done with records.
pub trait Processor {
    /// The store's keys.
    type Key: StoreKey;
    /// The store's values.
    type Value: StoreValue;

    /// Takes a record in.
    ///
    /// # Errors
    /// Ends the work.
    fn process(&mut self, record: &Received, desk: Desk<'_, Self::Key, Self::Value>) -> Outcome;

    /// How often [`Processor::punctuate`] is called, in ms.
    fn every_ms(&self) -> i64;

    /// What is to be done by the clock in one partition: when it has been given, and then each [`Processor::every_ms`].
    /// `caught_up` when all that the partition holds was read. Whether there is more to do at once.
    ///
    /// # Errors
    /// Ends the work.
    fn punctuate(
        &mut self,
        partition: i32,
        caught_up: bool,
        desk: Desk<'_, Self::Key, Self::Value>,
    ) -> Outcome<bool>;

    /// A partition's store is back.
    ///
    /// # Errors
    /// When it cannot be read.
    fn restored(&mut self, _partition: i32, _store: &mut Store<Self::Key, Self::Value>) -> Outcome {
        Ok(())
    }

    /// What was done so far is committed.
    fn committed(&mut self);

    /// What was not committed has not happened, and the partitions are gone.
    fn forget(&mut self);
}

/// Where a processor works.
pub struct Place<'a> {
    /// The cluster.
    pub connection: &'a Connection,
    /// Who it is, and the folder of its stores.
    pub instance: &'a Instance,
    /// The group that shares the work.
    pub group: &'a str,
    /// The topic to emit to.
    pub output: &'a str,
    /// What may become of a record when something dies.
    pub guarantee: Guarantee,
    /// Die once so many records are emitted, before anything of their batch is noted.
    pub die_after: Option<u64>,
}

/// A processor at work.
pub struct Processing<'a, P: Processor> {
    place: Place<'a>,
    changelog: Changelog,
    ui: Ui,
    clock: Clock,
    processor: P,
    producer: StreamProducer,
    /// Whether the producer takes part in a transaction.
    open: bool,
    /// The transactions of this process are over, and it needs another producer.
    broken: bool,
    timer: Timer,
    out: Vec<Emitted>,
    /// The offsets behind the records that were worked on and are not concluded, and since when there are any.
    in_hand: Next,
    since: Option<Instant>,
    /// There is more to read than can be worked on at once.
    behind: bool,
    /// How many records were sent.
    emitted: u64,
    /// Closed before the folder is given up.
    stores: Stores<P::Key, P::Value>,
}

impl<'a, P: Processor> Processing<'a, P> {
    /// Opens the stores' folder, and ends what an earlier process of this instance has left open.
    ///
    /// # Errors
    /// When the folder or the cluster cannot be used.
    pub fn begin(
        place: Place<'a>,
        changelog: Changelog,
        processor: P,
        ui: Ui,
        go_on: &dyn Fn() -> Outcome,
    ) -> Outcome<Self> {
        let producer = producer_of(&place, go_on)?;
        Ok(Processing {
            stores: Stores::open(place.instance.folder())?,
            timer: Timer::new(processor.every_ms()),
            clock: Clock::system(),
            open: false,
            broken: false,
            out: Vec::new(),
            in_hand: Next::new(),
            since: None,
            behind: false,
            emitted: 0,
            place,
            changelog,
            ui,
            processor,
            producer,
        })
    }

    /// The processor, for its last words.
    pub fn processor(&self) -> &P {
        &self.processor
    }

    /// Sends what is emitted, in the transaction of exactly once.
    fn emit(&mut self, go_on: &dyn Fn() -> Outcome) -> Outcome<Result<(), TransactionError>> {
        if self.out.is_empty() {
            return Ok(Ok(()));
        }
        if let Err(failed) = self.open() {
            return Ok(Err(failed));
        }
        for Emitted { key, value } in self.out.drain(..) {
            let record = (key.as_slice(), Some(value.as_slice()));
            let sent = self
                .producer
                .send(self.place.output, None, record, EMITTED, go_on)?;
            if sent.is_err() {
                return Ok(sent);
            }
            self.emitted += 1;
        }
        self.producer.poll();
        Ok(Ok(()))
    }

    /// Ends this process on the spot, if that is wanted by now: what was emitted has arrived, and nothing of it is noted.
    fn die(&self, member: Member<'_>) -> Outcome {
        if self.place.die_after.is_none_or(|wanted| self.emitted < wanted) {
            return Ok(());
        }
        self.arrive(member)?;
        let emitted = crate::ui::units::count(self.emitted, "record");
        self.ui.say(format!(
            "dying on purpose: {emitted} emitted, the last batch not noted"
        ));
        crate::process::die();
    }

    fn open(&mut self) -> Result<(), TransactionError> {
        if !self.open && self.place.guarantee == Guarantee::ExactlyOnce {
            self.producer.begin_transaction()?;
            self.open = true;
        }
        Ok(())
    }

    /// Sends what has changed in the stores.
    fn send_changes(&mut self, go_on: &dyn Fn() -> Outcome) -> Outcome<Result<(), TransactionError>> {
        if self.stores.values().all(Store::is_unchanged) {
            return Ok(Ok(()));
        }
        if let Err(failed) = self.open() {
            return Ok(Err(failed));
        }
        let topic = self.changelog.topic();
        for (partition, store) in self.stores.iter() {
            for (key, value) in store.changes() {
                let change = (key.as_slice(), value.as_deref());
                let sent = self
                    .producer
                    .send(topic, Some(*partition), change, tag(*partition), go_on)?;
                if sent.is_err() {
                    return Ok(sent);
                }
            }
        }
        self.producer.poll();
        Ok(Ok(()))
    }

    /// Makes sure of what was done, and of the offsets with it.
    fn conclude(&mut self, member: Member<'_>) -> Outcome<Turn> {
        self.since = None;
        let next = std::mem::take(&mut self.in_hand);
        match self.place.guarantee {
            Guarantee::AtLeastOnce => {
                // Emitted before it is noted that it was.
                self.emit(member.go_on)?.map_err(never)?;
                self.arrive(member)?;
                self.die(member)?;
                self.send_changes(member.go_on)?.map_err(never)?;
                self.arrive(member)?;
                self.settle(0)?;
                Ok(Turn::Written(next))
            }
            Guarantee::ExactlyOnce => match self.transact(member, &next)? {
                Ok(()) => {
                    // Behind a transaction's records stands its marker.
                    self.settle(1)?;
                    Ok(Turn::Committed(next))
                }
                Err(failed) => self.give_up(member, failed),
            },
        }
    }

    /// Waits until all that was sent is acknowledged, however long the cluster is away.
    fn arrive(&self, member: Member<'_>) -> Outcome {
        let mut told = false;
        while !self.producer.flush(TRY)? {
            (member.go_on)()?;
            if !std::mem::replace(&mut told, true) {
                let why = self.producer.troubles().pop();
                let why = why.unwrap_or_else(|| "no answer".to_owned());
                self.ui
                    .say(format!("the cluster: {why}; nothing is committed, trying again"));
            }
        }
        Ok(())
    }

    fn transact(&mut self, member: Member<'_>, next: &Next) -> Outcome<Result<(), TransactionError>> {
        let sent = match self.emit(member.go_on)? {
            Ok(()) => {
                self.die(member)?;
                self.send_changes(member.go_on)?
            }
            failed => failed,
        };
        if sent.is_err() {
            return Ok(sent);
        }
        if let Err(failed) = if next.is_empty() { Ok(()) } else { self.open() } {
            return Ok(Err(failed));
        }
        if !self.open {
            return Ok(Ok(()));
        }
        let producer = &self.producer;
        if !next.is_empty() {
            let sent = patiently(member.go_on, || producer.send_offsets(member.consumer, next, TRY))?;
            if sent.is_err() {
                return Ok(sent);
            }
        }
        let committed = patiently(member.go_on, || producer.commit_transaction(TRY))?;
        self.open &= committed.is_err();
        Ok(committed)
    }

    /// Nothing of the transaction happens: it is aborted, and what it was about is read again.
    fn give_up(&mut self, member: Member<'_>, failed: TransactionError) -> Outcome<Turn> {
        if self.place.guarantee == Guarantee::AtLeastOnce {
            return Err(never(failed));
        }
        if failed.remedy() == Remedy::None {
            let failure = failed.error().clone();
            return Err(failure.into_failure("a transaction is refused"));
        }
        self.broken |= failed.remedy() == Remedy::NewProducer;
        if self.open && !self.broken {
            let producer = &self.producer;
            let aborted = patiently(member.go_on, || producer.abort_transaction(TRY))?;
            self.broken |= aborted.is_err();
        }
        self.open = false;
        Ok(Turn::Again(format!("a transaction was aborted: {failed}")))
    }

    /// What has changed is in the changelog, where `behind` offsets after the last are no records: it may go to disk.
    fn settle(&mut self, behind: i64) -> Outcome {
        for (partition, store) in self.stores.iter_mut() {
            if store.is_unchanged() {
                continue;
            }
            if let Some(newest) = self.producer.newest(tag(*partition)) {
                store.settle(self.changelog.mark(newest + 1 + behind));
            }
        }
        self.processor.committed();
        self.stores.keep()
    }

    /// Has the processor do what is to be done by the clock.
    fn punctuate(&mut self, member: Member<'_>) -> Outcome<Turn> {
        let now_ms = self.clock.now_ms();
        // What is in hand first, with its offsets.
        let turn = self.conclude(member)?;
        let mut left: Vec<i32> = match turn {
            Turn::Again(_) => Vec::new(),
            _ => self.stores.keys().copied().collect(),
        };
        while let Some(partition) = left.pop() {
            let Some(store) = self.stores.get_mut(&partition) else {
                continue;
            };
            let desk = Desk {
                store,
                out: &mut self.out,
                now_ms,
            };
            let caught_up = member.consumer.is_caught_up(partition);
            if self.processor.punctuate(partition, caught_up, desk)? {
                left.push(partition);
            }
            if let again @ Turn::Again(_) = self.conclude(member)? {
                return Ok(again);
            }
        }
        Ok(turn)
    }
}

impl<P: Processor> Work for Processing<'_, P> {
    fn limits(&self) -> Limits {
        Limits {
            records: BATCH,
            bytes: 8 * 1024 * 1024,
            time: MOMENT,
            wait: match (self.since, self.behind) {
                (None, _) => Limits::GLANCE,
                (Some(_), true) => LULL,
                (Some(_), false) => PAUSE,
            },
        }
    }

    fn restore(&mut self, member: Member<'_>, assigned: &[Assigned]) -> Outcome {
        if std::mem::take(&mut self.broken) {
            self.producer = producer_of(&self.place, member.go_on)?;
        }
        for given in assigned {
            self.stores.add(given.partition)?;
        }
        let waiting = self.ui.waiting_for(format!("`{}`", self.changelog.topic()));
        let restored = self
            .changelog
            .restore(self.place.connection, &mut self.stores, member.go_on)?;
        drop(waiting);
        if restored.strange > 0 {
            self.ui.say(format!(
                "{} of `{}` passed over: none of this program's",
                crate::ui::units::count(restored.strange, "record"),
                self.changelog.topic()
            ));
        }
        for (partition, store) in self.stores.iter_mut() {
            self.processor.restored(*partition, store)?;
            store.tidy();
        }
        Ok(())
    }

    fn begin(&mut self, _member: Member<'_>, _assigned: &[Assigned]) -> Outcome<String> {
        // What is to be done by the clock is done at the next tick.
        self.timer.reset();
        Ok(String::new())
    }

    fn work(&mut self, member: Member<'_>, batch: Vec<Received>) -> Outcome<Turn> {
        let now_ms = self.clock.now_ms();
        for record in &batch {
            self.in_hand.insert(record.partition, record.offset + 1);
            if let Some(store) = self.stores.get_mut(&record.partition) {
                let desk = Desk {
                    store,
                    out: &mut self.out,
                    now_ms,
                };
                self.processor.process(record, desk)?;
            }
        }
        // On its way while more is read.
        if let Err(failed) = self.emit(member.go_on)? {
            return self.give_up(member, failed);
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let at_the_end = |partition: &i32| member.consumer.is_caught_up(*partition);
        self.behind = batch.len() >= BATCH || (batch.len() >= MANY && !self.stores.keys().any(at_the_end));
        let limit = if self.behind { BEHIND } else { SOON };
        match since.elapsed() < limit {
            true => Ok(Turn::nothing()),
            false => self.conclude(member),
        }
    }

    fn finish(&mut self, member: Member<'_>) -> Outcome<Turn> {
        match self.is_idle() {
            true => Ok(Turn::nothing()),
            false => self.conclude(member),
        }
    }

    fn is_idle(&self) -> bool {
        self.in_hand.is_empty()
    }

    fn abandon(&mut self, member: Member<'_>) -> Outcome {
        self.in_hand.clear();
        // What cannot be written now is forgotten with all else.
        self.conclude(member).map(drop)
    }

    fn tick(&mut self, member: Member<'_>) -> Outcome<Turn> {
        if self.stores.is_empty() || !self.timer.is_due(self.clock.now_ms()) {
            if self.is_idle() {
                self.stores.keep()?;
            }
            return Ok(Turn::nothing());
        }
        self.punctuate(member)
    }

    fn forget(&mut self) {
        // A transaction that is still open is of what is forgotten here: a producer that begins anew ends it.
        self.broken |= std::mem::take(&mut self.open);
        if let Err(failure) = self.stores.give_up() {
            // Nothing is lost by it; whoever opens the file next meets it again.
            self.ui.say(failure.in_a_line());
        }
        self.out.clear();
        self.in_hand.clear();
        self.since = None;
        self.processor.forget();
    }
}

/// The producer of a place; one of transactions ends what an earlier process of the instance left open.
fn producer_of(place: &Place<'_>, go_on: &dyn Fn() -> Outcome) -> Outcome<StreamProducer> {
    let id = format!("{}-{}", place.group, place.instance.id());
    let assurance = match place.guarantee {
        Guarantee::AtLeastOnce => Assurance::Idempotent,
        Guarantee::ExactlyOnce => Assurance::Transactional {
            id: id.clone(),
            timeout: OPEN,
        },
    };
    let producer = StreamProducer::connect(place.connection, &assurance)?;
    if place.guarantee == Guarantee::ExactlyOnce {
        if let Some(refusal) = crate::kafka::transactions::no_coordinator(place.connection, &id) {
            let failure = refusal.into_failure("this cluster has no transactions");
            return Err(failure.hint("--guarantee at-least-once"));
        }
        patiently(go_on, || producer.init_transactions(TRY))?
            .map_err(|failed| StreamProducer::cannot_begin(&id, failed))?;
    }
    Ok(producer)
}

/// Makes a call again for as long as it may succeed.
fn patiently(
    go_on: &dyn Fn() -> Outcome,
    mut call: impl FnMut() -> Result<(), TransactionError>,
) -> Outcome<Result<(), TransactionError>> {
    loop {
        match call() {
            Err(failed) if failed.remedy() == Remedy::Retry => go_on()?,
            answer => return Ok(answer),
        }
    }
}

/// At least once has no transactions that could fail.
fn never(failed: TransactionError) -> Failure {
    failed.error().clone().into_failure("a record is not written")
}

fn tag(partition: i32) -> usize {
    usize::try_from(partition).unwrap_or(0) + EMITTED + 1
}
