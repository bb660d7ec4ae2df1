//! OffsetCommit, OffsetFetch and OffsetDelete, from request to answer.

use super::beside::Beside;
use super::coordinator::{GroupCoordinator, MAX_NAME_BYTES};
use super::group::GroupState;
use super::machine::{GroupStep, Groups};
use super::offsets::{CommittedOffset, Offsets};
use super::records;
use crate::broker::machine::{Producer, Wait};
use crate::broker::records::offsets::{OffsetCommitValue, OffsetsRecord};
use InTransaction::{Inside, Outside};
use kafka_protocol::ResponseError;
use std::borrow::Cow;
use uuid::Uuid;

/// Who commits.
#[derive(Debug, Clone, Copy)]
pub struct Committer<'a> {
    /// `group.id`
    pub group_id: &'a str,
    /// Empty without membership.
    pub member_id: &'a str,
    /// `group.instance.id`
    pub instance_id: Option<&'a str>,
    /// -1 without membership.
    pub generation: i32,
    /// In ms, -1 for the broker's own retention.
    pub retention_ms: i64,
    /// Version of the request.
    pub api_version: i16,
}

/// An offset to commit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Topic name.
    pub topic: String,
    /// Id of the topic.
    pub topic_id: Uuid,
    /// Partition index.
    pub partition: i32,
    /// The next record to read.
    pub offset: i64,
    /// -1 when unknown.
    pub leader_epoch: i32,
    /// The client's own note.
    pub metadata: String,
}

/// A committed offset, as a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The next record to read, -1 when nothing is committed.
    pub offset: i64,
    /// -1 when unknown.
    pub leader_epoch: i32,
    /// The client's own note.
    pub metadata: String,
    /// Why there is none.
    pub error: Option<ResponseError>,
}

impl Fetched {
    /// Nothing was committed.
    pub const NONE: Fetched = Fetched {
        offset: -1,
        leader_epoch: -1,
        metadata: String::new(),
        error: None,
    };

    /// A transaction is about to commit one (KIP-447).
    fn unstable() -> Fetched {
        Fetched {
            error: Some(ResponseError::UnstableOffsetCommit),
            ..Fetched::NONE
        }
    }
}

/// Offsets by topic and partition.
pub type FetchedTopics = Vec<(String, Vec<(i32, Fetched)>)>;

impl GroupCoordinator {
    /// Whether a commit's note is short enough.
    pub fn accepts_metadata(&self, metadata: &str) -> bool {
        metadata.encode_utf16().count() <= self.config.offset_metadata_max_bytes
    }

    /// Commits; returns when every in-sync replica has the records.
    ///
    /// # Errors
    /// Of all offsets together: who may not commit, or what went wrong in writing.
    pub async fn commit(&self, from: Committer<'_>, commits: Vec<Commit>) -> Result<(), ResponseError> {
        if from.group_id.len() > MAX_NAME_BYTES {
            return Err(ResponseError::InvalidGroupId);
        }
        self.ask(from.group_id, |groups, beside, now| {
            plan(groups, beside, from, commits, Outside, now)
        })
        .await
    }

    /// Commits in a producer's transaction: the offsets count once that has been committed. `is_verified` says, when they are
    /// about to be written, whether the transaction still is what its coordinator was asked about.
    ///
    /// # Errors
    /// As [`GroupCoordinator::commit`]; `INVALID_TXN_STATE` for a transaction that has ended since.
    pub async fn commit_in_transaction(
        &self,
        from: Committer<'_>,
        producer: Producer,
        commits: Vec<Commit>,
        is_verified: impl FnOnce() -> bool,
    ) -> Result<(), ResponseError> {
        if from.group_id.len() > MAX_NAME_BYTES {
            return Err(ResponseError::InvalidGroupId);
        }
        self.ask(from.group_id, |groups, beside, now| {
            // Its marker would come to this log while nobody else changes it.
            if !is_verified() {
                return Err(ResponseError::InvalidTxnState);
            }
            let step = plan(groups, beside, from, commits, Inside, now)?;
            Ok(step.in_transaction(producer))
        })
        .await
    }

    /// The committed offsets of the partitions asked for, or of all. With `require_stable`, those that a transaction is about
    /// to replace are answered with `UNSTABLE_OFFSET_COMMIT` (KIP-447).
    ///
    /// # Errors
    /// As [`GroupCoordinator::ask`]: also when the newest commits do not reach the replicas in time.
    pub async fn fetch_offsets(
        &self,
        group_id: &str,
        wanted: Option<&[(String, Vec<i32>)]>,
        require_stable: bool,
    ) -> Result<FetchedTopics, ResponseError> {
        self.ask(group_id, |groups, _, _| {
            let offsets = groups.offsets();
            let of = |topic: &str, index: i32, committed: Option<&CommittedOffset>| match require_stable
                && offsets.is_unstable(group_id, topic, index)
            {
                true => (index, Fetched::unstable()),
                false => (index, committed.map_or(Fetched::NONE, fetched)),
            };
            let group = offsets.of(group_id);
            let topics = match wanted {
                Some(wanted) => wanted_of(wanted, |topic, index| {
                    of(topic, index, group.and_then(|group| group.get(topic, index)))
                }),
                None => all_of(groups, group_id, of),
            };
            // What could still be lost with this broker must not be seen.
            let newest = group.map_or(-1, |group| group.last_commit());
            Ok(GroupStep::answer(topics).waiting(Wait::CommittedTo(newest)))
        })
        .await
    }

    /// Deletes offsets of topics that no member reads; one result for each partition.
    ///
    /// # Errors
    /// Of all together: `GROUP_ID_NOT_FOUND`, `NON_EMPTY_GROUP`, or what went wrong in writing.
    pub async fn delete_offsets(
        &self,
        group_id: &str,
        partitions: &[(String, i32)],
    ) -> Result<Vec<Result<(), ResponseError>>, ResponseError> {
        if group_id.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        self.ask(group_id, |groups, beside, _| {
            groups.check_protocol(group_id)?;
            let group = groups.group(beside, group_id);
            let group = group.ok_or(ResponseError::GroupIdNotFound)?;
            group.validate_offset_delete()?;
            let committed = groups.offsets().of(group_id);
            let mut tombstones = Vec::new();
            let results = partitions.iter().map(|(topic, index)| {
                if group.is_subscribed_to(topic) {
                    return Err(ResponseError::GroupSubscribedToTopic);
                }
                if committed.is_some_and(|committed| committed.get(topic, *index).is_some()) {
                    tombstones.push(records::offset_tombstone(group_id, topic, *index));
                }
                Ok(())
            });
            let results: Vec<Result<(), ResponseError>> = results.collect();
            Ok(GroupStep::write(tombstones, results))
        })
        .await
    }
}

/// Whether a commit is part of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InTransaction {
    /// A plain one.
    Outside,
    /// Of a producer, which need not be a member.
    Inside,
}

/// The records of a commit.
///
/// # Errors
/// Who may not commit; `POLICY_VIOLATION` when there is no memory for more.
fn plan(
    groups: &Groups,
    beside: &Beside,
    from: Committer<'_>,
    commits: Vec<Commit>,
    transaction: InTransaction,
    now: i64,
) -> Result<GroupStep<()>, ResponseError> {
    groups.check_protocol(from.group_id)?;
    let group = match beside.get(from.group_id) {
        Some(group) => Cow::Borrowed(group),
        // Without membership the first commit makes the group.
        None if from.generation < 0 => Cow::Owned(groups.group_or_new(beside, from.group_id)?),
        None => Cow::Owned(groups.group(beside, from.group_id).ok_or(from.unknown_group())?),
    };
    group.validate_commit(from.member_id, from.instance_id, from.generation, transaction)?;
    let size = |commit: &Commit| Offsets::size_of(&commit.topic, &commit.metadata);
    if !groups.budget().fits(commits.iter().map(size).sum()) {
        return Err(ResponseError::PolicyViolation);
    }
    let records = commits.into_iter().map(|commit| commit.record(from, now));
    let step = GroupStep::write(records.collect(), ());
    if from.member_id.is_empty() || group.state() == GroupState::CompletingRebalance {
        return Ok(step);
    }
    // A commit is a sign of life, too.
    let (group_id, member_id) = (from.group_id.to_owned(), from.member_id.to_owned());
    Ok(step.settling(move |_, beside| beside.touch(&group_id, &member_id, now)))
}

impl Committer<'_> {
    fn unknown_group(&self) -> ResponseError {
        match self.api_version {
            9.. => ResponseError::GroupIdNotFound,
            _ => ResponseError::IllegalGeneration,
        }
    }
}

impl Commit {
    fn record(self, from: Committer<'_>, now: i64) -> OffsetsRecord {
        let value = OffsetCommitValue {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: self.metadata,
            commit_timestamp: now,
            expire_timestamp: match from.retention_ms {
                -1 => -1,
                retention => now.saturating_add(retention.max(0)),
            },
            topic_id: self.topic_id,
        };
        records::offset(from.group_id, self.topic, self.partition, value)
    }
}

fn fetched(committed: &CommittedOffset) -> Fetched {
    Fetched {
        offset: committed.offset,
        leader_epoch: committed.leader_epoch,
        metadata: committed.metadata.clone(),
        error: None,
    }
}

/// Every committed offset, as `of` tells it.
fn all_of(
    groups: &Groups,
    group_id: &str,
    of: impl Fn(&str, i32, Option<&CommittedOffset>) -> (i32, Fetched),
) -> FetchedTopics {
    let topics = groups.offsets().of(group_id).map(|group| group.topics());
    topics
        .into_iter()
        .flatten()
        .map(|(topic, partitions)| {
            let partitions = partitions.iter();
            let told = partitions.map(|(index, committed)| of(topic, *index, Some(committed)));
            (topic.clone(), told.collect())
        })
        .collect()
}

/// The partitions asked for, as `of` tells them.
fn wanted_of(wanted: &[(String, Vec<i32>)], of: impl Fn(&str, i32) -> (i32, Fetched)) -> FetchedTopics {
    wanted
        .iter()
        .map(|(topic, indexes)| {
            let partitions = indexes.iter().map(|index| of(topic, *index));
            (topic.clone(), partitions.collect())
        })
        .collect()
}
