//! The metadata log on disk: `__cluster_metadata-0`, written and read as KRaft does (KIP-595, KIP-630).

use super::snapshot::{self, Records, SnapshotId};
use crate::broker::batch::BatchHeader;
use crate::broker::config::NodeConfig;
use crate::broker::error::{BrokerError, Result};
use crate::broker::log::checkpoint::LogDirState;
use crate::broker::log::inspect::{self, SegmentReader};
use crate::broker::log::{By, CleanupPolicy, LogConfig, PartitionLog, ReadLimit, file};
use crate::broker::metadata::{MetadataImage, MetadataRecord, replay_batches, replay_snapshot};
use crate::broker::world::{Disk, World, watch};
use crate::clock::Clock;
use bytes::Bytes;
use kafka_protocol::messages::LeaderChangeMessage;
use kafka_protocol::messages::leader_change_message::Voter;
use parking_lot::{Mutex, MutexGuard};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    disk: Disk,
    clock: Clock,
    node_id: i32,
    epoch: i32,
    /// First offset that is not committed; waiting fetches and changes see it move.
    committed: watch::Sender<i64>,
    /// Bytes appended since the last snapshot.
    unsaved: AtomicU64,
    /// `metadata.log.max.record.bytes.between.snapshots`
    snapshot_every: u64,
    /// Held by the one who writes a snapshot.
    snapshots: Mutex<()>,
}

/// The right to write a snapshot.
pub(super) struct Snapshots<'a>(
    #[allow(dead_code, reason = "what it does is to be there")] MutexGuard<'a, ()>,
);

impl MetadataLog {
    /// Opens the log and applies all it holds to `image`.
    ///
    /// # Errors
    /// [`BrokerError::Unsupported`] when it holds what this node does not act on; nothing has been written then.
    pub(super) fn open(config: &NodeConfig, image: &mut MetadataImage, world: &World) -> Result<Self> {
        let disk = world.disk();
        let folder = config.log_dir.join(FOLDER);
        if disk.is_dir(&folder) {
            check_supported(disk, &folder, config.node_id)?;
        }
        // Checked at every start, as after a crash: it is short, and nobody else has all of what it says.
        let unknown = LogDirState::default();
        let log = PartitionLog::open_with(&folder, Arc::new(log_config(config)), world.clone(), &unknown)?;
        let snapshot = snapshot::newest(disk, &folder)?;
        if let Some(id) = snapshot {
            load_snapshot(disk, &folder, id, image)?;
            if log.log_end_offset() < id.end_offset {
                log.truncate_fully_and_start_at(id.end_offset)?;
                log.pay()?;
            }
        }
        replay(&log, image)?;
        let written = snapshot.map_or(-1, |id| id.epoch);
        let epoch = log.latest_epoch().max(written).max(0) + 1;
        let log_size = log.size();
        Ok(MetadataLog {
            log,
            folder,
            disk: disk.clone(),
            clock: world.clock().clone(),
            node_id: config.node_id,
            epoch,
            // What of it is committed is for the voters to say.
            committed: watch::Sender::new(0),
            unsaved: AtomicU64::new(if snapshot.is_some() { 0 } else { log_size }),
            snapshot_every: u64::try_from(config.int("metadata.log.max.record.bytes.between.snapshots"))
                .unwrap_or(u64::MAX),
            snapshots: Mutex::new(()),
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
        let mut records = Records::control();
        records.push_message(LEADER_CHANGE, &message)?;
        self.write_batch(records)?;
        self.settle()?;
        // Version 0 asks for the cluster's id, and Apache Kafka leaves it empty there.
        let state = serde_json::json!({
            "clusterId": "",
            "leaderId": self.node_id,
            "leaderEpoch": self.epoch,
            "votedId": -1,
            "appliedOffset": 0,
            "currentVoters": [{"voterId": self.node_id}],
            "data_version": 0,
        });
        file::replace(
            &self.disk,
            &self.folder.join("quorum-state"),
            state.to_string().as_bytes(),
        )
    }

    /// Writes records in one batch, which counts when it is on the disk, see [`MetadataLog::settle`].
    pub(super) fn write(&self, records: &[MetadataRecord]) -> Result<()> {
        let mut batch = Records::default();
        for record in records {
            batch.push(record)?;
        }
        self.write_batch(batch)
    }

    fn write_batch(&self, records: Records) -> Result<()> {
        let batch = records.into_batch(BatchHeader {
            base_offset: self.next_offset(),
            leader_epoch: self.epoch,
            ..BatchHeader::of_broker(self.clock.now_ms())
        })?;
        let size = batch.bytes.len() as u64;
        // By its settings the log owes each batch to the disk before it is seen.
        self.log.write(batch.bytes, By::Follower)?;
        self.unsaved.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until all that was written is on the disk.
    pub(super) fn settle(&self) -> Result<()> {
        self.log.pay()
    }

    /// Shows what is committed, below `end`, to those who fetch, and wakes those who wait for it.
    pub(super) fn commit(&self, end: i64) {
        self.log.set_high_watermark(end);
        self.committed.send_if_modified(|committed| {
            let moves = *committed < end;
            *committed = end.max(*committed);
            moves
        });
    }

    /// Offset of the next record.
    pub(super) fn next_offset(&self) -> i64 {
        self.log.written_end_offset()
    }

    /// The end of what is on the disk.
    pub(super) fn settled_end(&self) -> i64 {
        self.log.log_end_offset()
    }

    /// First offset that is not committed.
    pub(super) fn committed(&self) -> i64 {
        *self.committed.borrow()
    }

    /// The same; when it moves, the receiver wakes.
    pub(super) fn committing(&self) -> watch::Receiver<i64> {
        self.committed.subscribe()
    }

    /// First offset that can be read.
    pub(super) fn start_offset(&self) -> i64 {
        self.log.log_start_offset()
    }

    /// Whole batches from `offset` on, of those committed.
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

    /// Whether enough has been written since the last snapshot, and nobody else writes one.
    pub(super) fn snapshot_is_due(&self) -> Option<Snapshots<'_>> {
        let snapshots = self.snapshots.try_lock()?;
        let due = self.unsaved.load(Ordering::Relaxed) >= self.snapshot_every;
        due.then_some(Snapshots(snapshots))
    }

    /// Writes a snapshot of `image`, which must be what the log adds up to before `end`.
    pub(super) fn write_snapshot(
        &self,
        _right: &Snapshots<'_>,
        image: &MetadataImage,
        end: i64,
    ) -> Result<()> {
        let id = SnapshotId {
            end_offset: end,
            epoch: self.epoch,
        };
        snapshot::write(&self.disk, &self.folder, id, image, self.clock.now_ms())
    }

    /// Begins the log anew after a snapshot that holds all of it.
    pub(super) fn begin_anew_at(&self, _right: &Snapshots<'_>, end: i64) -> Result<()> {
        self.unsaved.store(0, Ordering::Relaxed);
        self.log.truncate_fully_and_start_at(end)
    }

    /// The newest snapshot.
    pub(super) fn newest_snapshot(&self) -> Result<Option<SnapshotId>> {
        snapshot::newest(&self.disk, &self.folder)
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
        let next = replay_batches(records, image)?;
        if next <= offset {
            return Err(BrokerError::Config(format!(
                "the metadata log cannot be read at offset {offset}"
            )));
        }
        offset = next;
    }
    Ok(())
}

fn load_snapshot(disk: &Disk, folder: &Path, id: SnapshotId, image: &mut MetadataImage) -> Result<()> {
    let path = id.path(folder);
    let bytes = disk.read(&path).map_err(BrokerError::io(path))?;
    replay_snapshot(bytes.into(), id.end_offset, image)
}

/// Looks through snapshot and log as they lie there, before anything is repaired or written: a folder that holds what
/// this node does not act on stays as it is, for whoever does.
fn check_supported(disk: &Disk, folder: &Path, node_id: i32) -> Result<()> {
    let mut image = MetadataImage::default();
    if let Some(id) = snapshot::newest(disk, folder)? {
        load_snapshot(disk, folder, id, &mut image)?;
    }
    for path in inspect::segments(disk, folder)? {
        let Ok(mut segment) = SegmentReader::open_on(disk, &path, 0, u64::MAX) else {
            break;
        };
        // What cannot be read ends the log here as it does when it is opened, which tells of it.
        while let Ok(Some(batch)) = segment.next_batch() {
            if !batch.is_intact() {
                break;
            }
            replay_batches(batch.bytes, &mut image)?;
        }
    }
    image.check_supported()?;
    Ok(image.check_votes_alone(node_id)?)
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
