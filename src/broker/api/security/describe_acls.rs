//! DescribeAcls (KIP-140) of a cluster without an authorizer: everybody may do everything.

use crate::broker::api::{Refuse, RequestContext, message};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{DescribeAclsRequest, DescribeAclsResponse};

/// What a broker of Apache Kafka answers that has no authorizer and is asked to change what it allows.
pub(super) const NO_AUTHORIZER: &str = "No Authorizer is configured.";

/// Says that there are none.
pub async fn handle((): (), _ctx: RequestContext, _request: DescribeAclsRequest) -> DescribeAclsResponse {
    DescribeAclsResponse::default()
        .with_error_code(ResponseError::SecurityDisabled.code())
        .with_error_message(message("No Authorizer is configured on the broker"))
}

impl Refuse for DescribeAclsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeAclsResponse {
        DescribeAclsResponse::default().with_error_code(error.code())
    }
}
