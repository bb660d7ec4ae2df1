//! The controller: registration, heartbeats, elections, and the metadata log it alone appends to.
//!
//! Everything that changes the cluster goes the same way: look at the image under the lock, make records, write them to
//! the log (synced before anything is told), apply them. So there is one order of changes, that of the log.

mod brokers;
mod configs;
mod elections;
mod fetch;
pub(super) mod log;
mod partitions;
mod placement;
mod reassignments;
mod snapshot;
mod topic_checks;
mod topics;

pub use brokers::{BrokerState, Heartbeat, Registration};
pub use configs::{ConfigChange, ConfigOperation, ResourceChange};
pub use fetch::{METADATA_TOPIC, METADATA_TOPIC_ID};
pub use partitions::{ElectionType, IsrChange};
pub use reassignments::Reassignment;
pub use snapshot::{SnapshotId, SnapshotPiece};
pub use topic_checks::check_name as check_topic_name;
pub use topics::{CreatedTopic, MorePartitions, NewTopic};

use self::log::MetadataLog;
use super::config::NodeConfig;
use super::error::{BrokerError, Result, Unsupported};
use super::metadata::{MetadataImage, MetadataRecord};
use super::records::metadata::{AbortTransactionRecord, ConfigRecord, FeatureLevelRecord, ProducerIdsRecord};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use brokers::Sessions;
use kafka_protocol::ResponseError;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Features of the cluster and the levels it can do (KIP-584): name, lowest, highest. A new cluster gets the highest.
/// `metadata.version` 33 is that of Kafka 4.4, 30 that of 4.3; between them no record that is written here has changed.
pub const SUPPORTED_FEATURES: &[(&str, i16, i16)] = &[("metadata.version", 30, 33)];
/// Producer ids in a block (KIP-730).
const PRODUCER_ID_BLOCK: i32 = 1000;

/// A refusal with the text that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Kafka's error code.
    pub error: ResponseError,
    /// What is wrong, for people.
    pub message: String,
}

impl ApiError {
    /// A refusal.
    pub fn new(error: ResponseError, message: impl Into<String>) -> Self {
        ApiError {
            error,
            message: message.into(),
        }
    }
}

impl From<BrokerError> for ApiError {
    fn from(error: BrokerError) -> Self {
        ApiError::new(error.response_error(), error.to_string())
    }
}

/// The active controller of the cluster: a quorum of one.
pub struct Controller {
    config: NodeConfig,
    clock: Clock,
    log: MetadataLog,
    /// What is written and applied.
    image: ArcSwap<MetadataImage>,
    state: Mutex<State>,
    /// Where it listens: host and port.
    address: (String, u16),
    /// Rung when a session begins or ends, so that the fencing task knows its next date.
    sessions_changed: Notify,
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
    /// Time of this answer in ms.
    pub now_ms: i64,
    /// Brokers on other nodes, and up to where they have the log.
    pub observers: Vec<(i32, i64)>,
}

/// What only the writer sees.
struct State {
    sessions: Sessions,
    /// How far each broker has applied the log, by its last heartbeat.
    applied: BTreeMap<i32, i64>,
    /// Where the next topic's placement starts.
    next_placement: usize,
}

impl Controller {
    /// Opens the metadata log, takes a new epoch, and writes what a new cluster starts with.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn open(config: NodeConfig, cluster_id: &str, address: (String, u16), clock: Clock) -> Result<Self> {
        let mut image = MetadataImage {
            cluster_id: cluster_id.to_owned(),
            controller_id: config.node_id,
            ..MetadataImage::default()
        };
        let log = MetadataLog::open(&config, &mut image, clock.clone())?;
        let controller = Controller {
            config,
            address,
            log,
            clock,
            image: ArcSwap::from_pointee(image),
            state: Mutex::new(State {
                sessions: Sessions::default(),
                applied: BTreeMap::new(),
                next_placement: 0,
            }),
            sessions_changed: Notify::new(),
            failure: watch::Sender::new(None),
        };
        controller.start_epoch()?;
        Ok(controller)
    }

    fn start_epoch(&self) -> Result<()> {
        let state = self.state.lock();
        self.log.write_leader_change()?;
        if self.image().transaction.is_some() {
            // Whoever began it did not come to its end.
            let reason = Some("the controller that began it is gone".to_owned());
            let abort = MetadataRecord::AbortTransaction(AbortTransactionRecord { reason });
            self.write(&state, vec![abort])?;
        }
        if self.image().features.is_empty() {
            self.write(&state, self.first_records())?;
        }
        Ok(())
    }

    /// What stands in the log of a new cluster, as in Kafka: feature levels, and `min.insync.replicas` for all brokers,
    /// which is why every topic shows it (KIP-966).
    fn first_records(&self) -> Vec<MetadataRecord> {
        let features = SUPPORTED_FEATURES.iter().map(|(name, _, level)| {
            MetadataRecord::FeatureLevel(FeatureLevelRecord {
                name: (*name).to_owned(),
                feature_level: *level,
            })
        });
        let min_insync = self.config.value("min.insync.replicas").unwrap_or("1");
        let min_insync = MetadataRecord::Config(ConfigRecord {
            resource_type: super::metadata::resource_type::BROKER,
            resource_name: String::new(),
            name: "min.insync.replicas".to_owned(),
            value: Some(min_insync.to_owned()),
        });
        features.chain([min_insync]).collect()
    }

    /// Everything that is written.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// Epoch of this controller.
    pub fn epoch(&self) -> i32 {
        self.log.epoch()
    }

    /// Writes records and applies them. The guard shows that the caller is the one writer.
    ///
    /// A log that failed, or that holds what the image does not, is not written to again: that is the end of this node,
    /// see [`Controller::failed`].
    fn write(&self, _writer: &MutexGuard<'_, State>, records: Vec<MetadataRecord>) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        if self.failure.borrow().is_some() {
            return Err(ResponseError::KafkaStorageError.into());
        }
        let mut writing = Writing {
            failure: &self.failure,
            why: Some("a change of the metadata broke off half-way".to_owned()),
        };
        let written = self.log.append(&records);
        let mut unapplied = None;
        if let (Err(error), true) = (&written, self.log.is_poisoned()) {
            writing.why = Some(format!("the metadata log cannot be written: {error}"));
        } else {
            if let Ok(base_offset) = written {
                unapplied = self.publish(base_offset, &records).err();
            }
            writing.why = match &unapplied {
                Some(error) => Some(error.to_string()),
                None => self
                    .log
                    .is_poisoned()
                    .then(|| "the metadata log cannot be cut after a snapshot".to_owned()),
            };
        }
        match unapplied {
            Some(error) => Err(error.into()),
            None => written.map(|_| ()),
        }
    }

    /// Applies records that are on the disk, and shows them to those who fetch.
    fn publish(&self, base_offset: i64, records: &[MetadataRecord]) -> Result<(), Unsupported> {
        let mut image = MetadataImage::clone(&self.image.load());
        for (offset, record) in (base_offset..).zip(records) {
            image.apply(offset, record)?;
        }
        self.image.store(Arc::new(image));
        self.log.publish();
        if let Err(error) = self.log.snapshot_if_due(&self.image.load()) {
            // The log itself is whole, so the cluster goes on; the next write tries again.
            tracing::error!(%error, "cannot write a snapshot of the metadata");
        }
        Ok(())
    }

    /// Waits until this controller cannot go on, and says why: its log failed, so it must be opened and checked anew.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.subscribe();
        // The sender lives as long as the controller.
        let failed = failure.wait_for(Option::is_some).await;
        failed.ok().and_then(|why| why.clone()).unwrap_or_default()
    }

    /// Runs work that writes to the disk on a thread that may wait for it.
    ///
    /// # Errors
    /// `UNKNOWN_SERVER_ERROR` if the work panicked.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Controller) -> T + Send + 'static,
    ) -> std::result::Result<T, ResponseError> {
        let controller = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&controller))
            .await
            .map_err(|error| {
                tracing::error!(%error, "a request to the controller failed");
                ResponseError::UnknownServerError
            })
    }

    /// A block of producer ids for a broker: first id and count.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH` when the broker is not registered with that epoch.
    pub fn allocate_producer_ids(&self, broker_id: i32, broker_epoch: i64) -> Result<(i64, i32)> {
        let state = self.state.lock();
        let image = self.image();
        check_broker_epoch(&image, broker_id, broker_epoch)?;
        let first = image.next_producer_id;
        let next_producer_id = first + i64::from(PRODUCER_ID_BLOCK);
        self.write(
            &state,
            vec![MetadataRecord::ProducerIds(ProducerIdsRecord {
                broker_id,
                broker_epoch,
                next_producer_id,
            })],
        )?;
        Ok((first, PRODUCER_ID_BLOCK))
    }

    /// The quorum of one, for DescribeQuorum.
    pub fn quorum_state(&self) -> QuorumState {
        let state = self.state.lock();
        let observers = state.applied.iter().map(|(id, applied)| (*id, applied + 1));
        QuorumState {
            node_id: self.config.node_id,
            epoch: self.epoch(),
            end_offset: self.log.next_offset(),
            now_ms: self.clock.now_ms(),
            observers: observers.filter(|(id, _)| *id != self.config.node_id).collect(),
        }
    }

    /// Host and port of the controller's listener.
    pub fn address(&self) -> (&str, u16) {
        (&self.address.0, self.address.1)
    }

    /// A piece of a snapshot, for a broker whose next record is not in the log any more.
    ///
    /// # Errors
    /// `SNAPSHOT_NOT_FOUND`, `POSITION_OUT_OF_RANGE`, `KAFKA_STORAGE_ERROR`.
    pub fn read_snapshot(
        &self,
        id: SnapshotId,
        position: i64,
        max_bytes: i32,
    ) -> std::result::Result<SnapshotPiece, ResponseError> {
        snapshot::read(self.log.folder(), id, position, max_bytes)
    }

    /// Closes the log.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(&self) -> Result<()> {
        self.log.close()
    }
}

/// A write to the metadata log: unless it ends with nothing to say, the controller has failed. A panic ends it with what
/// it began with.
struct Writing<'a> {
    failure: &'a watch::Sender<Option<String>>,
    why: Option<String>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(why) = self.why.take() {
            tracing::error!("{why}");
            self.failure.send_replace(Some(why));
        }
    }
}

/// Whether the broker is registered, with that epoch.
fn check_broker_epoch(image: &MetadataImage, broker_id: i32, epoch: i64) -> Result<(), ResponseError> {
    match image.brokers.get(&broker_id) {
        Some(broker) if broker.epoch == epoch => Ok(()),
        _ => Err(ResponseError::StaleBrokerEpoch),
    }
}
