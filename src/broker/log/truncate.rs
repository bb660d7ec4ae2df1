//! Taking records away at either end: truncation by a follower, DeleteRecords.

use super::partition::{PartitionLog, Tidying, Writer};
use super::producers::Aborted;
use super::segment::Segment;
use super::{checkpoint, file, recovery, transactions};
use crate::broker::error::Result;
use kafka_protocol::ResponseError;
use parking_lot::MutexGuard;
use std::sync::Arc;

/// The right to truncate a log: nobody else tidies it up meanwhile.
pub struct Truncating<'a> {
    log: &'a PartitionLog,
    tidying: MutexGuard<'a, Tidying>,
}

impl Truncating<'_> {
    /// As [`PartitionLog::truncate_to`].
    pub fn to(&mut self, offset: i64) -> Result<()> {
        let log = self.log;
        if offset >= log.written_end_offset() {
            let mut writer = log.writer.lock();
            return log.change(&mut writer, |writer| {
                let changed = log.epochs.write().truncate_from_end(log.written_end_offset());
                writer.debts.note_epochs(changed);
                Ok(())
            });
        }
        if offset <= log.log_start_offset() {
            return self.fully_and_start_at(offset.max(0));
        }
        let mut writer = log.writer.lock();
        log.change(&mut writer, |writer| log.cut(writer, &mut self.tidying, offset))
    }

    /// As [`PartitionLog::truncate_fully_and_start_at`].
    pub fn fully_and_start_at(&mut self, offset: i64) -> Result<()> {
        let log = self.log;
        let mut writer = log.writer.lock();
        log.change(&mut writer, |writer| {
            log.start_anew(writer, &mut self.tidying, offset)
        })
    }
}

impl PartitionLog {
    /// DeleteRecords: moves the log start to `before` (the high watermark for -1) and returns the new start. The
    /// segments below go with the next [`PartitionLog::apply_retention`].
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` above the high watermark; what [`PartitionLog::pay`] fails with. Waits for the disk.
    pub fn delete_records(&self, before: i64) -> Result<i64> {
        let high_watermark = self.high_watermark();
        let before = if before == -1 { high_watermark } else { before };
        if before > high_watermark || before < 0 {
            return Err(ResponseError::OffsetOutOfRange.into());
        }
        self.start_at(before)?;
        self.pay()?;
        Ok(self.log_start_offset())
    }

    /// Moves the log start, which is owed to the disk.
    fn start_at(&self, before: i64) -> Result<()> {
        let mut writer = self.writer.lock();
        self.change(&mut writer, |writer| {
            if self.ends.raise_start(before) {
                let changed = self.epochs.write().truncate_from_start(before);
                writer.debts.note_epochs(changed);
                writer.debts.note_line(checkpoint::LOG_STARTS);
                self.bump();
            }
            Ok(())
        })
    }

    /// A follower learns where its leader's log starts. What changes is owed to the disk, see [`PartitionLog::pay`].
    pub fn raise_log_start(&self, log_start: i64) -> Result<()> {
        let bounded = log_start.min(self.high_watermark());
        if bounded > self.log_start_offset() {
            self.start_at(bounded)?;
        }
        Ok(())
    }

    /// The right to truncate. Waits until retention and compaction, which may wait for the disk, have done.
    pub fn truncating(&self) -> Truncating<'_> {
        Truncating {
            log: self,
            tidying: self.tidying.lock(),
        }
    }

    /// Drops all records from `offset` on, and those of the same batch before it; and a leader epoch of which there is no
    /// record any more, or none yet. What changes is owed to the disk, see [`PartitionLog::pay`].
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` when the log takes no changes.
    pub fn truncate_to(&self, offset: i64) -> Result<()> {
        self.truncating().to(offset)
    }

    fn cut(&self, writer: &mut Writer, tidying: &mut Tidying, offset: i64) -> Result<()> {
        let new_end = self.segments.end_before(offset)?;
        let log_start = self.log_start_offset();
        if new_end < log_start {
            return self.start_anew(writer, tidying, log_start);
        }
        self.ends.cut(new_end);
        writer.cuts += 1;
        self.taken_away(writer, || self.segments.cut(offset))?;
        let changed = self.epochs.write().truncate_from_end(new_end);
        writer.debts.note_epochs(changed);
        self.reload_producers(writer)?;
        forget_synced(writer, new_end);
        self.forget_cleaned(writer, tidying, new_end)?;
        self.bump();
        Ok(())
    }

    /// Drops everything and starts an empty log at `offset`: a follower that is too far behind or ahead. What changes is owed
    /// to the disk, see [`PartitionLog::pay`].
    pub fn truncate_fully_and_start_at(&self, offset: i64) -> Result<()> {
        self.truncating().fully_and_start_at(offset)
    }

    fn start_anew(&self, writer: &mut Writer, tidying: &mut Tidying, offset: i64) -> Result<()> {
        let old = self.segments.load_full();
        self.taken_away(writer, || old.iter().try_for_each(|segment| segment.remove()))?;
        let segment = Segment::open(&self.disk, &self.dir(), offset, self.clock.now_ms())?;
        self.segments.set(vec![Arc::new(segment)]);
        self.ends.begin_anew(offset);
        writer.cuts += 1;
        self.epochs.write().clear();
        writer.debts.note_epochs(true);
        for (path, _, ending) in file::list(&self.disk, &self.dir())? {
            if ending == file::SNAPSHOT {
                file::remove(&self.disk, &path)?;
            }
        }
        self.reload_producers(writer)?;
        writer.recovery_point = offset;
        writer.debts.note_lines();
        self.forget_cleaned(writer, tidying, offset)?;
        self.bump();
        Ok(())
    }

    fn reload_producers(&self, writer: &mut Writer) -> Result<()> {
        let log_end = self.written_end_offset();
        let known = recovery::Known {
            log_start: self.log_start_offset(),
            log_end,
            synced: log_end,
        };
        let (segments, config) = (self.segments.load(), self.config.load());
        let now = (self.clock.now_ms(), &**config);
        let (producers, aborted) =
            recovery::replay_producers(&self.disk, &self.dir(), &segments, known, now)?;
        writer.producers = producers;
        *self.aborted.write() = aborted;
        let unstable = writer.producers.first_unstable(self.high_watermark());
        self.ends.set_unstable(unstable);
        Ok(())
    }

    /// Writes anew which aborted transactions have their markers in the segment that begins at `base`.
    pub(super) fn rewrite_aborted(&self, base: i64) -> Result<()> {
        let segments = self.segments.load();
        let mut bases = segments.iter().map(|segment| segment.base_offset());
        let log_end = self.log_end_offset();
        let end = bases.find(|other| *other > base).unwrap_or(log_end).min(log_end);
        let in_segment = |known: &&Aborted| (base..end).contains(&known.last_offset);
        let kept: Vec<_> = self.aborted.read().iter().filter(in_segment).copied().collect();
        transactions::restore(&self.disk, &self.dir(), base, &kept)
    }

    /// What is written above `end` from now on has not been compacted.
    fn forget_cleaned(&self, writer: &mut Writer, tidying: &mut Tidying, end: i64) -> Result<()> {
        if !self.config().cleanup_policy.compact {
            return Ok(());
        }
        let clean_to = self.clean_to(tidying)?.min(end);
        tidying.clean_to = Some(clean_to);
        writer.debts.note_clean_to(clean_to);
        Ok(())
    }
}

/// What is written above `end` from now on has not been synced, whatever the checkpoint said.
fn forget_synced(writer: &mut Writer, end: i64) {
    if writer.recovery_point > end {
        writer.recovery_point = end;
        writer.debts.note_line(checkpoint::RECOVERY_POINTS);
    }
}
