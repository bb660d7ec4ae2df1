//! DeleteTopics, by name or by id (KIP-516).

use super::RequestContext;
use super::admin::{message, on_controller, text};
use crate::broker::controller::{Controller, Deletion, NamedTopic};
use crate::broker::error::Result;
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use std::sync::Arc;

/// Deletes topics.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    mut request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    // Before version 6 there are names only, in a list of their own.
    let by_name = std::mem::take(&mut request.topic_names).into_iter();
    let mut asked = std::mem::take(&mut request.topics);
    asked.extend(by_name.map(|name| DeleteTopicState::default().with_name(Some(name))));
    if !node.config.flag("delete.topic.enable") {
        return all_failed(&asked, deletion_disabled(ctx.api_version));
    }
    let request = if ctx.api_version >= 6 {
        request.with_topics(asked.clone())
    } else {
        let names = asked.iter().filter_map(|asked| asked.name.clone());
        request.with_topic_names(names.collect())
    };
    let local = |controller, _| delete_on(controller, &asked);
    on_controller(&node, &ctx, request, local, |error| all_failed(&asked, error)).await
}

/// Version 3 brought an error of its own.
fn deletion_disabled(version: i16) -> ResponseError {
    match version {
        3.. => ResponseError::TopicDeletionDisabled,
        _ => ResponseError::InvalidRequest,
    }
}

fn all_failed(asked: &[DeleteTopicState], error: ResponseError) -> DeleteTopicsResponse {
    let failed = asked.iter().map(|asked| {
        DeletableTopicResult::default()
            .with_name(asked.name.clone())
            .with_topic_id(asked.topic_id)
            .with_error_code(error.code())
    });
    DeleteTopicsResponse::default().with_responses(failed.collect())
}

async fn delete_on(controller: Arc<Controller>, asked: &[DeleteTopicState]) -> Result<DeleteTopicsResponse> {
    let named = asked.iter().map(|asked| NamedTopic {
        name: asked.name.as_ref().map(|name| name.0.to_string()),
        id: asked.topic_id,
    });
    let deleted = controller.delete_topics(named.collect()).await?;
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
