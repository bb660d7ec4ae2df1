//! A group as its record has it, and as an administrator is told.

use super::members::Members;
use super::{Group, GroupLimits, GroupState};
use crate::broker::groups::budget::Budget;
use crate::broker::groups::member::{Member, MemberInfo, Protocol};
use crate::broker::groups::outbox::Persist;
use crate::broker::records::offsets::{GroupMetadataValue, MemberMetadata};
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};

impl Group {
    /// A group as its last record says it.
    pub fn recorded(id: &str, value: &GroupMetadataValue, limits: GroupLimits, budget: &Budget) -> Self {
        let mut group = Group::new(id, limits);
        let protocol = value.protocol.as_deref().unwrap_or_default();
        let mut members = Members::default();
        for member in &value.members {
            let size = member.subscription.len() + member.assignment.len();
            let mut restored = Member::new(info_of(member, protocol), budget.force(size));
            restored.assignment = member.assignment.clone();
            members.add(&member.member_id, restored);
        }
        members.set_leader(value.leader.clone());
        if !members.is_empty() {
            group.state = GroupState::Stable;
        }
        group.members = members;
        group.generation = value.generation;
        group.protocol_type = Some(value.protocol_type.clone()).filter(|name| !name.is_empty());
        group.protocol_name = value.protocol.clone();
        group.state_timestamp = Some(value.current_state_timestamp).filter(|at| *at >= 0);
        group.compute_subscribed();
        group
    }

    /// The record of the group. One that was just made is recorded without its members: they have no assignment yet.
    pub fn record(&self, why: Persist) -> GroupMetadataValue {
        let current_state_timestamp = self.state_timestamp.unwrap_or(-1);
        if why == Persist::Created {
            return GroupMetadataValue {
                current_state_timestamp,
                ..GroupMetadataValue::default()
            };
        }
        let protocol = self.protocol_name.as_deref().unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| MemberMetadata {
            member_id: id.clone(),
            group_instance_id: member.info.instance_id.clone(),
            client_id: member.info.client_id.clone(),
            client_host: member.info.client_host.clone(),
            rebalance_timeout: member.info.rebalance_timeout_ms,
            session_timeout: member.info.session_timeout_ms,
            subscription: member.metadata(protocol),
            assignment: member.assignment.clone(),
        });
        GroupMetadataValue {
            protocol_type: self.protocol_type().to_owned(),
            generation: self.generation,
            protocol: self.protocol_name.clone(),
            leader: self.members.leader().map(str::to_owned),
            current_state_timestamp,
            members: members.collect(),
        }
    }

    /// Goes on after its log has been read: members have their session's time to show up again.
    pub fn resume(&mut self, now: i64) {
        for member in self.members.all_mut() {
            member.touch(now);
        }
        if self.members.len() > self.limits.max_size {
            self.prepare_rebalance(now);
        }
    }

    /// Members are shown with what they subscribe to and were assigned only while the group is stable.
    pub fn describe(&self) -> DescribedGroup {
        let stable = self.state == GroupState::Stable;
        let protocol = self
            .protocol_name
            .as_deref()
            .filter(|_| stable)
            .unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| {
            let described = DescribedGroupMember::default()
                .with_member_id(id.clone().into())
                .with_group_instance_id(member.info.instance_id.clone().map(Into::into))
                .with_client_id(member.info.client_id.clone().into())
                .with_client_host(member.info.client_host.clone().into());
            if stable {
                described
                    .with_member_metadata(member.metadata(protocol))
                    .with_member_assignment(member.assignment.clone())
            } else {
                described
            }
        });
        DescribedGroup::default()
            .with_group_state(self.state.to_string().into())
            .with_protocol_type(self.protocol_type().to_owned().into())
            .with_protocol_data(protocol.to_owned().into())
            .with_members(members.collect())
    }
}

fn info_of(member: &MemberMetadata, protocol: &str) -> MemberInfo {
    let rebalance_timeout_ms = if member.rebalance_timeout < 0 {
        member.session_timeout
    } else {
        member.rebalance_timeout
    };
    MemberInfo {
        instance_id: member.group_instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        session_timeout_ms: member.session_timeout,
        rebalance_timeout_ms,
        protocols: vec![Protocol {
            name: protocol.to_owned(),
            metadata: member.subscription.clone(),
        }],
    }
}
