//! UnregisterBroker: forgets a broker that will not come back (KIP-500).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, message};
use crate::broker::controller::Controller;
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use std::sync::Arc;

/// Forgets the broker.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: UnregisterBrokerRequest,
) -> UnregisterBrokerResponse {
    controller.answer(&ctx, request, None, unregister_on).await
}

async fn unregister_on(
    controller: Arc<Controller>,
    request: UnregisterBrokerRequest,
    wanted: Wanted,
) -> Result<UnregisterBrokerResponse> {
    let unregistered = controller.unregister_broker(request.broker_id.0, wanted);
    Ok(match unregistered.await {
        Ok(()) => UnregisterBrokerResponse::default(),
        Err(refusal) => UnregisterBrokerResponse::default()
            .with_error_code(refusal.error.code())
            .with_error_message(message(refusal.message)),
    })
}

impl Refuse for UnregisterBrokerRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> UnregisterBrokerResponse {
        UnregisterBrokerResponse::default().with_error_code(error.code())
    }
}
