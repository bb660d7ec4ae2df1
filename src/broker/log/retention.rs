//! Deleting old segments by age, size and log start, and what else wants doing every now and then.

use super::partition::{PartitionLog, Writer};
use super::segment::Segment;
use super::{LogConfig, checkpoint, file};
use crate::broker::error::Result;
use crate::broker::world::Disk;
use std::path::PathBuf;

impl PartitionLog {
    /// Deletes the segments past retention, rolling the active one if all of it has expired; syncs what `flush.ms`
    /// asks for and what has been rolled; deletes the files whose delay (`file.delete.delay.ms`) is over. Returns how
    /// many segments went. To be called about once a second, where waiting for the disk is allowed.
    pub fn apply_retention(&self) -> Result<usize> {
        let _tidying = self.tidying.lock();
        let config = self.config();
        let now_ms = self.clock.now_ms();
        self.sync_rolled()?;
        let deleted = {
            let mut writer = self.writer.lock();
            if !writer.is_open() {
                return Ok(0);
            }
            self.change(&mut writer, |writer| {
                writer.note_flush_if_due(&config, now_ms);
                writer.expire_producers(now_ms, &config);
                let deletable = self.count_deletable(&config, now_ms)?;
                if deletable > 0 {
                    self.delete_oldest(writer, deletable, &config, now_ms)?;
                }
                remove_due(&self.disk, writer, now_ms)?;
                Ok(deletable)
            })?
        };
        self.pay()?;
        Ok(deleted)
    }

    /// How many of the oldest segments are past retention.
    fn count_deletable(&self, config: &LogConfig, now_ms: i64) -> Result<usize> {
        let segments = self.segments.load();
        let log_start = self.log_start_offset();
        let high_watermark = self.high_watermark();
        let retention_bytes = u64::try_from(config.retention_bytes).ok();
        let mut over = retention_bytes.map_or(0, |limit| self.size().saturating_sub(limit));
        let mut count = 0;
        let mut by_age = config.cleanup_policy.delete && config.retention_ms >= 0;
        for (at, segment) in segments.iter().enumerate() {
            let next = segments.get(at + 1).map(|next| next.base_offset());
            let end = next.unwrap_or_else(|| self.written_end_offset());
            if end > high_watermark || (next.is_none() && segment.size() == 0) {
                break;
            }
            by_age = by_age && now_ms.saturating_sub(segment.largest_timestamp()?) > config.retention_ms;
            let by_size = config.cleanup_policy.delete && over > 0 && over >= segment.size();
            let by_start = next.is_some_and(|next| next <= log_start);
            if !(by_age || by_size || by_start) {
                break;
            }
            over = over.saturating_sub(segment.size());
            count += 1;
        }
        Ok(count)
    }

    /// Takes the oldest segments out of the log and dooms their files.
    fn delete_oldest(
        &self,
        writer: &mut Writer,
        count: usize,
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<()> {
        if count == self.segments.load().len() {
            self.roll(writer, self.written_end_offset(), now_ms)?;
        }
        let all = self.segments.load_full();
        let (old, kept) = all.split_at(count.min(all.len().saturating_sub(1)));
        let Some(first) = kept.first() else {
            return Ok(());
        };
        let log_start = first.base_offset().max(self.log_start_offset());
        self.segments.set(kept.to_vec());
        self.ends.raise_start(log_start);
        for segment in old {
            tracing::info!(segment = %segment.path().display(), "deleting a segment past retention");
            doom(
                writer,
                segment,
                now_ms.saturating_add(config.file_delete_delay_ms),
            )?;
        }
        self.aborted
            .write()
            .retain(|known| known.last_offset >= log_start);
        let changed = self.epochs.write().truncate_from_start(log_start);
        writer.debts.note_epochs(changed);
        writer.debts.note_line(checkpoint::LOG_STARTS);
        self.bump();
        Ok(())
    }
}

/// Renames a segment's files as Kafka does before it deletes them.
pub(super) fn doom(writer: &mut Writer, segment: &Segment, due_ms: i64) -> Result<()> {
    let doomed = segment.doom()?;
    writer
        .doomed
        .extend(doomed.into_iter().map(|path| (due_ms, path)));
    Ok(())
}

fn remove_due(disk: &Disk, writer: &mut Writer, now_ms: i64) -> Result<()> {
    let (due, waiting) = std::mem::take(&mut writer.doomed)
        .into_iter()
        .partition(|(due_ms, _)| *due_ms <= now_ms);
    writer.doomed = waiting;
    let due: Vec<(i64, PathBuf)> = due;
    due.iter().try_for_each(|(_, path)| file::remove(disk, path))
}
