//! ListGroups, DescribeGroups and DeleteGroups.

use super::coordinator::GroupCoordinator;
use super::group::{Group, GroupState};
use super::records;
use super::shard::coordinator_error;
use crate::broker::records::offsets::OffsetsRecord;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::GroupId;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use std::sync::Arc;

/// What groups of this protocol are called in a list (KIP-848).
const CLASSIC: &str = "classic";

impl GroupCoordinator {
    /// The groups coordinated here, of these states and types; empty filters let all pass.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while some are not known yet. Partitions whose log cannot be read are left out.
    pub fn list(&self, states: &[String], types: &[String]) -> Result<Vec<ListedGroup>, ResponseError> {
        if self.is_loading() {
            return Err(ResponseError::CoordinatorLoadInProgress);
        }
        let passes = |filter: &[String], value: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
        };
        if !passes(types, CLASSIC) {
            return Ok(Vec::new());
        }
        let slots = self.loaded_shards().into_iter().flat_map(|shard| shard.all());
        Ok(slots
            .filter_map(|slot| {
                let group = slot.lock();
                let state = group.state().to_string();
                passes(states, &state).then(|| {
                    ListedGroup::default()
                        .with_group_id(GroupId(group.id.clone().into()))
                        .with_protocol_type(group.protocol_type.clone().unwrap_or_default().into())
                        .with_group_state(state.into())
                        .with_group_type(CLASSIC.into())
                })
            })
            .collect())
    }

    /// A group and its members; one that does not exist is dead.
    pub fn describe(&self, group_id: &str, api_version: i16) -> DescribedGroup {
        let described = match self.shard(group_id) {
            Ok(shard) => match shard.find(group_id) {
                Some(slot) => slot.lock().describe(),
                None => not_found(group_id, api_version),
            },
            Err(error) => DescribedGroup::default().with_error_code(error.code()),
        };
        described.with_group_id(GroupId(group_id.to_owned().into()))
    }

    /// Deletes a group without members, with its offsets.
    ///
    /// # Errors
    /// `GROUP_ID_NOT_FOUND`, `NON_EMPTY_GROUP`, or what went wrong in writing.
    pub async fn delete(&self, group_id: &str) -> Result<(), ResponseError> {
        let deleted = self.change(group_id, false, |slot, group, now| {
            group.validate_delete()?;
            let mut entries: Vec<OffsetsRecord> = group
                .committed_partitions()
                .iter()
                .map(|(topic, index)| records::offset_tombstone(&group.id, topic, *index))
                .collect();
            entries.push(records::group_tombstone(&group.id));
            let offset = slot
                .shard
                .append(&entries)
                .map_err(|error| coordinator_error(error.response_error()))?;
            group.kill(ResponseError::GroupIdNotFound, now);
            slot.shard.forget(group);
            Ok((Arc::clone(&slot.shard), offset))
        })?;
        let (shard, offset) = deleted.ok_or(ResponseError::GroupIdNotFound)??;
        shard.replicated(offset).await.map_err(coordinator_error)
    }
}

fn not_found(group_id: &str, api_version: i16) -> DescribedGroup {
    let dead = DescribedGroup::default().with_group_state(GroupState::Dead.to_string().into());
    if api_version >= 6 {
        dead.with_error_code(ResponseError::GroupIdNotFound.code())
            .with_error_message(Some(format!("Group {group_id} not found.").into()))
    } else {
        dead
    }
}

impl Group {
    /// Members are shown with what they subscribe to and were assigned only while the group is stable.
    fn describe(&self) -> DescribedGroup {
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
            .with_protocol_type(self.protocol_type.clone().unwrap_or_default().into())
            .with_protocol_data(protocol.to_owned().into())
            .with_members(members.collect())
    }
}
