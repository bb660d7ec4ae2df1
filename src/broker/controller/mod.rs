//! The controller: registration, heartbeats, elections, and the metadata log it alone appends to.
//!
//! Everything that changes the cluster goes the same way, see [`change`]: plan on the newest image, append to the log and
//! sync it, replay into the image, and tell of it once it is committed. So there is one order of changes, that of the log.

mod change;
mod commit;
mod fetch;
pub(super) mod log;
mod plan;
mod requests;
mod sessions;
mod snapshot;

pub use fetch::{METADATA_TOPIC, METADATA_TOPIC_ID};
pub use plan::ApiError;
pub use plan::configs::{ConfigChange, ConfigOperation, ResourceChange};
pub use plan::elections::ElectionType;
pub use plan::epoch::SUPPORTED_FEATURES;
pub use plan::features::{FeatureUpdate, LevelChange};
pub use plan::heartbeat::Heartbeat;
pub use plan::in_sync::IsrChange;
pub use plan::partitions::MorePartitions;
pub use plan::reassignments::Reassignment;
pub use plan::registration::Registration;
pub use plan::topic_checks::check_name as check_topic_name;
pub use plan::topic_deletion::{Deletion, NamedTopic};
pub use plan::topics::{CreatedTopic, NewTopic};
pub use snapshot::{SnapshotId, SnapshotPiece};

use self::log::MetadataLog;
use super::config::NodeConfig;
use super::error::Result;
use super::metadata::MetadataImage;
use super::world::{World, watch};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use change::Writer;
use commit::Voters;
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::Notify;

/// The active controller of the cluster: a quorum of one.
pub struct Controller {
    config: NodeConfig,
    world: World,
    clock: Clock,
    log: MetadataLog,
    /// What is committed: what brokers and clients are told.
    image: ArcSwap<MetadataImage>,
    writer: Mutex<Writer>,
    /// Where it listens: host and port.
    address: (String, u16),
    /// Rung when a session begins, or may end sooner, so that the task that waits for their ends knows the next date.
    sessions_changed: Notify,
    /// Connections that were closed and that task has not heard of.
    closed_connections: Mutex<Vec<u64>>,
    /// Why it cannot go on.
    failure: watch::Sender<Option<String>>,
}

/// The controller and those who follow its log.
#[derive(Debug, Clone)]
pub struct QuorumState {
    /// The controller.
    pub node_id: i32,
    /// Its epoch.
    pub epoch: i32,
    /// End of its log.
    pub end_offset: i64,
    /// First offset that is not committed.
    pub committed: i64,
    /// Time of this answer in ms.
    pub now_ms: i64,
    /// Brokers on other nodes, and up to where they have the log.
    pub observers: Vec<(i32, i64)>,
}

impl Controller {
    /// Opens the metadata log, takes a new epoch, and writes what a new cluster starts with.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn open(
        config: NodeConfig,
        cluster_id: &str,
        address: (String, u16),
        world: impl Into<World>,
    ) -> Result<Self> {
        let alone = Voters::new([config.node_id]);
        Self::open_among(alone, config, cluster_id, address, world.into())
    }

    fn open_among(
        voters: Voters,
        config: NodeConfig,
        cluster_id: &str,
        address: (String, u16),
        world: World,
    ) -> Result<Self> {
        let clock = world.clock().clone();
        let mut image = MetadataImage {
            cluster_id: cluster_id.to_owned(),
            controller_id: config.node_id,
            ..MetadataImage::default()
        };
        let log = MetadataLog::open(&config, &mut image, &world)?;
        let timeout = config.millis("broker.session.timeout.ms");
        let image = Arc::new(image);
        let controller = Controller {
            writer: Mutex::new(Writer::new(
                voters,
                Arc::clone(&image),
                timeout,
                clock.steady_ms(),
            )),
            config,
            address,
            log,
            world,
            clock,
            image: ArcSwap::new(image),
            sessions_changed: Notify::new(),
            closed_connections: Mutex::default(),
            failure: watch::Sender::new(None),
        };
        controller.start_epoch()?;
        Ok(controller)
    }

    fn start_epoch(&self) -> Result<()> {
        self.log.write_leader_change()?;
        {
            let mut writer = self.writer.lock();
            let step = plan::epoch::begin(&self.view(&writer));
            self.write(&mut writer, step)?;
        }
        self.settle()
    }

    /// Everything that is committed.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// Epoch of this controller.
    pub fn epoch(&self) -> i32 {
        self.log.epoch()
    }

    /// Waits until this controller cannot go on, and says why: its log failed, so it must be opened and checked anew.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.subscribe();
        // The sender lives as long as the controller.
        let failed = failure.wait_for(Option::is_some).await;
        failed.ok().and_then(|why| why.clone()).unwrap_or_default()
    }

    /// The quorum of one, for DescribeQuorum.
    ///
    /// # Errors
    /// None but a mistake of ours.
    pub async fn quorum_state(self: &Arc<Self>) -> Result<QuorumState, ResponseError> {
        self.on_disk(|controller| {
            let writer = controller.writer.lock();
            QuorumState {
                node_id: controller.config.node_id,
                epoch: controller.epoch(),
                end_offset: controller.log.settled_end(),
                committed: controller.log.committed(),
                now_ms: controller.clock.now_ms(),
                observers: writer.observers(controller.config.node_id),
            }
        })
        .await
    }

    /// Host and port of the controller's listener.
    pub fn address(&self) -> (&str, u16) {
        (&self.address.0, self.address.1)
    }

    /// A piece of a snapshot, for a broker whose next record is not in the log any more.
    ///
    /// # Errors
    /// `SNAPSHOT_NOT_FOUND`, `POSITION_OUT_OF_RANGE`, `KAFKA_STORAGE_ERROR`.
    pub async fn read_snapshot(
        self: &Arc<Self>,
        id: SnapshotId,
        position: i64,
        max_bytes: i32,
    ) -> Result<SnapshotPiece, ResponseError> {
        self.on_disk(move |controller| {
            let disk = controller.world.disk();
            snapshot::read(disk, controller.log.folder(), id, position, max_bytes)
        })
        .await?
    }

    /// Runs work that uses the disk on a thread that may wait for it.
    ///
    /// # Errors
    /// `UNKNOWN_SERVER_ERROR` if the work panicked.
    async fn on_disk<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Controller) -> T + Send + 'static,
    ) -> Result<T, ResponseError> {
        let controller = Arc::clone(self);
        self.world
            .jobs()
            .run(move || work(&controller))
            .await
            .map_err(|error| {
                tracing::error!(%error, "a request to the controller failed");
                ResponseError::UnknownServerError
            })
    }

    /// Closes the log.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(&self) -> Result<()> {
        self.log.close()
    }
}

#[cfg(test)]
mod tests;
