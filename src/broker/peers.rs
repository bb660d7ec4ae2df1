//! Connections to the other brokers of the cluster.

use super::error::Result;
use super::peer::Peer;
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::Request;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
