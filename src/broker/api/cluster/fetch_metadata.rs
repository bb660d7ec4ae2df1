//! Fetch on the controller's listener: the metadata log.

use crate::broker::api::parts::LocalController;
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{FetchRequest, FetchResponse};

/// Reads the metadata log.
pub async fn handle(
    controller: LocalController,
    ctx: RequestContext,
    request: FetchRequest,
) -> FetchResponse {
    match &controller {
        Some(controller) => controller.fetch(&request).await,
        None => request.refused(ctx.api_version, ResponseError::NotController),
    }
}
