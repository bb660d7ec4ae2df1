//! The headers of batches, read and patched without decoding the records.

use super::record::Record;
use bytes::{Buf, BufMut};

/// Bytes of a batch's header, before its records.
pub const HEADER_SIZE: usize = 61;
/// Bytes before the part that the length field counts: base offset and length.
pub const LENGTH_OVERHEAD: usize = 12;
/// The only format version written since Kafka 0.11.
pub const MAGIC: i8 = 2;
/// Where the format version stands, in every format version.
pub const MAGIC_AT: usize = 16;
/// Where the part covered by the checksum starts.
pub(super) const CRC_COVERS_FROM: usize = 21;

const TIMESTAMP_TYPE_BIT: i16 = 1 << 3;
const TRANSACTIONAL_BIT: i16 = 1 << 4;
const CONTROL_BIT: i16 = 1 << 5;
const DELETE_HORIZON_BIT: i16 = 1 << 6;
const CODEC_BITS: i16 = 0b111;

/// The header of a batch. Times in ms; offsets, sequences and epochs as Kafka defines them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record, even if compaction has removed that record.
    pub base_offset: i64,
    /// Bytes after the length field.
    pub batch_length: i32,
    /// Epoch of the leader that wrote it.
    pub leader_epoch: i32,
    /// Format version.
    pub magic: i8,
    /// CRC-32C of all that follows.
    pub crc: u32,
    /// Codec, timestamp type, transactional, control and delete-horizon bits.
    pub attributes: i16,
    /// Last offset minus base offset.
    pub last_offset_delta: i32,
    /// Timestamp of the first record, or the delete horizon (KIP-534).
    pub base_timestamp: i64,
    /// Greatest timestamp of the records.
    pub max_timestamp: i64,
    /// Producer id, -1 for a producer without one.
    pub producer_id: i64,
    /// Producer epoch.
    pub producer_epoch: i16,
    /// Sequence of the first record.
    pub base_sequence: i32,
    /// Records in the batch.
    pub record_count: i32,
}

impl BatchHeader {
    /// The header of a batch that the broker itself makes at `timestamp`: of no producer, its offsets from 0 on, without
    /// records yet.
    pub fn of_broker(timestamp: i64) -> Self {
        BatchHeader {
            base_offset: 0,
            batch_length: 0,
            leader_epoch: -1,
            magic: MAGIC,
            crc: 0,
            attributes: 0,
            last_offset_delta: 0,
            base_timestamp: timestamp,
            max_timestamp: timestamp,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            record_count: 0,
        }
    }

    /// Reads a header; `None` when there are fewer than [`HEADER_SIZE`] bytes. Nothing else is checked.
    pub fn parse(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() < HEADER_SIZE {
            return None;
        }
        Some(BatchHeader {
            base_offset: bytes.get_i64(),
            batch_length: bytes.get_i32(),
            leader_epoch: bytes.get_i32(),
            magic: bytes.get_i8(),
            crc: bytes.get_u32(),
            attributes: bytes.get_i16(),
            last_offset_delta: bytes.get_i32(),
            base_timestamp: bytes.get_i64(),
            max_timestamp: bytes.get_i64(),
            producer_id: bytes.get_i64(),
            producer_epoch: bytes.get_i16(),
            base_sequence: bytes.get_i32(),
            record_count: bytes.get_i32(),
        })
    }

    /// The header's bytes, with the checksum it holds.
    pub fn encode(&self) -> [u8; HEADER_SIZE] {
        let mut bytes = [0; HEADER_SIZE];
        let mut out = bytes.as_mut_slice();
        out.put_i64(self.base_offset);
        out.put_i32(self.batch_length);
        out.put_i32(self.leader_epoch);
        out.put_i8(self.magic);
        out.put_u32(self.crc);
        out.put_i16(self.attributes);
        out.put_i32(self.last_offset_delta);
        out.put_i64(self.base_timestamp);
        out.put_i64(self.max_timestamp);
        out.put_i64(self.producer_id);
        out.put_i16(self.producer_epoch);
        out.put_i32(self.base_sequence);
        out.put_i32(self.record_count);
        bytes
    }

    /// Sets the checksum for this header followed by `records`.
    pub fn seal(&mut self, records: &[u8]) {
        let header = self.encode();
        let covered = header.get(CRC_COVERS_FROM..).unwrap_or_default();
        self.crc = crc32c::crc32c_append(crc32c::crc32c(covered), records);
    }

    /// Whether the fields make sense by themselves: a reader may rely on size and offsets.
    pub fn is_sane(&self) -> bool {
        self.magic == MAGIC
            && usize::try_from(self.batch_length).is_ok_and(|length| length + LENGTH_OVERHEAD >= HEADER_SIZE)
            && self.base_offset >= 0
            && self.last_offset_delta >= 0
            && self.record_count >= 0
            && self
                .base_offset
                .checked_add(i64::from(self.last_offset_delta) + 1)
                .is_some()
    }

    /// Bytes of the whole batch. At least [`HEADER_SIZE`] when the header is sane.
    pub fn size(&self) -> usize {
        usize::try_from(self.batch_length).map_or(0, |length| length + LENGTH_OVERHEAD)
    }

    /// Offset of the last record, even if compaction has removed that record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// Offset that follows this batch.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Sequence of the last record; sequences wrap from `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        if self.producer_id < 0 || self.base_sequence < 0 {
            return -1;
        }
        let last = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        i32::try_from(last % (i64::from(i32::MAX) + 1)).unwrap_or(-1)
    }

    /// The number of the compression codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub fn codec(&self) -> i16 {
        self.attributes & CODEC_BITS
    }

    /// Sets the compression codec.
    pub fn set_codec(&mut self, codec: i16) {
        self.attributes = (self.attributes & !CODEC_BITS) | (codec & CODEC_BITS);
    }

    /// Whether the broker's clock stamped the records.
    pub fn has_log_append_time(&self) -> bool {
        self.attributes & TIMESTAMP_TYPE_BIT != 0
    }

    /// Stamps all records with the broker's time.
    pub fn set_log_append_time(&mut self, now_ms: i64) {
        self.attributes |= TIMESTAMP_TYPE_BIT;
        self.max_timestamp = now_ms;
    }

    /// Whether the batch is part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// The same, as part of a transaction.
    #[must_use]
    pub fn in_transaction(mut self) -> Self {
        self.attributes |= TRANSACTIONAL_BIT;
        self
    }

    /// Whether the batch holds a transaction marker.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// Marks that the records are for the log itself.
    pub fn set_control(&mut self) {
        self.attributes |= CONTROL_BIT;
    }

    /// Offset of one of its records.
    pub fn offset_of(&self, record: &Record<'_>) -> i64 {
        self.base_offset.saturating_add(i64::from(record.offset_delta))
    }

    /// Timestamp of one of its records: the batch's, where the broker's clock stamped it.
    pub fn timestamp_of(&self, record: &Record<'_>) -> i64 {
        if self.has_log_append_time() {
            self.max_timestamp
        } else {
            self.base_timestamp.saturating_add(record.timestamp_delta)
        }
    }

    /// When the tombstones in it may go (KIP-534), once compaction has decided it.
    pub fn delete_horizon(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON_BIT != 0).then_some(self.base_timestamp)
    }

    /// Marks that `base_timestamp` is the delete horizon.
    pub fn set_delete_horizon(&mut self, horizon_ms: i64) {
        self.attributes |= DELETE_HORIZON_BIT;
        self.base_timestamp = horizon_ms;
    }
}
