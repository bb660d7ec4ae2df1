//! JoinGroup (KIP-62, KIP-345, KIP-394, KIP-814): become a member, or answer the call to join again.

use super::RequestContext;
use crate::broker::node::Node;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use std::sync::Arc;

/// Answers when the rebalance is over, so perhaps much later.
pub async fn handle(node: Arc<Node>, ctx: RequestContext, request: JoinGroupRequest) -> JoinGroupResponse {
    let mut response = node.groups.join(&ctx.caller(), request).await;
    if ctx.api_version < 7 && response.protocol_name.is_none() {
        // Older versions cannot say null.
        response.protocol_name = Some("".into());
    }
    response
}
