//! OffsetCommit, OffsetFetch and OffsetDelete, from request to answer.

use super::coordinator::{GroupCoordinator, MAX_NAME_BYTES};
use super::group::Group;
use super::load::OFFSET_BYTES;
use super::offsets::CommittedOffset;
use super::records;
use super::shard::{Shard, coordinator_error};
use crate::broker::records::offsets::{OffsetCommitValue, OffsetsRecord};
use kafka_protocol::ResponseError;
use std::collections::BTreeMap;
use std::sync::Arc;
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
}

impl Fetched {
    /// Nothing was committed.
    pub const NONE: Fetched = Fetched {
        offset: -1,
        leader_epoch: -1,
        metadata: String::new(),
    };
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
    pub async fn commit(&self, from: Committer<'_>, commits: &[Commit]) -> Result<(), ResponseError> {
        if from.group_id.len() > MAX_NAME_BYTES {
            return Err(ResponseError::InvalidGroupId);
        }
        // Without membership the first commit makes the group.
        let create = from.generation < 0;
        let written = self.change(from.group_id, create, |slot, group, now| {
            group.validate_commit(from.member_id, from.instance_id, from.generation)?;
            group.touch_on_commit(from.member_id, now);
            let offset = self.write_commits(&slot.shard, group, from, commits, now)?;
            Ok((Arc::clone(&slot.shard), offset))
        })?;
        let (shard, offset) = written.ok_or(if from.api_version >= 9 {
            ResponseError::GroupIdNotFound
        } else {
            ResponseError::IllegalGeneration
        })??;
        shard.replicated(offset).await.map_err(coordinator_error)
    }

    fn write_commits(
        &self,
        shard: &Arc<Shard>,
        group: &mut Group,
        from: Committer<'_>,
        commits: &[Commit],
        now: i64,
    ) -> Result<i64, ResponseError> {
        let mut entries = Vec::with_capacity(commits.len());
        let mut values = Vec::with_capacity(commits.len());
        for commit in commits {
            let value = OffsetCommitValue {
                offset: commit.offset,
                leader_epoch: commit.leader_epoch,
                metadata: commit.metadata.clone(),
                commit_timestamp: now,
                expire_timestamp: match from.retention_ms {
                    -1 => -1,
                    retention => now.saturating_add(retention.max(0)),
                },
                topic_id: commit.topic_id,
            };
            let size = OFFSET_BYTES + commit.topic.len() + commit.metadata.len();
            let charge = self.budget().charge(size).ok_or(ResponseError::PolicyViolation)?;
            entries.push(records::offset(
                &group.id,
                &commit.topic,
                commit.partition,
                value.clone(),
            ));
            values.push(CommittedOffset::new(value, charge));
        }
        let offset = shard
            .append(&entries)
            .map_err(|error| coordinator_error(error.response_error()))?;
        for (commit, value) in commits.iter().zip(values) {
            group.put_offset(&commit.topic, commit.partition, value);
        }
        group.last_commit = offset;
        Ok(offset)
    }

    /// The committed offsets of the partitions asked for, or of all.
    ///
    /// # Errors
    /// As [`GroupCoordinator::shard`]; and when the newest commits do not reach the replicas in time.
    pub async fn fetch_offsets(
        &self,
        group_id: &str,
        wanted: Option<&[(String, Vec<i32>)]>,
    ) -> Result<FetchedTopics, ResponseError> {
        let shard = self.shard(group_id)?;
        let Some(slot) = shard.find(group_id) else {
            return Ok(wanted.map(nothing_of).unwrap_or_default());
        };
        let (offsets, last_commit) = {
            let group = slot.lock();
            let offsets = match wanted {
                Some(wanted) => wanted_of(&group, wanted),
                None => all_of(&group),
            };
            (offsets, group.last_commit)
        };
        // What could still be lost with this broker must not be seen.
        shard.replicated(last_commit).await.map_err(coordinator_error)?;
        Ok(offsets)
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
        let deleted = self.change(group_id, false, |slot, group, _| {
            group.validate_offset_delete()?;
            let results: Vec<Result<(), ResponseError>> = partitions
                .iter()
                .map(|(topic, _)| match group.is_subscribed_to(topic) {
                    true => Err(ResponseError::GroupSubscribedToTopic),
                    false => Ok(()),
                })
                .collect();
            let gone: Vec<&(String, i32)> = partitions
                .iter()
                .zip(&results)
                .filter(|((topic, index), result)| result.is_ok() && group.offset(topic, *index).is_some())
                .map(|(partition, _)| partition)
                .collect();
            let offset = forget(&slot.shard, group, &gone)?;
            Ok((Arc::clone(&slot.shard), offset, results))
        })?;
        let (shard, offset, results) = deleted.ok_or(ResponseError::GroupIdNotFound)??;
        shard.replicated(offset).await.map_err(coordinator_error)?;
        Ok(results)
    }
}

fn forget(shard: &Shard, group: &mut Group, gone: &[&(String, i32)]) -> Result<i64, ResponseError> {
    let tombstones: Vec<OffsetsRecord> = gone
        .iter()
        .map(|(topic, index)| records::offset_tombstone(&group.id, topic, *index))
        .collect();
    let offset = shard
        .append(&tombstones)
        .map_err(|error| coordinator_error(error.response_error()))?;
    for (topic, index) in gone {
        group.remove_offset(topic, *index);
    }
    Ok(offset)
}

fn fetched(committed: &CommittedOffset) -> Fetched {
    Fetched {
        offset: committed.offset,
        leader_epoch: committed.leader_epoch,
        metadata: committed.metadata.clone(),
    }
}

fn all_of(group: &Group) -> FetchedTopics {
    let partitions = |offsets: &BTreeMap<i32, CommittedOffset>| {
        offsets
            .iter()
            .map(|(index, committed)| (*index, fetched(committed)))
            .collect()
    };
    group
        .offsets
        .iter()
        .map(|(topic, offsets)| (topic.clone(), partitions(offsets)))
        .collect()
}

fn wanted_of(group: &Group, wanted: &[(String, Vec<i32>)]) -> FetchedTopics {
    let of = |topic: &str, index: i32| group.offset(topic, index).map_or(Fetched::NONE, fetched);
    wanted
        .iter()
        .map(|(topic, indexes)| {
            let partitions = indexes.iter().map(|index| (*index, of(topic, *index)));
            (topic.clone(), partitions.collect())
        })
        .collect()
}

fn nothing_of(wanted: &[(String, Vec<i32>)]) -> FetchedTopics {
    wanted
        .iter()
        .map(|(topic, indexes)| {
            let partitions = indexes.iter().map(|index| (*index, Fetched::NONE));
            (topic.clone(), partitions.collect())
        })
        .collect()
}
