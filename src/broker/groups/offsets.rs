//! Committed offsets of a group: who may commit and delete, and when they expire.

use super::budget::Charge;
use super::group::{Group, GroupState};
use crate::broker::records::offsets::OffsetCommitValue;
use kafka_protocol::ResponseError;
use std::collections::BTreeMap;

/// A committed offset.
#[derive(Debug)]
pub struct CommittedOffset {
    /// The next record to read.
    pub offset: i64,
    /// Leader epoch of the last record read, -1 when unknown.
    pub leader_epoch: i32,
    /// Whatever the client wanted kept with it.
    pub metadata: String,
    /// When it was committed, in ms.
    pub commit_timestamp: i64,
    /// When it expires, in ms, if the client said so (before version 5 of OffsetCommit).
    pub expire_timestamp: Option<i64>,
    /// What it takes of the coordinator's memory.
    _charge: Charge,
}

impl CommittedOffset {
    /// What a record says.
    pub fn new(value: OffsetCommitValue, charge: Charge) -> Self {
        CommittedOffset {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata,
            commit_timestamp: value.commit_timestamp,
            expire_timestamp: Some(value.expire_timestamp).filter(|at| *at >= 0),
            _charge: charge,
        }
    }
}

impl Group {
    /// Whether an OffsetCommit may be taken from that sender; generation -1 and no member id mean a consumer
    /// that assigns its partitions itself, or an administrator.
    ///
    /// # Errors
    /// `UNKNOWN_MEMBER_ID`, `ILLEGAL_GENERATION`, `REBALANCE_IN_PROGRESS`, `FENCED_INSTANCE_ID`.
    pub fn validate_commit(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
    ) -> Result<(), ResponseError> {
        match self.state {
            GroupState::Dead => return Err(ResponseError::CoordinatorNotAvailable),
            GroupState::Empty if generation < 0 => return Ok(()),
            _ => {}
        }
        if generation >= 0 || !member_id.is_empty() || instance_id.is_some() {
            self.validate_member(member_id, instance_id)?;
            if generation != self.generation {
                return Err(ResponseError::IllegalGeneration);
            }
        } else if self.state != GroupState::Empty {
            return Err(ResponseError::UnknownMemberId);
        }
        if self.state == GroupState::CompletingRebalance {
            return Err(ResponseError::RebalanceInProgress);
        }
        Ok(())
    }

    /// A commit is a sign of life, too.
    pub fn touch_on_commit(&mut self, member_id: &str, now: i64) {
        if matches!(self.state, GroupState::Stable | GroupState::PreparingRebalance)
            && let Some(member) = self.members.get_mut(member_id)
        {
            member.touch(now);
        }
    }

    /// Whether offsets may be deleted by an administrator.
    ///
    /// # Errors
    /// `NON_EMPTY_GROUP` for a group with members that are no consumers, `GROUP_ID_NOT_FOUND` for a dead one.
    pub fn validate_offset_delete(&self) -> Result<(), ResponseError> {
        match self.state {
            GroupState::Dead => Err(ResponseError::GroupIdNotFound),
            GroupState::Empty => Ok(()),
            _ if self.is_consumer() => Ok(()),
            _ => Err(ResponseError::NonEmptyGroup),
        }
    }

    /// Whether the group may be deleted.
    ///
    /// # Errors
    /// `NON_EMPTY_GROUP` while it has members, `GROUP_ID_NOT_FOUND` for a dead one.
    pub fn validate_delete(&self) -> Result<(), ResponseError> {
        match self.state {
            GroupState::Empty => Ok(()),
            GroupState::Dead => Err(ResponseError::GroupIdNotFound),
            _ => Err(ResponseError::NonEmptyGroup),
        }
    }

    /// The committed offset of that partition.
    pub fn offset(&self, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.offsets.get(topic)?.get(&partition)
    }

    /// Takes a commit that has been written.
    pub fn put_offset(&mut self, topic: &str, partition: i32, committed: CommittedOffset) {
        if let Some(partitions) = self.offsets.get_mut(topic) {
            partitions.insert(partition, committed);
        } else {
            let partitions = [(partition, committed)].into();
            self.offsets.insert(topic.to_owned(), partitions);
        }
    }

    /// Forgets a commit whose tombstone has been written.
    pub fn remove_offset(&mut self, topic: &str, partition: i32) {
        if let Some(partitions) = self.offsets.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                self.offsets.remove(topic);
            }
        }
    }

    /// All committed partitions.
    pub fn committed_partitions(&self) -> Vec<(String, i32)> {
        self.offsets
            .iter()
            .flat_map(|(topic, partitions)| partitions.keys().map(|index| (topic.clone(), *index)))
            .collect()
    }

    /// Partitions whose offsets have expired at `now`: `retention_ms` after the group became empty, or after the
    /// commit where no members are involved or none of them reads the topic.
    pub fn expired_offsets(&self, now: i64, retention_ms: i64) -> Vec<(String, i32)> {
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
        self.offsets
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

    /// Nothing is left of it: no members, none expected, no offsets.
    pub fn is_forgotten(&self) -> bool {
        self.is_forgotten_without(0)
    }

    /// Nothing would be left of it without `count` of its offsets.
    pub fn is_forgotten_without(&self, count: usize) -> bool {
        self.state == GroupState::Empty
            && self.pending_joins.is_empty()
            && self.offsets.values().map(BTreeMap::len).sum::<usize>() == count
    }
}
