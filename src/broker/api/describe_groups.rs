//! DescribeGroups: state and members of groups of the classic protocol.

use super::RequestContext;
use crate::broker::node::Node;
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};
use std::sync::Arc;

/// Everything one may do with a group: read, delete, describe, and describe and alter its settings (bits by
/// Kafka's numbers of operations). There are no ACLs here.
const ALL_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// Answers at once.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let groups = request.groups.iter().map(|group_id| {
        let described = node.groups.describe(group_id, ctx.api_version);
        if request.include_authorized_operations && described.error_code == 0 {
            described.with_authorized_operations(ALL_OPERATIONS)
        } else {
            described
        }
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}
