//! One partition's log: append, read, look up by time, truncate, delete.
//!
//! Safe to share between threads: one writer at a time, readers beside it.

use super::LogConfig;
use crate::broker::error::Result;
use crate::clock::Clock;
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Offset of the last record.
    pub last_offset: i64,
    /// The broker's time in ms with `LogAppendTime`, else -1.
    pub log_append_time: i64,
    /// Log start offset at the time of the append.
    pub log_start_offset: i64,
    /// The batch had been written before (same producer id, epoch and sequence); nothing was written now.
    pub duplicate: bool,
}

/// Whole record batches read from a log, as they lie on disk.
#[derive(Debug, Clone, Default)]
pub struct FetchedRecords {
    /// Zero or more whole batches; the first may start before the asked offset, as in Kafka.
    pub records: Bytes,
    /// Aborted transactions whose records may be among them: producer id, first offset.
    pub aborted: Vec<(i64, i64)>,
}

/// Up to where a read may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadLimit {
    /// Below the high watermark: consumers.
    HighWatermark,
    /// Below the last stable offset: `read_committed` consumers.
    LastStable,
    /// To the end: followers and the broker itself.
    LogEnd,
}

/// An offset found by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetAndTimestamp {
    /// The record's offset.
    pub offset: i64,
    /// The record's timestamp in ms.
    pub timestamp: i64,
    /// Leader epoch it was written in, -1 when unknown.
    pub leader_epoch: i32,
}

/// One partition's log.
#[derive(Debug)]
pub struct PartitionLog;

impl PartitionLog {
    /// Opens the log in `dir` (`LOGDIR/TOPIC-PARTITION`), creating the folder if need be; after an unclean stop
    /// the last segment is checked and a torn tail cut.
    pub fn open(_dir: &Path, _config: Arc<LogConfig>, _clock: Clock) -> Result<Self> {
        todo!()
    }

    /// Appends batches from a producer: checks CRC, magic, size, timestamps and sequences, assigns offsets, and
    /// stamps `leader_epoch`.
    pub fn append_as_leader(&self, _records: Bytes, _leader_epoch: i32) -> Result<Appended> {
        todo!()
    }

    /// Appends batches copied from the leader, offsets and epochs as they come.
    pub fn append_as_follower(&self, _records: Bytes) -> Result<Appended> {
        todo!()
    }

    /// Reads whole batches from `offset` on, at most `max_bytes`, but at least one batch if `min_one`.
    pub fn read(
        &self,
        _offset: i64,
        _max_bytes: usize,
        _min_one: bool,
        _limit: ReadLimit,
    ) -> Result<FetchedRecords> {
        todo!()
    }

    /// The first record at or after `timestamp` (ms); `None` when there is none.
    pub fn offset_for_timestamp(&self, _timestamp: i64) -> Result<Option<OffsetAndTimestamp>> {
        todo!()
    }

    /// The record with the greatest timestamp; `None` in an empty log.
    pub fn max_timestamp(&self) -> Result<Option<OffsetAndTimestamp>> {
        todo!()
    }

    /// First offset that can be read.
    pub fn log_start_offset(&self) -> i64 {
        todo!()
    }

    /// Offset the next record gets.
    pub fn log_end_offset(&self) -> i64 {
        todo!()
    }

    /// First offset that is not yet on every in-sync replica.
    pub fn high_watermark(&self) -> i64 {
        todo!()
    }

    /// Raises the high watermark (never past the end) and wakes the waiters.
    pub fn set_high_watermark(&self, _offset: i64) {
        todo!()
    }

    /// First offset of the oldest open transaction, or the high watermark.
    pub fn last_stable_offset(&self) -> i64 {
        todo!()
    }

    /// Changes whenever the log end, the high watermark or the log start moves; fetches wait on it.
    pub fn changes(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// DeleteRecords: moves the log start to `before` (the high watermark at most) and returns the new start.
    pub fn delete_records(&self, _before: i64) -> Result<i64> {
        todo!()
    }

    /// Drops all records from `offset` on.
    pub fn truncate_to(&self, _offset: i64) -> Result<()> {
        todo!()
    }

    /// OffsetForLeaderEpoch (KIP-320): the greatest epoch not above `epoch`, and where it ends; (-1, -1) if unknown.
    pub fn end_offset_for_epoch(&self, _epoch: i32) -> (i32, i64) {
        todo!()
    }

    /// The epoch of the last record, -1 in an empty log.
    pub fn latest_epoch(&self) -> i32 {
        todo!()
    }

    /// Takes new settings; they act from the next append or check on.
    pub fn set_config(&self, _config: Arc<LogConfig>) {
        todo!()
    }

    /// Rolls segments that are old enough and deletes those past retention; returns how many segments went.
    pub fn apply_retention(&self) -> Result<usize> {
        todo!()
    }

    /// Compacts if `cleanup.policy` has `compact` and enough is dirty; returns whether it did.
    pub fn compact(&self) -> Result<bool> {
        todo!()
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        todo!()
    }

    /// Writes everything through to the disk, checkpoints included.
    pub fn flush(&self) -> Result<()> {
        todo!()
    }

    /// Flushes and marks the log as cleanly closed.
    pub fn close(&self) -> Result<()> {
        todo!()
    }

    /// Deletes the log's folder: renamed first, as Kafka does, so that a new topic of the same name can start.
    pub fn delete(&self) -> Result<()> {
        todo!()
    }
}
