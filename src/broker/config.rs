//! Node settings, by the names of Kafka's `server.properties`.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Settings of one node.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// `node.id`
    pub node_id: i32,
    /// `log.dirs` (one folder)
    pub log_dir: PathBuf,
    /// Settings given by name, unparsed: what DescribeConfigs shows as `STATIC_BROKER_CONFIG`.
    pub properties: BTreeMap<String, String>,
}
