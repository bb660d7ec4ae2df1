//! AllocateProducerIds: a broker asks for a block of producer ids (KIP-730).

use crate::broker::api::parts::LocalController;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};

/// Hands out a block.
pub async fn handle(
    controller: LocalController,
    ctx: RequestContext,
    request: AllocateProducerIdsRequest,
) -> AllocateProducerIdsResponse {
    let refused = |error| request.refused(ctx.api_version, error);
    let Some(controller) = &controller else {
        return refused(ResponseError::NotController);
    };
    let block = controller
        .allocate_producer_ids(request.broker_id.0, request.broker_epoch)
        .await;
    match block {
        Ok((first, count)) => AllocateProducerIdsResponse::default()
            .with_producer_id_start(first.into())
            .with_producer_id_len(count),
        Err(error) => refused(error.response_error()),
    }
}

impl Refuse for AllocateProducerIdsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> AllocateProducerIdsResponse {
        AllocateProducerIdsResponse::default().with_error_code(error.code())
    }
}
