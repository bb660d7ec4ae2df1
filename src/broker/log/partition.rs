//! One partition's log: append, read, look up by time, truncate, delete.
//!
//! Safe to share between threads: one writer at a time, readers beside it. What readers need is published by atomics
//! and an atomically replaced list of segments, so no read waits for an append.

use super::checkpoint::{self, Lines, LogDirState};
use super::debts::{Debts, Unsettled};
use super::ends::Ends;
use super::epochs::LeaderEpochs;
use super::poison::{self, Poison};
use super::producers::{Aborted, ActiveProducer, ProducerStates};
use super::segments::Segments;
use super::verification::{Beginner, Guard, Leave, Verifications};
use super::{LogConfig, file, recovery};
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::watch;
use crate::broker::world::{Dice, Disk, Jobs, World};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use parking_lot::{Mutex, RwLock};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the folder of a deleted partition ends until it is gone, as in Kafka.
pub const DELETED_DIR: &str = "-delete";
/// `producer.id.expiration.check.interval.ms`
const EXPIRATION_CHECK_MS: i64 = 600_000;

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Offset of the last record.
    pub last_offset: i64,
    /// The broker's time in ms with `LogAppendTime`, else -1.
    pub log_append_time: i64,
    /// Log start offset at the time of the append.
    pub log_start_offset: i64,
    /// The batch had been written before (same producer id, epoch and sequence); nothing was written now.
    pub duplicate: bool,
    /// Nobody sees it yet: it waits for the disk, see [`PartitionLog::settle`].
    pub unsettled: Option<Unsettled>,
}

/// Whole record batches read from a log, as they lie on disk.
#[derive(Debug, Clone, Default)]
pub struct FetchedRecords {
    /// Zero or more whole batches; the first may start before the asked offset, as in Kafka.
    pub records: Bytes,
    /// Aborted transactions whose records may be among them: producer id, first offset.
    pub aborted: Vec<(i64, i64)>,
}

/// Up to where a read may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadLimit {
    /// Below the high watermark: consumers.
    HighWatermark,
    /// Below the last stable offset: `read_committed` consumers.
    LastStable,
    /// To the end: followers and the broker itself.
    LogEnd,
}

/// An offset found by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetAndTimestamp {
    /// The record's offset.
    pub offset: i64,
    /// The record's timestamp in ms.
    pub timestamp: i64,
    /// Leader epoch it was written in, -1 when unknown.
    pub leader_epoch: i32,
}

/// One partition's log.
#[derive(Debug)]
pub struct PartitionLog {
    pub(super) clock: Clock,
    pub(super) disk: Disk,
    dice: Dice,
    jobs: Jobs,
    pub(super) config: ArcSwap<LogConfig>,
    pub(super) segments: Segments,
    pub(super) ends: Ends,
    pub(super) epochs: RwLock<LeaderEpochs>,
    pub(super) aborted: RwLock<Vec<Aborted>>,
    pub(super) writer: Mutex<Writer>,
    /// Held while the disk is waited for; nobody waits for it but those who wait for the disk. Taken before `writer`.
    pub(super) paying: Mutex<()>,
    /// Held while old segments change: by retention, truncation and compaction. Taken before `paying`.
    pub(super) tidying: Mutex<Tidying>,
    dir: RwLock<PathBuf>,
    changes: watch::Sender<u64>,
}

/// What only retention, truncation and compaction use.
#[derive(Debug, Default)]
pub(super) struct Tidying {
    /// Where compaction's last round ended, once that has been read.
    pub clean_to: Option<i64>,
}

/// What only the appender uses.
#[derive(Debug)]
pub(super) struct Writer {
    pub producers: ProducerStates,
    /// Producers whose coordinators are being asked about them.
    pub verifications: Verifications,
    /// All below this offset has been synced.
    pub recovery_point: i64,
    /// What is to be brought to the disk before more is seen.
    pub debts: Debts,
    /// How often what had been written was taken back, or was read anew.
    pub cuts: u64,
    /// Records since the last sync.
    pub unflushed: i64,
    pub flushed_ms: i64,
    /// When silent producers were last forgotten.
    pub expired_ms: i64,
    /// Files renamed for deletion, and when they go.
    pub doomed: Vec<(i64, PathBuf)>,
    pub closed: bool,
    /// Why nothing more is taken until the log has been recovered.
    pub poison: Option<Poison>,
}

impl Writer {
    /// Whether the log takes changes: not once it has been closed or deleted, and not while it is poisoned.
    pub fn is_open(&self) -> bool {
        !self.closed && self.poison.is_none()
    }

    /// # Errors
    /// `KAFKA_STORAGE_ERROR` when the log takes no changes.
    pub fn check_open(&self) -> Result<()> {
        if !self.is_open() {
            return Err(ResponseError::KafkaStorageError.into());
        }
        Ok(())
    }

    /// Forgets silent producers, as often as Kafka looks for them.
    pub fn expire_producers(&mut self, now_ms: i64, config: &LogConfig) {
        if now_ms.saturating_sub(self.expired_ms) >= EXPIRATION_CHECK_MS {
            self.expired_ms = now_ms;
            self.producers.expire(now_ms, config.producer_id_expiration_ms);
            self.verifications
                .expire(now_ms, config.producer_id_expiration_ms);
        }
    }
}

impl PartitionLog {
    /// Opens the log in `dir` (`LOGDIR/TOPIC-PARTITION`), creating the folder if need be; after an unclean stop
    /// the last segment is checked and a torn tail cut. What the files beside `dir` know about it is read from them.
    pub fn open(dir: &Path, config: Arc<LogConfig>, world: impl Into<World>) -> Result<Self> {
        let world = world.into();
        let state = match dir.parent() {
            Some(log_dir) => LogDirState::read(world.disk(), log_dir)?,
            None => LogDirState::default(),
        };
        Self::open_with(dir, config, world, &state)
    }

    /// Opens the log in `dir` with what the whole log directory knew when it was last in use.
    pub fn open_with(
        dir: &Path,
        config: Arc<LogConfig>,
        world: impl Into<World>,
        state: &LogDirState,
    ) -> Result<Self> {
        let world = world.into();
        let (clock, disk) = (world.clock().clone(), world.disk().clone());
        let now_ms = clock.now_ms();
        let (before, high_watermark) = recovery::before(dir, state);
        let recovered = poison::open(&disk, dir, &config, now_ms, before)?;
        let log_end = recovered.log_end;
        let ends = Ends::new(recovered.log_start, log_end, high_watermark);
        if before.recovery_point > log_end {
            // What is written from here on has not been synced.
            Self::checkpoint_line(&disk, dir, checkpoint::RECOVERY_POINTS, Some(log_end))?;
        }
        let mut producers = recovered.producers;
        ends.set_unstable(producers.first_unstable(ends.high_watermark()));
        Ok(PartitionLog {
            clock,
            disk,
            dice: world.dice().clone(),
            jobs: world.jobs().clone(),
            config: ArcSwap::new(config),
            segments: Segments::new(recovered.segments),
            ends,
            epochs: RwLock::new(recovered.epochs),
            aborted: RwLock::new(recovered.aborted),
            writer: Mutex::new(Writer {
                producers,
                verifications: Verifications::default(),
                recovery_point: before.recovery_point.min(log_end),
                debts: Debts::default(),
                cuts: 0,
                unflushed: 0,
                flushed_ms: now_ms,
                expired_ms: now_ms,
                doomed: Vec::new(),
                closed: false,
                poison: None,
            }),
            paying: Mutex::new(()),
            tidying: Mutex::new(Tidying::default()),
            dir: RwLock::new(dir.to_owned()),
            changes: watch::Sender::new(0),
        })
    }

    /// The log's folder.
    pub fn dir(&self) -> PathBuf {
        self.dir.read().clone()
    }

    /// Who waits for its disk.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// First offset that can be read.
    pub fn log_start_offset(&self) -> i64 {
        self.ends.start()
    }

    /// Offset behind the last record that may be seen.
    pub fn log_end_offset(&self) -> i64 {
        self.ends.end()
    }

    /// Offset the next record gets: that of the log's end, unless what was written waits for the disk.
    pub fn written_end_offset(&self) -> i64 {
        self.ends.written()
    }

    /// First offset that is not yet on every in-sync replica.
    pub fn high_watermark(&self) -> i64 {
        self.ends.high_watermark()
    }

    /// Raises the high watermark (never past the end) and wakes the waiters.
    pub fn set_high_watermark(&self, offset: i64) {
        let Some(offset) = self.ends.raise_high_watermark(offset) else {
            return;
        };
        if self.ends.has_unstable() {
            // Held until it is published: an append beside this may have opened another transaction.
            let mut writer = self.writer.lock();
            self.ends.set_unstable(writer.producers.first_unstable(offset));
        }
        self.bump();
    }

    /// First offset of the oldest open transaction, or the high watermark; never below the log's start, from where records
    /// of an open transaction may have been deleted.
    pub fn last_stable_offset(&self) -> i64 {
        self.ends.last_stable()
    }

    /// Who has written to this log lately, by producer id.
    pub fn active_producers(&self) -> Vec<ActiveProducer> {
        self.writer.lock().producers.active()
    }

    /// A guard for a producer whose coordinator is to be asked before its records are appended; `None` while its
    /// transaction is open here, so that nobody needs to be asked.
    pub fn begin_verification(&self, beginner: Beginner) -> Option<Guard> {
        let now_ms = self.clock.now_ms();
        self.writer.lock().begin_verification(beginner, now_ms)
    }

    /// Whether records of that producer's transaction would be let in now.
    pub fn lets_in(&self, producer_id: i64, epoch: i16, leave: Leave) -> bool {
        self.writer.lock().lets_in(producer_id, epoch, leave)
    }

    /// Up to where the log is known to be on the disk.
    pub fn recovery_point(&self) -> i64 {
        self.writer.lock().recovery_point
    }

    /// Changes whenever the log end, the high watermark or the log start moves; fetches wait on it.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn bump(&self) {
        self.changes
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    /// OffsetForLeaderEpoch (KIP-320): the greatest epoch not above `epoch`, and where it ends; (-1, -1) if unknown.
    pub fn end_offset_for_epoch(&self, epoch: i32) -> (i32, i64) {
        self.epochs.read().end_offset_for(epoch, self.log_end_offset())
    }

    /// The epoch of the last record, -1 in an empty log.
    pub fn latest_epoch(&self) -> i32 {
        self.epochs.read().latest().map_or(-1, |(epoch, _)| epoch)
    }

    /// The epoch that the record at `offset` was written in, -1 when unknown.
    pub fn epoch_of(&self, offset: i64) -> i32 {
        self.epochs.read().epoch_of(offset)
    }

    /// Takes new settings; they act from the next append or check on.
    pub fn set_config(&self, config: Arc<LogConfig>) {
        self.config.store(config);
    }

    /// The settings in force.
    pub fn config(&self) -> Arc<LogConfig> {
        self.config.load_full()
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        self.segments.size()
    }

    /// Writes everything through to the disk, checkpoints included.
    pub fn flush(&self) -> Result<()> {
        {
            let mut writer = self.writer.lock();
            writer.check_open()?;
            writer.debts.note_records();
            writer.debts.note_lines();
        }
        self.pay()
    }

    /// Flushes and marks the log as cleanly closed: opened again, it needs no check. Appends fail from here on.
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` for a poisoned log, which is left as it is: it must be checked when it is opened again.
    pub fn close(&self) -> Result<()> {
        let mut lines = Lines::default();
        let closed = self.close_noting(&mut lines);
        closed.and(self.write_lines(lines))
    }

    /// The same for one of many logs: its lines of the files beside its folder are yet to be written, with theirs.
    ///
    /// # Errors
    /// As [`PartitionLog::close`].
    pub fn close_noting(&self, lines: &mut Lines) -> Result<()> {
        let _tidying = self.tidying.lock();
        let _one = self.paying.lock();
        let bill = {
            let mut writer = self.writer.lock();
            if writer.closed {
                return Ok(());
            }
            let finished = self.change(&mut writer, |_| self.segments.active().finish_indexes());
            writer.closed = true;
            finished?;
            writer.debts.note_records();
            self.bill(&mut writer)
        };
        bill.map_or(Ok(()), |bill| self.pay_all_of(&bill))?;
        let mut writer = self.writer.lock();
        writer
            .producers
            .write_snapshot(&self.disk, &self.dir(), self.log_end_offset())?;
        self.note_lines(&writer, lines);
        for (_, path) in writer.doomed.drain(..) {
            file::remove(&self.disk, &path)?;
        }
        Ok(())
    }

    /// Deletes the log's folder: renamed first, as Kafka does, so that a new topic of the same name can start.
    pub fn delete(&self) -> Result<()> {
        let mut lines = Lines::default();
        let log_dir = self.dir().parent().map(Path::to_owned);
        let deleted = self.delete_noting(&mut lines);
        deleted.and(log_dir.map_or(Ok(()), |log_dir| lines.write(&self.disk, &log_dir)))
    }

    /// The same for one of many logs: its lines of the files beside its folder are yet to be taken out, with theirs.
    ///
    /// # Errors
    /// As [`PartitionLog::delete`].
    pub fn delete_noting(&self, lines: &mut Lines) -> Result<()> {
        let _tidying = self.tidying.lock();
        let _one = self.paying.lock();
        let mut writer = self.writer.lock();
        writer.closed = true;
        writer.doomed.clear();
        // Whoever waits for it to be seen is told that it is gone.
        self.ends.take_back();
        writer.cuts += 1;
        let dir = self.dir();
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let renamed = dir.with_file_name(format!("{name}.{}{DELETED_DIR}", self.dice.uuid().simple()));
        self.disk.rename(&dir, &renamed).map_err(BrokerError::io(&dir))?;
        *self.dir.write() = renamed.clone();
        self.epochs.write().moved_to(&renamed);
        self.segments.moved_to(&renamed);
        lines.forget(&dir);
        drop(writer);
        self.disk
            .remove_dir_all(&renamed)
            .map_err(BrokerError::io(&renamed))
    }

    pub(super) fn write_lines(&self, lines: Lines) -> Result<()> {
        self.dir()
            .parent()
            .map_or(Ok(()), |log_dir| lines.write(&self.disk, log_dir))
    }

    /// Where the log starts, if that is not where its first segment does.
    pub(super) fn log_start_line(&self) -> Option<i64> {
        let log_start = self.log_start_offset();
        (log_start > self.segments.first_base()).then_some(log_start)
    }

    pub(super) fn checkpoint_line(
        disk: &Disk,
        dir: &Path,
        name: &'static str,
        offset: Option<i64>,
    ) -> Result<()> {
        let mut lines = Lines::default();
        lines.set(name, dir, offset);
        dir.parent().map_or(Ok(()), |log_dir| lines.write(disk, log_dir))
    }
}
