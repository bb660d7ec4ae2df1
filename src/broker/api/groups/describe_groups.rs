//! DescribeGroups: state and members of groups of the classic protocol.

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::security::{Authorizer, ResourceType};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_groups_response::DescribedGroup;
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};
use std::sync::Arc;

/// Answers at once.
pub async fn handle(
    (groups, authorizer): (Groups, Arc<Authorizer>),
    ctx: RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let groups = request.groups.iter().map(|group_id| {
        let described = groups.describe(group_id, ctx.api_version);
        let asked = request.include_authorized_operations && described.error_code == 0;
        let allowed = authorizer.operations(&ctx.session, ResourceType::Group, asked);
        described.with_authorized_operations(allowed)
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

impl Refuse for DescribeGroupsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeGroupsResponse {
        let groups = self.groups.iter().map(|group_id| {
            DescribedGroup::default()
                .with_group_id(group_id.clone())
                .with_error_code(error.code())
        });
        DescribeGroupsResponse::default().with_groups(groups.collect())
    }
}
