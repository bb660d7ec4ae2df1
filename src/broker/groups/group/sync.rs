//! SyncGroup, Heartbeat and LeaveGroup.

use super::{Group, GroupState};
use crate::broker::groups::budget::Charge;
use crate::broker::groups::member::SyncReply;
use crate::broker::groups::outbox::{Persist, sync_error};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::SyncGroupResponse;
use std::collections::BTreeMap;

/// A SyncGroup request.
#[derive(Debug)]
pub struct SyncCall {
    /// The sender.
    pub member_id: String,
    /// Its `group.instance.id`.
    pub instance_id: Option<String>,
    /// The generation it joined.
    pub generation: i32,
    /// Since version 5: what it took the group for.
    pub protocol_type: Option<String>,
    /// Since version 5: the assignor it took for chosen.
    pub protocol_name: Option<String>,
    /// From the leader: assignments by member id.
    pub assignments: BTreeMap<String, Bytes>,
    /// What the assignments take of the coordinator's memory.
    pub charge: Charge,
}

/// Whom a LeaveGroup removes.
#[derive(Debug)]
pub struct LeaveCall {
    /// Empty when an administrator removes a static member by its instance id.
    pub member_id: String,
    /// `group.instance.id`
    pub instance_id: Option<String>,
}

impl Group {
    /// Handles a SyncGroup; followers are parked until the leader's assignment comes.
    pub fn sync(&mut self, call: SyncCall, reply: SyncReply, now: i64) {
        if let Err(error) = self.validate_sync(&call) {
            self.outbox.syncs.push((reply, sync_error(error)));
            return;
        }
        self.pending_syncs.remove(&call.member_id);
        match self.state {
            GroupState::Stable => {
                let answer = self.sync_answer(&call.member_id);
                self.outbox.syncs.push((reply, answer));
            }
            _ => self.park_sync(call, reply, now),
        }
        if self.pending_syncs.is_empty() && self.state == GroupState::Stable {
            self.sync_deadline = None;
        }
    }

    fn validate_sync(&self, call: &SyncCall) -> Result<(), ResponseError> {
        self.members
            .validate(&call.member_id, call.instance_id.as_deref())?;
        if call.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if differs(&call.protocol_type, &self.protocol_type)
            || differs(&call.protocol_name, &self.protocol_name)
        {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        match self.state {
            GroupState::CompletingRebalance | GroupState::Stable => Ok(()),
            GroupState::PreparingRebalance => Err(ResponseError::RebalanceInProgress),
            GroupState::Empty => Err(ResponseError::UnknownMemberId),
        }
    }

    fn park_sync(&mut self, call: SyncCall, reply: SyncReply, now: i64) {
        if let Some(member) = self.members.get_mut(&call.member_id)
            && let Some(earlier) = member.sync_reply.replace(reply)
        {
            let answer = sync_error(ResponseError::RebalanceInProgress);
            self.outbox.syncs.push((earlier, answer));
        }
        if self.members.is_leader(&call.member_id) {
            self.assignments_charge = Some(call.charge);
            self.assign(call.assignments, now);
        }
    }

    /// Takes the leader's assignment: a member it leaves out gets an empty one.
    fn assign(&mut self, mut assignments: BTreeMap<String, Bytes>, now: i64) {
        let ids = self.members.ids();
        for id in &ids {
            if let Some(member) = self.members.get_mut(id) {
                member.assignment = assignments.remove(id).unwrap_or_default();
            }
        }
        self.transition(GroupState::Stable, now);
        for id in &ids {
            let answer = self.sync_answer(id);
            if let Some(member) = self.members.get_mut(id)
                && let Some(reply) = member.sync_reply.take()
            {
                // Its session may have ended while it was excused.
                member.touch(now);
                self.outbox.syncs.push((reply, answer));
            }
        }
        self.outbox.persist = Some(Persist::Assignment);
    }

    fn sync_answer(&self, member_id: &str) -> SyncGroupResponse {
        let assignment = self
            .members
            .get(member_id)
            .map(|member| member.assignment.clone());
        SyncGroupResponse::default()
            .with_protocol_type(self.protocol_type.clone().map(Into::into))
            .with_protocol_name(self.protocol_name.clone().map(Into::into))
            .with_assignment(assignment.unwrap_or_default())
    }

    /// Whether a heartbeat comes from a member of this generation.
    ///
    /// # Errors
    /// `UNKNOWN_MEMBER_ID`, `ILLEGAL_GENERATION`, `FENCED_INSTANCE_ID`.
    pub fn validate_heartbeat(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
    ) -> Result<(), ResponseError> {
        self.members.validate(member_id, instance_id)?;
        if generation == self.generation {
            Ok(())
        } else {
            Err(ResponseError::IllegalGeneration)
        }
    }

    /// What a member is told that gave a sign of life.
    ///
    /// # Errors
    /// `REBALANCE_IN_PROGRESS` when it has to join again.
    pub fn call_back(&self) -> Result<(), ResponseError> {
        match self.state {
            GroupState::PreparingRebalance => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A member gave a sign of life.
    pub fn touch(&mut self, member_id: &str, now: i64) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.touch(now);
        }
    }

    /// Removes the members named, one result each in order; then rebalances the rest.
    pub fn leave(&mut self, calls: &[LeaveCall], now: i64) -> Vec<Result<(), ResponseError>> {
        let results: Vec<Result<(), ResponseError>> =
            calls.iter().map(|call| self.remove_one(call)).collect();
        if results.iter().any(Result::is_ok) {
            match self.state {
                GroupState::Stable | GroupState::CompletingRebalance => self.prepare_rebalance(now),
                _ => self.maybe_complete_join(now),
            }
        }
        results
    }

    fn remove_one(&mut self, call: &LeaveCall) -> Result<(), ResponseError> {
        let instance_id = call.instance_id.as_deref();
        let member_id = match instance_id.and_then(|id| self.members.id_of_static(id)) {
            Some(member_id) if call.member_id.is_empty() => member_id.clone(),
            _ if self.members.is_expected(&call.member_id) => call.member_id.clone(),
            _ => {
                self.members.validate(&call.member_id, instance_id)?;
                call.member_id.clone()
            }
        };
        self.remove_member(&member_id);
        Ok(())
    }
}

fn differs(asked: &Option<String>, actual: &Option<String>) -> bool {
    matches!((asked, actual), (Some(asked), Some(actual)) if asked != actual)
}
