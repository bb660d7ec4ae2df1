//! Settings of nodes, brokers and topics, by the names of Kafka's own configuration.

mod broker;
mod definition;
mod effective;
mod listener;
mod properties;
mod protocols;
mod quorum;
pub(super) mod topic;
mod whole;

pub use broker::{BROKER_SETTINGS, DYNAMIC_SETTINGS, definition as broker_definition};
pub use definition::{Definition, Kind};
pub use effective::{ConfigSource, Effective, Settings, Synonym, topic_log_config};
pub use listener::{Listener, ListenerKind, Roles};
pub use quorum::Voter;

use super::error::{BrokerError, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// More connections than any system lets wait; it takes the most that it allows.
const LONGEST_BACKLOG: u32 = i32::MAX as u32;
/// Memory for requests being received when `queued.max.request.bytes` does not say.
const REQUEST_MEMORY: usize = 64 << 20;

/// Settings of one node.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// `node.id`, or `broker.id` of older files.
    pub node_id: i32,
    /// `process.roles`
    pub roles: Roles,
    /// `log.dirs` (one folder)
    pub log_dir: PathBuf,
    /// `listeners`: where to bind.
    pub listeners: Vec<Listener>,
    /// `advertised.listeners`: what clients are told; a port 0 is replaced by the bound one.
    pub advertised_listeners: Vec<Listener>,
    /// `controller.quorum.voters` or `controller.quorum.bootstrap.servers`; empty where the file names none.
    pub quorum: Vec<Voter>,
    /// Settings given by name, unparsed: what DescribeConfigs shows as `STATIC_BROKER_CONFIG`.
    pub properties: BTreeMap<String, String>,
}

impl NodeConfig {
    /// The folder of the data as clients are told of it.
    pub fn absolute_log_dir(&self) -> PathBuf {
        std::path::absolute(&self.log_dir).unwrap_or_else(|_| self.log_dir.clone())
    }

    /// Reads the settings of a node from the names and values of a `server.properties`.
    ///
    /// What is not given is as in Apache Kafka's shipped `config/server.properties`, except that listeners bind
    /// loopback only.
    ///
    /// # Errors
    /// [`BrokerError::Config`] naming the setting that cannot be used.
    pub fn from_properties(given: BTreeMap<String, String>) -> Result<Self> {
        let mut properties = broker::shipped_properties();
        properties.extend(given);
        whole::check_node(&properties).map_err(BrokerError::Config)?;
        for name in properties
            .keys()
            .filter(|name| broker::definition(name).is_none())
        {
            tracing::warn!("{name} is not a setting of this broker and has no effect");
        }
        let node_id = listener::node_id(&properties)?;
        // As Kafka shows them, however the id was given.
        for name in ["broker.id", "node.id"] {
            properties.insert(name.to_owned(), node_id.to_string());
        }
        let roles = Roles::parse(&properties);
        let listeners = listener::listeners(&properties, roles)?;
        let advertised_listeners = listener::advertised(&properties, &listeners)?;
        let quorum = quorum::quorum(&properties).map_err(BrokerError::Config)?;
        let log_dir = log_dir(&properties)?;
        Ok(NodeConfig {
            node_id,
            roles,
            log_dir,
            listeners,
            advertised_listeners,
            quorum,
            properties,
        })
    }

    /// Checks a `server.properties` with `process.roles` as a whole, as Kafka does before it starts: what must be in it,
    /// and that listeners, roles and quorum fit one another.
    ///
    /// # Errors
    /// [`BrokerError::Config`] with the text Kafka gives.
    pub fn check_file(given: &BTreeMap<String, String>) -> Result<()> {
        whole::check_file(given).map_err(BrokerError::Config)
    }

    /// The value of a broker setting as text: as given, else Kafka's default; `None` where that is null or the name
    /// is unknown.
    pub fn value(&self, name: &str) -> Option<&str> {
        match self.properties.get(name) {
            Some(value) => Some(definition::trim(value)),
            None => broker::definition(name)?.default,
        }
    }

    /// A whole-number setting (`num.partitions`, `log.retention.ms`); its default when it is unset, 0 if it has none.
    pub fn int(&self, name: &str) -> i64 {
        self.value(name)
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    }

    /// A true-or-false setting; false if it has no default.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// A duration setting given in milliseconds.
    pub fn millis(&self, name: &str) -> Duration {
        Duration::from_millis(u64::try_from(self.int(name)).unwrap_or(0))
    }

    /// `inter.broker.listener.name`: where the brokers of the cluster reach one another.
    pub fn inter_broker_listener_name(&self) -> String {
        listener::inter_broker(&self.properties)
    }

    /// `socket.request.max.bytes`
    pub fn socket_request_max_bytes(&self) -> usize {
        usize::try_from(self.int("socket.request.max.bytes")).unwrap_or(0)
    }

    /// The most bytes that an answer of another node may have: what a fetch may bring, and a batch larger than that, which
    /// came to the other node in a request.
    pub fn longest_answer(&self) -> usize {
        let fetched = usize::try_from(self.int("replica.fetch.response.max.bytes")).unwrap_or(0);
        self.socket_request_max_bytes().saturating_add(fetched)
    }

    /// `connections.max.idle.ms`; negative means for ever, as in Kafka.
    pub fn connections_max_idle(&self) -> Duration {
        u64::try_from(self.int("connections.max.idle.ms"))
            .map_or(Duration::from_secs(u64::from(u32::MAX)), Duration::from_millis)
    }

    /// `socket.listen.backlog.size`: how many connections may wait to be taken; as many as the system allows where it is not
    /// set, for one more is told nothing and asks again after a second.
    pub fn listen_backlog(&self) -> u32 {
        let name = "socket.listen.backlog.size";
        let given = self.properties.get(name).map(|_| self.int(name));
        given.map_or(LONGEST_BACKLOG, |given| {
            u32::try_from(given).map_or(LONGEST_BACKLOG, |given| given.min(LONGEST_BACKLOG))
        })
    }

    /// `max.connections`
    pub fn max_connections(&self) -> usize {
        usize::try_from(self.int("max.connections")).unwrap_or(0)
    }

    /// `queued.max.request.bytes`, the budget of all requests being received; 64 MiB when it is not set.
    pub fn request_memory(&self) -> usize {
        usize::try_from(self.int("queued.max.request.bytes")).unwrap_or(REQUEST_MEMORY)
    }
}

fn log_dir(properties: &BTreeMap<String, String>) -> Result<PathBuf> {
    let given = properties.get("log.dirs").or_else(|| properties.get("log.dir"));
    let given = given.map_or("/tmp/kafka-logs", |value| value.trim());
    if given.is_empty() || given.contains(',') {
        return Err(BrokerError::Config(format!(
            "log.dirs must name one folder, not {given:?}"
        )));
    }
    Ok(PathBuf::from(given))
}
