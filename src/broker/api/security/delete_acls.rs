//! DeleteAcls (KIP-140) of a cluster without an authorizer.

use super::describe_acls::NO_AUTHORIZER;
use crate::broker::api::{Refuse, RequestContext, message};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::{DeleteAclsRequest, DeleteAclsResponse};

/// Refuses each.
pub async fn handle((): (), _ctx: RequestContext, request: DeleteAclsRequest) -> DeleteAclsResponse {
    let refused = DeleteAclsFilterResult::default()
        .with_error_code(ResponseError::SecurityDisabled.code())
        .with_error_message(message(NO_AUTHORIZER));
    DeleteAclsResponse::default().with_filter_results(vec![refused; request.filters.len()])
}

impl Refuse for DeleteAclsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DeleteAclsResponse {
        let refused = DeleteAclsFilterResult::default().with_error_code(error.code());
        DeleteAclsResponse::default().with_filter_results(vec![refused; self.filters.len()])
    }
}
