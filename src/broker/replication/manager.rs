//! All replicas kept by this broker; follows the metadata image.

use super::Partition;
use super::fetch_session::FetchSessionCache;
use super::folders;
use super::index::ReplicaIndex;
use crate::broker::error::Result;
use crate::broker::log::checkpoint::{self, Lines, LogDirState};
use crate::broker::log::{LogConfig, PartitionLog, topic_id};
use crate::broker::metadata::{ConfigResource, MetadataImage, TopicImage};
use crate::broker::world::{World, watch};
use arc_swap::ArcSwap;
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// The settings of a topic, given by name, as the image and the node's own settings add up.
pub type TopicConfigs = Box<dyn Fn(&MetadataImage, &str) -> LogConfig + Send + Sync>;

/// What a [`ReplicaManager`] needs to know.
pub struct ReplicaSettings {
    /// `node.id`
    pub node_id: i32,
    /// `log.dirs` (one folder)
    pub log_dir: PathBuf,
    /// `log.retention.check.interval.ms`
    pub retention_check_interval: Duration,
    /// Its surroundings.
    pub world: World,
    /// Where topics' settings come from.
    pub topic_configs: TopicConfigs,
}

/// The replicas kept by this broker.
pub struct ReplicaManager {
    pub(super) settings: ReplicaSettings,
    pub(super) index: ArcSwap<ReplicaIndex>,
    pub(super) applied: Mutex<Applied>,
    sessions: FetchSessionCache,
    /// Rung when a follower may join an ISR.
    isr_changes: Notify,
    /// Counts the images applied; followers look for their leaders anew when it changes.
    assignments: watch::Sender<u64>,
}

/// What the last image said, so that only changes are acted on.
#[derive(Default)]
pub(super) struct Applied {
    pub any: bool,
    topics: BTreeMap<String, Arc<TopicImage>>,
    configs: BTreeMap<ConfigResource, BTreeMap<String, String>>,
}

/// A partition that is to be opened here.
pub(super) struct Wanted<'a> {
    pub topic: &'a TopicImage,
    pub index: i32,
}

impl fmt::Debug for ReplicaManager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("ReplicaManager");
        debug.field("node_id", &self.settings.node_id);
        debug.field("log_dir", &self.settings.log_dir);
        debug.finish_non_exhaustive()
    }
}

impl ReplicaManager {
    /// A manager that keeps nothing yet: the first [`ReplicaManager::apply`] opens what lies in the log directory.
    pub fn new(settings: ReplicaSettings) -> Self {
        ReplicaManager {
            sessions: FetchSessionCache::new(settings.world.dice().clone()),
            settings,
            index: ArcSwap::default(),
            applied: Mutex::default(),
            isr_changes: Notify::new(),
            assignments: watch::Sender::new(0),
        }
    }

    /// The replica of that partition, if it is kept here.
    pub fn partition(&self, topic: &str, index: i32) -> Option<Arc<Partition>> {
        self.index.load().by_name(topic, index)
    }

    /// The replica by topic id.
    pub fn partition_by_id(&self, topic_id: Uuid, index: i32) -> Option<Arc<Partition>> {
        self.index.load().by_id(topic_id, index)
    }

    /// All replicas kept here.
    pub fn partitions(&self) -> Vec<Arc<Partition>> {
        self.index.load().all()
    }

    /// Whether the partition is assigned to this broker, but its log could not be opened.
    pub fn is_offline(&self, topic_id: Uuid, index: i32) -> bool {
        self.index.load().is_offline(topic_id, index)
    }

    /// The fetch sessions of this broker's clients.
    pub fn fetch_sessions(&self) -> &FetchSessionCache {
        &self.sessions
    }

    /// A follower may join an ISR: the controller is to be asked soon.
    pub fn isr_changed(&self) {
        self.isr_changes.notify_one();
    }

    /// Waits for [`ReplicaManager::isr_changed`].
    pub(super) async fn await_isr_change(&self) {
        self.isr_changes.notified().await;
    }

    /// Changes whenever an image has been applied.
    pub(super) fn assignments(&self) -> watch::Receiver<u64> {
        self.assignments.subscribe()
    }

    /// Follows a new image: opens, closes and deletes logs, takes and gives up leadership, hands on configs.
    /// Called by the metadata applier, one image after another; the first must hold everything the cluster had when
    /// this broker was last stopped, since folders of partitions unknown to it are set aside.
    ///
    /// # Errors
    /// The first failure of the file system; everything else is done all the same, and partitions that could not be
    /// opened answer `KAFKA_STORAGE_ERROR`.
    pub fn apply(&self, image: &MetadataImage) -> Result<()> {
        let mut applied = self.applied.lock();
        let mut outcome = Ok(());
        let mut before = LogDirState::default();
        if !applied.any {
            before = LogDirState::take(self.settings.world.disk(), &self.settings.log_dir)?;
            outcome = outcome.and(self.clear_folders(image));
            applied.any = true;
        }
        let unchanged = |topic: &Arc<TopicImage>| {
            let before = applied.topics.get(&topic.name);
            before.is_some_and(|before| Arc::ptr_eq(before, topic))
        };
        let changed: Vec<&Arc<TopicImage>> =
            image.topics.values().filter(|topic| !unchanged(topic)).collect();
        let gone: Vec<Arc<Partition>> = self
            .partitions()
            .into_iter()
            .filter(|partition| !self.is_assigned(image, partition.topic_id, partition.index))
            .collect();
        outcome = outcome.and(self.remove(&gone));
        outcome = outcome.and(self.forget_offline(image));
        outcome = outcome.and(self.open(image, &changed, &before));
        for topic in &changed {
            self.assign(topic);
        }
        if applied.configs != image.configs {
            for partition in self.partitions() {
                partition.set_config(Arc::new((self.settings.topic_configs)(image, &partition.topic)));
            }
            applied.configs = image.configs.clone();
        }
        applied.topics = image.topics.clone();
        self.assignments_changed();
        outcome
    }

    pub(super) fn assignments_changed(&self) {
        self.assignments
            .send_modify(|applied| *applied = applied.wrapping_add(1));
    }

    /// Writes everything through to the disk and marks the log directory as cleanly closed by the broker that was
    /// registered with that epoch; unless there are logs that could not be opened, which nobody has checked.
    pub fn close(&self, broker_epoch: i64) -> Result<()> {
        let mut lines = Lines::default();
        let mut outcome = Ok(());
        for partition in self.partitions() {
            outcome = outcome.and(partition.log.close_noting(&mut lines));
        }
        outcome.and(lines.write(self.settings.world.disk(), &self.settings.log_dir))?;
        if self.lacks_logs() {
            tracing::warn!("not all logs could be opened: the next start checks them");
            return Ok(());
        }
        checkpoint::mark_clean(self.settings.world.disk(), &self.settings.log_dir, broker_epoch)
    }

    pub(super) fn is_assigned(&self, image: &MetadataImage, topic_id: Uuid, index: i32) -> bool {
        image.topic_by_id(topic_id).is_some_and(|topic| {
            let index = usize::try_from(index).ok();
            let assigned = index.and_then(|index| topic.partitions.get(index));
            assigned.is_some_and(|assigned| assigned.replicas.contains(&self.settings.node_id))
        })
    }

    /// Removes folders that an earlier topic of the same name left behind and sets aside those that nobody knows.
    fn clear_folders(&self, image: &MetadataImage) -> Result<()> {
        let world = &self.settings.world;
        for (topic, index, folder) in checkpoint::partition_dirs(world.disk(), &self.settings.log_dir)? {
            let assigned = image.partition(&topic, index);
            let kept_here = assigned.is_some_and(|image| image.replicas.contains(&self.settings.node_id));
            if kept_here || topic == METADATA_TOPIC {
                continue;
            }
            let aside = folders::set_aside(world, &folder)?;
            tracing::warn!(folder = %aside.display(), "set aside a log that belongs to no partition of this broker");
        }
        Ok(())
    }

    fn remove(&self, gone: &[Arc<Partition>]) -> Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut index = ReplicaIndex::clone(&self.index.load());
        for partition in gone {
            index.remove(partition);
        }
        self.index.store(Arc::new(index));
        let mut lines = Lines::default();
        let mut outcome = Ok(());
        for partition in gone {
            partition.retire();
            outcome = outcome.and(partition.log.delete_noting(&mut lines));
        }
        outcome.and(lines.write(self.settings.world.disk(), &self.settings.log_dir))
    }

    /// Opens the logs of changed topics that are to be kept here and are not open yet, several at a time; not those that could
    /// not be opened before, which are tried again by themselves.
    fn open(&self, image: &MetadataImage, changed: &[&Arc<TopicImage>], before: &LogDirState) -> Result<()> {
        let node_id = self.settings.node_id;
        let current = self.index.load();
        let wanted: Vec<Wanted<'_>> = changed
            .iter()
            .flat_map(|topic| {
                let here = (0..)
                    .zip(&topic.partitions)
                    .filter(|(_, image)| image.replicas.contains(&node_id));
                here.map(|(index, _)| Wanted { topic, index })
            })
            .filter(|wanted| current.by_id(wanted.topic.id, wanted.index).is_none())
            .filter(|wanted| !current.is_offline(wanted.topic.id, wanted.index))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut index = ReplicaIndex::clone(&current);
        let mut outcome = Ok(());
        let all_opened = self.settings.world.jobs().on_each(
            &wanted,
            MIN_LOGS_PER_THREAD,
            |wanted| self.open_one(image, wanted, before),
            || Err(ResponseError::KafkaStorageError.into()),
        );
        for (wanted, opened) in wanted.iter().zip(all_opened) {
            match opened {
                Ok(partition) => index.insert(Arc::new(partition)),
                Err(error) => {
                    tracing::error!(topic = wanted.topic.name, partition = wanted.index, %error, "cannot open the log");
                    index.set_offline(wanted.topic.id, wanted.index, &wanted.topic.name);
                    outcome = outcome.and(Err(error));
                }
            }
        }
        self.index.store(Arc::new(index));
        outcome
    }

    pub(super) fn open_one(
        &self,
        image: &MetadataImage,
        wanted: &Wanted<'_>,
        before: &LogDirState,
    ) -> Result<Partition> {
        let Wanted { topic, index } = *wanted;
        let world = &self.settings.world;
        let folder = folders::path_of(&self.settings.log_dir, &topic.name, index);
        let found = topic_id::read_topic_id(world.disk(), &folder)?;
        let unknown = LogDirState::default();
        let mut before = before;
        if found.is_some_and(|id| id != topic.id) {
            tracing::warn!(folder = %folder.display(), "removed the log of a deleted topic of the same name");
            self.remove_folder(&folder)?;
            before = &unknown;
        }
        let config = Arc::new((self.settings.topic_configs)(image, &topic.name));
        let log = PartitionLog::open_with(&folder, config, world.clone(), before)?;
        if found != Some(topic.id) {
            topic_id::write_topic_id(world.disk(), &folder, topic.id)?;
        }
        let node_id = self.settings.node_id;
        Ok(Partition::new(
            node_id,
            &topic.name,
            topic.id,
            index,
            Arc::new(log),
        ))
    }

    /// Removes a folder that a deleted topic left behind, and what the files beside it say of it.
    pub(super) fn remove_folder(&self, folder: &Path) -> Result<()> {
        folders::remove(&self.settings.world, folder)?;
        let mut lines = Lines::default();
        lines.forget(folder);
        lines.write(self.settings.world.disk(), &self.settings.log_dir)
    }

    pub(super) fn assign(&self, topic: &TopicImage) {
        let now_ms = self.settings.world.clock().now_ms();
        for (index, image) in (0..).zip(&topic.partitions) {
            if let Some(partition) = self.partition_by_id(topic.id, index) {
                partition.assign(image, now_ms);
            }
        }
    }
}

/// The metadata log's topic: its folder is the controller's.
const METADATA_TOPIC: &str = "__cluster_metadata";
/// Fewer logs than this are not worth a thread.
const MIN_LOGS_PER_THREAD: usize = 8;
