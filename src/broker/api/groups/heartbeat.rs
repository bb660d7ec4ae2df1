//! Heartbeat: a member's sign of life, answered with the call to join again when a rebalance runs.

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

/// Answers at once.
pub async fn handle(groups: Groups, _ctx: RequestContext, request: HeartbeatRequest) -> HeartbeatResponse {
    match groups.heartbeat(&request) {
        Ok(()) => HeartbeatResponse::default(),
        Err(error) => HeartbeatResponse::default().with_error_code(error.code()),
    }
}

impl Refuse for HeartbeatRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> HeartbeatResponse {
        HeartbeatResponse::default().with_error_code(error.code())
    }
}
