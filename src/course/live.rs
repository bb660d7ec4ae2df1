//! Facts from a real cluster, by the client core.

use super::facts::{ClusterFacts, ClusterView, Group, Member, Partition, PartitionOffsets, Seen};
use super::kept::Kept;
use crate::failure::{Kind, Outcome};
use crate::kafka::Wire;
use crate::kafka::admin::Admin;
use crate::kafka::consumer::Isolation;
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{
    ConfigResource, ListedOffset, NewTopic, OffsetSpec, PartitionDescription, TopicMetadata, TopicPartition,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A cluster that answers.
pub struct Live {
    admin: Admin,
    kept: RefCell<Kept>,
    /// Records that only readers of uncommitted ones see are among these.
    kept_uncommitted: RefCell<Kept>,
}

impl Live {
    /// The cluster that this administrator asks.
    pub fn new(admin: Admin) -> Self {
        Live {
            admin,
            kept: RefCell::new(Kept::seen_as(Isolation::ReadCommitted)),
            kept_uncommitted: RefCell::new(Kept::seen_as(Isolation::ReadUncommitted)),
        }
    }

    /// Who asks, for what lessons do not read.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    fn configs(&self, resource: &ConfigResource) -> Outcome<BTreeMap<String, String>> {
        let entries = self.admin.describe_configs(resource)?;
        Ok(entries
            .into_iter()
            .filter_map(|entry| Some((entry.name, entry.value?)))
            .collect())
    }
}

impl From<PartitionDescription> for Partition {
    fn from(described: PartitionDescription) -> Self {
        Partition {
            leader: described.leader,
            replicas: described.replicas,
            isr: described.isr,
        }
    }
}

/// Whether an error says that a coordinator is only just taking over, or that there is no such group.
fn is_on_its_way(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::GroupIdNotFound
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::NotCoordinator
            | ErrorCode::CoordinatorNotAvailable
    )
}

impl ClusterFacts for Live {
    fn cluster(&self) -> Outcome<ClusterView> {
        let metadata = self.admin.metadata()?;
        let topics = metadata.topics.into_iter().filter(|topic| !topic.is_internal());
        let partitions = |topic: TopicMetadata| topic.partitions.into_iter().map(Partition::from).collect();
        Ok(ClusterView {
            brokers: metadata.brokers.iter().map(|broker| broker.id).collect(),
            topics: topics
                .map(|topic| (topic.name.clone(), partitions(topic)))
                .collect(),
        })
    }

    fn groups(&self) -> Outcome<BTreeSet<String>> {
        let (groups, _) = self.admin.list_groups()?;
        Ok(groups.into_iter().map(|group| group.group_id).collect())
    }

    fn topic_configs(&self, topic: &str) -> Outcome<BTreeMap<String, String>> {
        self.configs(&ConfigResource::Topic(topic.to_owned()))
    }

    fn broker_configs(&self, broker: i32) -> Outcome<BTreeMap<String, String>> {
        self.configs(&ConfigResource::Broker(broker))
    }

    fn offsets(&self, topic: &str) -> Outcome<Option<Vec<PartitionOffsets>>> {
        // DescribeTopics also refreshes what librdkafka knows of leaders; while the controller is away, Metadata answers.
        let partitions = match self.admin.partitions_of(topic) {
            Err(failure) if failure.kind() == Kind::Unreachable => {
                let metadata = self.admin.metadata()?;
                let Some(found) = metadata.topic(topic) else {
                    return Ok(None);
                };
                found.topic_partitions().collect()
            }
            answered => answered?,
        };
        let starts = self.admin.list_offsets(&partitions, OffsetSpec::Earliest)?;
        let ends = self.admin.list_offsets(&partitions, OffsetSpec::Latest)?;
        let told = |answers: &BTreeMap<TopicPartition, Answer<ListedOffset>>, at: &TopicPartition| {
            let listed = answers.get(at)?.as_ref().ok()?;
            Some(listed.offset.unwrap_or(0))
        };
        // While a partition has no leader, nobody can tell.
        let offsets = partitions.iter().map(|at| {
            Some(PartitionOffsets {
                partition: at.partition,
                start: told(&starts, at)?,
                end: told(&ends, at)?,
            })
        });
        Ok(offsets.collect())
    }

    fn group(&self, group: &str) -> Outcome<Option<Group>> {
        let found = self.admin.describe_groups(&[group.to_owned()])?.pop();
        let found = match found {
            Some((_, Ok(found))) if found.exists() => found,
            Some((_, Err(error))) if !is_on_its_way(error.code()) => {
                return Err(error.into_failure(format!("cannot describe group `{group}`")));
            }
            _ => return Ok(None),
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
            state: found.state.kafka_name().to_owned(),
            members: members.collect(),
            committed: committed
                .into_iter()
                .map(|(at, committed)| ((at.topic, at.partition), committed.offset))
                .collect(),
        }))
    }

    fn records(&self, topic: &str, per_partition: i64) -> Outcome<Vec<Seen>> {
        let mut kept = self.kept.borrow_mut();
        Ok(kept.last(&self.admin, topic, per_partition)?.cloned().collect())
    }

    fn uncommitted(&self, topic: &str, per_partition: i64) -> Outcome<usize> {
        let mut kept = self.kept_uncommitted.borrow_mut();
        Ok(kept.last(&self.admin, topic, per_partition)?.count())
    }

    fn open_transactions(&self, topic: &str) -> Outcome<usize> {
        let failed = |error: KafkaError| {
            let what = format!("cannot tell which transactions are open in `{topic}`");
            error.into_failure(what)
        };
        let mut wire = Wire::connect(self.admin.connection())?;
        let places = wire.partition_places(Some(&[topic])).map_err(failed)?;
        let mut open = BTreeSet::new();
        for place in places {
            let Some(leader) = place.leader else { continue };
            let producers = wire.describe_producers(&place.partition, leader);
            let begun = producers.map_err(failed)?.into_iter();
            let begun = begun.filter(|producer| producer.transaction_start.is_some());
            open.extend(begun.map(|producer| producer.id));
        }
        Ok(open.len())
    }

    fn create_topic(&self, topic: &str, partitions: i32, replication_factor: Option<i32>) -> Outcome {
        let topic = NewTopic {
            partitions: Some(partitions),
            replication_factor,
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
