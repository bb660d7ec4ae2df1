//! Requests that librdkafka lacks, over a connection of our own: one request, one answer, on the `kafka-protocol` crate.
//!
//! Each method waits for its answer. An area of Kafka has its own file with the owned types it speaks in, so that nobody
//! else needs to know the protocol's. `docs/decisions.md` says why this is not another client library.

mod acls;
mod api_versions;
mod channel;
mod cluster;
mod configs;
mod coordinator;
mod eligible;
mod features;
mod groups;
mod log_dirs;
mod metadata;
mod quorum;
mod quotas;
mod reassignments;
mod replicas;
mod sasl;
mod scram;
mod security;
#[cfg(feature = "tls")]
mod tls;
mod transactions;
mod users;

pub use acls::{AclEntry, AclOperation, AclPermission, PatternType, ResourcePattern, ResourceType};
pub use api_versions::ApiRange;
pub use cluster::{ClusterEndpoints, ClusterNode};
pub use configs::ConfigKind;
pub use eligible::EligibleReplicas;
pub use features::{FeatureChange, FeatureRange, Features};
pub use groups::{GroupEpochs, ListedGroup};
pub use log_dirs::{LogDir, LogDirReplica};
pub use quorum::{Quorum, QuorumEndpoint, QuorumReplica};
pub use quotas::{QuotaEntity, QuotaMatch, Quotas};
pub use reassignments::Reassignment;
pub use replicas::Replicas;
pub use transactions::{
    OpenTransaction, PartitionPlace, PartitionProducer, TransactionDescription, TransactionFilter,
    TransactionListing,
};
pub use users::{ScramChange, ScramMechanism, ScramUser};

use super::errors::{Answer, ErrorCode, KafkaError};
use super::probe::{self, Endpoint};
use super::types::Broker;
use super::{Connection, denial};
use crate::failure::{Failure, Kind, Outcome};
use channel::Channel;
use kafka_protocol::messages::{ApiKey, ConsumerGroupHeartbeatRequest, MetadataRequest};
use kafka_protocol::protocol::{Request, StrBytes};
use security::Security;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a broker may take to answer, unless `request.timeout.ms` (librdkafka's `socket.timeout.ms`) says otherwise.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    /// Whoever answered first.
    Any,
    /// The node with this id.
    Node(i32),
    /// The active controller; where brokers are asked, any of them, for they pass such requests on to it.
    Controller,
}

/// A client of one cluster for administration.
pub struct Wire {
    connection: Connection,
    security: Security,
    endpoint: Endpoint,
    patience: Duration,
    first: Channel,
    others: BTreeMap<i32, Channel>,
    cluster: Option<Cluster>,
}

/// Where the nodes are.
#[derive(Debug, Clone)]
struct Cluster {
    controller: i32,
    nodes: Vec<Broker>,
}

impl Wire {
    /// Connects to one of the bootstrap servers, which are brokers.
    ///
    /// # Errors
    /// Unreachable, within a few seconds; or a connection property that cannot be carried here, by name.
    pub fn connect(connection: &Connection) -> Outcome<Self> {
        Self::to(connection, Endpoint::Brokers)
    }

    /// Connects to one of the bootstrap servers, which are controllers (`--bootstrap-controller`, KIP-919).
    ///
    /// # Errors
    /// As [`Wire::connect`].
    pub fn connect_to_controllers(connection: &Connection) -> Outcome<Self> {
        Self::to(connection, Endpoint::Controllers)
    }

    fn to(connection: &Connection, endpoint: Endpoint) -> Outcome<Self> {
        let settings = connection.settings();
        let security = Security::of(&settings)?;
        let patience = settings
            .get("socket.timeout.ms")
            .and_then(|text| text.parse().ok())
            .map_or(PATIENCE, Duration::from_millis);
        let mut refused = KafkaError::new(ErrorCode::AllBrokersDown, "");
        for (host, port) in connection.servers()? {
            let opened = Channel::open(&host, port, &security, patience).and_then(|mut first| {
                // A broker that wants a login, and a controller, show it when they are asked for something.
                let cluster = match endpoint {
                    Endpoint::Brokers => Some(brokers_by(&mut first)?),
                    Endpoint::Controllers => None,
                };
                Ok((first, cluster))
            });
            match opened {
                Ok((first, cluster)) => {
                    return Ok(Wire {
                        connection: connection.clone(),
                        security,
                        endpoint,
                        patience,
                        first,
                        others: BTreeMap::new(),
                        cluster,
                    });
                }
                Err(error) => refused = error,
            }
        }
        // A closer look tells what else answers there, if anything.
        probe::reach(connection, endpoint)?;
        Err(refusal(connection.bootstrap(), refused))
    }

    /// Whether groups can use the protocol of KIP-848 (ConsumerGroupHeartbeat).
    pub fn has_new_groups(&self) -> bool {
        let key = ConsumerGroupHeartbeatRequest::KEY;
        self.first.node().api_keys.iter().any(|api| api.api_key == key)
    }

    /// How this cluster is reached.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The nodes that can be asked: brokers, or controllers when those are the bootstrap servers.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn nodes(&mut self) -> Answer<Vec<Broker>> {
        Ok(self.cluster()?.nodes)
    }

    /// Asks one node, in the highest version that both know and that can say what the request says.
    fn ask<Q: Request>(&mut self, to: To, request: &Q) -> Answer<Q::Response> {
        self.channel(to)?.ask(request)
    }

    fn channel(&mut self, to: To) -> Answer<&mut Channel> {
        let id = match to {
            To::Any => return Ok(&mut self.first),
            To::Controller if self.endpoint == Endpoint::Brokers => return Ok(&mut self.first),
            To::Controller => self.cluster()?.controller,
            To::Node(id) => id,
        };
        if !self.others.contains_key(&id) {
            let node = self.node(id)?;
            let channel = Channel::open(&node.host, node.port, &self.security, self.patience)?;
            self.others.insert(id, channel);
        }
        self.others
            .get_mut(&id)
            .ok_or_else(|| KafkaError::new(ErrorCode::BrokerNotAvailable, ""))
    }

    fn node(&mut self, id: i32) -> Answer<Broker> {
        let nodes = self.cluster()?.nodes;
        nodes.into_iter().find(|node| node.id == id).ok_or_else(|| {
            KafkaError::new(
                ErrorCode::BrokerNotAvailable,
                format!("there is no node {id} that answers"),
            )
        })
    }

    fn cluster(&mut self) -> Answer<Cluster> {
        if let Some(cluster) = &self.cluster {
            return Ok(cluster.clone());
        }
        let cluster = match self.endpoint {
            Endpoint::Brokers => brokers_by(&mut self.first)?,
            Endpoint::Controllers => self.ask_for_controllers()?,
        };
        self.cluster = Some(cluster.clone());
        Ok(cluster)
    }

    fn ask_for_controllers(&mut self) -> Answer<Cluster> {
        let told = self.describe_cluster(false)?;
        Ok(Cluster {
            controller: told.controller,
            nodes: told.nodes.into_iter().map(|told| told.node).collect(),
        })
    }
}

/// The cluster as one of its brokers knows it.
fn brokers_by(broker: &mut Channel) -> Answer<Cluster> {
    let answer = broker.ask(
        &MetadataRequest::default()
            .with_topics(Some(Vec::new()))
            .with_allow_auto_topic_creation(false),
    )?;
    Ok(Cluster {
        controller: answer.controller_id.0,
        nodes: answer.brokers.into_iter().map(metadata::broker_of).collect(),
    })
}

/// Why no connection was made.
fn refusal(bootstrap: &str, error: KafkaError) -> Failure {
    let why = error.to_string();
    match error.code() {
        ErrorCode::SSL => denial::by_words(bootstrap, &why).unwrap_or_else(|| {
            Failure::new(Kind::Denied, format!("{bootstrap} cannot be spoken to by TLS")).because(why)
        }),
        ErrorCode::Authentication
        | ErrorCode::SaslAuthenticationFailed
        | ErrorCode::UnsupportedSASLMechanism
        | ErrorCode::IllegalSASLState => denial::of_user(bootstrap, &why),
        _ => error.into_failure(format!("cannot connect to {bootstrap}")),
    }
}

/// A port as the protocol tells it; one that is none cannot be connected to.
fn port(told: i32) -> u16 {
    u16::try_from(told).unwrap_or_default()
}

fn text(words: &str) -> StrBytes {
    StrBytes::from_string(words.to_owned())
}

/// What an answer's error code and message say.
fn check(code: i16, message: Option<StrBytes>) -> Answer {
    match code {
        0 => Ok(()),
        code => Err(KafkaError::of_protocol(
            code,
            message.map(|words| words.to_string()).unwrap_or_default(),
        )),
    }
}

/// An API's name as Java's enumeration has it: `DESCRIBE_QUORUM`.
fn java_name(key: i16) -> String {
    if key == cluster::UNREGISTER_CONTROLLER {
        return "UNREGISTER_CONTROLLER".to_owned();
    }
    let Ok(key) = ApiKey::try_from(key) else {
        return key.to_string();
    };
    let mut name = String::new();
    for character in format!("{key:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apis_have_java_s_names() {
        assert_eq!(java_name(55), "DESCRIBE_QUORUM");
        assert_eq!(java_name(3), "METADATA");
        assert_eq!(java_name(-7), "-7");
    }
}
