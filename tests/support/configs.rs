//! Requests about one setting of one resource.

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest,
    alter_configs_request as older,
};
use kafka_protocol::protocol::StrBytes;

/// Types of resources.
pub const TOPIC: i8 = 2;
pub const BROKER: i8 = 4;
/// Operations of IncrementalAlterConfigs.
pub const SET: i8 = 0;
pub const DELETE: i8 = 1;
pub const APPEND: i8 = 2;
pub const SUBTRACT: i8 = 3;

pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Asks for a setting, with synonyms and documentation.
pub fn describe(kind: i8, resource: &str, key: &str) -> DescribeConfigsRequest {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource))
        .with_configuration_keys(Some(vec![text(key)]));
    DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true)
        .with_include_documentation(true)
}

/// Changes a setting: the operation, its name, the value.
pub fn alter(kind: i8, resource: &str, change: (i8, &str, &str)) -> IncrementalAlterConfigsRequest {
    let (operation, key, value) = change;
    let config = AlterableConfig::default()
        .with_name(text(key))
        .with_config_operation(operation)
        .with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource))
        .with_configs(vec![config]);
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

/// The older AlterConfigs: a topic has this setting alone.
pub fn replace(topic: &str, key: &str, value: &str) -> AlterConfigsRequest {
    let config = older::AlterableConfig::default()
        .with_name(text(key))
        .with_value(Some(text(value)));
    let resource = older::AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configs(vec![config]);
    AlterConfigsRequest::default().with_resources(vec![resource])
}
