//! All groups with their protocols: ListGroups (KIP-518, KIP-848). librdkafka lists them without the protocol, and has
//! no name for the types that are neither classic nor consumer. And the epochs of groups: ConsumerGroupDescribe; static
//! members that leave: LeaveGroup (KIP-345); and what groups have committed: OffsetFetch, since librdkafka 2.12 ends the process
//! when a broker answers its own that it does not coordinate the group.

use super::{To, Wire, check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{CommittedOffset, TopicPartition};
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, GroupId, LeaveGroupRequest, ListGroupsRequest, OffsetFetchRequest,
    OffsetFetchResponse,
};
use std::collections::BTreeMap;

/// A group in a list, in the broker's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// `group.id`
    pub id: String,
    /// What its members speak (`consumer`, `connect`, `share` …); empty when it has only offsets.
    pub protocol: String,
    /// `Classic`, `Consumer`, `Share`, `Streams`; empty when the broker is too old to say.
    pub kind: String,
    /// `Stable`, `Empty` …; empty when the broker is too old to say.
    pub state: String,
}

/// The last version of OffsetFetch that names topics; later ones have their ids alone.
const NAMES_TOPICS: i16 = 9;
/// The first one that asks for several groups (KIP-709).
const SEVERAL_GROUPS: i16 = 8;

/// What a group has committed in a partition; nothing where it has not.
pub type GroupOffset = (TopicPartition, Answer<Option<CommittedOffset>>);

/// How far a group of KIP-848 has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEpochs {
    /// Its state, in the broker's own words.
    pub state: String,
    /// The epoch of the group: it grows with every member and topic that comes or goes.
    pub group: i32,
    /// The group's epoch that the assignment is made for.
    pub assignment: i32,
    /// The epoch that each member has reached, by its id.
    pub members: BTreeMap<String, i32>,
}

impl Wire {
    /// The epochs of a group of KIP-848, as the broker that coordinates it tells them.
    ///
    /// # Errors
    /// When the broker does not answer, or has no such group.
    pub fn group_epochs(&mut self, coordinator: i32, group: &str) -> Answer<GroupEpochs> {
        let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![GroupId(text(group))]);
        let answer = self.ask(To::Node(coordinator), &request)?;
        let told = answer.groups.into_iter().next();
        let told = told.ok_or_else(|| KafkaError::new(ErrorCode::GroupIdNotFound, ""))?;
        check(told.error_code, told.error_message)?;
        let member = |member: kafka_protocol::messages::consumer_group_describe_response::Member| {
            (member.member_id.to_string(), member.member_epoch)
        };
        Ok(GroupEpochs {
            state: told.group_state.to_string(),
            group: told.group_epoch,
            assignment: told.assignment_epoch,
            members: told.members.into_iter().map(member).collect(),
        })
    }

    /// What a group has committed, of every partition where it has.
    ///
    /// # Errors
    /// `COORDINATOR_NOT_AVAILABLE` too when the group's coordinator does not answer: there will soon be another.
    pub fn group_offsets(&mut self, group: &str) -> Answer<Vec<GroupOffset>> {
        let coordinator = self.group_coordinator(group)?;
        let asked = self.channel(To::Node(coordinator)).and_then(|channel| {
            channel.ask_in_at_most(NAMES_TOPICS, |version| offsets_request(version, group))
        });
        match asked {
            Ok(answer) => offsets_told(answer),
            Err(error) if error.is_unreachable() => {
                self.others.remove(&coordinator);
                Err(KafkaError::new(
                    ErrorCode::CoordinatorNotAvailable,
                    error.to_string(),
                ))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the static member with that `group.instance.id` out of a group; one that is none is no error.
    ///
    /// # Errors
    /// When the group's coordinator does not answer, or refuses.
    pub fn remove_instance(&mut self, group: &str, instance: &str) -> Answer {
        let member = MemberIdentity::default().with_group_instance_id(Some(text(instance)));
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(text(group)))
            .with_members(vec![member]);
        let coordinator = self.group_coordinator(group)?;
        let answer = self.ask(To::Node(coordinator), &request)?;
        check(answer.error_code, None)?;
        for member in answer.members {
            match check(member.error_code, None) {
                Err(error) if error.code() == ErrorCode::UnknownMemberId => {}
                answer => answer?,
            }
        }
        Ok(())
    }

    /// The groups of all brokers, as the brokers come.
    ///
    /// # Errors
    /// When a broker does not answer, or cannot list its groups.
    pub fn list_groups(&mut self) -> Answer<Vec<ListedGroup>> {
        let mut groups = Vec::new();
        for broker in self.nodes()? {
            let answer = self.ask(To::Node(broker.id), &ListGroupsRequest::default())?;
            check(answer.error_code, None)?;
            groups.extend(answer.groups.into_iter().map(|group| ListedGroup {
                id: group.group_id.to_string(),
                protocol: group.protocol_type.to_string(),
                kind: group.group_type.to_string(),
                state: group.group_state.to_string(),
            }));
        }
        Ok(groups)
    }
}

fn offsets_request(version: i16, group: &str) -> OffsetFetchRequest {
    let group = GroupId(text(group));
    if version < SEVERAL_GROUPS {
        return OffsetFetchRequest::default()
            .with_group_id(group)
            .with_topics(None);
    }
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(group)
        .with_topics(None);
    OffsetFetchRequest::default().with_groups(vec![group])
}

/// What an answer of either form tells of the one group.
fn offsets_told(answer: OffsetFetchResponse) -> Answer<Vec<GroupOffset>> {
    check(answer.error_code, None)?;
    let mut offsets = Vec::new();
    for topic in answer.topics {
        let name = topic.name.to_string();
        offsets.extend(topic.partitions.into_iter().map(|told| {
            let committed = committed(
                told.error_code,
                told.committed_offset,
                told.committed_leader_epoch,
            );
            (place(&name, told.partition_index), committed)
        }));
    }
    for group in answer.groups {
        check(group.error_code, None)?;
        for topic in group.topics {
            let name = topic.name.to_string();
            offsets.extend(topic.partitions.into_iter().map(|told| {
                let committed = committed(
                    told.error_code,
                    told.committed_offset,
                    told.committed_leader_epoch,
                );
                (place(&name, told.partition_index), committed)
            }));
        }
    }
    Ok(offsets)
}

fn place(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition {
        topic: topic.to_owned(),
        partition,
    }
}

fn committed(error: i16, offset: i64, leader_epoch: i32) -> Answer<Option<CommittedOffset>> {
    check(error, None)?;
    Ok((offset >= 0).then_some(CommittedOffset {
        offset,
        leader_epoch: (leader_epoch >= 0).then_some(leader_epoch),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::offset_fetch_response::{
        OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
        OffsetFetchResponseTopic, OffsetFetchResponseTopics,
    };

    /// Partition, committed offset, leader epoch, error.
    const TOLD: [(i32, i64, i32, i16); 4] = [(0, 7, 3, 0), (1, 9, -1, 0), (2, -1, -1, 0), (3, -1, -1, 88)];

    fn as_expected(told: &[GroupOffset]) {
        let offsets: Vec<_> = told
            .iter()
            .map(|(place, told)| {
                let told = told.as_ref().map_err(KafkaError::code);
                (
                    place.partition,
                    told.map(|told| told.map(|told| (told.offset, told.leader_epoch))),
                )
            })
            .collect();
        let unstable = KafkaError::of_protocol(88, "").code();
        assert_eq!(
            offsets,
            [
                (0, Ok(Some((7, Some(3))))),
                (1, Ok(Some((9, None)))),
                (2, Ok(None)),
                (3, Err(unstable))
            ]
        );
        assert!(told.iter().all(|(place, _)| place.topic == "t"));
    }

    #[test]
    fn what_a_group_has_committed_is_read_in_either_form() {
        let partitions = TOLD.map(|(index, offset, epoch, error)| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(index)
                .with_committed_offset(offset)
                .with_committed_leader_epoch(epoch)
                .with_error_code(error)
        });
        let topic = OffsetFetchResponseTopic::default()
            .with_name(TopicName(text("t")))
            .with_partitions(partitions.to_vec());
        as_expected(&offsets_told(OffsetFetchResponse::default().with_topics(vec![topic])).unwrap());
        let partitions = TOLD.map(|(index, offset, epoch, error)| {
            OffsetFetchResponsePartitions::default()
                .with_partition_index(index)
                .with_committed_offset(offset)
                .with_committed_leader_epoch(epoch)
                .with_error_code(error)
        });
        let topic = OffsetFetchResponseTopics::default()
            .with_name(TopicName(text("t")))
            .with_partitions(partitions.to_vec());
        let group = OffsetFetchResponseGroup::default().with_topics(vec![topic]);
        as_expected(&offsets_told(OffsetFetchResponse::default().with_groups(vec![group])).unwrap());
    }

    #[test]
    fn who_does_not_coordinate_the_group_says_so_in_either_form() {
        let old = OffsetFetchResponse::default().with_error_code(16);
        let group = OffsetFetchResponseGroup::default().with_error_code(16);
        let new = OffsetFetchResponse::default().with_groups(vec![group]);
        for answer in [old, new] {
            assert_eq!(
                offsets_told(answer).unwrap_err().code(),
                ErrorCode::NotCoordinator
            );
        }
        assert_eq!(offsets_request(7, "g").group_id.as_str(), "g");
        assert_eq!(offsets_request(9, "g").groups[0].group_id.as_str(), "g");
    }
}
