//! Topics, partitions, leaders, and the cluster itself.

use super::client::{Ask, Client};
use super::native::{
    Owned, Words, array, broker, broker_ids, c_string, check, check_error, optional_string, out_of_memory,
    partition_list, string,
};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{
    ClusterDescription, NewTopic, PartitionDescription, TopicDescription, TopicPartition,
};
use rdkafka::bindings as rd;
use rdkafka::bindings::rd_kafka_admin_op_t as Op;
use std::ffi::{CString, c_int};

impl Client {
    /// Creates topics, or with `validate_only` only checks whether it could.
    pub fn create_topics(&self, topics: &[NewTopic], ask: Ask) -> Answer<Vec<(String, Answer)>> {
        let natives = topics.iter().map(new_topic).collect::<Answer<Vec<_>>>()?;
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_CREATETOPICS,
            ask,
            rd::rd_kafka_CreateTopics,
            &natives,
        )?;
        let result = event.result(rd::rd_kafka_event_CreateTopics_result)?;
        // SAFETY: the result belongs to the event, which is alive.
        Ok(unsafe { topic_results(array(result, rd::rd_kafka_CreateTopics_result_topics)) })
    }

    /// Deletes topics.
    pub fn delete_topics(&self, names: &[String], ask: Ask) -> Answer<Vec<(String, Answer)>> {
        let natives = names
            .iter()
            .map(|name| {
                let name = c_string(name)?;
                // SAFETY: the name is copied; the new object is ours.
                unsafe {
                    Owned::new(
                        rd::rd_kafka_DeleteTopic_new(name.as_ptr()),
                        rd::rd_kafka_DeleteTopic_destroy,
                        out_of_memory,
                    )
                }
            })
            .collect::<Answer<Vec<_>>>()?;
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_DELETETOPICS,
            ask,
            rd::rd_kafka_DeleteTopics,
            &natives,
        )?;
        let result = event.result(rd::rd_kafka_event_DeleteTopics_result)?;
        // SAFETY: the result belongs to the event, which is alive.
        Ok(unsafe { topic_results(array(result, rd::rd_kafka_DeleteTopics_result_topics)) })
    }

    /// Raises a topic's number of partitions to `total`; `assignment` names the brokers of each new one.
    pub fn create_partitions(&self, topic: &str, total: i32, assignment: &[Vec<i32>], ask: Ask) -> Answer {
        let native = new_partitions(topic, total, assignment)?;
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
            ask,
            rd::rd_kafka_CreatePartitions,
            &[native],
        )?;
        let result = event.result(rd::rd_kafka_event_CreatePartitions_result)?;
        // SAFETY: the result belongs to the event, which is alive.
        let results = unsafe { topic_results(array(result, rd::rd_kafka_CreatePartitions_result_topics)) };
        results.into_iter().try_for_each(|(_, outcome)| outcome)
    }

    /// Describes topics by name.
    pub fn describe_topics(
        &self,
        names: &[String],
        ask: Ask,
    ) -> Answer<Vec<(String, Answer<TopicDescription>)>> {
        let names = names
            .iter()
            .map(|name| c_string(name))
            .collect::<Answer<Vec<CString>>>()?;
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: the names are copied; the new collection is ours.
        let collection = unsafe {
            Owned::new(
                rd::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()),
                rd::rd_kafka_TopicCollection_destroy,
                out_of_memory,
            )?
        };
        let event = self.request(
            Op::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
            ask,
            |client, options, queue| {
                // SAFETY: all of them are alive for the call, which copies the collection.
                unsafe { rd::rd_kafka_DescribeTopics(client, collection.as_ptr(), options, queue) }
            },
        )?;
        let result = event.result(rd::rd_kafka_event_DescribeTopics_result)?;
        // SAFETY: the result and its descriptions belong to the event, which is alive.
        unsafe {
            Ok(array(result, rd::rd_kafka_DescribeTopics_result_topics)
                .iter()
                .map(|topic| {
                    let name = string(rd::rd_kafka_TopicDescription_name(*topic));
                    let outcome = check_error(rd::rd_kafka_TopicDescription_error(*topic));
                    (name, outcome.map(|()| topic_description(*topic)))
                })
                .collect())
        }
    }

    /// Describes the cluster.
    pub fn describe_cluster(&self, ask: Ask) -> Answer<ClusterDescription> {
        let event = self.request(
            Op::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER,
            ask,
            |client, options, queue| {
                // SAFETY: all of them are alive for the call.
                unsafe { rd::rd_kafka_DescribeCluster(client, options, queue) }
            },
        )?;
        let result = event.result(rd::rd_kafka_event_DescribeCluster_result)?;
        // SAFETY: the result and its nodes belong to the event, which is alive.
        unsafe {
            let mut brokers: Vec<_> = array(result, rd::rd_kafka_DescribeCluster_result_nodes)
                .iter()
                .filter_map(|node| broker(*node))
                .collect();
            brokers.sort_by_key(|broker| broker.id);
            Ok(ClusterDescription {
                cluster_id: optional_string(rd::rd_kafka_DescribeCluster_result_cluster_id(result)),
                controller: broker(rd::rd_kafka_DescribeCluster_result_controller(result))
                    .map(|node| node.id)
                    .filter(|id| *id >= 0),
                brokers,
            })
        }
    }

    /// Elects leaders of these partitions: the preferred replica, or with `unclean` any replica when none is in sync.
    pub fn elect_leaders(
        &self,
        partitions: &[TopicPartition],
        unclean: bool,
        ask: Ask,
    ) -> Answer<Vec<(TopicPartition, Answer)>> {
        let list = partition_list(partitions.iter().map(|partition| (partition, 0)))?;
        let kind = if unclean {
            rd::rd_kafka_ElectionType_t::RD_KAFKA_ELECTION_TYPE_UNCLEAN
        } else {
            rd::rd_kafka_ElectionType_t::RD_KAFKA_ELECTION_TYPE_PREFERRED
        };
        // SAFETY: the list is copied; the new request is ours.
        let election = unsafe {
            Owned::new(
                rd::rd_kafka_ElectLeaders_new(kind, list.as_ptr()),
                rd::rd_kafka_ElectLeaders_destroy,
                out_of_memory,
            )?
        };
        let event = self.request(
            Op::RD_KAFKA_ADMIN_OP_ELECTLEADERS,
            ask,
            |client, options, queue| {
                // SAFETY: all of them are alive for the call, which copies the request.
                unsafe { rd::rd_kafka_ElectLeaders(client, election.as_ptr(), options, queue) }
            },
        )?;
        let result = event.result(rd::rd_kafka_event_ElectLeaders_result)?;
        // SAFETY: the result and its parts belong to the event, which is alive.
        unsafe {
            Ok(array(result, rd::rd_kafka_ElectLeaders_result_partitions)
                .iter()
                .map(|one| {
                    let entry = rd::rd_kafka_topic_partition_result_partition(*one);
                    (
                        TopicPartition::new(string((*entry).topic), (*entry).partition),
                        check_error(rd::rd_kafka_topic_partition_result_error(*one)),
                    )
                })
                .collect())
        }
    }
}

fn new_topic(topic: &NewTopic) -> Answer<Owned<rd::rd_kafka_NewTopic_t>> {
    let mut words = Words::new();
    let name = c_string(&topic.name)?;
    let assigned = c_int::try_from(topic.assignment.len()).unwrap_or(c_int::MAX);
    let (partitions, factor) = if topic.assignment.is_empty() {
        (
            topic.partitions.unwrap_or(-1),
            topic.replication_factor.unwrap_or(-1),
        )
    } else {
        (assigned, -1)
    };
    // SAFETY: the name is copied; the new object is ours.
    let native = unsafe {
        let object =
            rd::rd_kafka_NewTopic_new(name.as_ptr(), partitions, factor, words.as_mut_ptr(), words.len());
        Owned::new(object, rd::rd_kafka_NewTopic_destroy, || {
            words.error(ErrorCode::InvalidArgument)
        })?
    };
    for (partition, brokers) in (0..).zip(&topic.assignment) {
        let mut brokers = brokers.clone();
        // SAFETY: the object is alive and copies the ids.
        let code = unsafe {
            rd::rd_kafka_NewTopic_set_replica_assignment(
                native.as_ptr(),
                partition,
                brokers.as_mut_ptr(),
                brokers.len(),
                words.as_mut_ptr(),
                words.len(),
            )
        };
        if code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(words.error(code.into()));
        }
    }
    for (name, value) in &topic.configs {
        let (name, value) = (c_string(name)?, c_string(value)?);
        // SAFETY: the object is alive and copies the strings.
        unsafe {
            let code = rd::rd_kafka_NewTopic_set_config(native.as_ptr(), name.as_ptr(), value.as_ptr());
            check(code, std::ptr::null())?;
        }
    }
    Ok(native)
}

fn new_partitions(
    topic: &str,
    total: i32,
    assignment: &[Vec<i32>],
) -> Answer<Owned<rd::rd_kafka_NewPartitions_t>> {
    let mut words = Words::new();
    let name = c_string(topic)?;
    let total = usize::try_from(total)
        .map_err(|_| KafkaError::new(ErrorCode::InvalidPartitions, "a topic has at least one partition"))?;
    // SAFETY: the name is copied; the new object is ours.
    let native = unsafe {
        let object = rd::rd_kafka_NewPartitions_new(name.as_ptr(), total, words.as_mut_ptr(), words.len());
        Owned::new(object, rd::rd_kafka_NewPartitions_destroy, || {
            words.error(ErrorCode::InvalidArgument)
        })?
    };
    for (index, brokers) in (0..).zip(assignment) {
        let mut brokers = brokers.clone();
        // SAFETY: the object is alive and copies the ids.
        let code = unsafe {
            rd::rd_kafka_NewPartitions_set_replica_assignment(
                native.as_ptr(),
                index,
                brokers.as_mut_ptr(),
                brokers.len(),
                words.as_mut_ptr(),
                words.len(),
            )
        };
        if code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(words.error(code.into()));
        }
    }
    Ok(native)
}

/// # Safety
/// Every result is alive.
unsafe fn topic_results(results: &[*const rd::rd_kafka_topic_result_t]) -> Vec<(String, Answer)> {
    results
        .iter()
        .map(|result| {
            // SAFETY: the result is alive, as are its strings.
            unsafe {
                (
                    string(rd::rd_kafka_topic_result_name(*result)),
                    check(
                        rd::rd_kafka_topic_result_error(*result),
                        rd::rd_kafka_topic_result_error_string(*result),
                    ),
                )
            }
        })
        .collect()
}

/// # Safety
/// The description is alive.
unsafe fn topic_description(topic: *const rd::rd_kafka_TopicDescription_t) -> TopicDescription {
    // SAFETY: the description is alive, and so is all that it points to.
    unsafe {
        let mut partitions: Vec<_> = array(topic, rd::rd_kafka_TopicDescription_partitions)
            .iter()
            .map(|partition| PartitionDescription {
                partition: rd::rd_kafka_TopicPartitionInfo_partition(*partition),
                leader: broker(rd::rd_kafka_TopicPartitionInfo_leader(*partition))
                    .map(|node| node.id)
                    .filter(|id| *id >= 0),
                replicas: broker_ids(array(*partition, rd::rd_kafka_TopicPartitionInfo_replicas)),
                isr: broker_ids(array(*partition, rd::rd_kafka_TopicPartitionInfo_isr)),
            })
            .collect();
        partitions.sort_by_key(|partition| partition.partition);
        TopicDescription {
            name: string(rd::rd_kafka_TopicDescription_name(topic)),
            id: as_kafka_writes(&string(rd::rd_kafka_Uuid_base64str(
                rd::rd_kafka_TopicDescription_topic_id(topic),
            ))),
            internal: rd::rd_kafka_TopicDescription_is_internal(topic) != 0,
            partitions,
        }
    }
}

/// Kafka writes ids in the URL alphabet of base64, librdkafka in the standard one.
fn as_kafka_writes(id: &str) -> String {
    id.replace('+', "-").replace('/', "_")
}
