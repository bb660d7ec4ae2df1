//! Committed offsets end after `offsets.retention.minutes`, and groups of which nothing is left.

use super::beside::Beside;
use super::group::{Group, GroupState};
use super::machine::Groups;
use super::offsets::{CommittedOffset, GroupOffsets};
use super::records;
use crate::broker::records::offsets::OffsetsRecord;

/// The tombstones of what has expired at `now` in a group; the group's own as well if nothing would be left of it.
pub(super) fn expired(groups: &Groups, beside: &Beside, id: &str, now: i64) -> Vec<OffsetsRecord> {
    if groups.is_of_another_protocol(id) {
        return Vec::new();
    }
    let Some(group) = groups.group(beside, id) else {
        return Vec::new();
    };
    let offsets = groups.offsets().of(id);
    let mut gone = offsets.map_or_else(Vec::new, |offsets| {
        group.expired_offsets(offsets, now, groups.retention_ms())
    });
    // What a transaction is about to replace is not its to lose.
    gone.retain(|(topic, index)| !groups.offsets().is_unstable(id, topic, *index));
    let left = offsets.map_or(0, GroupOffsets::count) - gone.len();
    let mut tombstones: Vec<OffsetsRecord> = gone
        .iter()
        .map(|(topic, index)| records::offset_tombstone(id, topic, *index))
        .collect();
    if left == 0 && group.is_idle() && !groups.offsets().is_in_transaction(id) {
        tombstones.push(records::group_tombstone(id));
    }
    tombstones
}

impl Group {
    /// Partitions whose offsets have expired at `now`: `retention_ms` after the group became empty, or after the
    /// commit where no members are involved or none of them reads the topic.
    pub(super) fn expired_offsets(
        &self,
        offsets: &GroupOffsets,
        now: i64,
        retention_ms: i64,
    ) -> Vec<(String, i32)> {
        let base: fn(&Group, &CommittedOffset) -> i64 = match self.state {
            GroupState::Empty if self.protocol_type.is_some() => {
                |group, committed| group.state_timestamp.unwrap_or(committed.commit_timestamp)
            }
            _ if self.protocol_type.is_none() => |_, committed| committed.commit_timestamp,
            GroupState::Stable if self.is_consumer() && self.subscribed.is_some() => {
                |_, committed| committed.commit_timestamp
            }
            _ => return Vec::new(),
        };
        let expired = |committed: &CommittedOffset| match committed.expire_timestamp {
            Some(at) => now >= at,
            None => now.saturating_sub(base(self, committed)) >= retention_ms,
        };
        offsets
            .topics()
            .iter()
            .filter(|(topic, _)| !self.is_subscribed_to(topic))
            .flat_map(|(topic, partitions)| {
                partitions
                    .iter()
                    .filter(|(_, committed)| expired(committed))
                    .map(|(index, _)| (topic.clone(), *index))
            })
            .collect()
    }
}
