//! Reads a log's files as they are, for whoever wants to look into them (`kafka-dump-log`): nothing is opened for
//! writing, repaired or left out.

use super::index::Entry;
use super::producers::Aborted;
use super::{file, transactions};
use crate::broker::batch::{
    Batch, BatchHeader, LENGTH_OVERHEAD, MAGIC, MAGIC_AT, Record, Records, records_of,
};
use crate::broker::error::Result as BrokerResult;
use crate::broker::world::Disk;
use crate::broker::world::disk::Reading;
use bytes::{Buf, Bytes};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

pub use super::index::{OffsetEntry, TimeEntry};

/// Bytes that tell a batch's size and format version.
const UP_TO_MAGIC: usize = 17;
/// The least that a record of the oldest format takes after its length field.
const LEAST_SIZE: i32 = 14;

/// Why a file cannot be read further.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What it holds is no log, in words of Kafka's.
    #[error("{0}")]
    Corrupt(String),
}

type Result<T> = std::result::Result<T, InspectError>;

fn io_error(path: &Path) -> impl Fn(io::Error) -> InspectError + '_ {
    |source| InspectError::Io {
        path: path.to_owned(),
        source,
    }
}

/// A segment or snapshot, read batch by batch.
#[derive(Debug)]
pub struct SegmentReader {
    path: PathBuf,
    file: BufReader<Reading>,
    position: u64,
    end: u64,
}

/// A record, taken out of its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedRecord {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, ms.
    pub timestamp: i64,
    /// Its sequence, -1 without an idempotent producer.
    pub sequence: i32,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// The names of its headers.
    pub header_names: Vec<String>,
}

impl SegmentReader {
    /// Opens the file at `position`; nothing from `limit` bytes after it on is read.
    ///
    /// # Errors
    /// [`InspectError::Io`]
    pub fn open(path: &Path, position: u64, limit: u64) -> Result<Self> {
        Self::open_on(&Disk::files(), path, position, limit)
    }

    /// The same of a file of that disk.
    ///
    /// # Errors
    /// [`InspectError::Io`]
    pub fn open_on(disk: &Disk, path: &Path, position: u64, limit: u64) -> Result<Self> {
        let fail = io_error(path);
        let file = disk.open(path).map_err(&fail)?;
        let length = file.length().map_err(&fail)?;
        Ok(SegmentReader {
            path: path.to_owned(),
            file: BufReader::with_capacity(1 << 16, file.read_from(position)),
            position,
            end: length.min(position.saturating_add(limit)),
        })
    }

    /// Where the next batch begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes from here to the end.
    pub fn rest(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// The next batch; `None` when no whole one follows.
    ///
    /// # Errors
    /// [`InspectError::Corrupt`] for a size that cannot be, or a format older than Kafka 0.11.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        if self.rest() <= UP_TO_MAGIC as u64 {
            return Ok(None);
        }
        let fail = io_error(&self.path);
        let mut head = [0; UP_TO_MAGIC];
        self.file.read_exact(&mut head).map_err(&fail)?;
        let mut fields = head.as_slice();
        fields.advance(8);
        let size = fields.get_i32();
        if size < LEAST_SIZE {
            return Err(InspectError::Corrupt(format!(
                "Found record size {size} smaller than minimum record overhead ({LEAST_SIZE}) in file {}.",
                self.path.display()
            )));
        }
        let whole = LENGTH_OVERHEAD + usize::try_from(size).unwrap_or(0);
        if whole as u64 > self.rest() {
            return Ok(None);
        }
        let magic = head.get(MAGIC_AT).map_or(0, |magic| magic.cast_signed());
        if magic != MAGIC {
            return Err(InspectError::Corrupt(format!(
                "{} has a batch of format version {magic} at position {}; only version {MAGIC}, of Kafka 0.11 and \
                 later, is read",
                self.path.display(),
                self.position
            )));
        }
        let mut bytes = head.to_vec();
        let rest = whole.saturating_sub(UP_TO_MAGIC) as u64;
        let file = &mut self.file;
        file.take(rest).read_to_end(&mut bytes).map_err(&fail)?;
        let header = BatchHeader::parse(&bytes)
            .ok_or_else(|| InspectError::Corrupt(format!("The batch at {} is too short", self.position)))?;
        self.position += whole as u64;
        Ok(Some(Batch {
            header,
            bytes: Bytes::from(bytes),
        }))
    }
}

/// The records of a batch.
///
/// # Errors
/// [`InspectError::Corrupt`] when they cannot be expanded or do not follow their own lengths.
pub fn records(batch: &Batch) -> Result<Vec<InspectedRecord>> {
    let corrupt = || {
        InspectError::Corrupt(format!(
            "The records of the batch at offset {} are malformed",
            batch.header.base_offset
        ))
    };
    let expanded = records_of(batch).map_err(|_| corrupt())?;
    Records::new(&expanded)
        .take(usize::try_from(batch.header.record_count).unwrap_or(0))
        .map(|record| {
            let record = record.ok().and_then(|record| inspect(&batch.header, &record));
            record.ok_or_else(corrupt)
        })
        .collect()
}

fn inspect(header: &BatchHeader, record: &Record<'_>) -> Option<InspectedRecord> {
    let names = record.header_names()?;
    Some(InspectedRecord {
        offset: header.offset_of(record),
        timestamp: header.timestamp_of(record),
        sequence: sequence_after(header.base_sequence, record.offset_delta),
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        header_names: names
            .into_iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect(),
    })
}

/// The sequence `delta` after `base`: sequences wrap from `i32::MAX` to 0; -1 stays -1.
pub fn sequence_after(base: i32, delta: i32) -> i32 {
    if base < 0 {
        return -1;
    }
    let next = (i64::from(base) + i64::from(delta)).rem_euclid(i64::from(i32::MAX) + 1);
    i32::try_from(next).unwrap_or(-1)
}

/// The segments of a log, in the order of their offsets.
///
/// # Errors
/// When the folder cannot be read.
pub fn segments(disk: &Disk, folder: &Path) -> BrokerResult<Vec<PathBuf>> {
    let mut files = file::list(disk, folder)?;
    files.retain(|(_, _, ending)| ending == file::LOG);
    files.sort_by_key(|(_, offset, _)| *offset);
    Ok(files.into_iter().map(|(path, _, _)| path).collect())
}

/// An index file: its entries, and its length in bytes.
#[derive(Debug, Clone)]
pub struct InspectedIndex<E> {
    /// All whole entries.
    pub entries: Vec<E>,
    /// Bytes of the file.
    pub length: u64,
}

impl<E: Entry> InspectedIndex<E> {
    /// Reads the file.
    ///
    /// # Errors
    /// [`InspectError::Io`]
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = Disk::files().read(path).map_err(io_error(path))?;
        Ok(InspectedIndex {
            entries: bytes.chunks_exact(E::SIZE).map(E::decode).collect(),
            length: bytes.len() as u64,
        })
    }
}

/// What a producer snapshot says of one producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotEntry {
    /// Its id.
    pub producer_id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// Sequence of its last record, -1 if none.
    pub last_sequence: i32,
    /// Offset of its last record, -1 if none.
    pub last_offset: i64,
    /// Last offset less first offset of its last batch.
    pub offset_delta: i32,
    /// Timestamp of its last batch, ms.
    pub timestamp: i64,
    /// Epoch of the coordinator of its last marker, -1 if none.
    pub coordinator_epoch: i32,
    /// First offset of its open transaction, -1 if none.
    pub transaction_start: i64,
}

/// Reads a producer snapshot, in the order of the file.
///
/// # Errors
/// [`InspectError::Corrupt`] for another version, a wrong checksum or entries that are cut.
pub fn snapshot(path: &Path) -> Result<Vec<SnapshotEntry>> {
    let content = Disk::files().read(path).map_err(io_error(path))?;
    let mut rest = content.as_slice();
    let cut = |_| InspectError::Corrupt(format!("{} is cut short", path.display()));
    let version = rest.try_get_i16().map_err(cut)?;
    if version != 1 {
        return Err(InspectError::Corrupt(format!(
            "Snapshot contained an unknown file version {version}"
        )));
    }
    let stored = rest.try_get_u32().map_err(cut)?;
    let computed = crc32c::crc32c(rest);
    if stored != computed {
        return Err(InspectError::Corrupt(format!(
            "Snapshot is corrupt (CRC is no longer valid). Stored crc: {stored}. Computed crc: {computed}"
        )));
    }
    let count = rest.try_get_i32().map_err(cut)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(SnapshotEntry {
            producer_id: rest.try_get_i64().map_err(cut)?,
            epoch: rest.try_get_i16().map_err(cut)?,
            last_sequence: rest.try_get_i32().map_err(cut)?,
            last_offset: rest.try_get_i64().map_err(cut)?,
            offset_delta: rest.try_get_i32().map_err(cut)?,
            timestamp: rest.try_get_i64().map_err(cut)?,
            coordinator_epoch: rest.try_get_i32().map_err(cut)?,
            transaction_start: rest.try_get_i64().map_err(cut)?,
        });
    }
    Ok(entries)
}

/// Reads an index of aborted transactions.
///
/// # Errors
/// [`InspectError::Io`]
pub fn aborted_transactions(path: &Path) -> Result<Vec<Aborted>> {
    let bytes = Disk::files().read(path).map_err(io_error(path))?;
    Ok(transactions::parse_all(&bytes))
}
