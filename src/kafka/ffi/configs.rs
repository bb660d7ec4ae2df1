//! Settings of topics, brokers and groups.

use super::client::{Ask, Client};
use super::native::{Owned, array, c_string, check, optional_string, string};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{ConfigChange, ConfigEntry, ConfigResource, ConfigSource, ConfigSynonym};
use rdkafka::bindings as rd;
use rdkafka::bindings::rd_kafka_ConfigSource_t as Source;
use rdkafka::bindings::rd_kafka_admin_op_t as Op;
use std::ffi::CString;

impl Client {
    /// The settings of one resource, with defaults and synonyms.
    pub fn describe_configs(&self, resource: &ConfigResource, ask: Ask) -> Answer<Vec<ConfigEntry>> {
        let native = native_resource(resource)?;
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
            ask,
            rd::rd_kafka_DescribeConfigs,
            &[native],
        )?;
        let result = event.result(rd::rd_kafka_event_DescribeConfigs_result)?;
        // SAFETY: the result and its entries belong to the event, which is alive.
        unsafe {
            let mut entries = Vec::new();
            for found in array(result, rd::rd_kafka_DescribeConfigs_result_resources) {
                check_resource(*found)?;
                entries.extend(
                    array(*found, rd::rd_kafka_ConfigResource_configs)
                        .iter()
                        .map(|one| entry(*one)),
                );
            }
            Ok(entries)
        }
    }

    /// Changes settings of one resource and leaves the others as they are (KIP-339).
    pub fn alter_configs(&self, resource: &ConfigResource, changes: &[ConfigChange], ask: Ask) -> Answer {
        let native = native_resource(resource)?;
        for change in changes {
            add_change(&native, change)?;
        }
        let event = self.request_about(
            Op::RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS,
            ask,
            rd::rd_kafka_IncrementalAlterConfigs,
            &[native],
        )?;
        let result = event.result(rd::rd_kafka_event_IncrementalAlterConfigs_result)?;
        // SAFETY: the result and its resources belong to the event, which is alive.
        unsafe {
            array(result, rd::rd_kafka_IncrementalAlterConfigs_result_resources)
                .iter()
                .try_for_each(|resource| check_resource(*resource))
        }
    }
}

fn native_resource(resource: &ConfigResource) -> Answer<Owned<rd::rd_kafka_ConfigResource_t>> {
    let (kind, name) = match resource {
        ConfigResource::Topic(name) => (
            rd::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC,
            c_string(name)?,
        ),
        ConfigResource::Broker(id) => (
            rd::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_BROKER,
            c_string(&id.to_string())?,
        ),
        ConfigResource::Group(name) => (
            rd::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_GROUP,
            c_string(name)?,
        ),
    };
    // SAFETY: the name is copied; the new object is ours.
    unsafe {
        Owned::new(
            rd::rd_kafka_ConfigResource_new(kind, name.as_ptr()),
            rd::rd_kafka_ConfigResource_destroy,
            || KafkaError::new(ErrorCode::InvalidArgument, "a resource has a name"),
        )
    }
}

fn add_change(resource: &Owned<rd::rd_kafka_ConfigResource_t>, change: &ConfigChange) -> Answer {
    use rd::rd_kafka_AlterConfigOpType_t as Change;
    let (kind, value): (_, Option<CString>) = match change {
        ConfigChange::Set(_, value) => (Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, Some(c_string(value)?)),
        ConfigChange::Delete(_) => (Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_DELETE, None),
        ConfigChange::Append(_, value) => (
            Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_APPEND,
            Some(c_string(value)?),
        ),
        ConfigChange::Subtract(_, value) => (
            Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_SUBTRACT,
            Some(c_string(value)?),
        ),
    };
    let name = c_string(change.name())?;
    let value = value.as_ref().map_or(std::ptr::null(), |value| value.as_ptr());
    // SAFETY: the resource is alive and copies the strings; an error answered is ours, read, then destroyed once.
    unsafe {
        let error =
            rd::rd_kafka_ConfigResource_add_incremental_config(resource.as_ptr(), name.as_ptr(), kind, value);
        let outcome = super::native::check_error(error);
        if !error.is_null() {
            rd::rd_kafka_error_destroy(error);
        }
        outcome
    }
}

/// # Safety
/// The resource is alive.
unsafe fn check_resource(resource: *const rd::rd_kafka_ConfigResource_t) -> Answer {
    // SAFETY: the resource is alive, as is its error's text.
    unsafe {
        check(
            rd::rd_kafka_ConfigResource_error(resource),
            rd::rd_kafka_ConfigResource_error_string(resource),
        )
    }
}

/// # Safety
/// The entry is alive.
unsafe fn entry(entry: *const rd::rd_kafka_ConfigEntry_t) -> ConfigEntry {
    // SAFETY: the entry is alive, and so are its strings and synonyms.
    unsafe {
        ConfigEntry {
            name: string(rd::rd_kafka_ConfigEntry_name(entry)),
            value: optional_string(rd::rd_kafka_ConfigEntry_value(entry)),
            source: source(rd::rd_kafka_ConfigEntry_source(entry)),
            is_default: rd::rd_kafka_ConfigEntry_is_default(entry) == 1,
            read_only: rd::rd_kafka_ConfigEntry_is_read_only(entry) == 1,
            sensitive: rd::rd_kafka_ConfigEntry_is_sensitive(entry) == 1,
            synonyms: array(entry, rd::rd_kafka_ConfigEntry_synonyms)
                .iter()
                .map(|synonym| ConfigSynonym {
                    name: string(rd::rd_kafka_ConfigEntry_name(*synonym)),
                    value: optional_string(rd::rd_kafka_ConfigEntry_value(*synonym)),
                    source: source(rd::rd_kafka_ConfigEntry_source(*synonym)),
                })
                .collect(),
        }
    }
}

fn source(native: Source) -> ConfigSource {
    match native {
        Source::RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG => ConfigSource::Topic,
        Source::RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG => ConfigSource::Broker,
        Source::RD_KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG => ConfigSource::AllBrokers,
        Source::RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG => ConfigSource::File,
        Source::RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG => ConfigSource::Default,
        Source::RD_KAFKA_CONFIG_SOURCE_GROUP_CONFIG => ConfigSource::Group,
        _ => ConfigSource::Unknown,
    }
}
