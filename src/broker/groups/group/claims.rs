//! What a group's members and their topics say about its committed offsets: who may commit and delete, and what expires.

use super::{Group, GroupState};
use crate::broker::groups::commits::InTransaction::{self, Outside};
use crate::broker::groups::offsets::{CommittedOffset, GroupOffsets};
use kafka_protocol::ResponseError;

impl Group {
    /// Whether a commit may be taken from that sender; generation -1 and no member id mean a consumer that assigns its
    /// partitions itself, an administrator, or a producer of transactions, which need not name the consumer it works for.
    ///
    /// # Errors
    /// `UNKNOWN_MEMBER_ID`, `ILLEGAL_GENERATION`, `REBALANCE_IN_PROGRESS`, `FENCED_INSTANCE_ID`.
    pub fn validate_commit(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
        transaction: InTransaction,
    ) -> Result<(), ResponseError> {
        if self.state == GroupState::Empty && generation < 0 {
            return Ok(());
        }
        if generation >= 0 || !member_id.is_empty() || instance_id.is_some() {
            self.members.validate(member_id, instance_id)?;
            if generation != self.generation {
                return Err(ResponseError::IllegalGeneration);
            }
        } else if transaction == Outside && self.state != GroupState::Empty {
            return Err(ResponseError::UnknownMemberId);
        }
        if transaction == Outside && self.state == GroupState::CompletingRebalance {
            return Err(ResponseError::RebalanceInProgress);
        }
        Ok(())
    }

    /// Whether offsets may be deleted by an administrator.
    ///
    /// # Errors
    /// `NON_EMPTY_GROUP` for a group with members that are no consumers.
    pub fn validate_offset_delete(&self) -> Result<(), ResponseError> {
        match self.state {
            GroupState::Empty => Ok(()),
            _ if self.is_consumer() => Ok(()),
            _ => Err(ResponseError::NonEmptyGroup),
        }
    }

    /// Partitions whose offsets have expired at `now`: `retention_ms` after the group became empty, or after the
    /// commit where no members are involved or none of them reads the topic.
    pub fn expired_offsets(&self, offsets: &GroupOffsets, now: i64, retention_ms: i64) -> Vec<(String, i32)> {
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
