//! CreatePartitions (KIP-195).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, message};
use crate::broker::controller::{ApiError, Controller, MorePartitions};
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};
use std::sync::Arc;

/// Adds partitions to topics.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let timeout_ms = Some(request.timeout_ms);
    controller.answer(&ctx, request, timeout_ms, create_on).await
}

async fn create_on(
    controller: Arc<Controller>,
    request: CreatePartitionsRequest,
    wanted: Wanted,
) -> Result<CreatePartitionsResponse> {
    let named = |topic: &CreatePartitionsTopic| {
        let same = request.topics.iter().filter(|other| other.name == topic.name);
        same.count()
    };
    let single: Vec<MorePartitions> = request
        .topics
        .iter()
        .filter(|topic| named(topic) == 1)
        .map(more)
        .collect();
    let mut outcomes = controller
        .create_partitions(single, request.validate_only, wanted)
        .await?
        .into_iter();
    let results = request.topics.iter().map(|topic| {
        let outcome = if named(topic) == 1 {
            outcomes.next()
        } else {
            Some(Err(ApiError::new(
                ResponseError::InvalidRequest,
                "Duplicate topic name.",
            )))
        };
        let result = CreatePartitionsTopicResult::default().with_name(topic.name.clone());
        match outcome {
            Some(Ok(())) => result,
            Some(Err(error)) => result
                .with_error_code(error.error.code())
                .with_error_message(message(error.message)),
            None => result.with_error_code(ResponseError::UnknownServerError.code()),
        }
    });
    Ok(CreatePartitionsResponse::default().with_results(results.collect()))
}

fn more(topic: &CreatePartitionsTopic) -> MorePartitions {
    let brokers = |assignments: &Vec<
        kafka_protocol::messages::create_partitions_request::CreatePartitionsAssignment,
    >| {
        let each = assignments.iter();
        each.map(|one| one.broker_ids.iter().map(|id| id.0).collect())
            .collect()
    };
    MorePartitions {
        name: topic.name.to_string(),
        count: topic.count,
        assignments: topic.assignments.as_ref().map(brokers),
    }
}

impl Refuse for CreatePartitionsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> CreatePartitionsResponse {
        let results = self.topics.iter().map(|topic| {
            CreatePartitionsTopicResult::default()
                .with_name(topic.name.clone())
                .with_error_code(error.code())
        });
        CreatePartitionsResponse::default().with_results(results.collect())
    }
}
