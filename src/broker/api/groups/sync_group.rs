//! SyncGroup: the leader hands in the assignment, every member takes its own away.

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

/// Answers when the leader's assignment is there and written.
pub async fn handle(groups: Groups, ctx: RequestContext, request: SyncGroupRequest) -> SyncGroupResponse {
    groups.sync(&ctx.caller(), request).await
}

impl Refuse for SyncGroupRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> SyncGroupResponse {
        SyncGroupResponse::default().with_error_code(error.code())
    }
}
