//! DescribeConfigs: settings with their source, default and synonyms (KIP-133, KIP-226, KIP-569).

use crate::broker::api::parts::{Config, Metadata};
use crate::broker::api::{Refuse, RequestContext, message, text};
use crate::broker::config::{
    BROKER_SETTINGS, ConfigSource, DYNAMIC_SETTINGS, Definition, Effective, NodeConfig, Settings,
    broker_definition, topic,
};
use crate::broker::controller::{ApiError, check_topic_name};
use crate::broker::metadata::{AppliedMetadata, ConfigResource, resource_type};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

/// One setting of a resource.
struct Described {
    definition: &'static Definition,
    effective: Effective,
    read_only: bool,
}

/// Describes settings of topics and of this broker.
pub async fn handle(
    (metadata, config): (Metadata, Config),
    _ctx: RequestContext,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let results = request.resources.iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match describe(&metadata, &config, resource) {
            Ok(described) => {
                let wanted = described.into_iter().filter(|one| is_wanted(resource, one));
                let configs = wanted.map(|one| told(one, &request));
                result.with_configs(configs.collect())
            }
            Err(error) => result
                .with_error_code(error.error.code())
                .with_error_message(message(error.message)),
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn is_wanted(resource: &DescribeConfigsResource, one: &Described) -> bool {
    let keys = resource.configuration_keys.as_ref();
    // An empty list means all, as in Kafka.
    keys.is_none_or(|keys| keys.is_empty() || keys.iter().any(|key| key.as_str() == one.definition.name))
}

fn describe(
    metadata: &AppliedMetadata,
    config: &NodeConfig,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Described>, ApiError> {
    let refuse = |message: String| Err(ApiError::new(ResponseError::InvalidRequest, message));
    let name = resource.resource_name.as_str();
    let image = metadata.load_full();
    let settings = Settings {
        image: &image,
        node: config,
    };
    match resource.resource_type {
        resource_type::TOPIC => {
            check_topic_name(name)?;
            if !image.topics.contains_key(name) {
                let message = "This server does not host this topic-partition.";
                return Err(ApiError::new(ResponseError::UnknownTopicOrPartition, message));
            }
            let all = topic::TOPIC_SETTINGS.iter().map(|definition| Described {
                definition,
                effective: settings.topic(name, definition),
                read_only: false,
            });
            Ok(all.collect())
        }
        resource_type::BROKER if name.is_empty() => Ok(cluster_wide(&settings)),
        resource_type::BROKER if name == config.node_id.to_string() => {
            let all = BROKER_SETTINGS.iter().map(|definition| Described {
                definition,
                effective: settings.broker(definition),
                read_only: !DYNAMIC_SETTINGS.contains(&definition.name),
            });
            Ok(all.collect())
        }
        resource_type::BROKER => {
            let expected = config.node_id;
            refuse(format!(
                "Unexpected broker id, expected {expected} or empty string, but received {name}"
            ))
        }
        other => refuse(format!("Unsupported resource type: {other}")),
    }
}

/// What is set for all brokers while they run.
fn cluster_wide(settings: &Settings<'_>) -> Vec<Described> {
    let set = settings.image.configs.get(&ConfigResource::Broker(None));
    let names = set.into_iter().flat_map(|set| set.keys());
    names
        .filter_map(|name| {
            let definition = broker_definition(name)?;
            let mut effective = settings.broker(definition);
            effective
                .synonyms
                .retain(|synonym| synonym.source == ConfigSource::DynamicDefaultBroker);
            effective.value = effective.synonyms.first().map(|synonym| synonym.value.clone());
            effective.source = ConfigSource::DynamicDefaultBroker;
            Some(Described {
                definition,
                effective,
                read_only: !DYNAMIC_SETTINGS.contains(&definition.name),
            })
        })
        .collect()
}

fn told(described: Described, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let Described {
        definition,
        effective,
        read_only,
    } = described;
    let synonyms = effective.synonyms.into_iter().map(|synonym| {
        DescribeConfigsSynonym::default()
            .with_name(text(synonym.name))
            .with_value(Some(text(synonym.value)))
            .with_source(synonym.source as i8)
    });
    let result = DescribeConfigsResourceResult::default()
        .with_name(text(definition.name))
        .with_value(effective.value.map(text))
        .with_read_only(read_only)
        .with_config_source(effective.source as i8)
        .with_is_sensitive(false)
        .with_config_type(definition.type_code());
    let result = if request.include_synonyms {
        result.with_synonyms(synonyms.collect())
    } else {
        result
    };
    if request.include_documentation {
        return result.with_documentation(Some(text(definition.doc)));
    }
    result
}

impl Refuse for DescribeConfigsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeConfigsResponse {
        let results = self.resources.iter().map(|resource| {
            DescribeConfigsResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone())
                .with_error_code(error.code())
        });
        DescribeConfigsResponse::default().with_results(results.collect())
    }
}
