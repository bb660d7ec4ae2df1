//! One group with what goes on in it: its members, who waits, what is due. Pure: no I/O and no waiting; time is handed in.
//!
//! It lies beside the machine, which knows the group's last record alone ([`super::machine`]). Every step is made on a copy,
//! which takes the group's place once the record that the step takes, if any, is written. The steps of the classic protocol
//! are in [`join`], [`rebalance`] and [`sync`]; who the members are in [`members`]; what a group is as a record, and as an
//! administrator is told, in [`told`]; who may commit, and what expires, in [`claims`]. Nobody else sees into a group.

mod claims;
mod join;
mod members;
mod rebalance;
mod sync;
mod told;

pub use join::JoinCall;
pub use sync::{LeaveCall, SyncCall};

use super::budget::Charge;
use super::member::Member;
use super::outbox::Outbox;
use kafka_protocol::ResponseError;
use members::Members;
use std::collections::BTreeSet;
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
struct JoinTimer {
    /// In ms.
    deadline: i64,
    /// The first rebalance of an empty group: delay in ms, and how much longer it may be put off.
    initial: Option<(i64, i64)>,
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
    id: String,
    state: GroupState,
    previous: GroupState,
    generation: i32,
    protocol_type: Option<String>,
    protocol_name: Option<String>,
    /// When `state` was entered, in ms.
    state_timestamp: Option<i64>,
    members: Members,
    /// Members that joined the current generation and have not sent SyncGroup yet.
    pending_syncs: BTreeSet<String>,
    sync_deadline: Option<i64>,
    join_timer: Option<JoinTimer>,
    new_member_added: bool,
    /// Topics that the members read; `None` when that is not known.
    subscribed: Option<BTreeSet<String>>,
    outbox: Outbox,
    limits: GroupLimits,
    /// What the members' assignments take of the coordinator's memory.
    assignments_charge: Option<Charge>,
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
            state_timestamp: None,
            members: Members::default(),
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

    /// `group.id`
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `consumer` for consumers, empty where it is not known.
    pub fn protocol_type(&self) -> &str {
        self.protocol_type.as_deref().unwrap_or_default()
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

    fn transition(&mut self, state: GroupState, now: i64) {
        self.previous = self.state;
        self.state = state;
        self.state_timestamp = Some(now);
    }

    /// Adds a member, of which the first brings the group's protocol type.
    fn add_member(&mut self, member_id: &str, protocol_type: &str, member: Member) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.to_owned());
        }
        self.members.add(member_id, member);
    }

    /// Removes a member or a pending one. A parked JoinGroup is answered, so that a client still there retries.
    fn remove_member(&mut self, member_id: &str) {
        if let Some(mut member) = self.members.remove(member_id) {
            self.outbox
                .dismiss(&mut member, "", ResponseError::UnknownMemberId);
        }
        self.pending_syncs.remove(member_id);
    }

    /// Whether a member of that type with these assignors could join.
    fn accepts_protocols<'a>(&self, protocol_type: &str, mut names: impl Iterator<Item = &'a str>) -> bool {
        if self.state == GroupState::Empty {
            return !protocol_type.is_empty() && names.next().is_some();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && names.any(|name| self.members.all_support(name))
    }

    /// Reads the topics out of the members' subscriptions, as far as they are consumers.
    fn compute_subscribed(&mut self) {
        self.subscribed = match self.is_consumer() {
            true => self.members.subscriptions(self.protocol_name.as_deref()),
            false => None,
        };
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
        self.state == GroupState::Empty && !self.members.are_any_expected()
    }

    /// The group is coordinated here no longer: everything parked is answered with `error`.
    pub fn dismiss_all(mut self, error: ResponseError) {
        for (id, mut member) in self.members.take_all() {
            self.outbox.dismiss(&mut member, &id, error);
        }
        self.take_outbox().deliver();
    }
}
