//! JoinGroup (KIP-62, KIP-345, KIP-394, KIP-814): become a member, or answer the call to join again.

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use kafka_protocol::protocol::StrBytes;

/// Answers when the rebalance is over, so perhaps much later.
pub async fn handle(groups: Groups, ctx: RequestContext, request: JoinGroupRequest) -> JoinGroupResponse {
    let mut response = groups.join(&ctx.caller(), request).await;
    if ctx.api_version < 7 && response.protocol_name.is_none() {
        // Older versions cannot say null.
        response.protocol_name = Some("".into());
    }
    response
}

impl Refuse for JoinGroupRequest {
    fn refused(&self, version: i16, error: ResponseError) -> JoinGroupResponse {
        JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            // Older versions cannot say null.
            .with_protocol_name((version < 7).then(StrBytes::default))
    }
}
