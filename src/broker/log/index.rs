//! Offset and time indexes in Kafka's own format: sorted entries of fixed size, each at least one step above the last.
//!
//! The newest entries are kept in memory and written in blocks. An index is only a hint where to start reading, and
//! recovery builds again what a crash has lost, so nothing is written per append. The file is opened when needed: a
//! log with many segments holds one handle for each, not three.

use super::file;
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use crate::broker::world::disk::File;
use bytes::{Buf, BufMut};
use std::io::{ErrorKind, IoSlice};
use std::path::{Path, PathBuf};

/// Entries kept in memory before they are written.
const BLOCK: usize = 512;

/// An entry of an index.
pub trait Entry: Copy + std::fmt::Debug + PartialEq {
    /// Bytes on disk.
    const SIZE: usize;
    /// Writes it.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads it; `bytes` has [`Entry::SIZE`] of them.
    fn decode(bytes: &[u8]) -> Self;
    /// What the index is sorted by.
    fn key(&self) -> i64;
}

/// Where in the segment the batch that ends at an offset starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetEntry {
    /// Last offset of the batch, less the segment's base offset.
    pub relative_offset: u32,
    /// Byte position in the segment.
    pub position: u32,
}

impl Entry for OffsetEntry {
    const SIZE: usize = 8;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.relative_offset);
        out.put_u32(self.position);
    }

    fn decode(mut bytes: &[u8]) -> Self {
        OffsetEntry {
            relative_offset: bytes.get_u32(),
            position: bytes.get_u32(),
        }
    }

    fn key(&self) -> i64 {
        i64::from(self.relative_offset)
    }
}

/// Up to which offset no timestamp is greater than this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeEntry {
    /// Greatest timestamp so far in the segment, in ms.
    pub timestamp: i64,
    /// Last offset of the batch that has it, less the segment's base offset.
    pub relative_offset: u32,
}

impl Entry for TimeEntry {
    const SIZE: usize = 12;

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_i64(self.timestamp);
        out.put_u32(self.relative_offset);
    }

    fn decode(mut bytes: &[u8]) -> Self {
        TimeEntry {
            timestamp: bytes.get_i64(),
            relative_offset: bytes.get_u32(),
        }
    }

    fn key(&self) -> i64 {
        self.timestamp
    }
}

/// One index file of a segment.
#[derive(Debug)]
pub struct Index<E> {
    disk: Disk,
    path: PathBuf,
    stored: usize,
    recent: Vec<E>,
    last: Option<E>,
}

impl<E: Entry> Index<E> {
    /// Opens the index, creating an empty file if there is none; an incomplete last entry is left out.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self> {
        let file = disk.open_append(path).map_err(BrokerError::io(path))?;
        let length = file.length().map_err(BrokerError::io(path))?;
        let stored = usize::try_from(length).unwrap_or(0) / E::SIZE;
        let mut index = Index {
            disk: disk.clone(),
            path: path.to_owned(),
            stored,
            recent: Vec::new(),
            last: None,
        };
        if stored > 0 {
            index.last = index.read_entry(&file, stored - 1)?;
        }
        Ok(index)
    }

    /// The newest entry.
    pub fn last(&self) -> Option<E> {
        self.last
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.stored + self.recent.len()
    }

    /// Bytes on disk once all is written.
    pub fn size(&self) -> u64 {
        (self.len() * E::SIZE) as u64
    }

    /// Adds an entry, if its key is above the last one's. A write that fails is tried again with the next block.
    pub fn append(&mut self, entry: E) {
        if self.last.is_some_and(|last| last.key() >= entry.key()) {
            return;
        }
        self.recent.push(entry);
        self.last = Some(entry);
        if self.recent.len().is_multiple_of(BLOCK)
            && let Err(error) = self.write_recent()
        {
            tracing::warn!(%error, "index entries stay in memory");
        }
    }

    /// Writes what is only in memory to the file.
    pub fn write_recent(&mut self) -> Result<()> {
        if self.recent.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.recent.len() * E::SIZE);
        self.recent.iter().for_each(|entry| entry.encode(&mut bytes));
        // An earlier attempt may have been cut short by a full disk.
        file::truncate(&self.disk, &self.path, (self.stored * E::SIZE) as u64)?;
        self.disk
            .open_append(&self.path)
            .and_then(|file| file.write_all_vectored(&self.path, &mut [IoSlice::new(&bytes)]))
            .map_err(BrokerError::io(&self.path))?;
        self.stored += self.recent.len();
        self.recent = Vec::new();
        Ok(())
    }

    /// Writes what is in memory alone, and tells the file that is to be synced.
    pub fn written(&mut self) -> Result<PathBuf> {
        self.write_recent()?;
        Ok(self.path.clone())
    }

    /// The last entry whose key is not above `key`.
    pub fn floor(&self, key: i64) -> Result<Option<E>> {
        if self.last.is_some_and(|last| last.key() <= key) {
            return Ok(self.last);
        }
        let below = self.recent.partition_point(|entry| entry.key() <= key);
        if let Some(entry) = below.checked_sub(1).and_then(|at| self.recent.get(at)) {
            return Ok(Some(*entry));
        }
        let file = match self.disk.open(&self.path) {
            Ok(file) => file,
            // The segment has been deleted under a reader: it goes on without a hint.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BrokerError::io(&self.path)(error)),
        };
        match self.count_not_above(&file, key)? {
            0 => Ok(None),
            count => self.read_entry(&file, count - 1),
        }
    }

    /// How many stored entries have keys not above `key`.
    fn count_not_above(&self, file: &File, key: i64) -> Result<usize> {
        let (mut low, mut high) = (0, self.stored);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.read_entry(file, middle)? {
                Some(entry) if entry.key() <= key => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    fn read_entry(&self, file: &File, at: usize) -> Result<Option<E>> {
        let mut bytes = vec![0; E::SIZE];
        let read = file
            .read_full_at(&mut bytes, (at * E::SIZE) as u64)
            .map_err(BrokerError::io(&self.path))?;
        Ok((read == E::SIZE).then(|| E::decode(&bytes)))
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> Result<Vec<E>> {
        let bytes = self.disk.read(&self.path).map_err(BrokerError::io(&self.path))?;
        let stored = bytes.chunks_exact(E::SIZE).take(self.stored).map(E::decode);
        Ok(stored.chain(self.recent.iter().copied()).collect())
    }

    /// Keeps the leading entries for which `keep` holds.
    pub fn keep_while(&mut self, keep: impl Fn(&E) -> bool) -> Result<()> {
        let kept: Vec<E> = self.entries()?.into_iter().take_while(keep).collect();
        self.stored = self.stored.min(kept.len());
        file::truncate(&self.disk, &self.path, (self.stored * E::SIZE) as u64)?;
        self.recent = kept.get(self.stored..).unwrap_or_default().to_vec();
        self.last = kept.last().copied();
        Ok(())
    }

    /// Whether the entries rise strictly, as a reader by binary search needs it.
    pub fn is_sorted(&self) -> Result<bool> {
        Ok(self.entries()?.is_sorted_by(|a, b| a.key() < b.key()))
    }

    /// Whether the file holds whole entries only.
    pub fn is_whole(&self) -> Result<bool> {
        let length = self.disk.length(&self.path);
        let length = length.map_err(BrokerError::io(&self.path))?;
        Ok(length == (self.stored * E::SIZE) as u64)
    }

    /// Follows a rename of the file.
    pub fn set_path(&mut self, path: PathBuf) {
        self.path = path;
    }
}
