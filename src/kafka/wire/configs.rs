//! Settings of all that has some: DescribeConfigs, IncrementalAlterConfigs (KIP-339), ListConfigResources (KIP-1142).
//! librdkafka knows of no loggers, of no metrics subscriptions, and of no defaults of all brokers.

use super::{Endpoint, To, Wire, check, text};
use crate::kafka::errors::Answer;
use crate::kafka::types::{ConfigChange, ConfigEntry, ConfigSource, ConfigSynonym};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use kafka_protocol::protocol::StrBytes;

/// A kind of things that have settings, by the protocol's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigKind {
    /// Topics, by name.
    Topic = 2,
    /// Brokers, by id; an empty name means all of them.
    Broker = 4,
    /// A broker's loggers, by its id.
    BrokerLogger = 8,
    /// Subscriptions of client metrics, by name (KIP-714).
    ClientMetrics = 16,
    /// Groups, by id.
    Group = 32,
}

impl Wire {
    /// The settings of one thing, with where else their values would come from.
    ///
    /// # Errors
    /// When it cannot be asked for, or is refused.
    pub fn describe_configs(&mut self, kind: ConfigKind, name: &str) -> Answer<Vec<ConfigEntry>> {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(kind as i8)
            .with_resource_name(text(name))
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default()
            .with_resources(vec![resource])
            .with_include_synonyms(true);
        let answer = self.ask(self.keeper(kind, name, To::Any), &request)?;
        let mut settings = Vec::new();
        for result in answer.results {
            check(result.error_code, result.error_message)?;
            settings.extend(result.configs.into_iter().map(entry));
        }
        Ok(settings)
    }

    /// Changes settings of one thing, all or none.
    ///
    /// # Errors
    /// When it is refused.
    pub fn alter_configs(&mut self, kind: ConfigKind, name: &str, changes: &[ConfigChange]) -> Answer {
        let resource = AlterConfigsResource::default()
            .with_resource_type(kind as i8)
            .with_resource_name(text(name))
            .with_configs(changes.iter().map(alteration).collect());
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let answer = self.ask(self.keeper(kind, name, To::Controller), &request)?;
        answer
            .responses
            .into_iter()
            .try_for_each(|result| check(result.error_code, result.error_message))
    }

    /// The names of all things of a kind that have settings, or may have.
    ///
    /// # Errors
    /// When the cluster does not answer, or is too old to list this kind.
    pub fn list_config_resources(&mut self, kind: ConfigKind) -> Answer<Vec<String>> {
        // Version 0 lists subscriptions of client metrics and has no word for other kinds.
        let kinds = if kind == ConfigKind::ClientMetrics {
            Vec::new()
        } else {
            vec![kind as i8]
        };
        let request = ListConfigResourcesRequest::default().with_resource_types(kinds);
        let answer = self.ask(To::Any, &request)?;
        check(answer.error_code, None)?;
        let named = answer.config_resources.into_iter();
        Ok(named
            // Version 0 does not say the kind.
            .filter(|resource| [0, kind as i8].contains(&resource.resource_type))
            .map(|resource| resource.resource_name.to_string())
            .collect())
    }

    /// Who keeps the settings: a broker its own and its loggers', anybody else's `others`.
    fn keeper(&self, kind: ConfigKind, name: &str, others: To) -> To {
        let own = matches!(kind, ConfigKind::Broker | ConfigKind::BrokerLogger);
        match name.parse() {
            Ok(id) if own && self.endpoint == Endpoint::Brokers => To::Node(id),
            Ok(id) if kind == ConfigKind::BrokerLogger => To::Node(id),
            _ => others,
        }
    }
}

fn alteration(change: &ConfigChange) -> AlterableConfig {
    let (operation, value) = match change {
        ConfigChange::Set(_, value) => (0, Some(value)),
        ConfigChange::Delete(_) => (1, None),
        ConfigChange::Append(_, value) => (2, Some(value)),
        ConfigChange::Subtract(_, value) => (3, Some(value)),
    };
    AlterableConfig::default()
        .with_name(text(change.name()))
        .with_config_operation(operation)
        .with_value(value.map(|value| text(value)))
}

fn entry(told: DescribeConfigsResourceResult) -> ConfigEntry {
    let string = |value: Option<StrBytes>| value.map(|value| value.to_string());
    let source = source(told.config_source);
    ConfigEntry {
        name: told.name.to_string(),
        value: string(told.value),
        source,
        is_default: source == ConfigSource::Default,
        read_only: told.read_only,
        sensitive: told.is_sensitive,
        synonyms: told
            .synonyms
            .into_iter()
            .map(|synonym| ConfigSynonym {
                name: synonym.name.to_string(),
                value: string(synonym.value),
                source: self::source(synonym.source),
            })
            .collect(),
    }
}

fn source(number: i8) -> ConfigSource {
    match number {
        1 => ConfigSource::Topic,
        2 => ConfigSource::Broker,
        3 => ConfigSource::AllBrokers,
        4 => ConfigSource::File,
        5 => ConfigSource::Default,
        6 => ConfigSource::BrokerLogger,
        7 => ConfigSource::ClientMetrics,
        8 => ConfigSource::Group,
        _ => ConfigSource::Unknown,
    }
}
