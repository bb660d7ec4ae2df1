//! DeleteTopics, by name or by id (KIP-516).

use super::RequestContext;
use super::admin::{on_controller, text};
use crate::broker::controller::Controller;
use crate::broker::metadata::MetadataImage;
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use std::collections::{HashMap, HashSet};
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
    if !node.config.flag("delete.topic.enable") {
        return all_failed(&asked, deletion_disabled(ctx.api_version));
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

/// Why a topic is not deleted.
type Refusal = (ResponseError, &'static str);

/// A topic as a request names it.
type Named<'a> = (Option<&'a str>, Uuid);

/// How often each topic is named, in the order of their first mention.
fn counted(asked: &[DeleteTopicState]) -> Vec<(&DeleteTopicState, usize)> {
    let mut places: HashMap<Named<'_>, usize> = HashMap::new();
    let mut counted: Vec<(&DeleteTopicState, usize)> = Vec::new();
    for state in asked {
        let named = (state.name.as_ref().map(|name| name.as_str()), state.topic_id);
        let place = *places.entry(named).or_insert(counted.len());
        match counted.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counted.push((state, 1)),
        }
    }
    counted
}

/// The topic that is meant, by its name or by its id but never by both, and named only once in the request.
fn resolve(image: &MetadataImage, asked: &DeleteTopicState, count: usize) -> Result<Uuid, Refusal> {
    match &asked.name {
        Some(_) if !asked.topic_id.is_nil() => Err((
            ResponseError::InvalidRequest,
            "You may not specify both topic name and topic id.",
        )),
        None if asked.topic_id.is_nil() => Err((
            ResponseError::InvalidRequest,
            "Neither topic name nor id were specified.",
        )),
        Some(_) if count > 1 => Err((ResponseError::InvalidRequest, "Duplicate topic name.")),
        None if count > 1 => Err((ResponseError::InvalidRequest, "Duplicate topic id.")),
        Some(name) => image.topics.get(name.as_str()).map(|topic| topic.id).ok_or((
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )),
        None if image.topic_by_id(asked.topic_id).is_some() => Ok(asked.topic_id),
        None => Err((
            ResponseError::UnknownTopicId,
            "This server does not host this topic ID.",
        )),
    }
}

fn delete_on(controller: &Controller, asked: &[DeleteTopicState]) -> DeleteTopicsResponse {
    let image = controller.image();
    let wanted = counted(asked).into_iter();
    let wanted: Vec<_> = wanted
        .map(|(asked, count)| (asked, resolve(&image, asked, count)))
        .collect();
    let by_id: HashSet<Uuid> = wanted
        .iter()
        .filter(|(asked, _)| asked.name.is_none())
        .filter_map(|(_, id)| id.ok())
        .collect();
    // A topic named by its name and by its id stays, and is answered once: under its name.
    let twice: HashSet<Uuid> = wanted
        .iter()
        .filter(|(asked, _)| asked.name.is_some())
        .filter_map(|(_, id)| id.ok())
        .filter(|id| by_id.contains(id))
        .collect();
    let ids = wanted.iter().filter_map(|(_, id)| id.ok());
    let ids: Vec<Uuid> = ids.filter(|id| !twice.contains(id)).collect();
    let mut deleted = controller.delete_topics(&ids).into_iter();
    let mut responses = Vec::with_capacity(wanted.len());
    for (asked, resolved) in wanted {
        let (id, outcome) = match resolved {
            Err(refusal) => (asked.topic_id, Err(refusal)),
            Ok(id) if twice.contains(&id) && asked.name.is_none() => continue,
            Ok(id) if twice.contains(&id) => (
                id,
                Err((
                    ResponseError::InvalidRequest,
                    "The provided topic name maps to an ID that was already supplied.",
                )),
            ),
            Ok(id) => {
                let outcome = deleted.next().unwrap_or(Err(ResponseError::UnknownServerError));
                (
                    id,
                    outcome.map_err(|error| (error, "The topic could not be deleted.")),
                )
            }
        };
        responses.push(answer(&image, asked, id, outcome));
    }
    DeleteTopicsResponse::default().with_responses(responses)
}

fn answer(
    image: &MetadataImage,
    asked: &DeleteTopicState,
    id: Uuid,
    outcome: Result<(), Refusal>,
) -> DeletableTopicResult {
    let result = DeletableTopicResult::default().with_topic_id(id);
    match outcome {
        Ok(()) => {
            let name = image.topic_names.get(&id).cloned();
            result.with_name(name.map(|name| TopicName(text(name))))
        }
        Err((error, message)) => result
            .with_name(asked.name.clone())
            .with_error_code(error.code())
            .with_error_message(Some(StrBytes::from_static_str(message))),
    }
}
