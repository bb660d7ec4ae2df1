//! DeleteTopics, by name or by id (KIP-516).

use super::RequestContext;
use super::admin::{on_controller, text};
use crate::broker::controller::Controller;
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use std::sync::Arc;
use uuid::Uuid;

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
    let error = if node.config.flag("delete.topic.enable") {
        None
    } else {
        Some(ResponseError::TopicDeletionDisabled)
    };
    if let Some(error) = error {
        return all_failed(&asked, error);
    }
    let request = if ctx.api_version >= 6 {
        request.with_topics(asked.clone())
    } else {
        let names = asked.iter().filter_map(|asked| asked.name.clone());
        request.with_topic_names(names.collect())
    };
    let local = {
        let asked = asked.clone();
        move |controller: &Controller, _| delete_on(controller, &asked)
    };
    on_controller(&node, &ctx, request, local, |error| all_failed(&asked, error)).await
}

fn result(asked: &DeleteTopicState) -> DeletableTopicResult {
    DeletableTopicResult::default()
        .with_name(asked.name.clone())
        .with_topic_id(asked.topic_id)
}

fn all_failed(asked: &[DeleteTopicState], error: ResponseError) -> DeleteTopicsResponse {
    let failed = asked
        .iter()
        .map(|asked| result(asked).with_error_code(error.code()));
    DeleteTopicsResponse::default().with_responses(failed.collect())
}

fn delete_on(controller: &Controller, asked: &[DeleteTopicState]) -> DeleteTopicsResponse {
    let image = controller.image();
    let resolve = |asked: &DeleteTopicState| match &asked.name {
        Some(_) if !asked.topic_id.is_nil() => Err((
            ResponseError::InvalidRequest,
            "You may not specify both topic name and topic id.",
        )),
        Some(name) => image.topics.get(name.as_str()).map(|topic| topic.id).ok_or((
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )),
        None if image.topic_by_id(asked.topic_id).is_some() => Ok(asked.topic_id),
        None => Err((
            ResponseError::UnknownTopicId,
            "This server does not host this topic ID.",
        )),
    };
    let resolved: Vec<Result<Uuid, (ResponseError, &'static str)>> = asked.iter().map(resolve).collect();
    let ids: Vec<Uuid> = resolved.iter().filter_map(|id| id.ok()).collect();
    let mut deleted = controller.delete_topics(&ids).into_iter();
    let responses = asked.iter().zip(resolved).map(|(asked, resolved)| {
        let refused = |error: ResponseError, message: &'static str| {
            result(asked)
                .with_error_code(error.code())
                .with_error_message(Some(StrBytes::from_static_str(message)))
        };
        let id = match resolved {
            Ok(id) => id,
            Err((error, message)) => return refused(error, message),
        };
        match deleted.next().unwrap_or(Err(ResponseError::UnknownServerError)) {
            Ok(()) => {
                let name = image.topic_names.get(&id).cloned();
                result(asked)
                    .with_topic_id(id)
                    .with_name(name.map(|name| TopicName(text(name))))
            }
            Err(error) => refused(error, "The topic is named more than once."),
        }
    });
    DeleteTopicsResponse::default().with_responses(responses.collect())
}
