//! A log whose write or sync failed is poisoned: it takes nothing more until it has been opened and checked again. Reads go
//! on.
//!
//! After a failed sync nobody knows what is on the disk: the system may have dropped the pages it could not write, tells
//! the error once, and the next sync succeeds without them. So recovery writes all that was not known to be on the disk
//! anew, into new files, and syncs those. Should the process end before, a file in the log's folder says so to the next one.

use super::partition::{PartitionLog, Tidying, Writer};
use super::recovery::{self, Before, Recovered};
use super::{LogConfig, file};
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use crate::broker::world::fault::{self, Fault};
use std::io::{ErrorKind, IoSlice};
use std::path::Path;

/// Bytes copied at once.
const COPIED: usize = 1 << 18;
/// There while what was written may not come to the disk, whatever later syncs say. It need not be on the disk itself: a loss of
/// power leaves what is there, whose checksums tell.
const UNSYNCED: &str = "sync-failed";

/// Why a log takes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poison {
    /// A change failed, or broke off half-way: files and memory may disagree.
    Change,
    /// A sync failed: what was written may never reach the disk.
    Sync,
}

impl PartitionLog {
    /// Makes a change of the log. One that the disk refuses, or that panics, poisons it.
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` when the log is closed or poisoned already; what `make` fails with.
    pub(super) fn change<T>(
        &self,
        writer: &mut Writer,
        make: impl FnOnce(&mut Writer) -> Result<T>,
    ) -> Result<T> {
        writer.check_open()?;
        // Set before, so that a panic leaves it.
        writer.poison = Some(Poison::Change);
        let made = make(writer);
        match &made {
            Err(error @ BrokerError::Io { .. }) if !fault::is(Fault::PoisonIgnored) => {
                let kind = writer.poison.unwrap_or(Poison::Change);
                self.poison(writer, kind, error);
            }
            _ => writer.poison = None,
        }
        made
    }

    /// Makes a part of a change that takes something away, and that is on the disk when it returns. Until then it counts as a
    /// sync that failed; should the process end in the middle of it, the next one sees to it that it stays away.
    ///
    /// # Errors
    /// What `make` fails with.
    pub(super) fn taken_away(&self, writer: &mut Writer, make: impl FnOnce() -> Result<()>) -> Result<()> {
        let dir = self.dir();
        mark_unsynced(&self.disk, &dir);
        let before = writer.poison.replace(Poison::Sync);
        make()?;
        file::sync_dir(&self.disk, &dir)?;
        writer.poison = before;
        file::remove(&self.disk, &dir.join(UNSYNCED))
    }

    /// From now on nothing is taken.
    pub(super) fn poison(&self, writer: &mut Writer, kind: Poison, error: &BrokerError) {
        // A failed sync outlives a failed write: recovery must do more about it.
        writer.poison = writer
            .poison
            .filter(|known| *known == Poison::Sync)
            .or(Some(kind));
        let dir = self.dir();
        if writer.poison == Some(Poison::Sync) {
            mark_unsynced(&self.disk, &dir);
        }
        tracing::error!(dir = %dir.display(), %error, "the log takes nothing more until it has been recovered");
    }

    /// Whether the log waits for [`PartitionLog::recover`].
    pub fn is_poisoned(&self) -> bool {
        let writer = self.writer.lock();
        writer.poison.is_some() && !writer.closed
    }

    /// Opens a poisoned log again, as a start after a crash would, and makes sure that all it holds is on the disk;
    /// returns whether there was anything to do. What was refused is gone, what was acknowledged stays, as far as it can
    /// still be read. Reads and writes much: to be called where that is allowed.
    ///
    /// # Errors
    /// When the disk still refuses; the log stays poisoned.
    pub fn recover(&self) -> Result<bool> {
        // Nobody else changes a poisoned log; only closing and deleting it would, and they wait here.
        let mut tidying = self.tidying.lock();
        let _one = self.paying.lock();
        let (kind, recovery_point) = {
            let writer = self.writer.lock();
            match writer.poison {
                Some(kind) if !writer.closed => (kind, writer.recovery_point),
                _ => return Ok(false),
            }
        };
        let (dir, now_ms) = (self.dir(), self.clock.now_ms());
        if kind == Poison::Sync {
            write_anew(&self.disk, &dir, recovery_point)?;
        }
        let before = Before {
            clean: false,
            recovery_point,
            log_start: self.log_start_offset(),
            end: self.log_end_offset(),
        };
        let recovered = open(&self.disk, &dir, &self.config(), now_ms, before)?;
        let bill = {
            let mut writer = self.writer.lock();
            self.install(&mut writer, &mut tidying, recovered);
            // A write that failed may have been cut off, and nobody has waited until that was on the disk.
            writer.debts.note_cut();
            writer.debts.note_lines();
            self.bill(&mut writer)
        };
        bill.map_or(Ok(()), |bill| self.pay_all_of(&bill))?;
        self.writer.lock().poison = None;
        self.bump();
        tracing::info!(dir = %dir.display(), log_end = self.log_end_offset(), "the log has been recovered");
        Ok(true)
    }

    fn install(&self, writer: &mut Writer, tidying: &mut Tidying, recovered: Recovered) {
        let (log_start, log_end) = (recovered.log_start, recovered.log_end);
        if log_end < self.log_end_offset() {
            tracing::error!(
                log_end,
                before = self.log_end_offset(),
                "records could not be read again and are lost"
            );
        }
        self.segments.set(recovered.segments);
        self.ends.recovered(log_start, log_end);
        writer.cuts += 1;
        *self.epochs.write() = recovered.epochs;
        *self.aborted.write() = recovered.aborted;
        writer.producers = recovered.producers;
        let unstable = writer.producers.first_unstable(self.high_watermark());
        self.ends.set_unstable(unstable);
        writer.recovery_point = writer.recovery_point.min(log_end);
        writer.doomed.clear();
        tidying.clean_to = tidying.clean_to.map(|clean| clean.min(log_end));
    }
}

/// Opens a log as [`recovery::open`] does, and before that writes anew what an earlier process may have failed to sync.
///
/// # Errors
/// When the disk refuses: what was written then may not come to the disk either.
pub(super) fn open(
    disk: &Disk,
    dir: &Path,
    config: &LogConfig,
    now_ms: i64,
    before: Before,
) -> Result<Recovered> {
    let written_anew = match disk.exists(&dir.join(UNSYNCED)) {
        true => write_anew(disk, dir, before.recovery_point),
        false => Ok(()),
    };
    let opened = written_anew.and_then(|()| recovery::open(disk, dir, config, now_ms, before));
    match &opened {
        Err(BrokerError::Io { source, .. }) if source.kind() != ErrorKind::StorageFull => {
            mark_unsynced(disk, dir)
        }
        _ => {}
    }
    opened
}

/// Notes that a sync has failed, as far as the disk takes it.
fn mark_unsynced(disk: &Disk, dir: &Path) {
    let path = dir.join(UNSYNCED);
    if let Err(error) = disk.open_append(&path) {
        tracing::warn!(path = %path.display(), %error, "if this process ends now, the next one does not know that a sync failed");
    }
}

/// Writes all from `recovery_point` on anew, so that it is on the disk.
fn write_anew(disk: &Disk, dir: &Path, recovery_point: i64) -> Result<()> {
    rewrite_from(disk, dir, recovery_point)?;
    file::remove(disk, &dir.join(UNSYNCED))
}

/// Writes the segments from the one that holds `recovery_point` on anew, into files of their own, whose sync says whether
/// they are on the disk.
fn rewrite_from(disk: &Disk, dir: &Path, recovery_point: i64) -> Result<()> {
    let mut logs = file::list(disk, dir)?;
    logs.retain(|(_, _, ending)| ending == file::LOG);
    logs.sort_by_key(|(_, base, _)| *base);
    let after = logs.partition_point(|(_, base, _)| *base <= recovery_point);
    for (path, _, _) in logs.get(after.saturating_sub(1)..).unwrap_or_default() {
        let temporary = file::with_suffix(path, file::TEMPORARY);
        if let Err(error) = copy_synced(disk, path, &temporary) {
            // The room that it takes may be just what is missing.
            file::remove(disk, &temporary)?;
            return Err(BrokerError::io(&temporary)(error));
        }
        disk.rename(&temporary, path).map_err(BrokerError::io(path))?;
    }
    file::sync_dir(disk, dir)
}

fn copy_synced(disk: &Disk, from: &Path, to: &Path) -> std::io::Result<()> {
    let (source, target) = (disk.open(from)?, disk.create(to)?);
    let mut block = vec![0; COPIED];
    let mut at = 0;
    loop {
        match source.read_full_at(&mut block, at)? {
            0 => break,
            read => {
                target.write_all_vectored(to, &mut [IoSlice::new(&block[..read])])?;
                at += read as u64;
            }
        }
    }
    target.sync(to)
}

#[cfg(test)]
mod tests;
