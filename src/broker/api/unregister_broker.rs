//! UnregisterBroker: forgets a broker that will not come back (KIP-500).

use super::RequestContext;
use super::admin::{message, on_controller};
use crate::broker::controller::Controller;
use crate::broker::error::Result;
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use std::sync::Arc;

/// Forgets the broker.
pub async fn handle(
    node: Arc<Node>,
    ctx: RequestContext,
    request: UnregisterBrokerRequest,
) -> UnregisterBrokerResponse {
    on_controller(&node, &ctx, request, unregister_on, failed).await
}

fn failed(error: ResponseError) -> UnregisterBrokerResponse {
    UnregisterBrokerResponse::default().with_error_code(error.code())
}

async fn unregister_on(
    controller: Arc<Controller>,
    request: UnregisterBrokerRequest,
) -> Result<UnregisterBrokerResponse> {
    Ok(match controller.unregister_broker(request.broker_id.0).await {
        Ok(()) => UnregisterBrokerResponse::default(),
        Err(refusal) => failed(refusal.error).with_error_message(message(refusal.message)),
    })
}
