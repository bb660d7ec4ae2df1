//! ListPartitionReassignments (KIP-455). Replicas never move here, so none is ever under way.

use super::RequestContext;
use crate::broker::node::Node;
use kafka_protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};
use std::sync::Arc;

/// Lists none.
pub async fn handle(
    _node: Arc<Node>,
    _ctx: RequestContext,
    _request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default()
}
