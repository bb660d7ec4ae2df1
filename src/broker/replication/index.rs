//! Finds replicas by topic name and by topic id. Immutable once shared: a change makes a new index.

use super::Partition;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// The replicas kept by a broker.
#[derive(Debug, Default, Clone)]
pub(super) struct ReplicaIndex {
    topics: BTreeMap<Uuid, Topic>,
    ids: HashMap<String, Uuid>,
    /// Partitions whose logs could not be opened, with their topics' names.
    offline: BTreeMap<(Uuid, i32), String>,
}

/// A topic's replicas by partition index; `None` where other brokers keep them.
type Topic = Vec<Option<Arc<Partition>>>;

impl ReplicaIndex {
    pub fn by_id(&self, topic_id: Uuid, index: i32) -> Option<Arc<Partition>> {
        let index = usize::try_from(index).ok()?;
        self.topics.get(&topic_id)?.get(index)?.clone()
    }

    pub fn by_name(&self, topic: &str, index: i32) -> Option<Arc<Partition>> {
        self.by_id(*self.ids.get(topic)?, index)
    }

    pub fn all(&self) -> Vec<Arc<Partition>> {
        self.topics.values().flatten().flatten().cloned().collect()
    }

    pub fn is_offline(&self, topic_id: Uuid, index: i32) -> bool {
        self.offline.contains_key(&(topic_id, index))
    }

    pub fn set_offline(&mut self, topic_id: Uuid, index: i32, topic: &str) {
        self.offline.insert((topic_id, index), topic.to_owned());
    }

    /// Takes those out that are kept here no longer.
    pub fn remove_offline(&mut self, gone: impl Fn(Uuid, i32) -> bool) -> Vec<(Uuid, i32, String)> {
        let removed = self.offline.extract_if(.., |(id, index), _| gone(*id, *index));
        removed.map(|((id, index), topic)| (id, index, topic)).collect()
    }

    pub fn offline(&self) -> impl Iterator<Item = (Uuid, i32)> {
        self.offline.keys().copied()
    }

    pub fn insert(&mut self, partition: Arc<Partition>) {
        let Ok(index) = usize::try_from(partition.index) else {
            return;
        };
        self.offline.remove(&(partition.topic_id, partition.index));
        self.ids.insert(partition.topic.clone(), partition.topic_id);
        let topic = self.topics.entry(partition.topic_id).or_default();
        if topic.len() <= index {
            topic.resize(index + 1, None);
        }
        topic[index] = Some(partition);
    }

    pub fn remove(&mut self, partition: &Partition) {
        let Some(topic) = self.topics.get_mut(&partition.topic_id) else {
            return;
        };
        let slot = usize::try_from(partition.index)
            .ok()
            .and_then(|index| topic.get_mut(index));
        if let Some(slot) = slot {
            *slot = None;
        }
        if topic.iter().all(Option::is_none) {
            self.topics.remove(&partition.topic_id);
            if self.ids.get(&partition.topic) == Some(&partition.topic_id) {
                self.ids.remove(&partition.topic);
            }
        }
    }
}
