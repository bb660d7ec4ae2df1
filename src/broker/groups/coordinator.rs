//! The coordinator: finds a group's shard, and follows which partitions of `__consumer_offsets` this broker leads.

use super::budget::Budget;
use super::config::GroupConfig;
use super::group::{Group, GroupLimits, GroupState};
use super::load;
use super::records;
use super::shard::{Shard, Shared};
use super::slot::Slot;
use crate::broker::metadata::{MetadataImage, TopicImage};
use crate::broker::records::offsets::OffsetsRecord;
use crate::broker::replication::{Partition, ReplicaManager};
use crate::clock::Clock;
use kafka_protocol::ResponseError;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::JoinSet;

/// Where groups and their offsets are kept.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// The longest `group.id` or `group.instance.id`, in bytes: a record's strings end at 32,767, and a member id is an
/// instance id with more behind it.
pub const MAX_NAME_BYTES: usize = 32_000;
/// Memory that all groups of a broker may take for members, metadata and offsets.
const MEMORY_LIMIT: usize = 256 << 20;

/// Coordinates the groups whose `__consumer_offsets` partition this broker leads.
#[derive(Debug)]
pub struct GroupCoordinator {
    /// The settings.
    pub config: GroupConfig,
    node_id: i32,
    replicas: Arc<ReplicaManager>,
    shared: Shared,
    /// Timers and loading; dropping it with the coordinator ends them.
    tasks: Arc<Mutex<JoinSet<()>>>,
    /// Partitions of `__consumer_offsets`, 0 before it exists.
    partitions: AtomicI32,
    shards: RwLock<HashMap<i32, Arc<Shard>>>,
    topics: Mutex<BTreeMap<String, Arc<TopicImage>>>,
}

impl GroupCoordinator {
    /// A coordinator that leads nothing yet.
    pub fn new(config: GroupConfig, node_id: i32, clock: Clock, replicas: Arc<ReplicaManager>) -> Self {
        let tasks = Arc::new(Mutex::new(JoinSet::new()));
        let shared = Shared {
            clock,
            limits: GroupLimits {
                initial_rebalance_delay_ms: config.initial_rebalance_delay_ms,
                max_size: config.max_size,
            },
            budget: Budget::new(MEMORY_LIMIT),
            commit_timeout: Duration::from_millis(config.commit_timeout_ms),
            tasks: Arc::downgrade(&tasks),
        };
        GroupCoordinator {
            config,
            node_id,
            replicas,
            shared,
            tasks,
            partitions: AtomicI32::new(0),
            shards: RwLock::default(),
            topics: Mutex::default(),
        }
    }

    /// The expiry of offsets, which is to run as long as the node does. The first round is due from now on, not from when
    /// it is first run.
    pub fn expiry(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        let coordinator = Arc::downgrade(self);
        let (clock, every) = (self.shared.clock.clone(), self.config.retention_check_interval_ms);
        let first = clock.now_ms().saturating_add(every);
        expire_for_ever(coordinator, clock, first, every)
    }

    /// Follows a new image, after [`ReplicaManager::apply`] did: takes over the groups of partitions that this broker
    /// now leads, gives up those it no longer leads, and forgets offsets of deleted topics.
    pub fn apply(&self, image: &MetadataImage) {
        let topic = image.topics.get(OFFSETS_TOPIC);
        let count = topic.map_or(0, |topic| topic.partitions.len());
        self.partitions
            .store(i32::try_from(count).unwrap_or(i32::MAX), Ordering::Release);
        let led: HashMap<i32, (Arc<Partition>, i32)> = (0..self.partitions.load(Ordering::Acquire))
            .filter(|index| {
                let partition = image.partition(OFFSETS_TOPIC, *index);
                partition.is_some_and(|partition| partition.leader == self.node_id)
            })
            .filter_map(|index| {
                let partition = self.replicas.partition(OFFSETS_TOPIC, index)?;
                let epoch = partition.leader_epoch()?;
                Some((index, (partition, epoch)))
            })
            .collect();
        self.give_up(&led);
        for (index, (partition, epoch)) in led {
            self.take_over(index, partition, epoch);
        }
        self.forget_deleted_topics(image);
    }

    fn give_up(&self, led: &HashMap<i32, (Arc<Partition>, i32)>) {
        let lost: Vec<Arc<Shard>> = {
            let mut shards = self.shards.write();
            let lost: Vec<i32> = shards
                .iter()
                .filter(|(index, shard)| {
                    !led.get(index).is_some_and(|(partition, epoch)| {
                        *epoch == shard.epoch && Arc::ptr_eq(partition, &shard.partition)
                    })
                })
                .map(|(index, _)| *index)
                .collect();
            lost.iter().filter_map(|index| shards.remove(index)).collect()
        };
        for slot in lost.iter().flat_map(|shard| shard.all()) {
            slot.kill(ResponseError::NotCoordinator);
        }
    }

    fn take_over(&self, index: i32, partition: Arc<Partition>, epoch: i32) {
        let mut shards = self.shards.write();
        if shards.contains_key(&index) {
            return;
        }
        let is_empty = partition.log.log_end_offset() == partition.log.log_start_offset();
        let shard = Arc::new(Shard::new(partition, epoch, self.shared.clone()));
        shards.insert(index, Arc::clone(&shard));
        drop(shards);
        if is_empty {
            shard.set_loaded(HashMap::new(), HashSet::new());
        } else {
            // Reading a log touches the disk, so it keeps off the threads that serve requests.
            self.tasks.lock().spawn_blocking(move || load::load(&shard));
        }
    }

    fn forget_deleted_topics(&self, image: &MetadataImage) {
        let mut topics = self.topics.lock();
        let deleted: HashSet<String> = topics
            .iter()
            .filter(|(name, before)| {
                let now = image.topics.get(*name);
                now.is_none_or(|now| now.id != before.id)
            })
            .map(|(name, _)| name.clone())
            .collect();
        topics.clone_from(&image.topics);
        drop(topics);
        if deleted.is_empty() {
            return;
        }
        for slot in self.loaded_shards().iter().flat_map(|shard| shard.all()) {
            slot.change(|group, _| {
                let mut gone = group.committed_partitions();
                gone.retain(|(topic, _)| deleted.contains(topic));
                let tombstones: Vec<OffsetsRecord> = gone
                    .iter()
                    .map(|(topic, index)| records::offset_tombstone(&group.id, topic, *index))
                    .collect();
                match slot.shard.append(&tombstones) {
                    Ok(_) => gone
                        .iter()
                        .for_each(|(topic, index)| group.remove_offset(topic, *index)),
                    Err(error) => tracing::warn!(group = group.id, "cannot forget offsets: {error}"),
                }
            });
        }
    }

    /// The partition of `__consumer_offsets` that keeps that group, if the topic exists.
    pub fn partition_for(&self, group_id: &str) -> Option<i32> {
        let count = self.partitions.load(Ordering::Acquire);
        (count > 0).then(|| java_hash(group_id).checked_abs().unwrap_or(0) % count)
    }

    /// The group's shard.
    ///
    /// # Errors
    /// `COORDINATOR_NOT_AVAILABLE` before `__consumer_offsets` exists, `NOT_COORDINATOR` when another broker leads
    /// its partition or its log cannot be read, `COORDINATOR_LOAD_IN_PROGRESS`.
    pub fn shard(&self, group_id: &str) -> Result<Arc<Shard>, ResponseError> {
        let index = self
            .partition_for(group_id)
            .ok_or(ResponseError::CoordinatorNotAvailable)?;
        let shard = self.shards.read().get(&index).cloned();
        let shard = shard.ok_or(ResponseError::NotCoordinator)?;
        if shard.is_loaded() {
            Ok(shard)
        } else if shard.is_unreadable() {
            Err(ResponseError::NotCoordinator)
        } else {
            Err(ResponseError::CoordinatorLoadInProgress)
        }
    }

    /// Changes the group with its timer and answers; `None` when it does not exist and was not to be made.
    ///
    /// # Errors
    /// As [`GroupCoordinator::shard`], and `POLICY_VIOLATION` when there is no memory for another group.
    pub(super) fn change<T>(
        &self,
        group_id: &str,
        create: bool,
        mut change: impl FnMut(&Arc<Slot>, &mut Group, i64) -> T,
    ) -> Result<Option<T>, ResponseError> {
        loop {
            let shard = self.shard(group_id)?;
            if shard.is_of_another_protocol(group_id) {
                return Err(ResponseError::InconsistentGroupProtocol);
            }
            let slot = match shard.find(group_id) {
                Some(slot) => slot,
                None if create => shard.find_or_create(group_id)?,
                None => return Ok(None),
            };
            let changed = slot.change(|group, now| {
                let is_alive = group.state() != GroupState::Dead;
                is_alive.then(|| {
                    let result = change(&slot, group, now);
                    slot.discard_if_needless(group, now);
                    result
                })
            });
            // One that died since it was found is no longer in the shard, or the shard no longer here.
            if let Some(result) = changed {
                return Ok(Some(result));
            }
        }
    }

    /// Memory of all groups.
    pub(super) fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// The shards that answer.
    pub(super) fn loaded_shards(&self) -> Vec<Arc<Shard>> {
        let shards = self.shards.read();
        shards
            .values()
            .filter(|shard| shard.is_loaded())
            .cloned()
            .collect()
    }

    /// Whether a shard is still being read from its log.
    pub(super) fn is_loading(&self) -> bool {
        self.shards
            .read()
            .values()
            .any(|shard| !shard.is_loaded() && !shard.is_unreadable())
    }
}

async fn expire_for_ever(coordinator: Weak<GroupCoordinator>, clock: Clock, first_ms: i64, every_ms: i64) {
    let mut due = first_ms;
    loop {
        clock.sleep_until(due).await;
        due = clock.now_ms().saturating_add(every_ms);
        let Some(coordinator) = coordinator.upgrade() else {
            return;
        };
        coordinator.expire_offsets();
    }
}

/// `String.hashCode` of Java, by which groups are spread over partitions.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_spread_as_java_spreads_them() {
        // Seen on Apache Kafka 4.3.1: groups-g1 in partition 29 of 50, groups-g2 in 28.
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("groups-g1").abs() % 50, 29);
        assert_eq!(java_hash("groups-g2").abs() % 50, 28);
        assert_eq!(java_hash("vélo"), java_hash("v\u{e9}lo"));
    }
}
