//! DeleteTopics, by name or by id (KIP-516).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::parts::Config;
use crate::broker::api::{Refuse, RequestContext, message, text};
use crate::broker::controller::{Controller, Deletion, NamedTopic};
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use std::sync::Arc;

/// Deletes topics.
pub async fn handle(
    (controller, config): (OnController, Config),
    ctx: RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    if !config.flag("delete.topic.enable") {
        return request.refused(ctx.api_version, deletion_disabled(ctx.api_version));
    }
    let timeout_ms = Some(request.timeout_ms);
    controller.answer(&ctx, request, timeout_ms, delete_on).await
}

/// What is to be deleted. Before version 6 there are names only, in a list of their own.
fn asked(request: &DeleteTopicsRequest) -> Vec<DeleteTopicState> {
    let by_name = request.topic_names.iter().cloned();
    let by_name = by_name.map(|name| DeleteTopicState::default().with_name(Some(name)));
    request.topics.iter().cloned().chain(by_name).collect()
}

/// Version 3 brought an error of its own.
fn deletion_disabled(version: i16) -> ResponseError {
    match version {
        3.. => ResponseError::TopicDeletionDisabled,
        _ => ResponseError::InvalidRequest,
    }
}

async fn delete_on(
    controller: Arc<Controller>,
    request: DeleteTopicsRequest,
    wanted: Wanted,
) -> Result<DeleteTopicsResponse> {
    let named = asked(&request).into_iter().map(|asked| NamedTopic {
        name: asked.name.as_ref().map(|name| name.0.to_string()),
        id: asked.topic_id,
    });
    let deleted = controller.delete_topics(named.collect(), wanted).await?;
    let responses = deleted.into_iter().map(|Deletion { name, id, outcome }| {
        let result = DeletableTopicResult::default()
            .with_topic_id(id)
            .with_name(name.map(|name| TopicName(text(name))));
        match outcome {
            Ok(()) => result,
            Err(refusal) => result
                .with_error_code(refusal.error.code())
                .with_error_message(message(refusal.message)),
        }
    });
    Ok(DeleteTopicsResponse::default().with_responses(responses.collect()))
}

impl Refuse for DeleteTopicsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DeleteTopicsResponse {
        let failed = asked(self).into_iter().map(|asked| {
            DeletableTopicResult::default()
                .with_name(asked.name)
                .with_topic_id(asked.topic_id)
                .with_error_code(error.code())
        });
        DeleteTopicsResponse::default().with_responses(failed.collect())
    }
}
