//! Finds the shard of a group, a transactional id, or whatever is spread over the partitions of a topic; and follows which of
//! them this broker leads.

use super::tasks::Tasks;
use super::{Journal, LedPartition, Machine, Producer, Refused, Shard, ShardSettings};
use crate::broker::metadata::MetadataImage;
use crate::broker::replication::{Partition, ReplicaManager};
use crate::broker::world::World;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// What a router is made of.
#[derive(Debug, Clone)]
pub struct RouterSettings {
    /// The topic whose partitions are the machines' logs.
    pub topic: &'static str,
    /// This broker.
    pub node_id: i32,
    /// Its surroundings.
    pub world: World,
    /// How long an answer waits for the replicas.
    pub commit_timeout: Duration,
}

/// The shards of a topic that this broker leads.
pub struct Router<M: Machine> {
    topic: &'static str,
    node_id: i32,
    replicas: Arc<ReplicaManager>,
    machines: M::Settings,
    shard_settings: ShardSettings,
    /// Dropping them with the router ends them.
    _tasks: Tasks,
    /// Partitions of the topic, 0 before it exists.
    partitions: AtomicI32,
    shards: RwLock<BTreeMap<i32, Arc<Shard<M>>>>,
}

impl<M: Machine> Router<M> {
    /// A router that leads nothing yet.
    pub fn new(settings: RouterSettings, machines: M::Settings, replicas: Arc<ReplicaManager>) -> Self {
        let tasks = Tasks::new(settings.world.jobs().clone());
        Router {
            topic: settings.topic,
            node_id: settings.node_id,
            replicas,
            machines,
            shard_settings: ShardSettings {
                clock: settings.world.clock().clone(),
                commit_timeout: settings.commit_timeout,
                tasks: tasks.starter(),
            },
            _tasks: tasks,
            partitions: AtomicI32::new(0),
            shards: RwLock::default(),
        }
    }

    /// Follows a new image, after [`ReplicaManager::apply`] did: takes over the partitions that this broker now leads, and
    /// gives up those it no longer leads.
    pub fn apply(&self, image: &Arc<MetadataImage>) {
        let topic = image.topics.get(self.topic);
        let count = topic.map_or(0, |topic| topic.partitions.len());
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        self.partitions.store(count, Ordering::Release);
        let led: BTreeMap<i32, (Arc<Partition>, i32)> = (0..count)
            .filter(|index| {
                let partition = image.partition(self.topic, *index);
                partition.is_some_and(|partition| partition.leader == self.node_id)
            })
            .filter_map(|index| {
                let partition = self.replicas.partition(self.topic, index)?;
                let epoch = partition.leader_epoch()?;
                Some((index, (partition, epoch)))
            })
            .collect();
        self.give_up(&led);
        for (index, (partition, epoch)) in led {
            self.take_over(index, partition, epoch, image);
        }
        for shard in self.shards() {
            shard.follow(image);
        }
    }

    fn give_up(&self, led: &BTreeMap<i32, (Arc<Partition>, i32)>) {
        let lost: Vec<Arc<Shard<M>>> = self
            .shards
            .write()
            .extract_if(.., |index, shard| {
                let still = led.get(index);
                !still.is_some_and(|(partition, epoch)| shard.journal().is(partition, *epoch))
            })
            .map(|(_, shard)| shard)
            .collect();
        for shard in lost {
            shard.give_up();
        }
    }

    fn take_over(&self, index: i32, partition: Arc<Partition>, epoch: i32, image: &Arc<MetadataImage>) {
        let mut shards = self.shards.write();
        if shards.contains_key(&index) {
            return;
        }
        let journal = LedPartition::new(partition, epoch);
        let is_empty = journal.start() == journal.end();
        let shard = Arc::new(Shard::new(
            journal,
            self.shard_settings.clone(),
            self.machines.clone(),
            image,
        ));
        shards.insert(index, Arc::clone(&shard));
        drop(shards);
        if is_empty {
            shard.load();
        } else {
            self.shard_settings.tasks.spawn_job(move || shard.load());
        }
    }

    /// The partition that keeps `key`, if the topic exists.
    pub fn partition_for(&self, key: &str) -> Option<i32> {
        let count = self.partitions.load(Ordering::Acquire);
        (count > 0).then(|| java_hash(key).checked_abs().unwrap_or(0) % count)
    }

    /// The shard that keeps `key`; `None` before the topic exists.
    ///
    /// # Errors
    /// [`Refused::NotLed`] when another broker leads its partition.
    pub fn shard(&self, key: &str) -> Result<Option<Arc<Shard<M>>>, Refused> {
        let Some(index) = self.partition_for(key) else {
            return Ok(None);
        };
        self.shard_of(index).map(Some).ok_or(Refused::NotLed)
    }

    /// Ends a producer's transaction in a partition of the topic.
    ///
    /// # Errors
    /// [`Refused::NotLed`] when this broker does not lead it; as [`Shard::ask`].
    pub async fn mark(
        &self,
        partition: i32,
        producer: Producer,
        commits: bool,
        coordinator_epoch: i32,
    ) -> Result<(), Refused> {
        let shard = self.shard_of(partition).ok_or(Refused::NotLed)?;
        shard.mark(producer, commits, coordinator_epoch).await
    }

    fn shard_of(&self, partition: i32) -> Option<Arc<Shard<M>>> {
        self.shards.read().get(&partition).cloned()
    }

    /// All shards, by partition.
    pub fn shards(&self) -> Vec<Arc<Shard<M>>> {
        self.shards.read().values().cloned().collect()
    }
}

/// `String.hashCode` of Java, by which keys are spread over partitions.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use super::java_hash;

    #[test]
    fn keys_are_spread_as_java_spreads_them() {
        // Seen on Apache Kafka 4.3.1: groups-g1 in partition 29 of 50, groups-g2 in 28.
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("groups-g1").abs() % 50, 29);
        assert_eq!(java_hash("groups-g2").abs() % 50, 28);
        assert_eq!(java_hash("vélo"), java_hash("v\u{e9}lo"));
    }
}
