//! Taking records away at either end: truncation by a follower, DeleteRecords.

use super::partition::{PartitionLog, Tidying, Writer};
use super::producers::Aborted;
use super::segment::Segment;
use super::{checkpoint, file, recovery, transactions};
use crate::broker::error::Result;
use kafka_protocol::ResponseError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl PartitionLog {
    /// DeleteRecords: moves the log start to `before` (the high watermark for -1) and returns the new start. The
    /// segments below go with the next [`PartitionLog::apply_retention`].
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` above the high watermark.
    pub fn delete_records(&self, before: i64) -> Result<i64> {
        let high_watermark = self.high_watermark();
        let before = if before == -1 { high_watermark } else { before };
        if before > high_watermark || before < 0 {
            return Err(ResponseError::OffsetOutOfRange.into());
        }
        let mut writer = self.writer.lock();
        self.change(&mut writer, |_| {
            if self.log_start.fetch_max(before, Ordering::AcqRel) < before {
                self.checkpoint_log_start()?;
                self.epochs.write().truncate_from_start(before)?;
                self.bump();
            }
            Ok(self.log_start_offset())
        })
    }

    /// A follower learns where its leader's log starts.
    pub fn raise_log_start(&self, log_start: i64) -> Result<()> {
        let bounded = log_start.min(self.high_watermark());
        if bounded > self.log_start_offset() {
            self.delete_records(bounded)?;
        }
        Ok(())
    }

    /// Drops all records from `offset` on, and those of the same batch before it; and a leader epoch of which there is no
    /// record any more, or none yet.
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` when the log takes no changes, or the disk refuses.
    pub fn truncate_to(&self, offset: i64) -> Result<()> {
        if offset >= self.log_end_offset() {
            let mut writer = self.writer.lock();
            return self.change(&mut writer, |_| {
                self.epochs.write().truncate_from_end(self.log_end_offset())
            });
        }
        if offset <= self.log_start_offset() {
            return self.truncate_fully_and_start_at(offset.max(0));
        }
        let mut tidying = self.tidying.lock();
        let mut writer = self.writer.lock();
        self.change(&mut writer, |writer| self.cut(writer, &mut tidying, offset))
    }

    fn cut(&self, writer: &mut Writer, tidying: &mut Tidying, offset: i64) -> Result<()> {
        let all = self.segments.load_full();
        let kept = all.partition_point(|segment| segment.base_offset() <= offset);
        let (kept, dropped) = all.split_at(kept.max(1));
        let Some(active) = kept.last() else {
            return Ok(());
        };
        let found = active.locate(offset)?;
        let new_end = found.map_or(offset, |found| found.header.base_offset.min(offset));
        let log_start = self.log_start_offset();
        if new_end < log_start {
            return self.start_anew(writer, tidying, log_start);
        }
        self.log_end.store(new_end, Ordering::Release);
        self.high_watermark.fetch_min(new_end, Ordering::AcqRel);
        self.segments.store(Arc::new(kept.to_vec()));
        self.taken_away(writer, || {
            if !dropped.is_empty() {
                self.remove_now(dropped)?;
            }
            found.map_or(Ok(()), |found| active.truncate(found.position, new_end))
        })?;
        self.epochs.write().truncate_from_end(new_end)?;
        self.reload_producers(writer)?;
        self.forget_synced(writer, new_end)?;
        self.forget_cleaned(tidying, new_end)?;
        self.bump();
        Ok(())
    }

    /// Drops everything and starts an empty log at `offset`: a follower that is too far behind or ahead.
    pub fn truncate_fully_and_start_at(&self, offset: i64) -> Result<()> {
        let mut tidying = self.tidying.lock();
        let mut writer = self.writer.lock();
        self.change(&mut writer, |writer| {
            self.start_anew(writer, &mut tidying, offset)
        })
    }

    fn start_anew(&self, writer: &mut Writer, tidying: &mut Tidying, offset: i64) -> Result<()> {
        let old = self.segments.load_full();
        self.taken_away(writer, || self.remove_now(&old))?;
        let segment = Segment::open(&self.disk, &self.dir(), offset, self.clock.now_ms())?;
        self.segments.store(Arc::new(vec![Arc::new(segment)]));
        self.log_start.store(offset, Ordering::Release);
        self.log_end.store(offset, Ordering::Release);
        self.high_watermark.store(offset, Ordering::Release);
        self.epochs.write().clear()?;
        for (path, _, ending) in file::list(&self.disk, &self.dir())? {
            if ending == file::SNAPSHOT {
                file::remove(&self.disk, &path)?;
            }
        }
        self.reload_producers(writer)?;
        writer.recovery_point = offset;
        self.checkpoint(writer)?;
        self.forget_cleaned(tidying, offset)?;
        self.bump();
        Ok(())
    }

    /// Deletes segments' files at once, on the disk when this returns: there again after a loss of power, they would stand
    /// behind what is written from now on. They are renamed before: readers may still hold the segments.
    fn remove_now(&self, segments: &[Arc<Segment>]) -> Result<()> {
        for segment in segments {
            for path in segment.doom()? {
                file::remove(&self.disk, &path)?;
            }
        }
        file::sync_dir(&self.disk, &self.dir())
    }

    fn reload_producers(&self, writer: &mut Writer) -> Result<()> {
        let log_end = self.log_end_offset();
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
        self.unstable_from
            .store(unstable.unwrap_or(i64::MAX), Ordering::Release);
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
    fn forget_cleaned(&self, tidying: &mut Tidying, end: i64) -> Result<()> {
        if !self.config().cleanup_policy.compact {
            return Ok(());
        }
        tidying.clean_to = Some(self.clean_to(tidying)?.min(end));
        Self::checkpoint_line(&self.disk, &self.dir(), checkpoint::CLEANER, tidying.clean_to)
    }

    /// What is written above `end` from now on has not been synced, whatever the checkpoint said.
    fn forget_synced(&self, writer: &mut Writer, end: i64) -> Result<()> {
        if writer.recovery_point > end {
            writer.recovery_point = end;
            Self::checkpoint_line(&self.disk, &self.dir(), checkpoint::RECOVERY_POINTS, Some(end))?;
        }
        Ok(())
    }
}
