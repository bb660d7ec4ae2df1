//! CreateAcls (KIP-140) of a cluster without an authorizer.

use super::describe_acls::NO_AUTHORIZER;
use crate::broker::api::{Refuse, RequestContext, message};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::{CreateAclsRequest, CreateAclsResponse};

/// Refuses each.
pub async fn handle((): (), _ctx: RequestContext, request: CreateAclsRequest) -> CreateAclsResponse {
    let refused = AclCreationResult::default()
        .with_error_code(ResponseError::SecurityDisabled.code())
        .with_error_message(message(NO_AUTHORIZER));
    CreateAclsResponse::default().with_results(vec![refused; request.creations.len()])
}

impl Refuse for CreateAclsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> CreateAclsResponse {
        let refused = AclCreationResult::default().with_error_code(error.code());
        CreateAclsResponse::default().with_results(vec![refused; self.creations.len()])
    }
}
