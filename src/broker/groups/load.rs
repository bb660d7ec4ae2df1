//! Reads the groups of a partition back from its log.

use super::batch::{self, Record};
use super::group::{Group, GroupState};
use super::member::{Member, MemberInfo, Protocol};
use super::offsets::CommittedOffset;
use super::records::{GroupValue, Key, Malformed, MemberValue, OffsetValue};
use super::shard::Shard;
use super::slot::Slot;
use crate::broker::error::Result;
use crate::broker::log::ReadLimit;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use std::collections::HashMap;
use std::sync::Arc;

/// Read at once.
const READ_BYTES: usize = 1 << 20;
/// What a committed offset takes beside its text.
pub const OFFSET_BYTES: usize = 160;

/// Loads the shard's groups, which can then be asked for. A log that cannot be read leaves the shard unloaded: its
/// clients are told to look for another coordinator, and the broker's log says why.
pub fn load(shard: &Arc<Shard>) {
    // One that panics shall not be waited for.
    let unreadable = Unreadable(shard);
    let groups = read(shard);
    std::mem::forget(unreadable);
    match groups {
        Ok(groups) => {
            let count = groups.len();
            let slots = groups.into_iter().map(|(id, group)| {
                let slot = Arc::new(Slot::new(Arc::clone(shard), group));
                (id, slot)
            });
            let slots: HashMap<String, Arc<Slot>> = slots.collect();
            let all: Vec<Arc<Slot>> = slots.values().cloned().collect();
            shard.set_loaded(slots);
            for slot in all {
                slot.change(Group::resume);
            }
            tracing::debug!(partition = shard.partition.index, count, "loaded groups");
        }
        Err(error) => {
            tracing::error!(partition = shard.partition.index, "cannot load groups: {error}");
            shard.set_unreadable();
        }
    }
}

/// Notes, unless it is forgotten, that a shard cannot be read.
struct Unreadable<'a>(&'a Shard);

impl Drop for Unreadable<'_> {
    fn drop(&mut self) {
        self.0.set_unreadable();
    }
}

fn read(shard: &Arc<Shard>) -> Result<HashMap<String, Group>> {
    let log = &shard.partition.log;
    let mut groups = HashMap::new();
    let mut offset = log.log_start_offset();
    let end = log.log_end_offset();
    while offset < end {
        let fetched = log.read(offset, READ_BYTES, true, ReadLimit::LogEnd)?;
        let next = batch::next_offset(&fetched.records);
        let records = batch::decode(fetched.records).map_err(|_| ResponseError::CorruptMessage)?;
        for record in records.into_iter().filter(|record| record.offset >= offset) {
            if apply(shard, &mut groups, record).is_err() {
                tracing::warn!(
                    partition = shard.partition.index,
                    "skipped a record that is none of a group's"
                );
            }
        }
        match next.filter(|next| *next > offset) {
            Some(next) => offset = next,
            None => break,
        }
    }
    Ok(groups)
}

fn apply(
    shard: &Arc<Shard>,
    groups: &mut HashMap<String, Group>,
    record: Record,
) -> std::result::Result<(), Malformed> {
    let mut key = record.key.ok_or(Malformed)?;
    match Key::decode(&mut key)? {
        Key::Offset {
            group,
            topic,
            partition,
        } => match record.value {
            Some(mut value) => {
                let value = OffsetValue::decode(&mut value)?;
                let target = groups.entry(group).or_insert_with_key(|id| shard.restore(id));
                let charge = shard
                    .shared
                    .budget
                    .force(OFFSET_BYTES + topic.len() + value.metadata.len());
                target.put_offset(&topic, partition, CommittedOffset::new(value, charge));
            }
            None => {
                if let Some(group) = groups.get_mut(&group) {
                    group.remove_offset(&topic, partition);
                }
            }
        },
        Key::Group(id) => match record.value {
            Some(mut value) => {
                let value = GroupValue::decode(&mut value)?;
                let target = groups.entry(id).or_insert_with_key(|id| shard.restore(id));
                target.restore(value, |bytes| shard.shared.budget.force(bytes));
            }
            None => {
                groups.remove(&id);
            }
        },
        Key::Other(_) => {}
    }
    Ok(())
}

impl Group {
    /// Takes what a record says of the group; its offsets stay.
    fn restore(&mut self, value: GroupValue, charge: impl Fn(usize) -> super::budget::Charge) {
        self.members.clear();
        self.static_members.clear();
        self.leader = None;
        let protocol = value.protocol.clone().unwrap_or_default();
        for member in value.members {
            let charge = charge(member.subscription.len() + member.assignment.len());
            let (id, assignment) = (member.member_id.clone(), member.assignment.clone());
            let mut restored = Member::new(info_of(member, &protocol), charge);
            restored.assignment = assignment;
            self.add_member(&id, &value.protocol_type, restored);
        }
        self.state = if self.members.is_empty() {
            GroupState::Empty
        } else {
            GroupState::Stable
        };
        self.is_recorded = true;
        self.generation = value.generation;
        self.protocol_type = Some(value.protocol_type).filter(|name| !name.is_empty());
        self.protocol_name = value.protocol;
        self.leader = value.leader;
        self.state_timestamp = Some(value.state_timestamp).filter(|at| *at >= 0);
        self.compute_subscribed();
    }

    /// Goes on after a reload: members have their session's time to show up again.
    fn resume(&mut self, now: i64) {
        for member in self.members.values_mut() {
            member.touch(now);
        }
        if self.members.len() > self.limits.max_size {
            self.prepare_rebalance(now);
        }
    }
}

fn info_of(member: MemberValue, protocol: &str) -> MemberInfo {
    let rebalance_timeout_ms = if member.rebalance_timeout < 0 {
        member.session_timeout
    } else {
        member.rebalance_timeout
    };
    let metadata: Bytes = member.subscription;
    MemberInfo {
        instance_id: member.instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        session_timeout_ms: member.session_timeout,
        rebalance_timeout_ms,
        protocols: vec![Protocol {
            name: protocol.to_owned(),
            metadata,
        }],
    }
}
