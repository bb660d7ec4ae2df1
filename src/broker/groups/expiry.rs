//! Committed offsets end after `offsets.retention.minutes`, and groups of which nothing is left.

use super::coordinator::GroupCoordinator;
use super::group::Group;
use super::records;
use super::slot::Slot;
use crate::broker::records::offsets::OffsetsRecord;
use kafka_protocol::ResponseError;
use std::sync::Arc;

impl GroupCoordinator {
    /// One round: writes tombstones for what has expired.
    pub fn expire_offsets(&self) {
        for slot in self.loaded_shards().iter().flat_map(|shard| shard.all()) {
            slot.change(|group, now| self.expire_group(&slot, group, now));
        }
    }

    fn expire_group(&self, slot: &Arc<Slot>, group: &mut Group, now: i64) {
        if slot.shard.is_of_another_protocol(&group.id) {
            return;
        }
        let expired = group.expired_offsets(now, self.config.retention_ms);
        let mut entries: Vec<OffsetsRecord> = expired
            .iter()
            .map(|(topic, index)| records::offset_tombstone(&group.id, topic, *index))
            .collect();
        let leaves_nothing = group.is_forgotten_without(expired.len());
        if leaves_nothing {
            entries.push(records::group_tombstone(&group.id));
        }
        if entries.is_empty() {
            return;
        }
        if let Err(error) = slot.shard.append(&entries) {
            tracing::warn!(group = group.id, "cannot expire offsets: {error}");
            return;
        }
        tracing::info!(group = group.id, count = expired.len(), "offsets expired");
        for (topic, index) in &expired {
            group.remove_offset(topic, *index);
        }
        if leaves_nothing {
            group.kill(ResponseError::GroupIdNotFound, now);
            slot.shard.forget(group);
        }
    }
}
