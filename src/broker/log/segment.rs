//! One segment: a file of batches with its offset and time index.

use super::index::{Entry, Index, OffsetEntry, TimeEntry};
use super::{file, transactions};
use crate::broker::batch::{BatchHeader, Batches, HEADER_SIZE};
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use crate::broker::world::disk::File;
use bytes::{Bytes, BytesMut};
use parking_lot::RwLock;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a search through batch headers reads at a time.
const SCAN_BLOCK: usize = 16 << 10;

/// The greatest timestamp of a segment, in ms, and the last offset of the batch that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxTimestamp {
    /// -1 when no record has one.
    pub timestamp: i64,
    /// Last offset of the batch.
    pub offset: i64,
}

/// What changes as a segment grows, besides its size.
#[derive(Debug)]
pub struct Growth {
    /// Offset index.
    pub offsets: Index<OffsetEntry>,
    /// Time index.
    pub times: Index<TimeEntry>,
    /// Greatest timestamp so far.
    pub max: MaxTimestamp,
    /// The first batch's timestamp, from which `segment.ms` counts.
    first_timestamp: Option<i64>,
    bytes_since_entry: u64,
    created_ms: i64,
}

/// A segment. Readers share it with the one appender; `size` is published after the bytes are written.
#[derive(Debug)]
pub struct Segment {
    base_offset: i64,
    disk: Disk,
    path: RwLock<PathBuf>,
    file: File,
    size: AtomicU64,
    /// A failed write left bytes behind that could not be cut off yet.
    torn: AtomicBool,
    growth: RwLock<Growth>,
}

/// A batch found in a segment: its header and where it starts.
#[derive(Debug, Clone, Copy)]
pub struct Located {
    /// The header.
    pub header: BatchHeader,
    /// Byte position of its first byte.
    pub position: u64,
}

impl Segment {
    /// Opens or creates the segment that starts at `base_offset`.
    pub fn open(disk: &Disk, dir: &Path, base_offset: i64, now_ms: i64) -> Result<Self> {
        let path = file::path_of(dir, base_offset, file::LOG);
        let log = disk.open_append(&path).map_err(BrokerError::io(&path))?;
        let size = log.length().map_err(BrokerError::io(&path))?;
        let offsets = Index::open(disk, &file::path_of(dir, base_offset, file::INDEX))?;
        let times = Index::<TimeEntry>::open(disk, &file::path_of(dir, base_offset, file::TIME_INDEX))?;
        let mut max = MaxTimestamp {
            timestamp: -1,
            offset: base_offset,
        };
        if let Some(last) = times.last() {
            max.timestamp = last.timestamp;
            max.offset = base_offset.saturating_add(i64::from(last.relative_offset));
        }
        Ok(Segment {
            base_offset,
            disk: disk.clone(),
            path: RwLock::new(path),
            file: log,
            size: AtomicU64::new(size),
            torn: AtomicBool::new(false),
            growth: RwLock::new(Growth {
                offsets,
                times,
                max,
                first_timestamp: None,
                bytes_since_entry: 0,
                created_ms: now_ms,
            }),
        })
    }

    /// Offset of its first record.
    pub fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// Bytes of batches.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// The file of batches.
    pub fn path(&self) -> PathBuf {
        self.path.read().clone()
    }

    /// The indexes and what goes with them.
    pub fn growth(&self) -> &RwLock<Growth> {
        &self.growth
    }

    fn io(&self) -> impl FnOnce(std::io::Error) -> BrokerError + use<> {
        BrokerError::io(self.path())
    }

    /// Writes batches at the end in one call; `headers` are those in `slices`. What was written in part is cut off
    /// again when the disk refuses the rest.
    pub fn append(
        &self,
        headers: &[BatchHeader],
        slices: &mut [IoSlice<'_>],
        interval_bytes: u32,
    ) -> Result<()> {
        let start = self.size();
        if self.torn.load(Ordering::Acquire) {
            self.cut_torn(start)?;
        }
        if let Err(error) = self.file.write_all_vectored(&self.path.read(), slices) {
            self.torn.store(true, Ordering::Release);
            self.cut_torn(start)?;
            return Err(self.io()(error));
        }
        let mut growth = self.growth.write();
        let mut position = start;
        for header in headers {
            growth.note(self.base_offset, header, position, interval_bytes);
            position += header.size() as u64;
        }
        self.size.store(position, Ordering::Release);
        Ok(())
    }

    fn cut_torn(&self, size: u64) -> Result<()> {
        file::truncate(&self.disk, &self.path(), size)?;
        self.torn.store(false, Ordering::Release);
        Ok(())
    }

    /// Reads up to `length` bytes at `position`, no further than what has been published.
    pub fn read(&self, position: u64, length: usize) -> Result<Bytes> {
        let available = usize::try_from(self.size().saturating_sub(position)).unwrap_or(usize::MAX);
        let mut buffer = BytesMut::zeroed(length.min(available));
        let read = self.file.read_full_at(&mut buffer, position).map_err(self.io())?;
        buffer.truncate(read);
        Ok(buffer.freeze())
    }

    /// The header of the batch at `position`, if a sane one stands there whole.
    pub fn header_at(&self, position: u64) -> Result<Option<Located>> {
        let bytes = self.read(position, HEADER_SIZE)?;
        let size = self.size();
        Ok(BatchHeader::parse(&bytes)
            .filter(BatchHeader::is_sane)
            .filter(|header| position + header.size() as u64 <= size)
            .map(|header| Located { header, position }))
    }

    /// A position at or before the batch that holds `offset`, from the index.
    pub fn position_before(&self, offset: i64) -> Result<u64> {
        let found = self.growth.read().offsets.floor(offset - self.base_offset)?;
        Ok(found.map_or(0, |entry| u64::from(entry.position)))
    }

    /// The first batch from `position` on that `wanted` accepts, by headers alone.
    pub fn find_from(&self, position: u64, wanted: impl Fn(&BatchHeader) -> bool) -> Result<Option<Located>> {
        let mut first = None;
        self.walk(position, |found| {
            if wanted(&found.header) {
                first = Some(*found);
            }
            Ok(first.is_none())
        })?;
        Ok(first)
    }

    /// The first batch that ends at or after `offset`. A damaged index costs a longer search, never a wrong answer.
    pub fn locate(&self, offset: i64) -> Result<Option<Located>> {
        let hint = self.position_before(offset)?;
        let wanted = |header: &BatchHeader| header.last_offset() >= offset;
        let trusted = hint == 0
            || self
                .header_at(hint)?
                .is_some_and(|found| found.header.base_offset <= offset);
        self.find_from(if trusted { hint } else { 0 }, wanted)
    }

    /// Calls `visit` for each whole batch from `position` on until it answers false; returns where the walk ended.
    pub fn walk(&self, position: u64, mut visit: impl FnMut(&Located) -> Result<bool>) -> Result<u64> {
        let mut position = position;
        loop {
            let block = self.read(position, SCAN_BLOCK)?;
            let mut at = 0;
            while let Some(header) = block.get(at..).and_then(BatchHeader::parse) {
                let found = Located {
                    header,
                    position: position + at as u64,
                };
                let whole = header.is_sane() && found.position + header.size() as u64 <= self.size();
                if !whole || !visit(&found)? {
                    return Ok(found.position);
                }
                at += header.size();
            }
            if at == 0 {
                return Ok(position);
            }
            position += at as u64;
        }
    }

    /// The whole batch found at a place; `None` if it has gone.
    pub fn batch(&self, found: &Located) -> Result<Option<crate::broker::batch::Batch>> {
        Ok(Batches::new(self.read(found.position, found.header.size())?).next())
    }

    /// Greatest timestamp of its records.
    pub fn max_timestamp(&self) -> MaxTimestamp {
        self.growth.read().max
    }

    /// What retention goes by: the greatest timestamp, or else the time of the last write.
    pub fn largest_timestamp(&self) -> Result<i64> {
        let max = self.max_timestamp().timestamp;
        if max >= 0 {
            return Ok(max);
        }
        self.file.modified_ms().map_err(self.io())
    }

    /// How long its first record has waited for the roll: by timestamps where records have them, else by the clock.
    pub fn waited_ms(&self, now_ms: i64, newest_timestamp: i64) -> Result<i64> {
        let (first, created) = {
            let growth = self.growth.read();
            (growth.first_timestamp, growth.created_ms)
        };
        let first = match first {
            None if self.size() > 0 => {
                let timestamp = self.header_at(0)?.map_or(-1, |found| found.header.max_timestamp);
                self.growth.write().first_timestamp = Some(timestamp);
                timestamp
            }
            known => known.unwrap_or(-1),
        };
        Ok(if first >= 0 {
            newest_timestamp.saturating_sub(first)
        } else {
            now_ms.saturating_sub(created)
        })
    }

    /// Whether an index has no room for another entry.
    pub fn indexes_full(&self, limit_bytes: u32) -> bool {
        let growth = self.growth.read();
        let limit = u64::from(limit_bytes);
        growth.offsets.size() + OffsetEntry::SIZE as u64 > limit
            || growth.times.size() + TimeEntry::SIZE as u64 > limit
    }

    /// Ends the time index with the greatest timestamp, as Kafka does when a segment is rolled or closed.
    pub fn finish_indexes(&self) -> Result<()> {
        let mut growth = self.growth.write();
        growth.note_time(self.base_offset);
        growth.offsets.write_recent()?;
        growth.times.write_recent()
    }

    /// Writes through to the disk: batches first, then indexes.
    pub fn sync(&self) -> Result<()> {
        self.file.sync(&self.path()).map_err(self.io())?;
        // Readers look into the indexes meanwhile.
        let indexes = {
            let mut growth = self.growth.write();
            [growth.offsets.written()?, growth.times.written()?]
        };
        indexes.iter().try_for_each(|path| {
            let synced = self.disk.open(path).and_then(|file| file.sync(path));
            match synced {
                // The segment is being deleted, and its indexes have other names by now.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                synced => synced.map_err(BrokerError::io(path)),
            }
        })?;
        transactions::sync(&self.disk, &self.path().with_extension(file::TXN_INDEX))
    }

    /// Cuts the segment at `position`, which a batch that is to go starts at; indexes are cut to match. The cut is on the disk
    /// when this returns: else, after a loss of power, what was cut off could stand there again, with what was written in its
    /// place behind it, and no checksum would tell.
    pub fn truncate(&self, position: u64, next_offset: i64) -> Result<()> {
        let mut growth = self.growth.write();
        let base = self.base_offset;
        let relative = next_offset - base;
        self.size.store(position, Ordering::Release);
        file::truncate(&self.disk, &self.path(), position)?;
        growth
            .offsets
            .keep_while(|entry| entry.key() < relative && u64::from(entry.position) < position)?;
        growth
            .times
            .keep_while(|entry| i64::from(entry.relative_offset) < relative)?;
        growth.bytes_since_entry = 0;
        if position == 0 {
            growth.first_timestamp = None;
        }
        drop(growth);
        self.file.sync(&self.path()).map_err(self.io())?;
        self.recompute_max()
    }

    /// Finds the greatest timestamp again. The last time entry has that of all batches that the offset index knows.
    pub fn recompute_max(&self) -> Result<()> {
        let last = self.growth.read().times.last();
        let mut max = MaxTimestamp {
            timestamp: last.map_or(-1, |entry| entry.timestamp),
            offset: self
                .base_offset
                .saturating_add(last.map_or(0, |entry| i64::from(entry.relative_offset))),
        };
        self.walk(self.position_before(i64::MAX)?, |found| {
            max.raise(&found.header);
            Ok(true)
        })?;
        self.growth.write().max = max;
        Ok(())
    }

    /// Empties both indexes, for a recovery that builds them again by [`Segment::note`].
    pub fn clear_indexes(&self) -> Result<()> {
        let mut growth = self.growth.write();
        growth.offsets.keep_while(|_| false)?;
        growth.times.keep_while(|_| false)?;
        growth.bytes_since_entry = 0;
        growth.max = MaxTimestamp {
            timestamp: -1,
            offset: self.base_offset,
        };
        Ok(())
    }

    /// Forgets what the indexes know beyond the batch at `position`, for a check that notes it and all after it again.
    pub fn keep_indexes_to(&self, position: u64) -> Result<()> {
        let mut growth = self.growth.write();
        growth
            .offsets
            .keep_while(|entry| u64::from(entry.position) <= position)?;
        let last = growth.offsets.last().map_or(0, |entry| entry.relative_offset);
        growth.times.keep_while(|entry| entry.relative_offset <= last)?;
        growth.bytes_since_entry = 0;
        growth.max = match growth.times.last() {
            Some(entry) => MaxTimestamp {
                timestamp: entry.timestamp,
                offset: self.base_offset.saturating_add(i64::from(entry.relative_offset)),
            },
            None => MaxTimestamp {
                timestamp: -1,
                offset: self.base_offset,
            },
        };
        Ok(())
    }

    /// Builds both indexes from the batches.
    pub fn rebuild_indexes(&self, interval_bytes: u32) -> Result<()> {
        self.clear_indexes()?;
        self.walk(0, |found| {
            self.note(found, interval_bytes);
            Ok(true)
        })?;
        Ok(())
    }

    /// Renames all its files as Kafka does before it deletes them, and returns their new names. Readers that still
    /// hold the segment go on reading; the producer snapshot that goes with it is removed.
    pub fn doom(&self) -> Result<Vec<PathBuf>> {
        let mut growth = self.growth.write();
        let path = self.path();
        let mut doomed = Vec::new();
        for ending in [file::LOG, file::INDEX, file::TIME_INDEX, file::TXN_INDEX] {
            let old = path.with_extension(ending);
            let new = file::with_suffix(&old, file::DELETED);
            file::rename_if_there(&self.disk, &old, &new)?;
            doomed.push(new);
        }
        growth.offsets.set_path(file::with_suffix(
            &path.with_extension(file::INDEX),
            file::DELETED,
        ));
        growth.times.set_path(file::with_suffix(
            &path.with_extension(file::TIME_INDEX),
            file::DELETED,
        ));
        *self.path.write() = file::with_suffix(&path, file::DELETED);
        file::remove(&self.disk, &path.with_extension(file::SNAPSHOT))?;
        Ok(doomed)
    }

    /// Deletes all its files at once. They are renamed before: readers may still hold the segment.
    pub fn remove(&self) -> Result<()> {
        let doomed = self.doom()?;
        doomed.iter().try_for_each(|path| file::remove(&self.disk, path))
    }

    /// Notes a batch that already lies at `position`, as if it had just been appended.
    pub fn note(&self, found: &Located, interval_bytes: u32) {
        let mut growth = self.growth.write();
        growth.note(self.base_offset, &found.header, found.position, interval_bytes);
    }

    /// Follows the log's folder to its new name.
    pub fn moved_to(&self, dir: &Path) {
        let mut growth = self.growth.write();
        growth
            .offsets
            .set_path(file::path_of(dir, self.base_offset, file::INDEX));
        growth
            .times
            .set_path(file::path_of(dir, self.base_offset, file::TIME_INDEX));
        *self.path.write() = file::path_of(dir, self.base_offset, file::LOG);
    }
}

impl MaxTimestamp {
    fn raise(&mut self, header: &BatchHeader) {
        if header.max_timestamp > self.timestamp {
            self.timestamp = header.max_timestamp;
            self.offset = header.last_offset();
        }
    }
}

impl Growth {
    fn note(&mut self, base: i64, header: &BatchHeader, position: u64, interval_bytes: u32) {
        self.max.raise(header);
        if position == 0 {
            self.first_timestamp = Some(header.max_timestamp);
        }
        if self.bytes_since_entry > u64::from(interval_bytes) {
            let relative = u32::try_from(header.last_offset() - base).ok();
            if let (Some(relative_offset), Ok(position)) = (relative, u32::try_from(position)) {
                self.offsets.append(OffsetEntry {
                    relative_offset,
                    position,
                });
                self.note_time(base);
            }
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += header.size() as u64;
    }

    fn note_time(&mut self, base: i64) {
        if let (Ok(relative_offset), 0..) = (u32::try_from(self.max.offset - base), self.max.timestamp) {
            self.times.append(TimeEntry {
                timestamp: self.max.timestamp,
                relative_offset,
            });
        }
    }
}
