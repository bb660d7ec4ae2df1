//! DescribeGroups: state and members of groups of the classic protocol.

use super::{RequestContext, allowed};
use crate::broker::node::Node;
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};
use std::sync::Arc;

/// Answers at once.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let groups = request.groups.iter().map(|group_id| {
        let described = node.groups.describe(group_id, ctx.api_version);
        if request.include_authorized_operations && described.error_code == 0 {
            described.with_authorized_operations(allowed::ON_GROUPS)
        } else {
            described
        }
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}
