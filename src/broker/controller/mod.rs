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
mod topic_checks;
mod topics;

pub use brokers::{BrokerState, Heartbeat, Registration};
pub use configs::{ConfigChange, ConfigOperation, ResourceChange};
pub use fetch::{METADATA_TOPIC, METADATA_TOPIC_ID};
pub(super) use log::apply_batches;
pub use partitions::{ElectionType, IsrChange};
pub use topic_checks::check_name as check_topic_name;
pub use topics::{CreatedTopic, MorePartitions, NewTopic};

use self::log::MetadataLog;
use super::config::NodeConfig;
use super::error::{BrokerError, Result};
use super::metadata::{MetadataImage, MetadataRecord};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use brokers::Sessions;
use kafka_protocol::ResponseError;
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use tokio::sync::Notify;

/// Level of `metadata.version` that the records are written at: 4.3.
const METADATA_VERSION: i16 = 30;
/// Level of `group.version`: the consumer group protocol of KIP-848 is on.
const GROUP_VERSION: i16 = 1;
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
    log: MetadataLog,
    /// What is written and applied.
    image: ArcSwap<MetadataImage>,
    state: Mutex<State>,
    /// Rung when a session begins or ends, so that the fencing task knows its next date.
    sessions_changed: Notify,
}

/// What only the writer sees.
struct State {
    sessions: Sessions,
    /// Where the next topic's placement starts.
    next_placement: usize,
}

impl Controller {
    /// Opens the metadata log, takes a new epoch, and writes what a new cluster starts with.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn open(config: NodeConfig, cluster_id: &str, clock: Clock) -> Result<Self> {
        let mut image = MetadataImage {
            cluster_id: cluster_id.to_owned(),
            controller_id: config.node_id,
            ..MetadataImage::default()
        };
        let log = MetadataLog::open(&config, &mut image, clock)?;
        let controller = Controller {
            config,
            log,
            image: ArcSwap::from_pointee(image),
            state: Mutex::new(State {
                sessions: Sessions::default(),
                next_placement: 0,
            }),
            sessions_changed: Notify::new(),
        };
        controller.start_epoch()?;
        Ok(controller)
    }

    fn start_epoch(&self) -> Result<()> {
        let state = self.state.lock();
        self.log.write_leader_change()?;
        if self.image().features.is_empty() {
            self.write(&state, self.first_records())?;
        }
        Ok(())
    }

    /// What stands in the log of a new cluster, as in Kafka: feature levels, and `min.insync.replicas` for all brokers,
    /// which is why every topic shows it (KIP-966).
    fn first_records(&self) -> Vec<MetadataRecord> {
        let feature = |name: &str, level| MetadataRecord::FeatureLevel {
            name: name.to_owned(),
            level,
        };
        let min_insync = self.config.value("min.insync.replicas").unwrap_or("1");
        vec![
            feature("metadata.version", METADATA_VERSION),
            feature("group.version", GROUP_VERSION),
            MetadataRecord::Config {
                resource_type: super::metadata::resource_type::BROKER,
                resource_name: String::new(),
                name: "min.insync.replicas".to_owned(),
                value: Some(min_insync.to_owned()),
            },
        ]
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
    fn write(&self, _writer: &MutexGuard<'_, State>, records: Vec<MetadataRecord>) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let base_offset = self.log.append(&records)?;
        let mut image = MetadataImage::clone(&self.image.load());
        for (offset, record) in (base_offset..).zip(&records) {
            image.apply(offset, record);
        }
        self.image.store(Arc::new(image));
        self.log.publish();
        Ok(())
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
            vec![MetadataRecord::ProducerIds {
                broker_id,
                broker_epoch,
                next_producer_id,
            }],
        )?;
        Ok((first, PRODUCER_ID_BLOCK))
    }

    /// Closes the log.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(&self) -> Result<()> {
        self.log.close()
    }
}

/// Whether the broker is registered, with that epoch.
fn check_broker_epoch(image: &MetadataImage, broker_id: i32, epoch: i64) -> Result<(), ResponseError> {
    match image.brokers.get(&broker_id) {
        Some(broker) if broker.epoch == epoch => Ok(()),
        _ => Err(ResponseError::StaleBrokerEpoch),
    }
}
