//! DeleteGroups (KIP-229): removes groups without members, and their offsets.

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

/// Answers when the tombstones are on every in-sync replica.
pub async fn handle(
    groups: Groups,
    _ctx: RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let mut results = Vec::with_capacity(request.groups_names.len());
    for group_id in request.groups_names {
        let deleted = groups.delete(&group_id).await;
        results.push(
            DeletableGroupResult::default()
                .with_group_id(group_id)
                .with_error_code(deleted.map_or_else(|error| error.code(), |()| 0)),
        );
    }
    DeleteGroupsResponse::default().with_results(results)
}

impl Refuse for DeleteGroupsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DeleteGroupsResponse {
        let results = self.groups_names.iter().map(|group_id| {
            DeletableGroupResult::default()
                .with_group_id(group_id.clone())
                .with_error_code(error.code())
        });
        DeleteGroupsResponse::default().with_results(results.collect())
    }
}
