//! Connections to the other brokers of the cluster.

use super::config::NodeConfig;
use super::error::Result;
use super::metadata::AppliedMetadata;
use super::peer::Peer;
use super::world::Net;
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::Request;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The way to every other broker that the metadata knows. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Brokers {
    config: Arc<NodeConfig>,
    metadata: Arc<AppliedMetadata>,
    net: Net,
}

impl Brokers {
    /// Of a node with these settings.
    pub fn new(config: Arc<NodeConfig>, metadata: Arc<AppliedMetadata>, net: Net) -> Self {
        Brokers {
            config,
            metadata,
            net,
        }
    }

    /// A connection to another broker, for a purpose that is a part of its client id; `None` while that broker is not known.
    pub fn peer(&self, broker: i32, purpose: &str) -> Option<Peer> {
        let image = self.metadata.load();
        let endpoint = image.brokers.get(&broker)?;
        let endpoint = endpoint.endpoint(&self.config.inter_broker_listener_name())?;
        let name = format!("broker-{}-{purpose}", self.config.node_id);
        Some(Peer::new(
            &self.net,
            &endpoint.host,
            endpoint.port,
            name,
            self.config.longest_answer(),
        ))
    }
}

/// A connection, while there is one.
type Link = Arc<tokio::sync::Mutex<Option<Peer>>>;

/// One connection to each broker, made when it is first needed. Requests to one broker go one after another.
#[derive(Debug)]
pub struct Peers {
    purpose: &'static str,
    links: Mutex<BTreeMap<i32, Link>>,
}

impl Peers {
    /// None yet; `purpose` is a part of their client id.
    pub fn new(purpose: &'static str) -> Self {
        Peers {
            purpose,
            links: Mutex::default(),
        }
    }

    /// Asks a broker, to which `connect` makes the way for a purpose.
    ///
    /// # Errors
    /// `LEADER_NOT_AVAILABLE` while it is not known, [`crate::broker::error::BrokerError::Io`] when it cannot be reached; the
    /// next request connects anew, to where it is then.
    pub async fn ask<Q: Request>(
        &self,
        connect: impl FnOnce(&str) -> Option<Peer>,
        broker: i32,
        request: &Q,
        version: i16,
        timeout: Duration,
    ) -> Result<Q::Response> {
        let link = Arc::clone(self.links.lock().entry(broker).or_default());
        let mut link = link.lock().await;
        let mut peer = match link.take() {
            Some(peer) => peer,
            None => connect(self.purpose).ok_or(ResponseError::LeaderNotAvailable)?,
        };
        let answer = peer.ask(request, version, timeout).await?;
        *link = Some(peer);
        Ok(answer)
    }
}
