//! Reads the groups of a partition back from its log.

use super::group::{Group, GroupState};
use super::member::{Member, MemberInfo, Protocol};
use super::offsets::CommittedOffset;
use super::shard::Shard;
use super::slot::Slot;
use crate::broker::batch::{self, Batch, Records};
use crate::broker::error::{BrokerError, Result};
use crate::broker::log::ReadLimit;
use crate::broker::records::RecordError;
use crate::broker::records::offsets::{
    GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue, OffsetsRecord,
};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
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
    let loading = read(shard);
    std::mem::forget(unreadable);
    match loading {
        Ok(loading) => {
            let (groups, others) = (loading.groups, loading.others);
            let count = groups.len();
            let slots = groups.into_iter().map(|(id, group)| {
                let slot = Arc::new(Slot::new(Arc::clone(shard), group));
                (id, slot)
            });
            let slots: HashMap<String, Arc<Slot>> = slots.collect();
            let all: Vec<Arc<Slot>> = slots.values().cloned().collect();
            shard.set_loaded(slots, others);
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

fn read(shard: &Arc<Shard>) -> Result<Loading<'_>> {
    let log = &shard.partition.log;
    let mut loading = Loading {
        shard,
        groups: HashMap::new(),
        others: HashSet::new(),
        transactions: HashMap::new(),
    };
    let mut offset = log.log_start_offset();
    let end = log.log_end_offset();
    while offset < end {
        let fetched = log.read(offset, READ_BYTES, true, ReadLimit::LogEnd)?;
        if fetched.records.is_empty() {
            break;
        }
        for batch in batch::intact(fetched.records)? {
            loading.take_batch(&batch, offset)?;
            offset = batch.header.next_offset();
        }
    }
    Ok(loading)
}

/// What the log adds up to so far.
struct Loading<'a> {
    shard: &'a Arc<Shard>,
    groups: HashMap<String, Group>,
    /// Groups of other protocols.
    others: HashSet<String>,
    /// Records of transactions that have not ended, by producer id: they count once a marker says so.
    transactions: HashMap<i64, Vec<OffsetsRecord>>,
}

impl Loading<'_> {
    /// Takes the records of a batch from `offset` on.
    fn take_batch(&mut self, batch: &Batch, offset: i64) -> Result<()> {
        let header = &batch.header;
        if header.is_control() {
            let records = self.transactions.remove(&header.producer_id).unwrap_or_default();
            if batch.marker_commits() == Some(true) {
                records.into_iter().for_each(|record| self.apply(record));
            }
            return Ok(());
        }
        let records = batch::records_of(batch)?;
        for record in Records::new(&records) {
            let record = record?;
            let at = header.offset_of(&record);
            if at < offset {
                continue;
            }
            match OffsetsRecord::decode(record.key.unwrap_or_default(), record.value) {
                Ok(record) if header.is_transactional() => {
                    self.transactions
                        .entry(header.producer_id)
                        .or_default()
                        .push(record);
                }
                Ok(record) => self.apply(record),
                // As in Apache Kafka: a newer one may have been here. The log keeps it.
                Err(RecordError::UnknownType(kind)) => tracing::warn!(
                    partition = self.shard.partition.index,
                    offset = at,
                    "left alone a record of type {kind}, which is not known here"
                ),
                // As in Apache Kafka: to go on without it would be to lose it when the group is written next.
                Err(error) => return Err(BrokerError::Config(format!("at offset {at}: {error}"))),
            }
        }
        Ok(())
    }

    fn apply(&mut self, record: OffsetsRecord) {
        match record {
            OffsetsRecord::OffsetCommit(key, value) => self.apply_offset(key, value),
            OffsetsRecord::LegacyOffsetCommit(key, value) => {
                let key = OffsetCommitKey {
                    group: key.group,
                    topic: key.topic,
                    partition: key.partition,
                };
                let value = value.map(|value| OffsetCommitValue {
                    offset: value.offset,
                    metadata: value.metadata,
                    commit_timestamp: value.commit_timestamp,
                    ..OffsetCommitValue::default()
                });
                self.apply_offset(key, value);
            }
            OffsetsRecord::GroupMetadata(key, Some(value)) => {
                let shard = self.shard;
                self.group(key.group)
                    .restore(value, |bytes| shard.shared.budget.force(bytes));
            }
            OffsetsRecord::GroupMetadata(key, None) => {
                self.groups.remove(&key.group);
            }
            OffsetsRecord::ConsumerGroupMetadata(key, value) => {
                self.note_other(key.group_id, value.is_some())
            }
            OffsetsRecord::ShareGroupMetadata(key, value) => self.note_other(key.group_id, value.is_some()),
            OffsetsRecord::StreamsGroupMetadata(key, value) => self.note_other(key.group_id, value.is_some()),
            // What such groups consist of.
            _ => {}
        }
    }

    fn note_other(&mut self, group_id: String, exists: bool) {
        match exists {
            true => self.others.insert(group_id),
            false => self.others.remove(&group_id),
        };
    }

    fn group(&mut self, id: String) -> &mut Group {
        let shard = self.shard;
        self.groups.entry(id).or_insert_with_key(|id| shard.restore(id))
    }

    fn apply_offset(&mut self, key: OffsetCommitKey, value: Option<OffsetCommitValue>) {
        match value {
            Some(value) => {
                let size = OFFSET_BYTES + key.topic.len() + value.metadata.len();
                let committed = CommittedOffset::new(value, self.shard.shared.budget.force(size));
                self.group(key.group)
                    .put_offset(&key.topic, key.partition, committed);
            }
            None => {
                if let Some(group) = self.groups.get_mut(&key.group) {
                    group.remove_offset(&key.topic, key.partition);
                }
            }
        }
    }
}

impl Group {
    /// Takes what a record says of the group; its offsets stay.
    fn restore(&mut self, value: GroupMetadataValue, charge: impl Fn(usize) -> super::budget::Charge) {
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
        self.state_timestamp = Some(value.current_state_timestamp).filter(|at| *at >= 0);
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

fn info_of(member: MemberMetadata, protocol: &str) -> MemberInfo {
    let rebalance_timeout_ms = if member.rebalance_timeout < 0 {
        member.session_timeout
    } else {
        member.rebalance_timeout
    };
    let metadata: Bytes = member.subscription;
    MemberInfo {
        instance_id: member.group_instance_id,
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
