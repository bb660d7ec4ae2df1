//! What a partition of `__consumer_offsets` adds up to: the groups as last recorded, and their offsets.

use super::beside::Beside;
use super::budget::{Budget, Charge};
use super::group::{Group, GroupLimits};
use super::offsets::Offsets;
use super::outbox::Persist;
use super::{expiry, records};
use crate::broker::machine::{Machine, Position, Producer, Step, Wait};
use crate::broker::metadata::MetadataImage;
use crate::broker::records::RecordError;
use crate::broker::records::offsets::{
    GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue, OffsetsRecord,
};
use kafka_protocol::ResponseError;
use std::collections::{BTreeMap, BTreeSet};

/// Memory that a recorded group is reckoned at, beside its texts and metadata.
const GROUP_BYTES: usize = 512;

/// What groups depend on beside their log.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// What the steps of a group depend on.
    pub limits: GroupLimits,
    /// `offsets.retention.minutes`, in ms.
    pub retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub check_interval_ms: i64,
    /// Memory of all groups.
    pub budget: Budget,
}

/// A step that groups take.
pub type GroupStep<A> = Step<Groups, A>;

/// A classic group, as its last record says it.
#[derive(Debug, Clone)]
pub struct Recorded {
    value: GroupMetadataValue,
    /// Where that record stands.
    at: i64,
    _charge: Charge,
}

impl PartialEq for Recorded {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.at == other.at
    }
}

/// The groups of a partition of `__consumer_offsets`.
#[derive(Debug, Clone)]
pub struct Groups {
    classic: BTreeMap<String, Recorded>,
    /// Groups of the consumer, share and streams protocols, which Apache Kafka has left here.
    others: BTreeSet<String>,
    offsets: Offsets,
    settings: GroupSettings,
}

impl PartialEq for Groups {
    fn eq(&self, other: &Self) -> bool {
        self.classic == other.classic && self.others == other.others && self.offsets == other.offsets
    }
}

/// What is due.
#[derive(Debug)]
pub enum Due {
    /// A group's session, rebalance or expected member.
    Group(String),
    /// Offsets of a group, and perhaps the group itself.
    Expiry(String),
    /// All groups have been looked at for what expires.
    Checked,
}

impl Machine for Groups {
    type Record = OffsetsRecord;
    type Settings = GroupSettings;
    type Soft = Beside;
    type Due = Due;

    fn new(settings: &GroupSettings) -> Self {
        Groups {
            classic: BTreeMap::new(),
            others: BTreeSet::new(),
            offsets: Offsets::new(settings.budget.clone()),
            settings: settings.clone(),
        }
    }

    fn replay(&mut self, at: Position, record: OffsetsRecord) {
        match record {
            OffsetsRecord::OffsetCommit(key, value) => self.replay_offset(at, key, value),
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
                self.replay_offset(at, key, value);
            }
            OffsetsRecord::GroupMetadata(key, Some(value)) => {
                let size = GROUP_BYTES + key.group.len() + value.members.iter().map(size_of).sum::<usize>();
                let recorded = Recorded {
                    value,
                    at: at.offset,
                    _charge: self.settings.budget.force(size),
                };
                self.classic.insert(key.group, recorded);
            }
            OffsetsRecord::GroupMetadata(key, None) => {
                self.classic.remove(&key.group);
            }
            OffsetsRecord::ConsumerGroupMetadata(key, value) => {
                self.note_other(key.group_id, value.is_some());
            }
            OffsetsRecord::ShareGroupMetadata(key, value) => self.note_other(key.group_id, value.is_some()),
            OffsetsRecord::StreamsGroupMetadata(key, value) => self.note_other(key.group_id, value.is_some()),
            // What such groups consist of.
            _ => {}
        }
    }

    fn replay_marker(&mut self, at: i64, producer: Producer, commits: bool) {
        self.offsets.end_transaction(at, producer, commits);
    }

    /// As in Apache Kafka: a type that is not known may be from a newer one, and the log keeps it. A version that is not
    /// known is of a record that would be lost when the group is written next.
    fn leaves_alone(error: &RecordError) -> bool {
        matches!(error, RecordError::UnknownType(_))
    }

    /// Members have their session's time to show up again.
    fn take_up(&self, now_ms: i64) -> Beside {
        let mut beside = Beside::new(now_ms.saturating_add(self.settings.check_interval_ms));
        for (id, recorded) in &self.classic {
            if !recorded.value.members.is_empty() {
                let mut group = self.restored(id, recorded);
                group.resume(now_ms);
                beside.put(group);
            }
        }
        beside
    }

    fn date_set(beside: &mut Beside, by_ms: i64) {
        beside.move_on(by_ms);
    }

    fn give_up(beside: Beside) {
        for group in beside.into_groups() {
            group.dismiss_all(ResponseError::NotCoordinator);
        }
    }

    /// Offsets of deleted topics are forgotten.
    fn on_image(&self, before: &MetadataImage, now: &MetadataImage) -> Vec<OffsetsRecord> {
        let with_offsets = self.offsets.groups();
        if with_offsets.is_empty() {
            return Vec::new();
        }
        let deleted: BTreeSet<&String> = before
            .topics
            .iter()
            .filter(|(name, topic)| now.topics.get(*name).is_none_or(|now| now.id != topic.id))
            .map(|(name, _)| name)
            .collect();
        if deleted.is_empty() {
            return Vec::new();
        }
        let mut tombstones = Vec::new();
        for group in with_offsets {
            for (topic, index) in self.offsets.partitions_of(group) {
                if deleted.contains(&topic) {
                    tombstones.push(records::offset_tombstone(group, &topic, index));
                }
            }
        }
        tombstones
    }

    fn due(&self, beside: &Beside) -> Option<i64> {
        Some(beside.due())
    }

    fn all_due(&self, beside: &Beside, now_ms: i64) -> Vec<Due> {
        let mut all: Vec<Due> = beside.groups_due(now_ms).map(Due::Group).collect();
        if beside.is_check_due(now_ms) {
            let known: BTreeSet<&String> = self.classic.keys().chain(self.offsets.groups()).collect();
            let expiring = known.into_iter().filter(|id| {
                let expired = expiry::expired(self, beside, id, now_ms);
                !expired.is_empty()
            });
            all.extend(expiring.cloned().map(Due::Expiry));
            all.push(Due::Checked);
        }
        all
    }

    fn on_due(&self, beside: &Beside, due: Due, now_ms: i64) -> GroupStep<()> {
        match due {
            Due::Group(id) => match beside.get(&id) {
                Some(group) => {
                    let mut group = group.clone();
                    group.on_time(now_ms);
                    self.step(group, ())
                }
                None => GroupStep::answer(()),
            },
            Due::Expiry(id) => {
                let expired = expiry::expired(self, beside, &id, now_ms);
                let count = expired.len();
                GroupStep::write(expired, ())
                    .settling(move |_, _| tracing::info!(group = id, count, "offsets expired"))
            }
            Due::Checked => {
                let next = now_ms.saturating_add(self.settings.check_interval_ms);
                GroupStep::answer(()).settling(move |_, beside| beside.check_at(next))
            }
        }
    }
}

impl Groups {
    fn replay_offset(&mut self, at: Position, key: OffsetCommitKey, value: Option<OffsetCommitValue>) {
        match value {
            Some(value) => self.offsets.commit(at, key, value),
            None => self.offsets.remove(&key),
        }
    }

    fn note_other(&mut self, group_id: String, exists: bool) {
        match exists {
            true => self.others.insert(group_id),
            false => self.others.remove(&group_id),
        };
    }

    /// The committed offsets.
    pub fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// `offsets.retention.minutes`, in ms.
    pub(super) fn retention_ms(&self) -> i64 {
        self.settings.retention_ms
    }

    /// Memory of all groups.
    pub(super) fn budget(&self) -> &Budget {
        &self.settings.budget
    }

    /// Whether the group is of a protocol that this coordinator does not speak (KIP-848, KIP-932, KIP-1071). Its offsets
    /// can be read; nothing of it may be written or expire, or Apache Kafka could not read it any more.
    pub fn is_of_another_protocol(&self, group_id: &str) -> bool {
        self.others.contains(group_id)
    }

    /// # Errors
    /// `INCONSISTENT_GROUP_PROTOCOL` for a group of another protocol.
    pub(super) fn check_protocol(&self, group_id: &str) -> Result<(), ResponseError> {
        match self.is_of_another_protocol(group_id) {
            true => Err(ResponseError::InconsistentGroupProtocol),
            false => Ok(()),
        }
    }

    /// All groups that are known, recorded or not.
    pub(super) fn ids(&self, beside: &Beside) -> BTreeSet<String> {
        let recorded = self.classic.keys().chain(self.offsets.groups());
        recorded.chain(beside.ids()).cloned().collect()
    }

    /// The group with what goes on in it, if it exists.
    pub(super) fn group(&self, beside: &Beside, id: &str) -> Option<Group> {
        if let Some(group) = beside.get(id) {
            return Some(group.clone());
        }
        match self.classic.get(id) {
            Some(recorded) => Some(self.restored(id, recorded)),
            None if self.offsets.knows(id) => Some(Group::new(id, self.settings.limits)),
            None => None,
        }
    }

    /// The group, made for a request if it does not exist.
    ///
    /// # Errors
    /// `POLICY_VIOLATION` when there is no memory for another group.
    pub(super) fn group_or_new(&self, beside: &Beside, id: &str) -> Result<Group, ResponseError> {
        match self.group(beside, id) {
            Some(group) => Ok(group),
            None if self.settings.budget.fits(GROUP_BYTES + id.len()) => {
                Ok(Group::new(id, self.settings.limits))
            }
            None => Err(ResponseError::PolicyViolation),
        }
    }

    /// Changes a copy of the group, which takes its place once what that takes is written; `None` when it does not exist and
    /// was not to be made.
    ///
    /// # Errors
    /// `INCONSISTENT_GROUP_PROTOCOL`, `POLICY_VIOLATION`.
    pub(super) fn change<A>(
        &self,
        beside: &Beside,
        id: &str,
        create: bool,
        change: impl FnOnce(&mut Group) -> A,
    ) -> Result<GroupStep<Option<A>>, ResponseError> {
        self.check_protocol(id)?;
        let group = match create {
            true => Some(self.group_or_new(beside, id)?),
            false => self.group(beside, id),
        };
        let Some(mut group) = group else {
            return Ok(GroupStep::answer(None));
        };
        let answer = change(&mut group);
        Ok(self.step(group, Some(answer)))
    }

    /// What a changed group takes: its record, if that is due, then its answers.
    fn step<A>(&self, mut group: Group, answer: A) -> GroupStep<A> {
        let mut outbox = group.take_outbox();
        let recorded = self.classic.get(group.id());
        if outbox.persist.is_none() && recorded.is_none() && !group.is_idle() {
            // A group that took its first member is written, so that it is known after a restart.
            outbox.persist = Some(Persist::Created);
        }
        let record = outbox
            .persist
            .map(|why| records::group(group.id(), group.record(why)));
        let wait = recorded.map_or(Wait::Committed, |recorded| Wait::CommittedTo(recorded.at));
        GroupStep::write(record.into_iter().collect(), answer)
            .waiting(wait)
            .settling(move |_, beside| beside.put(group))
            .telling(move |told| match told {
                Ok(()) => outbox.deliver(),
                Err(error) => outbox.fail(error.of_coordinator()),
            })
    }

    fn restored(&self, id: &str, recorded: &Recorded) -> Group {
        Group::recorded(id, &recorded.value, self.settings.limits, &self.settings.budget)
    }
}

fn size_of(member: &MemberMetadata) -> usize {
    let names = member.member_id.len() + member.client_id.len() + member.client_host.len();
    GROUP_BYTES + names + member.group_instance_id.as_ref().map_or(0, String::len)
}
