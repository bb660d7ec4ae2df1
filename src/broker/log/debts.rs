//! What a log owes to the disk, and how it is paid: no lock that a request needs is held over a sync.
//!
//! Under the lock of the one writer nothing waits for more than the page cache. A change that must be on the disk before more
//! is seen (`flush.messages`, `flush.ms`, a new leader epoch, a log start that moved) notes that as a debt, and
//! what is appended meanwhile is written, but not seen. Whoever waits for it pays: takes the bill under the lock, syncs
//! without it, and shows afterwards what had been written when the bill was made. One pays at a time, for all who wait.
//!
//! A sync that fails poisons the log, and what nobody has seen is taken back. A truncation in between makes the bill void:
//! what it says is not what there is.

use super::checkpoint::{self, Lines};
use super::file;
use super::partition::{Appended, PartitionLog, Writer};
use super::poison::Poison;
use super::segment::Segment;
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use crate::broker::world::fault::{self, Fault};
use kafka_protocol::ResponseError;
use parking_lot::MutexGuard;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be brought to the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Owed {
    /// All that has been written.
    records: bool,
    /// That files were cut, which a loss of power would bring back.
    cut: bool,
    /// The leader epochs.
    epochs: bool,
    /// The log's lines of these files beside its folder.
    lines: BTreeSet<&'static str>,
    /// Up to where the log is clean, where compaction has to go back.
    clean_to: Option<i64>,
}

impl Owed {
    fn is_nothing(&self) -> bool {
        *self == Owed::default()
    }

    fn add(&mut self, more: Owed) {
        self.records |= more.records;
        self.cut |= more.cut;
        self.epochs |= more.epochs;
        self.lines.extend(more.lines);
        self.clean_to = more.clean_to.or(self.clean_to);
    }
}

/// What a log owes to the disk before more of it is seen.
#[derive(Debug, Default)]
pub(super) struct Debts {
    noted: Owed,
    /// What somebody is about to pay, or was when a mistake of ours broke that off.
    billed: Owed,
}

impl Debts {
    /// Whether nothing is owed: what is written may be seen at once.
    pub fn are_paid(&self) -> bool {
        self.noted.is_nothing() && self.billed.is_nothing()
    }

    /// All that has been written is to be synced.
    pub fn note_records(&mut self) {
        self.noted.records = true;
    }

    /// What was cut off is to stay away.
    pub fn note_cut(&mut self) {
        self.noted.cut = true;
    }

    /// The leader epochs have changed.
    pub fn note_epochs(&mut self, changed: bool) {
        self.noted.epochs |= changed;
    }

    /// The log's line of a file beside its folder has changed.
    pub fn note_line(&mut self, name: &'static str) {
        self.noted.lines.insert(name);
    }

    /// All of its lines may have.
    pub fn note_lines(&mut self) {
        self.noted.lines.extend(LINES);
    }

    /// From there on the log is not clean any more.
    pub fn note_clean_to(&mut self, offset: i64) {
        self.noted.clean_to = Some(offset);
    }

    fn bill(&mut self) -> Option<Owed> {
        self.billed.add(std::mem::take(&mut self.noted));
        (!self.billed.is_nothing()).then(|| self.billed.clone())
    }

    fn paid(&mut self) {
        self.billed = Owed::default();
    }
}

/// The files beside a log's folder that have a line of it, but for compaction's.
const LINES: [&str; 3] = [
    checkpoint::RECOVERY_POINTS,
    checkpoint::HIGH_WATERMARKS,
    checkpoint::LOG_STARTS,
];

/// What an append waits for before it is seen, see [`PartitionLog::settle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    end: i64,
    cuts: u64,
}

/// A debt as it was at some moment, to be paid without any lock.
#[derive(Debug)]
pub(super) struct Bill {
    owed: Owed,
    /// Those that may have bytes that are not on the disk.
    segments: Vec<Arc<Segment>>,
    /// All below it is on the disk when they have been synced.
    end: i64,
    cuts: u64,
    epochs: Option<(PathBuf, String)>,
}

impl PartitionLog {
    /// What an append that ends at `end` waits for; nothing where nothing is owed.
    pub(super) fn unsettled(&self, writer: &Writer, end: i64) -> Option<Unsettled> {
        (end > self.log_end_offset()).then_some(Unsettled {
            end,
            cuts: writer.cuts,
        })
    }

    /// Pays what an append waits for, after which it is seen. Waits for the disk, and for others who pay.
    ///
    /// # Errors
    /// [`BrokerError::Io`] when the disk refuses, and `KAFKA_STORAGE_ERROR` when it did so before: what was appended has been
    /// taken back, and nobody has seen it.
    pub fn settle(&self, appended: &Appended) -> Result<()> {
        let Some(unsettled) = appended.unsettled else {
            return Ok(());
        };
        let _one = self.paying.lock();
        let writer = self.writer.lock();
        if !self.is_gone(&writer, unsettled) && !self.is_seen(unsettled) {
            self.pay_bill(writer)?;
        } else {
            drop(writer);
        }
        let writer = self.writer.lock();
        if self.is_gone(&writer, unsettled) || !self.is_seen(unsettled) {
            return Err(ResponseError::KafkaStorageError.into());
        }
        Ok(())
    }

    fn is_gone(&self, writer: &Writer, unsettled: Unsettled) -> bool {
        writer.cuts != unsettled.cuts
    }

    fn is_seen(&self, unsettled: Unsettled) -> bool {
        self.log_end_offset() >= unsettled.end
    }

    /// Whether something is to be paid.
    pub fn owes(&self) -> bool {
        !self.writer.lock().debts.are_paid()
    }

    /// Pays all that is owed. Waits for the disk, and for others who pay.
    ///
    /// # Errors
    /// As [`PartitionLog::settle`]; `KAFKA_STORAGE_ERROR` for a log that is closed.
    pub fn pay(&self) -> Result<()> {
        let _one = self.paying.lock();
        self.pay_bill(self.writer.lock())
    }

    /// The same for whoever is the one who pays.
    pub(super) fn pay_bill(&self, mut writer: MutexGuard<'_, Writer>) -> Result<()> {
        if let Err(refused) = writer.check_open() {
            self.take_back(&mut writer);
            return Err(refused);
        }
        match self.bill(&mut writer) {
            Some(bill) => {
                drop(writer);
                self.pay_all_of(&bill)
            }
            None => Ok(()),
        }
    }

    /// What is owed now.
    pub(super) fn bill(&self, writer: &mut Writer) -> Option<Bill> {
        let owed = writer.debts.bill()?;
        let end = self.written_end_offset();
        let mut segments = Vec::new();
        if owed.records || owed.cut {
            writer.unflushed = 0;
            writer.flushed_ms = self.clock.now_ms();
            if owed.cut || writer.recovery_point != end {
                segments = self.segments.since(writer.recovery_point);
            }
        }
        let epochs = owed.epochs.then(|| self.epochs.read().on_disk());
        Some(Bill {
            owed,
            segments,
            end,
            cuts: writer.cuts,
            epochs,
        })
    }

    /// Pays a bill, without any lock but that of the one who pays, and shows what was written when it was made.
    pub(super) fn pay_all_of(&self, bill: &Bill) -> Result<()> {
        self.bring_to_disk(bill)?;
        let mut writer = self.writer.lock();
        if writer.cuts != bill.cuts {
            return Ok(());
        }
        writer.debts.paid();
        // What was written meanwhile and owes nothing itself has only waited for what lies before it.
        let seen = match writer.debts.are_paid() {
            true => self.written_end_offset(),
            false => bill.end,
        };
        if self.ends.show(seen) {
            self.bump();
        }
        if writer.poison.is_some() {
            // What failed meanwhile is no part of it.
            self.take_back(&mut writer);
        }
        Ok(())
    }

    /// Syncs the closed segments that have not been synced yet, whoever waits for that.
    ///
    /// # Errors
    /// As [`PartitionLog::settle`].
    pub(super) fn sync_rolled(&self) -> Result<()> {
        let _one = self.paying.lock();
        let bill = {
            let writer = self.writer.lock();
            let end = self.segments.active().base_offset();
            if !writer.is_open() || writer.recovery_point >= end {
                return Ok(());
            }
            let mut segments = self.segments.since(writer.recovery_point);
            segments.retain(|segment| segment.base_offset() < end);
            Bill {
                owed: Owed {
                    lines: LINES.into(),
                    ..Owed::default()
                },
                segments,
                end,
                cuts: writer.cuts,
                epochs: None,
            }
        };
        self.bring_to_disk(&bill)
    }

    /// Waits for the disk; whoever needs the log goes on.
    fn bring_to_disk(&self, bill: &Bill) -> Result<()> {
        let dir = self.dir();
        sync_all(&self.disk, &dir, &bill.segments)
            .map_err(|error| self.could_not_pay(Poison::Sync, error))?;
        let lines = {
            let mut writer = self.writer.lock();
            if writer.cuts == bill.cuts && !bill.segments.is_empty() {
                writer.recovery_point = writer.recovery_point.max(bill.end);
            }
            self.lines(&writer, &bill.owed)
        };
        let epochs = bill.epochs.iter();
        let mut epochs = epochs.map(|(path, text)| file::replace(&self.disk, path, text.as_bytes()));
        epochs
            .find(Result::is_err)
            .unwrap_or(Ok(()))
            .and_then(|()| self.write_lines(lines))
            .map_err(|error| self.could_not_pay(Poison::Change, error))
    }

    fn could_not_pay(&self, kind: Poison, error: BrokerError) -> BrokerError {
        let mut writer = self.writer.lock();
        if !fault::is(Fault::PoisonIgnored) {
            self.poison(&mut writer, kind, &error);
        }
        self.take_back(&mut writer);
        error
    }

    /// Takes back what nobody has seen. Recovery would cut it off as well; but if the process ends before, it shall not come
    /// back.
    fn take_back(&self, writer: &mut Writer) {
        let end = self.log_end_offset();
        if self.written_end_offset() <= end {
            return;
        }
        if let Err(error) = self.segments.cut(end) {
            tracing::error!(%error, "what was refused stays behind");
        }
        self.ends.take_back();
        writer.cuts += 1;
        // Those who wait for it look again.
        self.bump();
    }

    /// Lines of the files beside its folder, as they are now.
    fn lines(&self, writer: &Writer, owed: &Owed) -> Lines {
        let (mut lines, dir) = (Lines::default(), self.dir());
        for name in &owed.lines {
            self.note_line(writer, name, &dir, &mut lines);
        }
        if let Some(offset) = owed.clean_to {
            lines.set(checkpoint::CLEANER, &dir, Some(offset));
        }
        lines
    }

    /// All of them.
    pub(super) fn note_lines(&self, writer: &Writer, lines: &mut Lines) {
        let dir = self.dir();
        for name in LINES {
            self.note_line(writer, name, &dir, lines);
        }
    }

    fn note_line(&self, writer: &Writer, name: &'static str, dir: &Path, lines: &mut Lines) {
        let offset = match name {
            checkpoint::RECOVERY_POINTS => Some(writer.recovery_point),
            checkpoint::HIGH_WATERMARKS => Some(self.high_watermark()),
            _ => self.log_start_line(),
        };
        lines.set(name, dir, offset);
    }
}

/// Syncs segments and the folders that they are in.
fn sync_all(disk: &Disk, dir: &Path, segments: &[Arc<Segment>]) -> Result<()> {
    if segments.is_empty() {
        return Ok(());
    }
    segments.iter().try_for_each(|segment| segment.sync())?;
    file::sync_dir(disk, dir)?;
    dir.parent()
        .map_or(Ok(()), |log_dir| file::sync_dir(disk, log_dir))
}

#[cfg(test)]
mod tests;
