//! Whole batches, taken off a buffer.

use super::compress;
use super::header::{BatchHeader, CRC_COVERS_FROM, HEADER_SIZE, MAGIC, MAGIC_AT};
use super::record::Records;
use crate::broker::error::Result;
use bytes::{Buf, Bytes};
use kafka_protocol::ResponseError;
use std::borrow::Cow;

/// Smallest size that any format version can have, after base offset and length.
const SMALLEST_LENGTH: i32 = 14;

/// What ends a transaction in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// Whether it commits.
    pub commits: bool,
    /// Epoch of the coordinator that wrote it.
    pub coordinator_epoch: i32,
}

/// One whole batch: its header and all of its bytes.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The header, parsed.
    pub header: BatchHeader,
    /// Header and records.
    pub bytes: Bytes,
}

impl Batch {
    /// The records, compressed as they came.
    pub fn records(&self) -> &[u8] {
        self.bytes.get(HEADER_SIZE..).unwrap_or_default()
    }

    /// What a control batch says of a transaction; `None` for other control records.
    pub fn marker(&self) -> Option<Marker> {
        let record = Records::new(self.records()).next()?.ok()?;
        let mut key = record.key?;
        let commits = match (key.try_get_i16().ok()?, key.try_get_i16().ok()?) {
            (_, 0) => false,
            (_, 1) => true,
            _ => return None,
        };
        let mut value = record.value?;
        value.try_get_i16().ok()?;
        Some(Marker {
            commits,
            coordinator_epoch: value.try_get_i32().ok()?,
        })
    }

    /// Whether the checksum is right.
    pub fn is_intact(&self) -> bool {
        let covered = self.bytes.get(CRC_COVERS_FROM..).unwrap_or_default();
        crc32c::crc32c(covered) == self.header.crc
    }
}

/// Takes whole, sane batches off the front of a buffer; stops at the first that is neither.
#[derive(Debug, Clone)]
pub struct Batches {
    rest: Bytes,
}

impl Batches {
    /// Walks over `bytes`.
    pub fn new(bytes: Bytes) -> Self {
        Batches { rest: bytes }
    }

    /// What has not been taken off yet.
    pub fn rest(&self) -> &Bytes {
        &self.rest
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let header = BatchHeader::parse(&self.rest).filter(BatchHeader::is_sane)?;
        (header.size() <= self.rest.len()).then(|| Batch {
            header,
            bytes: self.rest.split_to(header.size()),
        })
    }
}

/// Takes a buffer apart into whole batches, and says what is wrong if it is anything else; checksums are not looked at.
///
/// # Errors
/// `CORRUPT_MESSAGE` for an impossible size or format, `INVALID_RECORD` for an old format, or none at all.
pub fn split(records: Bytes) -> Result<Vec<Batch>> {
    let mut walk = Batches::new(records);
    let batches: Vec<Batch> = walk.by_ref().collect();
    let rest = walk.rest();
    if rest.is_empty() && !batches.is_empty() {
        return Ok(batches);
    }
    let length = rest
        .get(8..12)
        .and_then(|bytes| bytes.try_into().ok())
        .map(i32::from_be_bytes);
    let magic = rest.get(MAGIC_AT).map(|byte| byte.cast_signed());
    let error = match (length, magic) {
        (Some(length), _) if length < SMALLEST_LENGTH => ResponseError::CorruptMessage,
        (_, Some(0 | 1)) => ResponseError::InvalidRecord,
        (_, Some(magic)) if magic != MAGIC => ResponseError::CorruptMessage,
        _ => ResponseError::InvalidRecord,
    };
    Err(error.into())
}

/// The same, and every checksum must be right: what another broker sent, or stands in a log.
///
/// # Errors
/// As [`split`]; `CORRUPT_MESSAGE` for a wrong checksum.
pub fn intact(records: Bytes) -> Result<Vec<Batch>> {
    let batches = split(records)?;
    if batches.iter().all(Batch::is_intact) {
        Ok(batches)
    } else {
        Err(ResponseError::CorruptMessage.into())
    }
}

/// The uncompressed records of a batch.
///
/// # Errors
/// What [`compress::decompress`] says.
pub fn records_of(batch: &Batch) -> Result<Cow<'_, [u8]>> {
    match batch.header.codec() {
        0 => Ok(Cow::Borrowed(batch.bytes.get(HEADER_SIZE..).unwrap_or_default())),
        codec => Ok(Cow::Owned(compress::decompress(codec, batch.records())?)),
    }
}
