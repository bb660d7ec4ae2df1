//! ElectLeaders: preferred or unclean (KIP-460).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, message, text};
use crate::broker::controller::{Controller, ElectionType};
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse, TopicName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Elects leaders.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    let (version, timeout_ms) = (ctx.api_version, Some(request.timeout_ms));
    let local = |controller, request, wanted| elect_on(controller, version, request, wanted);
    controller.answer(&ctx, request, timeout_ms, local).await
}

async fn elect_on(
    controller: Arc<Controller>,
    version: i16,
    request: ElectLeadersRequest,
    wanted: Wanted,
) -> Result<ElectLeadersResponse> {
    let election = match request.election_type {
        0 => ElectionType::Preferred,
        1 => ElectionType::Unclean,
        _ => return Ok(request.refused(version, ResponseError::InvalidRequest)),
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
    for (topic, index, outcome) in controller.elect_leaders(election, named, wanted).await? {
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

impl Refuse for ElectLeadersRequest {
    fn refused(&self, version: i16, error: ResponseError) -> ElectLeadersResponse {
        if version >= 1 {
            return ElectLeadersResponse::default().with_error_code(error.code());
        }
        // Version 0 has no code for all of it: there each partition that was asked for gets it.
        let result = |index: &i32| {
            PartitionResult::default()
                .with_partition_id(*index)
                .with_error_code(error.code())
        };
        let results = self.topic_partitions.iter().flatten().map(|topic| {
            ReplicaElectionResult::default()
                .with_topic(topic.topic.clone())
                .with_partition_result(topic.partitions.iter().map(result).collect())
        });
        ElectLeadersResponse::default().with_replica_election_results(results.collect())
    }
}
