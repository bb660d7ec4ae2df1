//! ListGroups, DescribeGroups and DeleteGroups.

use super::coordinator::GroupCoordinator;
use super::group::{Group, GroupState};
use super::machine::GroupStep;
use super::records;
use crate::broker::records::offsets::OffsetsRecord;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::GroupId;
use kafka_protocol::messages::describe_groups_response::DescribedGroup;
use kafka_protocol::messages::list_groups_response::ListedGroup;

/// What groups of this protocol are called in a list (KIP-848).
const CLASSIC: &str = "classic";
/// The state of a group that does not exist.
const DEAD: &str = "Dead";

impl GroupCoordinator {
    /// The groups coordinated here, of these states and types; empty filters let all pass.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while some are not known yet. Partitions whose log cannot be read are left out.
    pub fn list(&self, states: &[String], types: &[String]) -> Result<Vec<ListedGroup>, ResponseError> {
        let passes = |filter: &[String], value: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
        };
        let shards = self.look_at_all(|groups, beside| {
            let all = groups.ids(beside).into_iter();
            let all = all.filter_map(|id| groups.group(beside, &id));
            all.filter(|group| passes(states, &group.state().to_string()))
                .map(listed)
                .collect::<Vec<_>>()
        })?;
        if !passes(types, CLASSIC) {
            return Ok(Vec::new());
        }
        Ok(shards.into_iter().flatten().collect())
    }

    /// A group and its members; one that does not exist is dead.
    pub fn describe(&self, group_id: &str, api_version: i16) -> DescribedGroup {
        let described = match self.look(group_id, |groups, beside| groups.group(beside, group_id)) {
            Ok(Some(group)) => group.describe(),
            Ok(None) => not_found(group_id, api_version),
            Err(error) => DescribedGroup::default().with_error_code(error.code()),
        };
        described.with_group_id(GroupId(group_id.to_owned().into()))
    }

    /// Deletes a group without members, with its offsets.
    ///
    /// # Errors
    /// `GROUP_ID_NOT_FOUND`, `NON_EMPTY_GROUP`, or what went wrong in writing.
    pub async fn delete(&self, group_id: &str) -> Result<(), ResponseError> {
        self.ask(group_id, |groups, beside, _| {
            groups.check_protocol(group_id)?;
            let group = groups.group(beside, group_id);
            let group = group.ok_or(ResponseError::GroupIdNotFound)?;
            if group.state() != GroupState::Empty {
                return Err(ResponseError::NonEmptyGroup);
            }
            let partitions = groups.offsets().partitions_of(group_id);
            let offsets = partitions.iter();
            let offsets = offsets.map(|(topic, index)| records::offset_tombstone(group_id, topic, *index));
            let mut tombstones: Vec<OffsetsRecord> = offsets.collect();
            tombstones.push(records::group_tombstone(group_id));
            Ok(GroupStep::write(tombstones, ()).settling(move |_, beside| beside.remove(group.id())))
        })
        .await
    }
}

fn listed(group: Group) -> ListedGroup {
    ListedGroup::default()
        .with_protocol_type(group.protocol_type().to_owned().into())
        .with_group_state(group.state().to_string().into())
        .with_group_type(CLASSIC.into())
        .with_group_id(GroupId(group.id().to_owned().into()))
}

fn not_found(group_id: &str, api_version: i16) -> DescribedGroup {
    let dead = DescribedGroup::default().with_group_state(DEAD.into());
    if api_version >= 6 {
        dead.with_error_code(ResponseError::GroupIdNotFound.code())
            .with_error_message(Some(format!("Group {group_id} not found.").into()))
    } else {
        dead
    }
}
