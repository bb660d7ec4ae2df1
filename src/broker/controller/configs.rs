//! Changing the settings of topics and brokers (KIP-133, KIP-339).

use super::topic_checks::check_name;
use super::{ApiError, Controller};
use crate::broker::config::{DYNAMIC_SETTINGS, Definition, Kind, broker_definition, topic};
use crate::broker::metadata::{ConfigResource, MetadataImage, MetadataRecord, resource_type};
use crate::broker::records::metadata::ConfigRecord;
use kafka_protocol::ResponseError;
use std::collections::{BTreeMap, BTreeSet};

/// What one setting may hold, in UTF-16 units.
const LONGEST_VALUE: usize = 32_767;

/// What to do with one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigOperation {
    /// Give it a value.
    Set,
    /// Go back to the default.
    Delete,
    /// Add to a list.
    Append,
    /// Take out of a list.
    Subtract,
}

/// A change of one setting.
#[derive(Debug, Clone)]
pub struct ConfigChange {
    /// Its name.
    pub name: String,
    /// What to do.
    pub operation: ConfigOperation,
    /// The value, or the items of the list.
    pub value: Option<String>,
}

/// Changes of one resource.
#[derive(Debug, Clone)]
pub struct ResourceChange {
    /// Number of the resource's type.
    pub kind: i8,
    /// Its name.
    pub name: String,
    /// What changes.
    pub changes: Vec<ConfigChange>,
    /// Settings that are not named go back to their defaults (AlterConfigs).
    pub replace: bool,
}

impl Controller {
    /// Changes settings, each resource by itself; with `validate_only` nothing is written.
    pub fn alter_configs(
        &self,
        resources: &[ResourceChange],
        validate_only: bool,
    ) -> Vec<Result<(), ApiError>> {
        let state = self.state.lock();
        let image = self.image();
        let mut records = Vec::new();
        let mut seen = BTreeSet::new();
        let mut results = Vec::new();
        for resource in resources {
            let planned = if seen.insert((resource.kind, &resource.name)) {
                plan(&image, resource)
            } else {
                Err(refuse("Each resource must appear at most once."))
            };
            results.push(planned.map(|planned| records.extend(planned)));
        }
        if validate_only {
            return results;
        }
        match self.write(&state, records) {
            Ok(()) => results,
            Err(error) => {
                let error = ApiError::from(error);
                resources.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }
}

fn refuse(message: impl Into<String>) -> ApiError {
    ApiError::new(ResponseError::InvalidRequest, message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ResponseError::InvalidConfig, message)
}

/// The resource, if it is one that has settings here.
fn resource_of(image: &MetadataImage, kind: i8, name: &str) -> Result<ConfigResource, ApiError> {
    match (kind, ConfigResource::parse(kind, name)) {
        (resource_type::TOPIC, _) if name.is_empty() => {
            Err(refuse("Default topic resources are not allowed."))
        }
        (resource_type::TOPIC, Some(resource)) => {
            if image.topics.contains_key(name) {
                return Ok(resource);
            }
            check_name(name)?;
            let message = format!("The topic '{name}' does not exist.");
            Err(ApiError::new(ResponseError::UnknownTopicOrPartition, message))
        }
        (resource_type::BROKER, None) => Err(refuse("Unable to parse broker name as a base 10 number.")),
        (resource_type::BROKER, Some(resource)) => Ok(resource),
        _ => Err(refuse(format!("Unknown resource type {kind}"))),
    }
}

fn definition_of(resource: &ConfigResource, name: &str) -> Result<&'static Definition, ApiError> {
    if let ConfigResource::Topic(_) = resource {
        return topic::definition(name).ok_or_else(|| invalid(format!("Unknown topic config name: {name}")));
    }
    let definition =
        broker_definition(name).ok_or_else(|| invalid(format!("Unknown broker config name: {name}")))?;
    if !DYNAMIC_SETTINGS.contains(&name) {
        return Err(refuse(format!(
            "Cannot update these configs dynamically: Set({name})"
        )));
    }
    Ok(definition)
}

fn plan(image: &MetadataImage, change: &ResourceChange) -> Result<Vec<MetadataRecord>, ApiError> {
    let resource = resource_of(image, change.kind, &change.name)?;
    let before = image.configs.get(&resource).cloned().unwrap_or_default();
    let mut after = if change.replace {
        BTreeMap::new()
    } else {
        before.clone()
    };
    let mut names = BTreeSet::new();
    for one in &change.changes {
        if !names.insert(&one.name) {
            return Err(refuse("Error due to duplicate config keys"));
        }
        apply(&resource, one, &mut after)?;
    }
    if let ConfigResource::Topic(_) = resource {
        let all = after.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        topic::check_all(all).map_err(invalid)?;
    }
    let (resource_type, resource_name) = resource.kind_and_name();
    let record = |name: &String, value: Option<&String>| {
        MetadataRecord::Config(ConfigRecord {
            resource_type,
            resource_name: resource_name.clone(),
            name: name.clone(),
            value: value.cloned(),
        })
    };
    let changed = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(*value))
        .map(|(name, value)| record(name, Some(value)));
    let removed = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .map(|name| record(name, None));
    Ok(changed.chain(removed).collect())
}

fn apply(
    resource: &ConfigResource,
    change: &ConfigChange,
    settings: &mut BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let name = &change.name;
    if change.operation == ConfigOperation::Delete {
        // Also one that is not known any more can be taken away.
        settings.remove(name);
        return Ok(());
    }
    let definition = definition_of(resource, name)?;
    let given = change
        .value
        .as_deref()
        .ok_or_else(|| refuse(format!("Null value not supported for : SET:{name}")))?;
    let value = match change.operation {
        ConfigOperation::Append | ConfigOperation::Subtract => {
            let old = settings
                .get(name)
                .map(String::as_str)
                .or(definition.default)
                .unwrap_or_default();
            change_list(definition, change.operation, old, given)?
        }
        ConfigOperation::Set | ConfigOperation::Delete => given.to_owned(),
    };
    if value.encode_utf16().count() > LONGEST_VALUE {
        return Err(invalid(format!(
            "The configuration value cannot be added because it exceeds the maximum value size of {LONGEST_VALUE} bytes."
        )));
    }
    if let ConfigResource::Broker(_) = resource {
        definition.canonical(&value).map_err(refuse)?;
    }
    settings.insert(name.clone(), value);
    Ok(())
}

/// As in Kafka, lists are changed as they were given: an item with a blank before it is another than one without.
fn change_list(
    definition: &Definition,
    operation: ConfigOperation,
    old: &str,
    given: &str,
) -> Result<String, ApiError> {
    let append = operation == ConfigOperation::Append;
    if !matches!(definition.kind, Kind::List { .. } | Kind::ListOf { .. }) {
        let word = if append { "APPEND" } else { "SUBTRACT" };
        return Err(invalid(format!(
            "Can't {word} to key {} because its type is not LIST.",
            definition.name
        )));
    }
    let mut words: Vec<&str> = old.split(',').filter(|word| !word.is_empty()).collect();
    for word in given.trim_end_matches(',').split(',') {
        match words.iter().position(|known| *known == word) {
            None if append => words.push(word),
            Some(place) if !append => {
                words.remove(place);
            }
            _ => {}
        }
    }
    Ok(words.join(","))
}
