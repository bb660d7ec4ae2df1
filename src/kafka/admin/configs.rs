//! Settings of topics, brokers and groups.

use super::Admin;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{ConfigChange, ConfigEntry, ConfigResource};

impl Admin {
    /// The settings of a topic, broker or group, by name.
    ///
    /// # Errors
    /// When there is no such topic or broker, or the cluster refuses.
    pub fn describe_configs(&self, resource: &ConfigResource) -> Outcome<Vec<ConfigEntry>> {
        self.ensure_broker(resource)?;
        let mut entries = self
            .try_describe_configs(resource)
            .map_err(|error| self.config_failure("cannot read the settings of", resource, error))?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// The same in the cluster's own order, with the cluster's own answer.
    ///
    /// # Errors
    /// What the cluster refused.
    pub fn try_describe_configs(&self, resource: &ConfigResource) -> Answer<Vec<ConfigEntry>> {
        self.client.describe_configs(resource, self.ask())
    }

    /// Changes the settings named and leaves the others as they are; with `validate_only` only checks.
    ///
    /// # Errors
    /// When there is no such topic or broker, or the cluster refuses a name or value.
    pub fn alter_configs(
        &self,
        resource: &ConfigResource,
        changes: &[ConfigChange],
        validate_only: bool,
    ) -> Outcome {
        self.ensure_broker(resource)?;
        self.try_alter_configs(resource, changes, validate_only)
            .map_err(|error| self.config_failure("cannot change the settings of", resource, error))
    }

    /// The same, with the cluster's own answer.
    ///
    /// # Errors
    /// What the cluster refused.
    pub fn try_alter_configs(
        &self,
        resource: &ConfigResource,
        changes: &[ConfigChange],
        validate_only: bool,
    ) -> Answer {
        let ask = crate::kafka::ffi::Ask {
            validate_only,
            ..self.ask()
        };
        self.client.alter_configs(resource, changes, ask)
    }

    fn config_failure(&self, doing: &str, resource: &ConfigResource, error: KafkaError) -> Failure {
        match resource {
            ConfigResource::Topic(name) if error.is_unknown_topic() => self.unknown_topic(name),
            ConfigResource::Topic(name) => self.failure(&format!("{doing} topic `{name}`"), error),
            ConfigResource::Group(name) => self.failure(&format!("{doing} group `{name}`"), error),
            ConfigResource::Broker(id) if self.is_no_broker(*id, &error) => self.unknown_broker(*id),
            ConfigResource::Broker(id) => self.failure(&format!("{doing} broker {id}"), error),
        }
    }

    /// A broker that is not there would be waited for until the time is up, so that is found out before it is asked.
    fn ensure_broker(&self, resource: &ConfigResource) -> Outcome {
        match resource {
            ConfigResource::Broker(id) if self.lacks_broker(*id) => Err(self.unknown_broker(*id)),
            _ => Ok(()),
        }
    }

    /// Whether a broker has gone while it was asked.
    fn is_no_broker(&self, id: i32, error: &KafkaError) -> bool {
        (error.is_unreachable() || error.code() == ErrorCode::BrokerNotAvailable) && self.lacks_broker(id)
    }

    fn lacks_broker(&self, id: i32) -> bool {
        self.metadata()
            .is_ok_and(|metadata| metadata.brokers.iter().all(|broker| broker.id != id))
    }

    /// What to say when there is no broker `id`.
    pub fn unknown_broker(&self, id: i32) -> Failure {
        let ids = self.metadata().map_or_else(
            |_| String::new(),
            |metadata| {
                let ids: Vec<String> = metadata
                    .brokers
                    .iter()
                    .map(|broker| broker.id.to_string())
                    .collect();
                ids.join(", ")
            },
        );
        Failure::request(format!("there is no broker {id}"))
            .because(format!("the brokers that are up: {ids}"))
            .hint("velo doctor")
    }
}
