//! ApiVersions (KIP-35, KIP-511, KIP-584): which APIs, versions and features this node has.

use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::controller::SUPPORTED_FEATURES;
use crate::broker::metadata::AppliedMetadata;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};

/// Tells what stands in the table, and the features.
pub fn answer(
    metadata: &AppliedMetadata,
    ctx: &RequestContext,
    request: &ApiVersionsRequest,
    told: Vec<ApiVersion>,
) -> ApiVersionsResponse {
    if ctx.api_version >= 3
        && !(is_valid_name(&request.client_software_name) && is_valid_name(&request.client_software_version))
    {
        return request.refused(ctx.api_version, ResponseError::InvalidRequest);
    }
    if ctx.api_version >= 3 {
        let (name, version) = (&request.client_software_name, &request.client_software_version);
        ctx.session.learn_software(name, version);
    }
    let response = ApiVersionsResponse::default().with_api_keys(told);
    if ctx.api_version < 3 {
        return response;
    }
    let image = metadata.load();
    let finalized = image.features.iter().map(|(name, level)| {
        FinalizedFeatureKey::default()
            .with_name(text(name.as_str()))
            .with_min_version_level(*level)
            .with_max_version_level(*level)
    });
    let supported = SUPPORTED_FEATURES.iter().map(|(name, min, max)| {
        SupportedFeatureKey::default()
            .with_name(text(*name))
            // Before version 4 a range that starts at 0 is an error to clients (KIP-1022).
            .with_min_version(if ctx.api_version < 4 { (*min).max(1) } else { *min })
            .with_max_version(*max)
    });
    response
        .with_supported_features(supported.collect())
        .with_finalized_features(finalized.collect())
        .with_finalized_features_epoch(image.offset)
}

/// The answer to a version we do not know: in version 0, so that anybody can read it, with what we do know.
pub fn unsupported_version(told: Vec<ApiVersion>) -> ApiVersionsResponse {
    ApiVersionsResponse::default()
        .with_error_code(ResponseError::UnsupportedVersion.code())
        .with_api_keys(told)
}

/// KIP-511: letters, digits, dots and dashes, and not at either end.
fn is_valid_name(name: &str) -> bool {
    let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends_well(name.chars().next())
        && ends_well(name.chars().last())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
}

impl Refuse for ApiVersionsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> ApiVersionsResponse {
        ApiVersionsResponse::default().with_error_code(error.code())
    }
}
