//! A member of a group, as the classic protocol knows it.

use super::budget::Charge;
use bytes::Bytes;
use kafka_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where a parked JoinGroup is answered.
pub type JoinReply = Reply<JoinGroupResponse>;
/// Where a parked SyncGroup is answered.
pub type SyncReply = Reply<SyncGroupResponse>;

/// Where a parked request is answered, once. Copies share it: a change of a group is planned on a copy of the group, which may
/// come to nothing.
pub struct Reply<T>(Arc<Mutex<Option<oneshot::Sender<T>>>>);

impl<T> Reply<T> {
    /// A reply, and where it is waited for.
    pub fn channel() -> (Self, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Reply(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    /// Answers. A receiver that is gone belongs to a connection that closed while it waited: nobody is left to tell.
    pub fn send(&self, answer: T) {
        if let Some(sender) = self.0.lock().take() {
            let _ = sender.send(answer);
        }
    }
}

impl<T> Clone for Reply<T> {
    fn clone(&self) -> Self {
        Reply(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// An assignor that a member supports, with the metadata it hands to it (a consumer's subscription).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// The assignor's name, `range`.
    pub name: String,
    /// Opaque to the coordinator.
    pub metadata: Bytes,
}

/// What a JoinGroup says of its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberInfo {
    /// `group.instance.id` of a static member (KIP-345).
    pub instance_id: Option<String>,
    /// `client.id`
    pub client_id: String,
    /// `/` and the address, as Java prints one.
    pub client_host: String,
    /// Without a heartbeat for so long the member is gone.
    pub session_timeout_ms: i32,
    /// How long a rebalance waits for this member to join again.
    pub rebalance_timeout_ms: i32,
    /// The most wanted first.
    pub protocols: Vec<Protocol>,
}

/// A member.
#[derive(Debug, Clone)]
pub struct Member {
    /// What its last JoinGroup said.
    pub info: Arc<MemberInfo>,
    /// What the leader assigned to it; empty before.
    pub assignment: Bytes,
    /// Its JoinGroup, while that is parked.
    pub join_reply: Option<JoinReply>,
    /// Its SyncGroup, while that is parked.
    pub sync_reply: Option<SyncReply>,
    /// It has not completed a join yet, so it knows no member id and cannot send heartbeats.
    pub is_new: bool,
    /// When it is taken for gone, in ms; `None` while it waits for the coordinator.
    pub session_deadline: Option<i64>,
    charge: Charge,
}

impl Member {
    /// A member that waits for the answer to its JoinGroup.
    pub fn new(info: MemberInfo, charge: Charge) -> Self {
        Member {
            info: Arc::new(info),
            assignment: Bytes::new(),
            join_reply: None,
            sync_reply: None,
            is_new: false,
            session_deadline: None,
            charge,
        }
    }

    /// Takes what a new JoinGroup of the same member says.
    pub fn update(&mut self, protocols: Vec<Protocol>, session_ms: i32, rebalance_ms: i32, charge: Charge) {
        let info = Arc::make_mut(&mut self.info);
        info.protocols = protocols;
        info.session_timeout_ms = session_ms;
        info.rebalance_timeout_ms = rebalance_ms;
        self.charge = charge;
    }

    /// Its JoinGroup is parked.
    pub fn is_awaiting_join(&self) -> bool {
        self.join_reply.is_some()
    }

    /// No heartbeat can be expected of it now: it waits for the coordinator. A new member is not excused, for it
    /// may have gone while its JoinGroup was parked.
    pub fn is_excused(&self) -> bool {
        !self.is_new && (self.join_reply.is_some() || self.sync_reply.is_some())
    }

    /// Puts off the moment it is taken for gone by its session timeout.
    pub fn touch(&mut self, now: i64) {
        self.session_deadline = Some(now.saturating_add(i64::from(self.info.session_timeout_ms)));
    }

    /// The metadata it handed in for that assignor, empty if it does not support it.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        self.info
            .protocols
            .iter()
            .find(|candidate| candidate.name == protocol)
            .map(|candidate| candidate.metadata.clone())
            .unwrap_or_default()
    }

    /// Whether it supports that assignor.
    pub fn supports(&self, protocol: &str) -> bool {
        self.info
            .protocols
            .iter()
            .any(|candidate| candidate.name == protocol)
    }

    /// Its first choice among `candidates`.
    pub fn vote<'a>(&self, candidates: &BTreeSet<&'a str>) -> Option<&'a str> {
        self.info
            .protocols
            .iter()
            .find_map(|protocol| candidates.get(protocol.name.as_str()).copied())
    }
}
