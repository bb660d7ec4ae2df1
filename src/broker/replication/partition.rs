//! One replica of a partition kept here: its log and its part in replication.

use crate::broker::error::Result;
use crate::broker::log::{Appended, PartitionLog};
use bytes::Bytes;
use std::sync::Arc;
use uuid::Uuid;

/// A replica kept by this broker.
#[derive(Debug)]
pub struct Partition {
    /// Topic name.
    pub topic: String,
    /// Topic id.
    pub topic_id: Uuid,
    /// Partition index.
    pub index: i32,
    /// The log; shared with readers.
    pub log: Arc<PartitionLog>,
}

impl Partition {
    /// Appends as the leader; with `acks` = -1 checks `min.insync.replicas` first. The high watermark moves when the
    /// in-sync replicas have the records, which with one replica is at once.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER` when another broker leads, `NOT_ENOUGH_REPLICAS`, and what the log refuses.
    pub fn append(&self, _records: Bytes, _acks: i16) -> Result<Appended> {
        todo!()
    }

    /// Waits until the high watermark has passed `offset`, at most until `deadline`; false when time ran out.
    pub async fn await_replicated(&self, _offset: i64, _deadline: tokio::time::Instant) -> bool {
        todo!()
    }

    /// Whether this broker leads the partition now, and in which epoch.
    pub fn leader_epoch(&self) -> Option<i32> {
        todo!()
    }
}
