//! One group with what goes on in it: its members, who waits, what is due. Pure: no I/O and no waiting; time is handed in.
//!
//! It lies beside the machine, which knows the group's last record alone ([`super::machine`]). Every step is made on a copy,
//! which takes the group's place once the record that the step takes, if any, is written. The steps of the classic protocol
//! are in `join`, `rebalance` and `sync`.

use super::budget::Charge;
use super::member::Member;
use super::outbox::Outbox;
use super::subscription;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The protocol type of consumers; others (Connect workers) bring their own.
pub const CONSUMER_PROTOCOL: &str = "consumer";

/// Where a group of the classic protocol stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// No members; perhaps committed offsets.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Every member may have its assignment.
    Stable,
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
        })
    }
}

/// When the join phase ends if members are still missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinTimer {
    /// In ms.
    pub deadline: i64,
    /// The first rebalance of an empty group: delay in ms, and how much longer it may be put off.
    pub initial: Option<(i64, i64)>,
}

/// A member that got its id and is expected to join with it.
#[derive(Debug, Clone)]
pub struct PendingMember {
    /// When it is no longer expected, in ms.
    pub deadline: i64,
    /// What it takes of the coordinator's memory.
    pub _charge: Charge,
}

/// The settings that a group's steps depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: i64,
    /// `group.max.size`
    pub max_size: usize,
}

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// `group.id`
    pub id: String,
    pub(super) state: GroupState,
    pub(super) previous: GroupState,
    pub(super) generation: i32,
    pub(super) protocol_type: Option<String>,
    pub(super) protocol_name: Option<String>,
    pub(super) leader: Option<String>,
    /// When `state` was entered, in ms.
    pub(super) state_timestamp: Option<i64>,
    pub(super) members: BTreeMap<String, Member>,
    /// Member ids by `group.instance.id`.
    pub(super) static_members: BTreeMap<String, String>,
    pub(super) pending_joins: BTreeMap<String, PendingMember>,
    /// Members that joined the current generation and have not sent SyncGroup yet.
    pub(super) pending_syncs: BTreeSet<String>,
    pub(super) sync_deadline: Option<i64>,
    pub(super) join_timer: Option<JoinTimer>,
    pub(super) new_member_added: bool,
    /// Topics that the members read; `None` when that is not known.
    pub(super) subscribed: Option<BTreeSet<String>>,
    pub(super) outbox: Outbox,
    pub(super) limits: GroupLimits,
    /// What the members' assignments take of the coordinator's memory.
    pub(super) assignments_charge: Option<Charge>,
}

impl Group {
    /// An empty group of which nothing is recorded.
    pub fn new(id: &str, limits: GroupLimits) -> Self {
        Group {
            id: id.to_owned(),
            state: GroupState::Empty,
            previous: GroupState::Empty,
            generation: 0,
            protocol_type: None,
            protocol_name: None,
            leader: None,
            state_timestamp: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_joins: BTreeMap::new(),
            pending_syncs: BTreeSet::new(),
            sync_deadline: None,
            join_timer: None,
            new_member_added: false,
            subscribed: None,
            outbox: Outbox::default(),
            limits,
            assignments_charge: None,
        }
    }

    /// Takes what is still to do after the last steps.
    pub fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// Where it stands.
    pub fn state(&self) -> GroupState {
        self.state
    }

    /// Whether it is a consumer group.
    pub fn is_consumer(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL)
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    pub(super) fn transition(&mut self, state: GroupState, now: i64) {
        self.previous = self.state;
        self.state = state;
        self.state_timestamp = Some(now);
    }

    /// Members that joined, are pending or wait: all have answered the call.
    pub(super) fn all_joined(&self) -> bool {
        self.pending_joins.is_empty() && self.members.values().all(Member::is_awaiting_join)
    }

    /// The longest rebalance timeout of all members, in ms.
    pub(super) fn rebalance_timeout_ms(&self) -> i64 {
        self.members
            .values()
            .map(|member| i64::from(member.info.rebalance_timeout_ms))
            .max()
            .unwrap_or(0)
            .max(0)
    }

    /// Whether the request comes from a member, and not from one whose instance id another now holds.
    pub(super) fn validate_member(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), ResponseError> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(current) if current != member_id => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ResponseError::UnknownMemberId)
        }
    }

    /// Adds a member; the first is the leader, and its protocol type the group's.
    pub(super) fn add_member(&mut self, member_id: &str, protocol_type: &str, member: Member) {
        if let Some(instance_id) = &member.info.instance_id {
            self.static_members
                .insert(instance_id.clone(), member_id.to_owned());
        }
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.to_owned());
        }
        if self.leader.is_none() {
            self.leader = Some(member_id.to_owned());
        }
        self.members.insert(member_id.to_owned(), member);
        self.pending_joins.remove(member_id);
    }

    /// Removes a member or a pending one. A parked JoinGroup is answered, so that a client still there retries.
    pub(super) fn remove_member(&mut self, member_id: &str) {
        if let Some(mut member) = self.members.remove(member_id) {
            if let Some(instance_id) = &member.info.instance_id {
                self.static_members.remove(instance_id);
            }
            self.dismiss(&mut member, "", ResponseError::UnknownMemberId);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_joins.remove(member_id);
        self.pending_syncs.remove(member_id);
    }

    /// Assignors that all members support.
    pub(super) fn candidates(&self) -> BTreeSet<&str> {
        let Some(first) = self.members.values().next() else {
            return BTreeSet::new();
        };
        first
            .info
            .protocols
            .iter()
            .map(|protocol| protocol.name.as_str())
            .filter(|name| self.members.values().all(|member| member.supports(name)))
            .collect()
    }

    /// The assignor with the most votes, each member voting for its first choice among those that all support.
    pub(super) fn select_protocol(&self) -> Option<String> {
        let candidates = self.candidates();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for choice in self
            .members
            .values()
            .filter_map(|member| member.vote(&candidates))
        {
            *votes.entry(choice).or_default() += 1;
        }
        votes
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(name, _)| name.to_owned())
    }

    /// Whether a member of that type with these assignors could join.
    pub(super) fn accepts_protocols<'a>(
        &self,
        protocol_type: &str,
        mut names: impl Iterator<Item = &'a str>,
    ) -> bool {
        if self.state == GroupState::Empty {
            return !protocol_type.is_empty() && names.next().is_some();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && names.any(|name| self.members.values().all(|member| member.supports(name)))
    }

    /// What a leader is told: all members with the metadata for the chosen assignor.
    pub(super) fn members_for_leader(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol_name.as_deref().unwrap_or_default();
        self.members
            .iter()
            .map(|(id, member)| {
                JoinGroupResponseMember::default()
                    .with_member_id(id.clone().into())
                    .with_group_instance_id(member.info.instance_id.clone().map(Into::into))
                    .with_metadata(member.metadata(protocol))
            })
            .collect()
    }

    /// Reads the topics out of the members' subscriptions, as far as they are consumers.
    pub(super) fn compute_subscribed(&mut self) {
        self.subscribed = self.subscriptions();
    }

    fn subscriptions(&self) -> Option<BTreeSet<String>> {
        if !self.is_consumer() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol_name.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(subscription::topics(member.metadata(protocol))?);
        }
        Some(topics)
    }

    /// Whether a member reads that topic; a consumer group whose subscriptions are unknown may read any.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer(),
        }
    }

    /// Nothing goes on in it: no members, none expected. What is known of it is its record.
    pub fn is_idle(&self) -> bool {
        self.state == GroupState::Empty && self.pending_joins.is_empty()
    }

    /// The group is coordinated here no longer: everything parked is answered with `error`.
    pub(super) fn dismiss_all(mut self, error: ResponseError) {
        for (id, mut member) in std::mem::take(&mut self.members) {
            self.dismiss(&mut member, &id, error);
        }
        self.take_outbox().deliver();
    }
}
