//! UnregisterBroker: forgets a broker that will not come back (KIP-500).

use super::RequestContext;
use super::admin::{message, on_controller};
use crate::broker::controller::Controller;
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

fn unregister_on(controller: &Controller, request: UnregisterBrokerRequest) -> UnregisterBrokerResponse {
    match controller.unregister_broker(request.broker_id.0) {
        Ok(()) => UnregisterBrokerResponse::default(),
        Err(error) => {
            let id = request.broker_id.0;
            failed(error.response_error())
                .with_error_message(message(format!("Broker ID {id} is not currently registered")))
        }
    }
}
