//! Facts about the brokers of a cluster.

use super::{Have, Renames, Said};
use crate::course::look::Look;
use crate::failure::Outcome;
use serde::Deserialize;

/// What is asked of the brokers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClusterFact {
    /// How many serve.
    Brokers {},
    /// Whether one serves: yes or no.
    Serves { broker: i32 },
    /// The value of a setting of one that serves.
    BrokerConfig { broker: i32, config: String },
}

impl ClusterFact {
    pub(super) const NAMES: &[&str] = &["brokers", "serves", "broker-config"];

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        match self {
            Self::Brokers {} => {}
            Self::Serves { broker } | Self::BrokerConfig { broker, .. } => *broker = names.broker(*broker),
        }
    }

    pub(super) fn config(&self) -> Option<&str> {
        match self {
            Self::BrokerConfig { config, .. } => Some(config),
            Self::Brokers {} | Self::Serves { .. } => None,
        }
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        let cluster = look.cluster()?;
        match self {
            Self::Brokers {} => Ok(Have::count(cluster.brokers.len())),
            Self::Serves { broker } => Ok(Have::truth(cluster.brokers.contains(broker))),
            Self::BrokerConfig { broker, config } => {
                if !cluster.brokers.contains(broker) {
                    return Ok(None);
                }
                let configs = look.broker_configs(*broker)?;
                Ok(configs.get(config).and_then(|value| Have::text(value)))
            }
        }
    }

    pub(super) fn said(&self) -> Said {
        match self {
            Self::Brokers {} => Said::new("brokers", []),
            Self::Serves { broker } => Said::new("serves", [("broker", broker.to_string())]),
            Self::BrokerConfig { broker, config } => Said::new(
                "broker-config",
                [("broker", broker.to_string()), ("config", config.clone())],
            ),
        }
    }
}
