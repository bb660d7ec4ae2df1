//! ListPartitionReassignments (KIP-455). Replicas never move here, so none is ever under way.

use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};

/// Lists none.
pub async fn handle(
    (): (),
    _ctx: RequestContext,
    _request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default()
}

impl Refuse for ListPartitionReassignmentsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> ListPartitionReassignmentsResponse {
        ListPartitionReassignmentsResponse::default().with_error_code(error.code())
    }
}
