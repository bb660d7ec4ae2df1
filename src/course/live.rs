//! Facts from a real cluster, by the client core.

use super::fact::{ClusterFacts, Group, Member, PartitionOffsets, Seen};
use crate::failure::Outcome;
use crate::kafka::admin::Admin;
use crate::kafka::errors::ErrorCode;
use crate::kafka::topic_reader;
use crate::kafka::types::{ConfigResource, NewTopic};
use std::collections::{BTreeMap, BTreeSet};

/// A cluster that answers.
pub struct Live {
    admin: Admin,
}

impl Live {
    /// The cluster that this administrator asks.
    pub fn new(admin: Admin) -> Self {
        Live { admin }
    }
}

impl ClusterFacts for Live {
    fn topics(&self) -> Outcome<BTreeMap<String, usize>> {
        Ok(self
            .admin
            .metadata()?
            .topics
            .into_iter()
            .filter(|topic| !topic.is_internal())
            .map(|topic| (topic.name, topic.partitions.len()))
            .collect())
    }

    fn groups(&self) -> Outcome<BTreeSet<String>> {
        let (groups, _) = self.admin.list_groups()?;
        Ok(groups.into_iter().map(|group| group.group_id).collect())
    }

    fn topic_config(&self, topic: &str, name: &str) -> Outcome<Option<String>> {
        if !self.topics()?.contains_key(topic) {
            return Ok(None);
        }
        let entries = self
            .admin
            .describe_configs(&ConfigResource::Topic(topic.to_owned()))?;
        Ok(entries
            .into_iter()
            .find(|entry| entry.name == name)
            .and_then(|entry| entry.value))
    }

    fn offsets(&self, topic: &str) -> Outcome<Vec<PartitionOffsets>> {
        let partitions = self.admin.partitions_of(topic)?;
        let ranges = self.admin.offset_range(&partitions)?;
        Ok(ranges
            .into_iter()
            .map(|(at, range)| PartitionOffsets {
                partition: at.partition,
                start: range.earliest,
                end: range.latest,
            })
            .collect())
    }

    fn group(&self, group: &str) -> Outcome<Option<Group>> {
        let Some(found) = self.admin.find_group(group)? else {
            return Ok(None);
        };
        let members = found.members.into_iter().map(|member| Member {
            id: member.member_id,
            owns: member
                .assignment
                .into_iter()
                .map(|at| (at.topic, at.partition))
                .collect(),
        });
        let committed = self.admin.committed_offsets(group)?;
        Ok(Some(Group {
            members: members.collect(),
            committed: committed
                .into_iter()
                .map(|(at, committed)| ((at.topic, at.partition), committed.offset))
                .collect(),
        }))
    }

    fn records(&self, topic: &str, per_partition: i64) -> Outcome<Vec<Seen>> {
        let mut seen = Vec::new();
        topic_reader::read_last(self.admin.connection(), topic, per_partition, |record| {
            seen.push(Seen {
                partition: record.partition,
                offset: record.offset,
                timestamp: record.timestamp.unwrap_or_default(),
                key: record.key,
                value: record.value.unwrap_or_default(),
            });
        })?;
        Ok(seen)
    }

    fn create_topic(&self, topic: &str, partitions: i32) -> Outcome {
        let topic = NewTopic {
            partitions: Some(partitions),
            ..NewTopic::named(topic)
        };
        self.admin.create_topic(&topic)
    }

    fn remove_topics(&self, topics: &[String]) -> Outcome {
        if topics.is_empty() {
            return Ok(());
        }
        for (name, answer) in self.admin.delete_topics(topics)? {
            match answer {
                Err(error) if !error.is_unknown_topic() => {
                    return Err(error.into_failure(format!("cannot delete topic `{name}`")));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn remove_groups(&self, groups: &[String]) -> Outcome<Vec<String>> {
        let mut in_use = Vec::new();
        if groups.is_empty() {
            return Ok(in_use);
        }
        for (name, answer) in self.admin.delete_groups(groups)? {
            match answer.map_err(|error| (error.code(), error)) {
                Ok(()) | Err((ErrorCode::GroupIdNotFound, _)) => {}
                // A coordinator that is only just taking over says so in two ways.
                Err((
                    ErrorCode::NonEmptyGroup
                    | ErrorCode::CoordinatorLoadInProgress
                    | ErrorCode::NotCoordinator
                    | ErrorCode::CoordinatorNotAvailable,
                    _,
                )) => in_use.push(name),
                Err((_, error)) => return Err(error.into_failure(format!("cannot delete group `{name}`"))),
            }
        }
        Ok(in_use)
    }
}
