//! FindCoordinator: which broker coordinates a group or a transactional id; several at once since version 4 (KIP-699).

use crate::broker::api::admin::create_topics::TopicMaker;
use crate::broker::api::parts::{Groups, Transactions};
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::groups::OFFSETS_TOPIC;
use crate::broker::replication::Partitions;
use crate::broker::transactions::TRANSACTIONS_TOPIC;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

/// `key_type` of groups.
const GROUP: i8 = 0;
/// `key_type` of transactions.
const TRANSACTION: i8 = 1;

/// A refusal and the text that goes with it.
type Refusal = (ResponseError, &'static str);

/// Finds the coordinators for who came by a listener.
struct Finder<'a> {
    groups: Groups,
    transactions: Transactions,
    partitions: Partitions,
    listener: &'a str,
}

/// Answers from the metadata; the first question makes `__consumer_offsets` or `__transaction_state`.
pub async fn handle(
    (topics, groups, transactions, partitions): (TopicMaker, Groups, Transactions, Partitions),
    ctx: RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    match request.key_type {
        GROUP => topics.make_internal(&ctx, OFFSETS_TOPIC).await,
        TRANSACTION => topics.make_internal(&ctx, TRANSACTIONS_TOPIC).await,
        _ => {}
    }
    let finder = Finder {
        groups,
        transactions,
        partitions,
        listener: ctx.session.listener_name(),
    };
    if ctx.api_version < 4 {
        return old_answer(finder.coordinator(request.key_type, &request.key));
    }
    let answers = request
        .coordinator_keys
        .iter()
        .map(|key| finder.coordinator(request.key_type, key).with_key(key.clone()));
    FindCoordinatorResponse::default().with_coordinators(answers.collect())
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

impl Finder<'_> {
    fn coordinator(&self, key_type: i8, key: &str) -> Coordinator {
        match self.locate(key_type, key) {
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

    fn locate(&self, key_type: i8, key: &str) -> Result<(i32, String, i32), Refusal> {
        let (topic, index) = match key_type {
            GROUP => (OFFSETS_TOPIC, self.groups.partition_for(key)),
            TRANSACTION => (TRANSACTIONS_TOPIC, self.transactions.partition_for(key)),
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
        let (leader, _) = self.partitions.current_leader(topic, index);
        let endpoint = self.partitions.endpoint(leader, self.listener);
        let (host, port, _) = endpoint.ok_or(unavailable)?;
        Ok((leader, host, port))
    }
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
