//! UpdateFeatures: levels of the cluster's features (KIP-584, KIP-778).

use crate::broker::api::on_controller::OnController;
use crate::broker::api::{Refuse, RequestContext, message};
use crate::broker::controller::{Controller, FeatureUpdate, LevelChange};
use crate::broker::error::Result;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::update_features_response::UpdatableFeatureResult;
use kafka_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use std::sync::Arc;

/// What stands before the reason why nothing was done.
const ALL_FAILED: &str = "The update failed for all features since the following feature had an error: ";

/// Gives the features their levels.
pub async fn handle(
    controller: OnController,
    ctx: RequestContext,
    request: UpdateFeaturesRequest,
) -> UpdateFeaturesResponse {
    let version = ctx.api_version;
    let timeout = Some(request.timeout_ms);
    let update = |controller, request, wanted| update_on(controller, request, wanted, version);
    controller.answer(&ctx, request, timeout, update).await
}

async fn update_on(
    controller: Arc<Controller>,
    request: UpdateFeaturesRequest,
    wanted: Wanted,
    version: i16,
) -> Result<UpdateFeaturesResponse> {
    let updates = request.feature_updates.iter().map(|asked| update(asked, version));
    let updated = controller
        .update_features(updates.collect(), request.validate_only, wanted)
        .await?;
    Ok(match updated {
        Err(refusal) => UpdateFeaturesResponse::default()
            .with_error_code(refusal.error.code())
            .with_error_message(message(format!("{ALL_FAILED}{}", refusal.message))),
        // Later ones name none when all went well (KIP-1022).
        Ok(()) if version >= 2 => UpdateFeaturesResponse::default(),
        Ok(()) => {
            let done = |asked: &FeatureUpdateKey| {
                UpdatableFeatureResult::default().with_feature(asked.feature.clone())
            };
            let results = request.feature_updates.iter().map(done);
            UpdateFeaturesResponse::default().with_results(results.collect())
        }
    })
}

fn update(asked: &FeatureUpdateKey, version: i16) -> FeatureUpdate {
    let change = match (version, asked.allow_downgrade) {
        (0, true) => LevelChange::SafeDowngrade,
        (0, false) => LevelChange::Upgrade,
        _ => LevelChange::of(asked.upgrade_type),
    };
    FeatureUpdate {
        name: asked.feature.to_string(),
        level: asked.max_version_level,
        change,
    }
}

impl Refuse for UpdateFeaturesRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> UpdateFeaturesResponse {
        UpdateFeaturesResponse::default().with_error_code(error.code())
    }
}
