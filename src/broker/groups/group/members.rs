//! The members of a group: under which ids they are known, who of them leads, and who is expected.

use crate::broker::groups::budget::Charge;
use crate::broker::groups::member::Member;
use crate::broker::groups::subscription;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use std::collections::{BTreeMap, BTreeSet};

/// Ids given out and not used yet, of one group: an end to what a client that only asks for ids can make us keep.
const MAX_PENDING_MEMBERS: usize = 10_000;

/// The members of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    by_id: BTreeMap<String, Member>,
    /// Member ids by `group.instance.id`.
    static_ids: BTreeMap<String, String>,
    leader: Option<String>,
    /// Those who got an id and are to join with it.
    pending: BTreeMap<String, Pending>,
}

/// A member that got its id and is expected to join with it.
#[derive(Debug, Clone)]
struct Pending {
    /// When it is no longer expected, in ms.
    deadline: i64,
    /// What it takes of the coordinator's memory.
    _charge: Charge,
}

impl Members {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub fn get(&self, id: &str) -> Option<&Member> {
        self.by_id.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.by_id.get_mut(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Member)> {
        self.by_id.iter()
    }

    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.by_id.values_mut()
    }

    pub fn ids(&self) -> Vec<String> {
        self.by_id.keys().cloned().collect()
    }

    pub fn leader(&self) -> Option<&str> {
        self.leader.as_deref()
    }

    pub fn is_leader(&self, id: &str) -> bool {
        self.leader() == Some(id)
    }

    pub fn set_leader(&mut self, leader: Option<String>) {
        self.leader = leader;
    }

    /// Keeps the leader if it joined again, else takes the first member that did; false when none did.
    pub fn elect_leader(&mut self) -> bool {
        let joined = |id: &String| self.by_id.get(id).is_some_and(Member::is_awaiting_join);
        if self.leader.as_ref().is_some_and(joined) {
            return true;
        }
        let first = self.by_id.iter().find(|(_, member)| member.is_awaiting_join());
        let Some((id, _)) = first else {
            return false;
        };
        self.leader = Some(id.clone());
        true
    }

    /// The member that has that `group.instance.id`.
    pub fn id_of_static(&self, instance_id: &str) -> Option<&String> {
        self.static_ids.get(instance_id)
    }

    /// Whether the request comes from a member, and not from one whose instance id another now holds.
    pub fn validate(&self, id: &str, instance_id: Option<&str>) -> Result<(), ResponseError> {
        if let Some(instance_id) = instance_id {
            match self.static_ids.get(instance_id) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(current) if current != id => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        match self.by_id.contains_key(id) {
            true => Ok(()),
            false => Err(ResponseError::UnknownMemberId),
        }
    }

    /// Adds a member; the first is the leader.
    pub fn add(&mut self, id: &str, member: Member) {
        if let Some(instance_id) = &member.info.instance_id {
            self.static_ids.insert(instance_id.clone(), id.to_owned());
        }
        self.leader.get_or_insert_with(|| id.to_owned());
        self.by_id.insert(id.to_owned(), member);
        self.pending.remove(id);
    }

    /// Removes a member, whose lead another one takes over, or a pending one.
    pub fn remove(&mut self, id: &str) -> Option<Member> {
        let member = self.by_id.remove(id);
        if let Some(instance_id) = member
            .as_ref()
            .and_then(|member| member.info.instance_id.as_ref())
        {
            self.static_ids.remove(instance_id);
        }
        if self.is_leader(id) {
            self.leader = self.by_id.keys().next().cloned();
        }
        self.pending.remove(id);
        member
    }

    /// Gives a member another id, under which it has the same place.
    pub fn rename(&mut self, old: &str, new: &str) -> Option<&mut Member> {
        let member = self.by_id.remove(old)?;
        if let Some(instance_id) = &member.info.instance_id {
            self.static_ids.insert(instance_id.clone(), new.to_owned());
        }
        if self.is_leader(old) {
            self.leader = Some(new.to_owned());
        }
        Some(self.by_id.entry(new.to_owned()).or_insert(member))
    }

    /// All members, none of which is one any more.
    pub fn take_all(&mut self) -> impl Iterator<Item = (String, Member)> + use<> {
        std::mem::take(&mut self.by_id).into_iter()
    }

    /// Notes an id that was given out; false when there are too many already.
    pub fn expect(&mut self, id: String, deadline: i64, charge: Charge) -> bool {
        let has_room = self.pending.len() < MAX_PENDING_MEMBERS;
        if has_room {
            let pending = Pending {
                deadline,
                _charge: charge,
            };
            self.pending.insert(id, pending);
        }
        has_room
    }

    pub fn is_expected(&self, id: &str) -> bool {
        self.pending.contains_key(id)
    }

    pub fn are_any_expected(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Expects those no longer whose time is over; whether there were any.
    pub fn expire_expected(&mut self, now: i64) -> bool {
        let before = self.pending.len();
        self.pending.retain(|_, pending| pending.deadline > now);
        self.pending.len() != before
    }

    /// Members that joined, are pending or wait: all have answered the call.
    pub fn all_joined(&self) -> bool {
        self.pending.is_empty() && self.by_id.values().all(Member::is_awaiting_join)
    }

    /// How many have answered the call.
    pub fn joined(&self) -> usize {
        self.by_id
            .values()
            .filter(|member| member.is_awaiting_join())
            .count()
    }

    /// Dynamic members that have not answered the call.
    pub fn missing(&self) -> Vec<String> {
        let missing = |member: &Member| !member.is_awaiting_join() && member.info.instance_id.is_none();
        self.that(missing)
    }

    /// Members whose sessions have ended.
    pub fn overdue(&self, now: i64) -> Vec<String> {
        self.that(|member| member.session_deadline.is_some_and(|deadline| deadline <= now))
    }

    fn that(&self, is_it: impl Fn(&Member) -> bool) -> Vec<String> {
        let found = self.by_id.iter().filter(|(_, member)| is_it(member));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// When sessions end, and nobody is expected any more.
    pub fn deadlines(&self) -> impl Iterator<Item = i64> {
        let members = self.by_id.values().filter_map(|member| member.session_deadline);
        members.chain(self.pending.values().map(|pending| pending.deadline))
    }

    pub fn deadlines_mut(&mut self) -> impl Iterator<Item = &mut i64> {
        let members = self.by_id.values_mut();
        let members = members.filter_map(|member| member.session_deadline.as_mut());
        members.chain(self.pending.values_mut().map(|pending| &mut pending.deadline))
    }

    /// The longest rebalance timeout of all members, in ms.
    pub fn rebalance_timeout_ms(&self) -> i64 {
        let timeouts = self.by_id.values().map(|member| member.info.rebalance_timeout_ms);
        i64::from(timeouts.max().unwrap_or(0).max(0))
    }

    /// Whether all support that assignor.
    pub fn all_support(&self, assignor: &str) -> bool {
        self.by_id.values().all(|member| member.supports(assignor))
    }

    /// Assignors that all members support.
    fn candidates(&self) -> BTreeSet<&str> {
        let Some(first) = self.by_id.values().next() else {
            return BTreeSet::new();
        };
        let names = first.info.protocols.iter().map(|protocol| protocol.name.as_str());
        names.filter(|name| self.all_support(name)).collect()
    }

    /// The assignor with the most votes, each member voting for its first choice among those that all support.
    pub fn select_protocol(&self) -> Option<String> {
        let candidates = self.candidates();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for choice in self.by_id.values().filter_map(|member| member.vote(&candidates)) {
            *votes.entry(choice).or_default() += 1;
        }
        let most = votes.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(name, _)| name.to_owned())
    }

    /// What a leader is told: all members with the metadata for the chosen assignor.
    pub fn for_leader(&self, assignor: &str) -> Vec<JoinGroupResponseMember> {
        let told = self.by_id.iter().map(|(id, member)| {
            JoinGroupResponseMember::default()
                .with_member_id(id.clone().into())
                .with_group_instance_id(member.info.instance_id.clone().map(Into::into))
                .with_metadata(member.metadata(assignor))
        });
        told.collect()
    }

    /// The topics in the subscriptions of consumers; none when one of them cannot be read.
    pub fn subscriptions(&self, assignor: Option<&str>) -> Option<BTreeSet<String>> {
        let mut topics = BTreeSet::new();
        for member in self.by_id.values() {
            topics.extend(subscription::topics(member.metadata(assignor?))?);
        }
        Some(topics)
    }
}
