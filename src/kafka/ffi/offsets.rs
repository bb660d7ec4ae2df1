//! Offsets of partitions: asking for them, and deleting the records before them.

use super::client::{Ask, Client};
use super::native::{Owned, array, out_of_memory, partition_entries, partition_entry, partition_list};
use crate::kafka::errors::Answer;
use crate::kafka::types::{ListedOffset, OffsetSpec, TopicPartition};
use rdkafka::bindings as rd;
use rdkafka::bindings::rd_kafka_OffsetSpec_t as Spec;
use rdkafka::bindings::rd_kafka_admin_op_t as Op;

impl Client {
    /// The offset that `spec` names, of each partition.
    pub fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        spec: OffsetSpec,
        ask: Ask,
    ) -> Answer<Vec<(TopicPartition, Answer<ListedOffset>)>> {
        let wanted = match spec {
            OffsetSpec::Earliest => Spec::RD_KAFKA_OFFSET_SPEC_EARLIEST as i64,
            OffsetSpec::Latest => Spec::RD_KAFKA_OFFSET_SPEC_LATEST as i64,
            OffsetSpec::MaxTimestamp => Spec::RD_KAFKA_OFFSET_SPEC_MAX_TIMESTAMP as i64,
            OffsetSpec::Timestamp(milliseconds) => milliseconds,
        };
        let list = partition_list(partitions.iter().map(|partition| (partition, wanted)))?;
        let event = self.request(
            Op::RD_KAFKA_ADMIN_OP_LISTOFFSETS,
            ask,
            |client, options, queue| {
                // SAFETY: all of them are alive for the call, which copies the list.
                unsafe { rd::rd_kafka_ListOffsets(client, list.as_ptr(), options, queue) }
            },
        )?;
        let result = event.result(rd::rd_kafka_event_ListOffsets_result)?;
        // SAFETY: the result and its parts belong to the event, which is alive.
        unsafe {
            let mut found: Vec<_> = array(result, rd::rd_kafka_ListOffsets_result_infos)
                .iter()
                .map(|info| {
                    let entry = partition_entry(rd::rd_kafka_ListOffsetsResultInfo_topic_partition(*info));
                    let timestamp = rd::rd_kafka_ListOffsetsResultInfo_timestamp(*info);
                    let listed = ListedOffset {
                        offset: (entry.offset >= 0).then_some(entry.offset),
                        timestamp: (timestamp >= 0).then_some(timestamp),
                    };
                    (entry.partition, entry.outcome.map(|()| listed))
                })
                .collect();
            found.sort_by(|one, other| one.0.cmp(&other.0));
            Ok(found)
        }
    }

    /// Deletes each partition's records before an offset; -1 means all of them. Answers the new first offsets.
    pub fn delete_records(
        &self,
        before: &[(TopicPartition, i64)],
        ask: Ask,
    ) -> Answer<Vec<(TopicPartition, Answer<i64>)>> {
        let list = partition_list(before.iter().map(|(partition, offset)| (partition, *offset)))?;
        // SAFETY: the list is copied; the new object is ours.
        let native = unsafe {
            Owned::new(
                rd::rd_kafka_DeleteRecords_new(list.as_ptr()),
                rd::rd_kafka_DeleteRecords_destroy,
                out_of_memory,
            )?
        };
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_DELETERECORDS,
            ask,
            rd::rd_kafka_DeleteRecords,
            &[native],
        )?;
        let result = event.result(rd::rd_kafka_event_DeleteRecords_result)?;
        // SAFETY: the result and its list belong to the event, which is alive.
        let entries = unsafe { partition_entries(rd::rd_kafka_DeleteRecords_result_offsets(result)) };
        Ok(entries
            .into_iter()
            .map(|entry| (entry.partition, entry.outcome.map(|()| entry.offset)))
            .collect())
    }
}
