//! Consumer groups, their members and their committed offsets.

use super::client::{Ask, Client};
use super::native::{
    Owned, PartitionList, array, broker, c_string, check_error, optional_string, out_of_memory,
    partition_entries, partition_list, string,
};
use crate::kafka::errors::{Answer, KafkaError};
use crate::kafka::types::{
    CommittedOffset, GroupDescription, GroupListing, GroupState, GroupType, MemberDescription, TopicPartition,
};
use rdkafka::bindings as rd;
use rdkafka::bindings::rd_kafka_admin_op_t as Op;
use rdkafka::bindings::rd_kafka_consumer_group_state_t as State;
use rdkafka::bindings::rd_kafka_consumer_group_type_t as Type;
use std::ffi::{CString, c_char};

impl Client {
    /// All groups of all brokers, and what went wrong with single brokers.
    pub fn list_groups(&self, ask: Ask) -> Answer<(Vec<GroupListing>, Vec<KafkaError>)> {
        let event = self.request(
            Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS,
            ask,
            |client, options, queue| {
                // SAFETY: all of them are alive for the call.
                unsafe { rd::rd_kafka_ListConsumerGroups(client, options, queue) }
            },
        )?;
        let result = event.result(rd::rd_kafka_event_ListConsumerGroups_result)?;
        // SAFETY: the result and its parts belong to the event, which is alive.
        unsafe {
            let mut groups: Vec<_> = array(result, rd::rd_kafka_ListConsumerGroups_result_valid)
                .iter()
                .map(|group| GroupListing {
                    group_id: string(rd::rd_kafka_ConsumerGroupListing_group_id(*group)),
                    state: state(rd::rd_kafka_ConsumerGroupListing_state(*group)),
                    group_type: group_type(rd::rd_kafka_ConsumerGroupListing_type(*group)),
                })
                .collect();
            groups.sort_by(|one, other| one.group_id.cmp(&other.group_id));
            let errors = array(result, rd::rd_kafka_ListConsumerGroups_result_errors)
                .iter()
                .filter_map(|error| check_error(*error).err())
                .collect();
            Ok((groups, errors))
        }
    }

    /// Describes groups by id.
    pub fn describe_groups(
        &self,
        groups: &[String],
        ask: Ask,
    ) -> Answer<Vec<(String, Answer<GroupDescription>)>> {
        let names = groups
            .iter()
            .map(|name| c_string(name))
            .collect::<Answer<Vec<CString>>>()?;
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let event = self.request(
            Op::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
            ask,
            |client, options, queue| {
                // SAFETY: all of them are alive for the call, which copies the names.
                unsafe {
                    rd::rd_kafka_DescribeConsumerGroups(
                        client,
                        pointers.as_mut_ptr(),
                        pointers.len(),
                        options,
                        queue,
                    );
                }
            },
        )?;
        let result = event.result(rd::rd_kafka_event_DescribeConsumerGroups_result)?;
        // SAFETY: the result and its descriptions belong to the event, which is alive.
        unsafe {
            Ok(array(result, rd::rd_kafka_DescribeConsumerGroups_result_groups)
                .iter()
                .map(|group| {
                    let name = string(rd::rd_kafka_ConsumerGroupDescription_group_id(*group));
                    let outcome = check_error(rd::rd_kafka_ConsumerGroupDescription_error(*group));
                    (name, outcome.map(|()| group_description(*group)))
                })
                .collect())
        }
    }

    /// Deletes groups, which must have no members.
    pub fn delete_groups(&self, groups: &[String], ask: Ask) -> Answer<Vec<(String, Answer)>> {
        let natives = groups
            .iter()
            .map(|name| {
                let name = c_string(name)?;
                // SAFETY: the name is copied; the new object is ours.
                unsafe {
                    Owned::new(
                        rd::rd_kafka_DeleteGroup_new(name.as_ptr()),
                        rd::rd_kafka_DeleteGroup_destroy,
                        out_of_memory,
                    )
                }
            })
            .collect::<Answer<Vec<_>>>()?;
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_DELETEGROUPS,
            ask,
            rd::rd_kafka_DeleteGroups,
            &natives,
        )?;
        let result = event.result(rd::rd_kafka_event_DeleteGroups_result)?;
        // SAFETY: the result and its parts belong to the event, which is alive.
        unsafe {
            Ok(array(result, rd::rd_kafka_DeleteGroups_result_groups)
                .iter()
                .map(|group| {
                    (
                        string(rd::rd_kafka_group_result_name(*group)),
                        check_error(rd::rd_kafka_group_result_error(*group)),
                    )
                })
                .collect())
        }
    }

    /// A group's committed offsets: of all partitions it has committed, or of those asked for.
    pub fn list_group_offsets(
        &self,
        group: &str,
        partitions: Option<&[TopicPartition]>,
        ask: Ask,
    ) -> Answer<Vec<(TopicPartition, Answer<Option<CommittedOffset>>)>> {
        let name = c_string(group)?;
        let list = partitions
            .map(|partitions| partition_list(partitions.iter().map(|partition| (partition, -1))))
            .transpose()?;
        let pointer = list.as_ref().map_or(std::ptr::null_mut(), PartitionList::as_ptr);
        // SAFETY: name and list are copied; the new object is ours.
        let native = unsafe {
            Owned::new(
                rd::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), pointer),
                rd::rd_kafka_ListConsumerGroupOffsets_destroy,
                out_of_memory,
            )?
        };
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
            ask,
            rd::rd_kafka_ListConsumerGroupOffsets,
            &[native],
        )?;
        let result = event.result(rd::rd_kafka_event_ListConsumerGroupOffsets_result)?;
        // SAFETY: the result and its parts belong to the event, which is alive.
        let entries =
            unsafe { group_partitions(array(result, rd::rd_kafka_ListConsumerGroupOffsets_result_groups))? };
        Ok(entries
            .into_iter()
            .map(|entry| {
                let committed = (entry.offset >= 0).then_some(CommittedOffset {
                    offset: entry.offset,
                    leader_epoch: entry.leader_epoch,
                });
                (entry.partition, entry.outcome.map(|()| committed))
            })
            .collect())
    }

    /// Sets a group's committed offsets; the group must have no members that commit for themselves.
    pub fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &[(TopicPartition, i64)],
        ask: Ask,
    ) -> Answer<Vec<(TopicPartition, Answer)>> {
        let name = c_string(group)?;
        let list = partition_list(offsets.iter().map(|(partition, offset)| (partition, *offset)))?;
        // SAFETY: name and list are copied; the new object is ours.
        let native = unsafe {
            Owned::new(
                rd::rd_kafka_AlterConsumerGroupOffsets_new(name.as_ptr(), list.as_ptr()),
                rd::rd_kafka_AlterConsumerGroupOffsets_destroy,
                out_of_memory,
            )?
        };
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
            ask,
            rd::rd_kafka_AlterConsumerGroupOffsets,
            &[native],
        )?;
        let result = event.result(rd::rd_kafka_event_AlterConsumerGroupOffsets_result)?;
        // SAFETY: the result and its parts belong to the event, which is alive.
        let entries = unsafe {
            group_partitions(array(
                result,
                rd::rd_kafka_AlterConsumerGroupOffsets_result_groups,
            ))?
        };
        Ok(entries
            .into_iter()
            .map(|entry| (entry.partition, entry.outcome))
            .collect())
    }

    /// Forgets a group's committed offsets of these partitions.
    pub fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
        ask: Ask,
    ) -> Answer<Vec<(TopicPartition, Answer)>> {
        let name = c_string(group)?;
        let list = partition_list(partitions.iter().map(|partition| (partition, 0)))?;
        // SAFETY: name and list are copied; the new object is ours.
        let native = unsafe {
            Owned::new(
                rd::rd_kafka_DeleteConsumerGroupOffsets_new(name.as_ptr(), list.as_ptr()),
                rd::rd_kafka_DeleteConsumerGroupOffsets_destroy,
                out_of_memory,
            )?
        };
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
            ask,
            rd::rd_kafka_DeleteConsumerGroupOffsets,
            &[native],
        )?;
        let result = event.result(rd::rd_kafka_event_DeleteConsumerGroupOffsets_result)?;
        // SAFETY: the result and its parts belong to the event, which is alive.
        let entries = unsafe {
            group_partitions(array(
                result,
                rd::rd_kafka_DeleteConsumerGroupOffsets_result_groups,
            ))?
        };
        Ok(entries
            .into_iter()
            .map(|entry| (entry.partition, entry.outcome))
            .collect())
    }
}

/// # Safety
/// Every result is alive.
unsafe fn group_partitions(
    groups: &[*const rd::rd_kafka_group_result_t],
) -> Answer<Vec<super::native::PartitionEntry>> {
    let mut entries = Vec::new();
    for group in groups {
        // SAFETY: the result is alive, as are its error and its list.
        unsafe {
            check_error(rd::rd_kafka_group_result_error(*group))?;
            entries.extend(partition_entries(rd::rd_kafka_group_result_partitions(*group)));
        }
    }
    entries.sort_by(|one, other| one.partition.cmp(&other.partition));
    Ok(entries)
}

/// # Safety
/// The description is alive.
unsafe fn group_description(group: *const rd::rd_kafka_ConsumerGroupDescription_t) -> GroupDescription {
    // SAFETY: the description is alive, and so is all that it points to; members are asked for below their count.
    unsafe {
        let count = rd::rd_kafka_ConsumerGroupDescription_member_count(group);
        let mut members: Vec<_> = (0..count)
            .map(|index| member(rd::rd_kafka_ConsumerGroupDescription_member(group, index)))
            .collect();
        members.sort_by(|one, other| one.member_id.cmp(&other.member_id));
        GroupDescription {
            group_id: string(rd::rd_kafka_ConsumerGroupDescription_group_id(group)),
            state: state(rd::rd_kafka_ConsumerGroupDescription_state(group)),
            group_type: group_type(rd::rd_kafka_ConsumerGroupDescription_type(group)),
            assignor: string(rd::rd_kafka_ConsumerGroupDescription_partition_assignor(group)),
            coordinator: broker(rd::rd_kafka_ConsumerGroupDescription_coordinator(group)),
            members,
        }
    }
}

/// # Safety
/// The member is alive.
unsafe fn member(member: *const rd::rd_kafka_MemberDescription_t) -> MemberDescription {
    // SAFETY: the member is alive, and so is all that it points to; a member may have no assignment.
    unsafe {
        let assignment = assigned(rd::rd_kafka_MemberDescription_assignment(member));
        let target = rd::rd_kafka_MemberDescription_target_assignment(member);
        MemberDescription {
            member_id: string(rd::rd_kafka_MemberDescription_consumer_id(member)),
            client_id: string(rd::rd_kafka_MemberDescription_client_id(member)),
            instance_id: optional_string(rd::rd_kafka_MemberDescription_group_instance_id(member))
                .filter(|id| !id.is_empty()),
            host: string(rd::rd_kafka_MemberDescription_host(member)),
            assignment,
            target: (!target.is_null()).then(|| assigned(target)),
        }
    }
}

/// # Safety
/// The assignment is alive, or null.
unsafe fn assigned(assignment: *const rd::rd_kafka_MemberAssignment_t) -> Vec<TopicPartition> {
    // SAFETY: the assignment is alive, as is its list; a null list has no entries.
    unsafe {
        let partitions = if assignment.is_null() {
            std::ptr::null()
        } else {
            rd::rd_kafka_MemberAssignment_partitions(assignment)
        };
        let entries = partition_entries(partitions).into_iter();
        let mut assignment: Vec<TopicPartition> = entries.map(|entry| entry.partition).collect();
        assignment.sort();
        assignment
    }
}

fn state(native: State) -> GroupState {
    match native {
        State::RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE => GroupState::PreparingRebalance,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE => GroupState::CompletingRebalance,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_STABLE => GroupState::Stable,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_DEAD => GroupState::Dead,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY => GroupState::Empty,
        _ => GroupState::Unknown,
    }
}

fn group_type(native: Type) -> GroupType {
    match native {
        Type::RD_KAFKA_CONSUMER_GROUP_TYPE_CONSUMER => GroupType::Consumer,
        Type::RD_KAFKA_CONSUMER_GROUP_TYPE_CLASSIC => GroupType::Classic,
        _ => GroupType::Unknown,
    }
}
