//! ListGroups: the groups coordinated by this broker, by state (KIP-518) and type (KIP-848) if wanted.

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ListGroupsRequest, ListGroupsResponse};
use kafka_protocol::protocol::StrBytes;

/// Answers at once.
pub async fn handle(groups: Groups, _ctx: RequestContext, request: ListGroupsRequest) -> ListGroupsResponse {
    let words = |filter: &[StrBytes]| filter.iter().map(ToString::to_string).collect::<Vec<_>>();
    match groups.list(&words(&request.states_filter), &words(&request.types_filter)) {
        Ok(groups) => ListGroupsResponse::default().with_groups(groups),
        Err(error) => ListGroupsResponse::default().with_error_code(error.code()),
    }
}

impl Refuse for ListGroupsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> ListGroupsResponse {
        ListGroupsResponse::default().with_error_code(error.code())
    }
}
