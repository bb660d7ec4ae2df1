//! ElectLeaders: preferred or unclean (KIP-460).

use super::RequestContext;
use super::admin::{message, on_controller, text};
use crate::broker::controller::{Controller, ElectionType};
use crate::broker::error::Result;
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse, TopicName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Elects leaders.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    let version = ctx.api_version;
    let asked = request.clone();
    let local = |controller, request| elect_on(controller, version, request);
    on_controller(&node, &ctx, request, local, |error| {
        failed(version, &asked, error)
    })
    .await
}

/// Version 0 has no code for all of it: there each partition that was asked for gets it.
fn failed(version: i16, asked: &ElectLeadersRequest, error: ResponseError) -> ElectLeadersResponse {
    if version >= 1 {
        return ElectLeadersResponse::default().with_error_code(error.code());
    }
    let result = |index: &i32| {
        PartitionResult::default()
            .with_partition_id(*index)
            .with_error_code(error.code())
    };
    let results = asked.topic_partitions.iter().flatten().map(|topic| {
        ReplicaElectionResult::default()
            .with_topic(topic.topic.clone())
            .with_partition_result(topic.partitions.iter().map(result).collect())
    });
    ElectLeadersResponse::default().with_replica_election_results(results.collect())
}

async fn elect_on(
    controller: Arc<Controller>,
    version: i16,
    request: ElectLeadersRequest,
) -> Result<ElectLeadersResponse> {
    let election = match request.election_type {
        0 => ElectionType::Preferred,
        1 => ElectionType::Unclean,
        _ => return Ok(failed(version, &request, ResponseError::InvalidRequest)),
    };
    let named: Option<Vec<(String, i32)>> = request.topic_partitions.as_ref().map(|topics| {
        let topics = topics.iter();
        topics
            .flat_map(|topic| {
                topic
                    .partitions
                    .iter()
                    .map(|index| (topic.topic.to_string(), *index))
            })
            .collect()
    });
    let mut results: BTreeMap<String, Vec<PartitionResult>> = BTreeMap::new();
    for (topic, index, outcome) in controller.elect_leaders(election, named).await? {
        let result = PartitionResult::default().with_partition_id(index);
        let result = match outcome {
            Ok(()) => result,
            // Version 0 has no code for an election that is not needed; it is no failure there.
            Err(error) if version == 0 && error.error == ResponseError::ElectionNotNeeded => result,
            Err(error) => result
                .with_error_code(error.error.code())
                .with_error_message(message(error.message)),
        };
        results.entry(topic).or_default().push(result);
    }
    let results = results.into_iter().map(|(topic, partitions)| {
        ReplicaElectionResult::default()
            .with_topic(TopicName(text(topic)))
            .with_partition_result(partitions)
    });
    Ok(ElectLeadersResponse::default().with_replica_election_results(results.collect()))
}
