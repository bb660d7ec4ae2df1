//! FindCoordinator: which broker coordinates a group or a transactional id; several at once since version 4 (KIP-699).

use crate::broker::api::admin::create_topics;
use crate::broker::api::data::leaders::endpoint;
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::groups::OFFSETS_TOPIC;
use crate::broker::node::Node;
use crate::broker::transactions::TRANSACTIONS_TOPIC;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;
use std::sync::Arc;

/// `key_type` of groups.
const GROUP: i8 = 0;
/// `key_type` of transactions.
const TRANSACTION: i8 = 1;

/// A refusal and the text that goes with it.
type Refusal = (ResponseError, &'static str);

/// Answers from the metadata; the first question makes `__consumer_offsets` or `__transaction_state`.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    match request.key_type {
        GROUP => make_topic(&node, &ctx, OFFSETS_TOPIC).await,
        TRANSACTION => make_topic(&node, &ctx, TRANSACTIONS_TOPIC).await,
        _ => {}
    }
    if ctx.api_version < 4 {
        return old_answer(coordinator(&node, &ctx, request.key_type, &request.key));
    }
    let answers = request
        .coordinator_keys
        .iter()
        .map(|key| coordinator(&node, &ctx, request.key_type, key).with_key(key.clone()));
    FindCoordinatorResponse::default().with_coordinators(answers.collect())
}

/// Makes one of the topics that coordinators keep their state in, if it is not there yet.
pub async fn make_topic(node: &Arc<Node>, ctx: &RequestContext, name: &str) {
    if !node.metadata.load().topics.contains_key(name) {
        let topic = create_topics::internal_topic(&node.config, name);
        create_topics::create(node, ctx, vec![topic]).await;
    }
}

/// Before version 4 the answer is about one key and stands in the response itself.
fn old_answer(found: Coordinator) -> FindCoordinatorResponse {
    FindCoordinatorResponse::default()
        .with_error_code(found.error_code)
        .with_error_message(found.error_message)
        .with_node_id(found.node_id)
        .with_host(found.host)
        .with_port(found.port)
}

fn coordinator(node: &Node, ctx: &RequestContext, key_type: i8, key: &str) -> Coordinator {
    match locate(node, ctx.session.listener_name(), key_type, key) {
        Ok((id, host, port)) => Coordinator::default()
            .with_node_id(BrokerId(id))
            .with_host(text(host))
            .with_port(port),
        Err((error, why)) => Coordinator::default()
            .with_node_id(BrokerId(-1))
            .with_port(-1)
            .with_error_code(error.code())
            .with_error_message(Some(text(why))),
    }
}

fn locate(node: &Node, listener: &str, key_type: i8, key: &str) -> Result<(i32, String, i32), Refusal> {
    let (topic, index) = match key_type {
        GROUP => (OFFSETS_TOPIC, node.groups.partition_for(key)),
        TRANSACTION => (TRANSACTIONS_TOPIC, node.transactions.partition_for(key)),
        _ => {
            return Err((
                ResponseError::InvalidRequest,
                "This broker coordinates groups and transactions only.",
            ));
        }
    };
    let unavailable = (
        ResponseError::CoordinatorNotAvailable,
        "The coordinator is not available.",
    );
    let index = index.ok_or(unavailable)?;
    let image = node.metadata.load();
    let partition = image.partition(topic, index).ok_or(unavailable)?;
    let (host, port, _) = endpoint(node, partition.leader, listener).ok_or(unavailable)?;
    Ok((partition.leader, host, port))
}

impl Refuse for FindCoordinatorRequest {
    fn refused(&self, version: i16, error: ResponseError) -> FindCoordinatorResponse {
        let refused = |key: StrBytes| {
            Coordinator::default()
                .with_key(key)
                .with_node_id(BrokerId(-1))
                .with_port(-1)
                .with_error_code(error.code())
        };
        if version < 4 {
            return old_answer(refused(StrBytes::default()));
        }
        let refused = self.coordinator_keys.iter().cloned().map(refused);
        FindCoordinatorResponse::default().with_coordinators(refused.collect())
    }
}
