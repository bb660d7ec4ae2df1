//! IncrementalAlterConfigs: only the settings named (KIP-339).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, message};
use crate::broker::controller::{ApiError, ConfigChange, ConfigOperation, Controller, ResourceChange};
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use std::sync::Arc;

/// Changes settings.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    controller.answer(&ctx, request, None, alter_on).await
}

fn response(asked: &AlterConfigsResource) -> AlterConfigsResourceResponse {
    AlterConfigsResourceResponse::default()
        .with_resource_type(asked.resource_type)
        .with_resource_name(asked.resource_name.clone())
}

fn refused(asked: &AlterConfigsResource, error: ApiError) -> AlterConfigsResourceResponse {
    response(asked)
        .with_error_code(error.error.code())
        .with_error_message(message(error.message))
}

async fn alter_on(
    controller: Arc<Controller>,
    request: IncrementalAlterConfigsRequest,
    wanted: Wanted,
) -> Result<IncrementalAlterConfigsResponse> {
    let changes: Vec<Result<ResourceChange, ApiError>> =
        request.resources.iter().map(resource_change).collect();
    let valid: Vec<ResourceChange> = changes.iter().filter_map(|change| change.clone().ok()).collect();
    let mut outcomes = controller
        .alter_configs(valid, request.validate_only, wanted)
        .await?
        .into_iter();
    let responses = request.resources.iter().zip(changes).map(|(asked, change)| {
        let outcome = match change {
            Ok(_) => outcomes.next().unwrap_or(Ok(())),
            Err(error) => Err(error),
        };
        outcome.map_or_else(|error| refused(asked, error), |()| response(asked))
    });
    Ok(IncrementalAlterConfigsResponse::default().with_responses(responses.collect()))
}

fn resource_change(resource: &AlterConfigsResource) -> Result<ResourceChange, ApiError> {
    let changes: Result<Vec<ConfigChange>, ApiError> = resource.configs.iter().map(config_change).collect();
    Ok(ResourceChange {
        kind: resource.resource_type,
        name: resource.resource_name.to_string(),
        changes: changes?,
        replace: false,
    })
}

fn config_change(config: &AlterableConfig) -> Result<ConfigChange, ApiError> {
    let operation = match config.config_operation {
        0 => ConfigOperation::Set,
        1 => ConfigOperation::Delete,
        2 => ConfigOperation::Append,
        3 => ConfigOperation::Subtract,
        other => {
            let message = format!("Unknown operation type {other}");
            return Err(ApiError::new(ResponseError::InvalidRequest, message));
        }
    };
    Ok(ConfigChange {
        name: config.name.to_string(),
        operation,
        value: config.value.as_ref().map(ToString::to_string),
    })
}

impl Refuse for IncrementalAlterConfigsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> IncrementalAlterConfigsResponse {
        let refused = self
            .resources
            .iter()
            .map(|asked| response(asked).with_error_code(error.code()));
        IncrementalAlterConfigsResponse::default().with_responses(refused.collect())
    }
}
