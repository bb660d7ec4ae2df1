//! JoinGroup: who may join, under which member id, and when that starts a rebalance.

use super::{Group, GroupState};
use crate::broker::groups::budget::Charge;
use crate::broker::groups::member::{JoinReply, Member, MemberInfo};
use crate::broker::groups::outbox::{Persist, join_error};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::JoinGroupResponse;
use uuid::Uuid;

/// How long a new member's JoinGroup may stay parked: it has no member id yet, so it sends no heartbeats by which
/// its end would be noticed.
const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 5 * 60_000;

/// A JoinGroup request.
#[derive(Debug)]
pub struct JoinCall {
    /// Empty when the coordinator is to choose one.
    pub member_id: String,
    /// What the id of a new member ends with.
    pub new_id: Uuid,
    /// `consumer` for consumers.
    pub protocol_type: String,
    /// What the member says of itself.
    pub info: MemberInfo,
    /// Since version 4 a member must join again with the id it was given (KIP-394).
    pub needs_member_id: bool,
    /// Since version 9 a leader can be told to skip the assignment (KIP-814).
    pub can_skip_assignment: bool,
    /// What the member takes of the coordinator's memory.
    pub charge: Charge,
}

impl Group {
    /// Handles a JoinGroup; the answer comes by `reply`, perhaps much later.
    pub fn join(&mut self, call: JoinCall, reply: JoinReply, now: i64) {
        self.state_timestamp.get_or_insert(now);
        if !self.has_room_for(&call.member_id) {
            self.remove_member(&call.member_id);
            return self.refuse_join("", reply, ResponseError::GroupMaxSizeReached);
        }
        let names = call.info.protocols.iter().map(|protocol| protocol.name.as_str());
        if !self.accepts_protocols(&call.protocol_type, names) {
            return self.refuse_join(&call.member_id, reply, ResponseError::InconsistentGroupProtocol);
        }
        if call.member_id.is_empty() {
            self.join_new(call, reply, now);
        } else {
            self.join_again(call, reply, now);
        }
    }

    fn refuse_join(&mut self, member_id: &str, reply: JoinReply, error: ResponseError) {
        self.outbox.joins.push((reply, join_error(member_id, error)));
    }

    fn has_room_for(&self, member_id: &str) -> bool {
        let member = self.members.get(member_id);
        match self.state {
            GroupState::Empty => true,
            // Those who joined again count, not those who still may: the last to come find the group full.
            GroupState::PreparingRebalance => {
                member.is_some_and(Member::is_awaiting_join) || self.members.joined() < self.limits.max_size
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                member.is_some() || self.members.len() < self.limits.max_size
            }
        }
    }

    fn join_new(&mut self, call: JoinCall, reply: JoinReply, now: i64) {
        let prefix = call.info.instance_id.as_ref().unwrap_or(&call.info.client_id);
        let member_id = format!("{prefix}-{}", call.new_id);
        if let Some(instance_id) = &call.info.instance_id {
            match self.members.id_of_static(instance_id).cloned() {
                Some(old_id) => self.replace_static_member(&old_id, &member_id, call, reply, now),
                None => self.admit(&member_id, call, reply, now),
            }
        } else if call.needs_member_id {
            let deadline = now.saturating_add(i64::from(call.info.session_timeout_ms));
            match self.members.expect(member_id.clone(), deadline, call.charge) {
                true => self.refuse_join(&member_id, reply, ResponseError::MemberIdRequired),
                false => self.refuse_join("", reply, ResponseError::GroupMaxSizeReached),
            }
        } else {
            self.admit(&member_id, call, reply, now);
        }
    }

    fn join_again(&mut self, call: JoinCall, reply: JoinReply, now: i64) {
        let member_id = call.member_id.clone();
        if self.members.is_expected(&member_id) {
            if call.info.instance_id.is_some() {
                // Ids of static members are never pending: this sender mixes up two members.
                return self.refuse_join(&member_id, reply, ResponseError::UnknownMemberId);
            }
            return self.admit(&member_id, call, reply, now);
        }
        if let Err(error) = self
            .members
            .validate(&member_id, call.info.instance_id.as_deref())
        {
            return self.refuse_join(&member_id, reply, error);
        }
        let unchanged = self
            .members
            .get(&member_id)
            .is_some_and(|member| member.info.protocols == call.info.protocols);
        match self.state {
            GroupState::PreparingRebalance => self.update_and_rebalance(&member_id, call, reply, now),
            // It may have missed the answer to its JoinGroup: the generation stands.
            GroupState::CompletingRebalance if unchanged => self.repeat_join_answer(&member_id, reply),
            // A leader that joins again asks for a new assignment: it saw partitions come or go.
            GroupState::Stable if unchanged && !self.members.is_leader(&member_id) => {
                self.repeat_join_answer(&member_id, reply);
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.update_and_rebalance(&member_id, call, reply, now);
            }
            GroupState::Empty => {
                self.refuse_join(&member_id, reply, ResponseError::UnknownMemberId);
            }
        }
    }

    /// Adds a member whose JoinGroup is parked.
    fn admit(&mut self, member_id: &str, call: JoinCall, reply: JoinReply, now: i64) {
        if self.state == GroupState::PreparingRebalance && self.previous == GroupState::Empty {
            self.new_member_added = true;
        }
        let mut member = Member::new(call.info, call.charge);
        member.is_new = true;
        member.join_reply = Some(reply);
        member.session_deadline = Some(now.saturating_add(NEW_MEMBER_JOIN_TIMEOUT_MS));
        self.add_member(member_id, &call.protocol_type, member);
        self.rebalance_or_complete_join(now);
    }

    fn update_and_rebalance(&mut self, member_id: &str, call: JoinCall, reply: JoinReply, now: i64) {
        self.update_member(member_id, call, reply);
        self.rebalance_or_complete_join(now);
    }

    fn update_member(&mut self, member_id: &str, call: JoinCall, reply: JoinReply) {
        if let Some(member) = self.members.get_mut(member_id) {
            let (session_ms, rebalance_ms) = (call.info.session_timeout_ms, call.info.rebalance_timeout_ms);
            member.update(call.info.protocols, session_ms, rebalance_ms, call.charge);
            if let Some(earlier) = member.join_reply.replace(reply) {
                // The same member asked again, so it no longer listens to its first request.
                let answer = join_error(member_id, ResponseError::RebalanceInProgress);
                self.outbox.joins.push((earlier, answer));
            }
        }
    }

    fn repeat_join_answer(&mut self, member_id: &str, reply: JoinReply) {
        let answer = self.join_answer(member_id);
        self.outbox.joins.push((reply, answer));
    }

    /// The current generation, as that member is told; the leader also gets the members.
    pub(super) fn join_answer(&self, member_id: &str) -> JoinGroupResponse {
        let answer = JoinGroupResponse::default()
            .with_generation_id(self.generation)
            .with_protocol_type(self.protocol_type.clone().map(Into::into))
            .with_protocol_name(self.protocol_name.clone().map(Into::into))
            .with_leader(self.members.leader().unwrap_or_default().to_owned().into())
            .with_member_id(member_id.to_owned().into());
        match self.members.is_leader(member_id) {
            true => {
                let assignor = self.protocol_name.as_deref().unwrap_or_default();
                answer.with_members(self.members.for_leader(assignor))
            }
            false => answer,
        }
    }

    /// A static member came back without its id: it takes over the old one's place and assignment (KIP-345).
    fn replace_static_member(
        &mut self,
        old_id: &str,
        new_id: &str,
        call: JoinCall,
        reply: JoinReply,
        now: i64,
    ) {
        let old_leader = self.members.leader().map(str::to_owned);
        let can_skip = call.can_skip_assignment;
        let Some(member) = self.members.rename(old_id, new_id) else {
            return self.refuse_join("", reply, ResponseError::UnknownMemberId);
        };
        self.outbox
            .dismiss(member, old_id, ResponseError::FencedInstanceId);
        member.is_new = false;
        member.touch(now);
        self.pending_syncs.remove(old_id);
        self.update_member(new_id, call, reply);
        match self.state {
            GroupState::Stable if self.members.select_protocol() == self.protocol_name => {
                self.keep_generation_for(new_id, old_leader, can_skip);
            }
            GroupState::CompletingRebalance => self.prepare_rebalance(now),
            _ => self.rebalance_or_complete_join(now),
        }
    }

    /// Lets a returned static member go on in the current generation; its new id is written first.
    fn keep_generation_for(&mut self, member_id: &str, old_leader: Option<String>, can_skip: bool) {
        let mut answer = self.join_answer(member_id);
        if can_skip {
            answer.skip_assignment = self.members.is_leader(member_id);
        } else {
            // Told that the old id leads, the member does not compute an assignment that nobody waits for.
            answer.leader = old_leader.unwrap_or_default().into();
            answer.members.clear();
        }
        self.compute_subscribed();
        if let Some(reply) = self
            .members
            .get_mut(member_id)
            .and_then(|member| member.join_reply.take())
        {
            self.outbox.joins.push((reply, answer));
        }
        self.outbox.persist = Some(Persist::StaticMember);
    }
}
