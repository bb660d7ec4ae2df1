//! Fetch on the controller's listener: the metadata log.

use crate::broker::api::{Refuse, RequestContext};
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use std::sync::Arc;

/// Reads the metadata log.
pub async fn handle(node: Arc<Node>, ctx: RequestContext, request: FetchRequest) -> FetchResponse {
    match &node.controller {
        Some(controller) => controller.fetch(&request).await,
        None => request.refused(ctx.api_version, ResponseError::NotController),
    }
}
