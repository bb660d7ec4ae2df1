//! Where a machine's records are kept.

use crate::broker::error::Result;
use crate::broker::log::ReadLimit;
use crate::broker::replication::Partition;
use crate::broker::world::watch;
use bytes::Bytes;
use std::sync::Arc;

/// A log that a shard writes, alone.
pub trait Journal: Send + Sync + 'static {
    /// Appends batches by one write, all or none; returns the offset of the first record. The records of all batches
    /// follow one another. Where they wait for the disk, they are committed when they are there.
    ///
    /// # Errors
    /// What the log refuses: then nothing has been written.
    fn append(&self, batches: Bytes) -> Result<i64>;

    /// Appends a batch that ends a transaction; returns its offset.
    ///
    /// # Errors
    /// What the log refuses.
    fn append_marker(&self, batch: Bytes) -> Result<i64>;

    /// Offset of the first record.
    fn start(&self) -> i64;

    /// Offset behind the last record that was written.
    fn end(&self) -> i64;

    /// Waits until all that was written can be read. What the disk refused is gone then.
    fn wait_for_disk(&self);

    /// Whole batches from the one with `offset` on, about `max_bytes` of them.
    ///
    /// # Errors
    /// When the disk refuses.
    fn read(&self, offset: i64, max_bytes: usize) -> Result<Bytes>;

    /// All before this offset is committed.
    fn committed(&self) -> i64;

    /// Changes when [`Journal::committed`] moves, or what was written is taken back.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Whether it still is this shard's to write.
    fn is_ours(&self) -> bool;

    /// What it is called in the broker's log.
    fn name(&self) -> String;
}

/// A partition that this broker leads, in one leader epoch. In a later one somebody else may have written in between.
#[derive(Debug)]
pub struct LedPartition {
    partition: Arc<Partition>,
    epoch: i32,
}

impl LedPartition {
    /// A partition led in `epoch`.
    pub fn new(partition: Arc<Partition>, epoch: i32) -> Self {
        LedPartition { partition, epoch }
    }

    /// The leader epoch, which is the epoch of the coordinator whose log it is.
    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    /// Whether it is that partition, and still led in the same epoch.
    pub(super) fn is(&self, partition: &Arc<Partition>, epoch: i32) -> bool {
        self.epoch == epoch && Arc::ptr_eq(partition, &self.partition)
    }
}

impl Journal for LedPartition {
    fn append(&self, batches: Bytes) -> Result<i64> {
        let written = self.partition.write_as_coordinator(batches, self.epoch)?;
        self.partition.settle_later(&written);
        Ok(written.base_offset)
    }

    fn append_marker(&self, batch: Bytes) -> Result<i64> {
        let written = self.partition.write_marker(batch, self.epoch)?;
        self.partition.settle_later(&written);
        Ok(written.base_offset)
    }

    fn start(&self) -> i64 {
        self.partition.log.log_start_offset()
    }

    fn end(&self) -> i64 {
        self.partition.log.written_end_offset()
    }

    fn wait_for_disk(&self) {
        if let Err(error) = self.partition.log.pay() {
            tracing::warn!(log = self.name(), %error, "what was written last cannot be read");
        }
    }

    fn read(&self, offset: i64, max_bytes: usize) -> Result<Bytes> {
        let read = self
            .partition
            .log
            .read(offset, max_bytes, true, ReadLimit::LogEnd)?;
        Ok(read.records)
    }

    fn committed(&self) -> i64 {
        self.partition.log.high_watermark()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.partition.log.changes()
    }

    fn is_ours(&self) -> bool {
        self.partition.leader_epoch() == Some(self.epoch)
    }

    fn name(&self) -> String {
        format!("{}-{}", self.partition.topic, self.partition.index)
    }
}
