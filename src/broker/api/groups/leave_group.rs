//! LeaveGroup: members say goodbye, or an administrator removes static ones (KIP-345).

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

/// Answers with one result for each member; before version 3 there is one member and one result.
pub async fn handle(groups: Groups, ctx: RequestContext, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let members = if ctx.api_version < 3 {
        vec![MemberIdentity::default().with_member_id(request.member_id.clone())]
    } else {
        request.members
    };
    let results = match groups.leave(&request.group_id, &members).await {
        Ok(results) => results,
        Err(error) => return LeaveGroupResponse::default().with_error_code(error.code()),
    };
    let codes = results
        .iter()
        .map(|result| result.map_or_else(|error| error.code(), |()| 0));
    if ctx.api_version < 3 {
        return LeaveGroupResponse::default().with_error_code(codes.max().unwrap_or(0));
    }
    let members = members.iter().zip(codes).map(|(member, code)| {
        MemberResponse::default()
            .with_member_id(member.member_id.clone())
            .with_group_instance_id(member.group_instance_id.clone())
            .with_error_code(code)
    });
    LeaveGroupResponse::default().with_members(members.collect())
}

impl Refuse for LeaveGroupRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> LeaveGroupResponse {
        LeaveGroupResponse::default().with_error_code(error.code())
    }
}
