//! ListConfigResources: what has settings (KIP-1142).

use crate::broker::api::parts::Metadata;
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::metadata::{ConfigResource as Resource, resource_type};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_config_resources_response::ConfigResource;
use kafka_protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};

const KINDS: &[i8] = &[
    resource_type::TOPIC,
    resource_type::BROKER,
    resource_type::BROKER_LOGGER,
    resource_type::CLIENT_METRICS,
    resource_type::GROUP,
];

/// Lists topics, brokers, and groups with settings.
pub async fn handle(
    metadata: Metadata,
    ctx: RequestContext,
    request: ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    // Version 0 lists client metrics, which do not exist here.
    let wanted = match ctx.api_version {
        0 => vec![resource_type::CLIENT_METRICS],
        _ if request.resource_types.is_empty() => KINDS.to_vec(),
        _ => request.resource_types,
    };
    if wanted.iter().any(|kind| !KINDS.contains(kind)) {
        return ListConfigResourcesResponse::default()
            .with_error_code(ResponseError::UnsupportedVersion.code());
    }
    let image = metadata.load_full();
    let topics = image
        .topics
        .keys()
        .map(|name| (resource_type::TOPIC, name.clone()));
    let brokers = image
        .brokers
        .keys()
        .map(|id| (resource_type::BROKER, id.to_string()));
    let groups = image.configs.keys().filter_map(|resource| match resource {
        Resource::Group(name) => Some((resource_type::GROUP, name.clone())),
        _ => None,
    });
    let listed = topics
        .chain(brokers)
        .chain(groups)
        .filter(|(kind, _)| wanted.contains(kind))
        .map(|(kind, name)| {
            ConfigResource::default()
                .with_resource_type(kind)
                .with_resource_name(text(name))
        });
    ListConfigResourcesResponse::default().with_config_resources(listed.collect())
}

impl Refuse for ListConfigResourcesRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> ListConfigResourcesResponse {
        ListConfigResourcesResponse::default().with_error_code(error.code())
    }
}
