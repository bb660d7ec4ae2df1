//! AlterConfigs: all settings of a resource at once; those not named go back to their defaults (KIP-133).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, message};
use crate::broker::controller::{ConfigChange, ConfigOperation, Controller, ResourceChange};
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};
use std::sync::Arc;

/// Changes settings.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    controller.answer(&ctx, request, None, alter_on).await
}

fn response(asked: &AlterConfigsResource) -> AlterConfigsResourceResponse {
    AlterConfigsResourceResponse::default()
        .with_resource_type(asked.resource_type)
        .with_resource_name(asked.resource_name.clone())
}

async fn alter_on(
    controller: Arc<Controller>,
    request: AlterConfigsRequest,
    wanted: Wanted,
) -> Result<AlterConfigsResponse> {
    let change = |config: &AlterableConfig| ConfigChange {
        name: config.name.to_string(),
        operation: ConfigOperation::Set,
        value: config.value.as_ref().map(ToString::to_string),
    };
    let resources = request.resources.iter().map(|resource| ResourceChange {
        kind: resource.resource_type,
        name: resource.resource_name.to_string(),
        changes: resource.configs.iter().map(change).collect(),
        replace: true,
    });
    let resources: Vec<ResourceChange> = resources.collect();
    let outcomes = controller
        .alter_configs(resources, request.validate_only, wanted)
        .await?;
    let responses = request.resources.iter().zip(outcomes);
    let responses = responses.map(|(asked, outcome)| match outcome {
        Ok(()) => response(asked),
        Err(error) => response(asked)
            .with_error_code(error.error.code())
            .with_error_message(message(error.message)),
    });
    Ok(AlterConfigsResponse::default().with_responses(responses.collect()))
}

impl Refuse for AlterConfigsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> AlterConfigsResponse {
        let refused = self
            .resources
            .iter()
            .map(|asked| response(asked).with_error_code(error.code()));
        AlterConfigsResponse::default().with_responses(refused.collect())
    }
}
