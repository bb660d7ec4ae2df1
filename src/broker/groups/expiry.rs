//! Committed offsets end after `offsets.retention.minutes`, and groups of which nothing is left.

use super::beside::Beside;
use super::machine::Groups;
use super::offsets::GroupOffsets;
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
