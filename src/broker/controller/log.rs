//! The metadata log on disk: `__cluster_metadata-0`, written and read as KRaft does (KIP-595, KIP-630).

use super::snapshot::{self, SnapshotId};
use crate::broker::config::NodeConfig;
use crate::broker::error::{BrokerError, Result};
use crate::broker::log::checkpoint::LogDirState;
use crate::broker::log::{CleanupPolicy, LogConfig, PartitionLog, ReadLimit};
use crate::broker::metadata::batch::{self, BatchStamp};
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use crate::clock::Clock;
use bytes::Bytes;
use kafka_protocol::messages::LeaderChangeMessage;
use kafka_protocol::messages::leader_change_message::Voter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Folder of the metadata log in the log directory.
const FOLDER: &str = "__cluster_metadata-0";
/// Type of the control record that begins an epoch.
const LEADER_CHANGE: i16 = 2;
/// Bytes read at once when the log is replayed.
const REPLAY_BYTES: usize = 1 << 20;

/// The metadata log, open for writing.
pub(super) struct MetadataLog {
    log: PartitionLog,
    folder: PathBuf,
    clock: Clock,
    node_id: i32,
    epoch: i32,
    /// End of what is written and applied; waiting fetches see it change.
    end: watch::Sender<i64>,
    /// Bytes appended since the last snapshot.
    unsaved: AtomicU64,
    /// `metadata.log.max.record.bytes.between.snapshots`
    snapshot_every: u64,
}

impl MetadataLog {
    /// Opens the log and applies all it holds to `image`.
    pub(super) fn open(config: &NodeConfig, image: &mut MetadataImage, clock: Clock) -> Result<Self> {
        let folder = config.log_dir.join(FOLDER);
        // Checked at every start, as after a crash: it is short, and nobody else has all of what it says.
        let unknown = LogDirState::default();
        let log = PartitionLog::open_with(&folder, Arc::new(log_config(config)), clock.clone(), &unknown)?;
        let snapshot = snapshot::newest(&folder)?;
        if let Some(id) = snapshot {
            let path = id.path(&folder);
            let bytes = std::fs::read(&path).map_err(BrokerError::io(path))?;
            snapshot::apply(bytes.into(), id.end_offset, image)?;
            if log.log_end_offset() < id.end_offset {
                log.truncate_fully_and_start_at(id.end_offset)?;
            }
        }
        replay(&log, image)?;
        let written = snapshot.map_or(-1, |id| id.epoch);
        let epoch = log.latest_epoch().max(written).max(0) + 1;
        let end = log.log_end_offset();
        let log_size = log.size();
        log.set_high_watermark(end);
        Ok(MetadataLog {
            log,
            folder,
            clock,
            node_id: config.node_id,
            epoch,
            end: watch::Sender::new(end),
            unsaved: AtomicU64::new(if snapshot.is_some() { 0 } else { log_size }),
            snapshot_every: u64::try_from(config.int("metadata.log.max.record.bytes.between.snapshots"))
                .unwrap_or(u64::MAX),
        })
    }

    pub(super) fn epoch(&self) -> i32 {
        self.epoch
    }

    /// Begins this controller's epoch: the control record that KRaft writes, and the `quorum-state` file.
    pub(super) fn write_leader_change(&self) -> Result<()> {
        let voter = vec![Voter::default().with_voter_id(self.node_id)];
        let message = LeaderChangeMessage::default()
            .with_leader_id(self.node_id.into())
            .with_voters(voter.clone())
            .with_granting_voters(voter);
        self.append_batch(true, &[snapshot::control_record(LEADER_CHANGE, &message)?])?;
        self.publish();
        let state = serde_json::json!({
            "leaderId": self.node_id,
            "leaderEpoch": self.epoch,
            "votedId": -1,
            "appliedOffset": 0,
            "currentVoters": [{"voterId": self.node_id}],
            "data_version": 0,
        });
        let path = self.folder.join("quorum-state");
        std::fs::write(&path, state.to_string()).map_err(BrokerError::io(path))
    }

    /// Appends records in one batch, synced to the disk; returns the offset of the first.
    pub(super) fn append(&self, records: &[MetadataRecord]) -> Result<i64> {
        let values: Vec<_> = records.iter().map(|record| (None, record.encode())).collect();
        self.append_batch(false, &values)
    }

    fn append_batch(&self, control: bool, records: &[(Option<Bytes>, Bytes)]) -> Result<i64> {
        let stamp = BatchStamp {
            base_offset: self.log.log_end_offset(),
            leader_epoch: self.epoch,
            timestamp: self.clock.now_ms(),
            control,
        };
        // The log syncs every append, by its settings.
        let batch = batch::encode(stamp, records);
        let size = batch.len() as u64;
        self.log.append_as_follower(batch)?;
        self.unsaved.fetch_add(size, Ordering::Relaxed);
        Ok(stamp.base_offset)
    }

    /// Shows what was appended to those who fetch: a quorum of one has committed what it has written.
    pub(super) fn publish(&self) {
        let end = self.log.log_end_offset();
        self.log.set_high_watermark(end);
        self.end.send_replace(end);
    }

    /// Offset of the next record.
    pub(super) fn next_offset(&self) -> i64 {
        self.log.log_end_offset()
    }

    /// First offset not yet written; changes wake the receiver.
    pub(super) fn end(&self) -> watch::Receiver<i64> {
        self.end.subscribe()
    }

    /// First offset that can be read.
    pub(super) fn start_offset(&self) -> i64 {
        self.log.log_start_offset()
    }

    /// Whole batches from `offset` on, of those published.
    pub(super) fn read(&self, offset: i64, max_bytes: usize) -> Result<Bytes> {
        Ok(self
            .log
            .read(offset, max_bytes, true, ReadLimit::HighWatermark)?
            .records)
    }

    /// Whether a write or a sync of it failed: it takes nothing more until it is opened again.
    pub(super) fn is_poisoned(&self) -> bool {
        self.log.is_poisoned()
    }

    /// Writes a snapshot of `image`, which must be what all the log adds up to, once enough has been appended since the
    /// last; then the log starts after it.
    pub(super) fn snapshot_if_due(&self, image: &MetadataImage) -> Result<()> {
        if self.unsaved.load(Ordering::Relaxed) < self.snapshot_every {
            return Ok(());
        }
        let id = SnapshotId {
            end_offset: self.log.log_end_offset(),
            epoch: self.epoch,
        };
        snapshot::write(&self.folder, id, image, self.clock.now_ms())?;
        self.unsaved.store(0, Ordering::Relaxed);
        self.log.truncate_fully_and_start_at(id.end_offset)
    }

    /// The newest snapshot.
    pub(super) fn newest_snapshot(&self) -> Result<Option<SnapshotId>> {
        snapshot::newest(&self.folder)
    }

    /// Folder of the log.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn close(&self) -> Result<()> {
        self.log.close()
    }
}

fn replay(log: &PartitionLog, image: &mut MetadataImage) -> Result<()> {
    let (mut offset, end) = (log.log_start_offset(), log.log_end_offset());
    while offset < end {
        let records = log.read(offset, REPLAY_BYTES, true, ReadLimit::LogEnd)?.records;
        let next = apply_batches(records, image)?;
        if next <= offset {
            return Err(BrokerError::Config(format!(
                "the metadata log cannot be read at offset {offset}"
            )));
        }
        offset = next;
    }
    Ok(())
}

/// Applies whole batches to an image; returns the offset after them.
///
/// # Errors
/// [`BrokerError::Config`] when they are not what a metadata log holds.
pub(crate) fn apply_batches(batches: Bytes, image: &mut MetadataImage) -> Result<i64> {
    let unreadable = |error: &dyn std::fmt::Display| {
        BrokerError::Config(format!("the metadata log cannot be read: {error}"))
    };
    for read in batch::decode(batches).map_err(|error| unreadable(&error))? {
        if read.offset <= image.offset {
            continue;
        }
        image.offset = read.offset;
        if read.control {
            continue;
        }
        if let Some(record) = MetadataRecord::decode(read.value).map_err(|error| unreadable(&error))? {
            image.apply(read.offset, &record);
        }
    }
    Ok(image.offset + 1)
}

fn log_config(config: &NodeConfig) -> LogConfig {
    LogConfig {
        segment_bytes: u32::try_from(config.int("metadata.log.segment.bytes")).unwrap_or(1 << 30),
        segment_ms: i64::MAX,
        retention_ms: -1,
        retention_bytes: -1,
        max_message_bytes: u32::MAX,
        cleanup_policy: CleanupPolicy {
            delete: false,
            compact: false,
        },
        timestamp_after_max_ms: i64::MAX,
        // Metadata is on the disk before it is acknowledged.
        flush_messages: 1,
        ..LogConfig::default()
    }
}
