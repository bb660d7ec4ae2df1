//! All groups with their protocols: ListGroups (KIP-518, KIP-848). librdkafka lists them without the protocol, and has
//! no name for the types that are neither classic nor consumer. And the epochs of groups: ConsumerGroupDescribe; and static
//! members that leave: LeaveGroup (KIP-345).

use super::{To, Wire, check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::{ConsumerGroupDescribeRequest, GroupId, LeaveGroupRequest, ListGroupsRequest};
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
