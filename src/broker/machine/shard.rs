//! The machine of one log: what is changed here is written there first.

use super::step::Tell;
use super::tasks::Starter;
use super::timer::Timer;
use super::{Journal, LedPartition, LogRecord, Machine, Position, Producer, Refused, Step};
use crate::broker::batch::{BatchBuilder, BatchHeader, marker};
use crate::broker::metadata::MetadataImage;
use crate::broker::world::fault::{self, Fault};
use crate::broker::world::time::{after, timeout_at};
use crate::clock::Clock;
use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Records are written in batches of about so many bytes, well under any `max.message.bytes`.
const BATCH_BYTES: usize = 256 * 1024;
/// From so many ms on, the date and the steady scale of time part because somebody has set the date.
const DATE_SET_MS: i64 = 1_000;
/// What a record takes beside its key and value.
const RECORD_OVERHEAD: usize = 32;

/// What all shards of a kind share.
#[derive(Debug, Clone)]
pub struct ShardSettings {
    /// The one clock.
    pub clock: Clock,
    /// How long an answer waits for the replicas.
    pub commit_timeout: Duration,
    /// Runs timers, loading and answers that wait.
    pub tasks: Starter,
}

/// A machine, and what lies beside it.
struct Live<M: Machine> {
    machine: M,
    soft: M::Soft,
    /// Up to where the log has been replayed.
    end: i64,
    /// By how much the date is ahead of the steady scale of time, in ms, where the moments in `soft` are right.
    ahead_ms: i64,
}

enum Standing<M: Machine> {
    Loading,
    Active(Box<Live<M>>),
    /// Its log cannot be read, or a mistake of ours broke off a replay: nobody is served until it is led anew.
    Unreadable,
    GivenUp,
}

impl<M: Machine> Standing<M> {
    fn live(&self) -> Result<&Live<M>, Refused> {
        match self {
            Standing::Active(live) => Ok(live),
            Standing::Loading => Err(Refused::Loading),
            Standing::Unreadable | Standing::GivenUp => Err(Refused::NotLed),
        }
    }
}

/// The metadata that a shard has acted on, and the newest.
struct Images {
    acted_on: Arc<MetadataImage>,
    newest: Arc<MetadataImage>,
}

/// A machine and its log. One writer: plan, append and replay are one; no lock is held while the replicas are awaited.
pub struct Shard<M: Machine, J: Journal = LedPartition> {
    journal: J,
    settings: ShardSettings,
    machines: M::Settings,
    standing: Mutex<Standing<M>>,
    images: Mutex<Images>,
    pub(super) timer: Timer,
}

impl<M: Machine, J: Journal> Shard<M, J> {
    /// A shard whose log is still to be read. What it owes to the metadata counts from `image` on.
    pub fn new(
        journal: J,
        settings: ShardSettings,
        machines: M::Settings,
        image: &Arc<MetadataImage>,
    ) -> Self {
        Shard {
            journal,
            settings,
            machines,
            standing: Mutex::new(Standing::Loading),
            images: Mutex::new(Images {
                acted_on: Arc::clone(image),
                newest: Arc::clone(image),
            }),
            timer: Timer::default(),
        }
    }

    /// Its log.
    pub fn journal(&self) -> &J {
        &self.journal
    }

    pub(super) fn machines(&self) -> &M::Settings {
        &self.machines
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    pub(super) fn name(&self) -> String {
        self.journal.name()
    }

    /// Plans on the state, appends, replays, and waits. A refused append leaves the state as it was.
    ///
    /// # Errors
    /// What the plan or the log refuses; [`Refused::Late`] when the records are written but not replicated in time.
    pub async fn ask<A>(
        self: &Arc<Self>,
        plan: impl FnOnce(&M, &M::Soft, i64) -> Result<Step<M, A>, ResponseError>,
    ) -> Result<A, Refused> {
        let (answer, offset) = self.change(plan)?;
        if let Some(offset) = offset.filter(|_| !fault::is(Fault::EarlyAnswer)) {
            self.committed(offset).await?;
        }
        Ok(answer)
    }

    /// The same for what waits for nothing.
    ///
    /// # Errors
    /// As [`Shard::ask`].
    pub fn ask_at_once<A>(
        self: &Arc<Self>,
        plan: impl FnOnce(&M, &M::Soft, i64) -> Result<Step<M, A>, ResponseError>,
    ) -> Result<A, Refused> {
        self.change(plan).map(|(answer, _)| answer)
    }

    /// The same without the wait: the answer, and the offset that it is to wait for.
    pub(super) fn change<A>(
        self: &Arc<Self>,
        plan: impl FnOnce(&M, &M::Soft, i64) -> Result<Step<M, A>, ResponseError>,
    ) -> Result<(A, Option<i64>), Refused> {
        let mut standing = self.standing.lock();
        let now = self.follow_date(&mut standing);
        let live = self.live(&mut standing)?;
        let step = plan(&live.machine, &live.soft, now)?;
        let first = self.append(&step.records, step.producer, now)?;
        let last = self.apply(&mut standing, |live| {
            let mut last = None;
            for (offset, record) in (first..).zip(step.records) {
                let producer = step.producer;
                live.machine.replay(Position { offset, producer }, record);
                live.end = offset.saturating_add(1);
                last = Some(offset);
            }
            if let Some(settle) = step.settle {
                settle(&live.machine, &mut live.soft);
            }
            last
        })?;
        drop(standing);
        let awaited = step.wait.offset(last);
        if let Some(tell) = step.tell {
            self.tell(awaited, tell);
        }
        Ok((step.answer, awaited))
    }

    /// Ends a transaction: writes its marker and replays it.
    ///
    /// # Errors
    /// As [`Shard::ask`].
    pub async fn mark(
        self: &Arc<Self>,
        producer: Producer,
        commits: bool,
        coordinator_epoch: i32,
    ) -> Result<(), Refused> {
        let offset = {
            let mut standing = self.standing.lock();
            self.live(&mut standing)?;
            let header = BatchHeader {
                producer_id: producer.id,
                producer_epoch: producer.epoch,
                ..BatchHeader::of_broker(self.settings.clock.now_ms())
            };
            let batch = marker(header, commits, coordinator_epoch)?;
            let offset = self.journal.append_marker(batch.bytes)?;
            self.apply(&mut standing, |live| {
                live.machine.replay_marker(offset, producer, commits);
                live.end = offset.saturating_add(1);
            })?;
            offset
        };
        self.committed(offset).await
    }

    /// All that is due, and the moment at which it is.
    pub(super) fn all_due(&self) -> (Vec<M::Due>, i64) {
        let mut standing = self.standing.lock();
        let now = self.follow_date(&mut standing);
        let all = standing.live().map(|live| live.machine.all_due(&live.soft, now));
        (all.unwrap_or_default(), now)
    }

    /// Looks at the state as it is now, without waiting for anything.
    ///
    /// # Errors
    /// [`Refused::Loading`], [`Refused::NotLed`].
    pub fn look<A>(self: &Arc<Self>, look: impl FnOnce(&M, &M::Soft) -> A) -> Result<A, Refused> {
        let mut standing = self.standing.lock();
        let live = self.live(&mut standing)?;
        Ok(look(&live.machine, &live.soft))
    }

    /// The machine, if its log is what has been replayed. A log whose disk refused what had been written has taken it back, and
    /// one that was recovered may have lost what it could not read again: then it is read anew, and whoever waits is told as when the lead has gone.
    fn live<'a>(self: &Arc<Self>, standing: &'a mut Standing<M>) -> Result<&'a Live<M>, Refused> {
        let end = self.journal.end();
        if standing.live()?.end != end {
            tracing::warn!(
                log = self.name(),
                end,
                "the log is not what it was: it is read anew"
            );
            if let Standing::Active(live) = std::mem::replace(standing, Standing::Loading) {
                M::give_up(live.soft);
            }
            let shard = Arc::clone(self);
            self.settings.tasks.spawn_job(move || shard.load());
        }
        standing.live()
    }

    /// The date, which whatever is to come follows where it has been set.
    fn follow_date(&self, standing: &mut Standing<M>) -> i64 {
        let now = self.settings.clock.now_ms();
        let ahead_ms = self.ahead_ms(now);
        if let Standing::Active(live) = standing {
            let by_ms = ahead_ms.saturating_sub(live.ahead_ms);
            if by_ms.saturating_abs() >= DATE_SET_MS {
                M::date_set(&mut live.soft, by_ms);
                self.timer.move_on(by_ms);
                live.ahead_ms = ahead_ms;
            }
        }
        now
    }

    fn ahead_ms(&self, now: i64) -> i64 {
        now.saturating_sub(self.settings.clock.steady_ms())
    }

    /// Takes what has been written. A panic in it leaves nobody served: half of it may have been taken.
    fn apply<A>(
        self: &Arc<Self>,
        standing: &mut Standing<M>,
        take: impl FnOnce(&mut Live<M>) -> A,
    ) -> Result<A, Refused> {
        match std::mem::replace(standing, Standing::Unreadable) {
            Standing::Active(mut live) => {
                let taken = take(&mut live);
                let due = live.machine.due(&live.soft);
                *standing = Standing::Active(live);
                self.set_timer(due);
                Ok(taken)
            }
            other => {
                *standing = other;
                Err(Refused::NotLed)
            }
        }
    }

    fn set_timer(self: &Arc<Self>, due: Option<i64>) {
        if self.timer.set(due) {
            self.settings.tasks.spawn(Arc::clone(self).keep_time());
        }
    }

    /// Hands on what is due next, with the shard locked.
    pub(super) fn with_due(&self, take: impl FnOnce(Option<i64>)) {
        let standing = self.standing.lock();
        let due = standing.live().map(|live| live.machine.due(&live.soft));
        take(due.unwrap_or_default());
    }

    /// Writes records by one append; returns the offset of the first, or of nothing.
    fn append(&self, records: &[M::Record], producer: Option<Producer>, now: i64) -> Result<i64, Refused> {
        if records.is_empty() {
            return Ok(-1);
        }
        let header = match producer {
            Some(producer) => BatchHeader {
                producer_id: producer.id,
                producer_epoch: producer.epoch,
                ..BatchHeader::of_broker(now)
            }
            .in_transaction(),
            None => BatchHeader::of_broker(now),
        };
        Ok(self.journal.append(batches::<M>(records, header)?)?)
    }

    /// Waits until every in-sync replica has the record at `offset`.
    async fn committed(&self, offset: i64) -> Result<(), Refused> {
        if self.journal.committed() <= offset {
            let deadline = after(self.settings.commit_timeout);
            let mut changes = self.journal.changes();
            let is_gone = || self.journal.end() <= offset;
            let decided = changes.wait_for(|_| self.journal.committed() > offset || is_gone());
            let in_time = matches!(timeout_at(deadline, decided).await, Ok(Ok(_)));
            if is_gone() {
                // The disk refused what had been written, and the log is read anew.
                return Err(Refused::Log(ResponseError::KafkaStorageError.into()));
            }
            if !in_time {
                return Err(Refused::Late);
            }
        }
        // In a later epoch another record may stand there.
        match self.journal.is_ours() {
            true => Ok(()),
            false => Err(Refused::NotLed),
        }
    }

    /// Answers others when `offset` is committed.
    fn tell(self: &Arc<Self>, offset: Option<i64>, tell: Tell) {
        match offset {
            Some(offset) if self.journal.committed() <= offset => {
                let shard = Arc::clone(self);
                self.settings.tasks.spawn(async move {
                    match shard.committed(offset).await {
                        Ok(()) => tell(Ok(())),
                        Err(error) => tell(Err(&error)),
                    }
                });
            }
            _ => tell(Ok(())),
        }
    }

    /// Takes the machine that its log adds up to before `end`; not if the log has been given up since.
    pub(super) fn set_loaded(self: &Arc<Self>, machine: M, end: i64) {
        let mut standing = self.standing.lock();
        if matches!(*standing, Standing::Loading) {
            let now = self.settings.clock.now_ms();
            let soft = machine.take_up(now);
            let due = machine.due(&soft);
            let ahead_ms = self.ahead_ms(now);
            *standing = Standing::Active(Box::new(Live {
                machine,
                soft,
                end,
                ahead_ms,
            }));
            self.set_timer(due);
        }
        drop(standing);
        self.act_on_metadata();
    }

    /// Its log cannot be read.
    pub(super) fn set_unreadable(&self) {
        let mut standing = self.standing.lock();
        if matches!(*standing, Standing::Loading) {
            *standing = Standing::Unreadable;
        }
    }

    /// The log is led here no longer: all that waits is answered.
    pub fn give_up(&self) {
        let before = std::mem::replace(&mut *self.standing.lock(), Standing::GivenUp);
        self.timer.set(None);
        if let Standing::Active(live) = before {
            M::give_up(live.soft);
        }
    }

    /// Follows the metadata; at once, or when the log has been read.
    pub fn follow(self: &Arc<Self>, image: &Arc<MetadataImage>) {
        self.images.lock().newest = Arc::clone(image);
        self.act_on_metadata();
    }

    /// Writes what the metadata asks for. What the log refuses is tried again with the next image.
    fn act_on_metadata(self: &Arc<Self>) {
        let mut images = self.images.lock();
        if Arc::ptr_eq(&images.acted_on, &images.newest) {
            return;
        }
        let (before, newest) = (Arc::clone(&images.acted_on), Arc::clone(&images.newest));
        let acted = self.change(|machine, _, _| {
            let records = machine.on_image(&before, &newest);
            Ok(Step::write(records, ()))
        });
        match acted {
            Ok(_) => images.acted_on = newest,
            Err(Refused::Loading | Refused::NotLed) => {}
            Err(error) => {
                tracing::warn!(
                    log = self.name(),
                    "what changed in the metadata is not noted: {error}"
                );
            }
        }
    }
}

/// Records in batches of about [`BATCH_BYTES`].
fn batches<M: Machine>(records: &[M::Record], header: BatchHeader) -> Result<Bytes, Refused> {
    let mut built: Vec<Bytes> = Vec::with_capacity(1);
    let mut builder = BatchBuilder::default();
    let mut size = 0;
    for record in records {
        let (key, value) = record.encode().map_err(|error| {
            tracing::error!("a record cannot be written: {error}");
            ResponseError::UnknownServerError
        })?;
        let bytes = [&key, &value].into_iter().flatten().map(Bytes::len);
        let bytes = RECORD_OVERHEAD + bytes.sum::<usize>();
        if size > 0 && size + bytes > BATCH_BYTES {
            built.push(std::mem::take(&mut builder).build(header)?.bytes);
            size = 0;
        }
        builder.push(key.as_deref(), value.as_deref());
        size += bytes;
    }
    let last = builder.build(header)?.bytes;
    if built.is_empty() {
        return Ok(last);
    }
    built.push(last);
    let mut all = BytesMut::with_capacity(built.iter().map(Bytes::len).sum());
    built.iter().for_each(|batch| all.extend_from_slice(batch));
    Ok(all.freeze())
}
