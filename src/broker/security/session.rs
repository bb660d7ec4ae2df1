//! A connection, and who speaks on it.

use super::{Principal, SecurityProtocol};
use crate::broker::config::ListenerKind;
use crate::broker::wanted::PeerGone;
use parking_lot::Mutex;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The client's software, as it says itself (KIP-511).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// `apache-kafka-java`, `librdkafka` …
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What is known of a connection, and so of each request on it. One that came in an envelope has a session of its own: who
/// asked the broker that passed it on.
#[derive(Debug)]
pub struct Session {
    peer: SocketAddr,
    connection_id: u64,
    listener: ListenerKind,
    listener_name: Arc<str>,
    protocol: SecurityProtocol,
    principal: Principal,
    software: Mutex<Option<Software>>,
    peer_gone: PeerGone,
}

impl Session {
    /// A connection that has come in. Nobody asks who it is yet, so it is nobody in particular.
    pub fn new(
        peer: SocketAddr,
        connection_id: u64,
        listener: ListenerKind,
        listener_name: Arc<str>,
        protocol: SecurityProtocol,
    ) -> Self {
        Session {
            peer,
            connection_id,
            listener,
            listener_name,
            protocol,
            principal: Principal::anonymous(),
            software: Mutex::new(None),
            peer_gone: PeerGone::default(),
        }
    }

    /// Who has asked a broker that speaks on this connection, at which address. What came in an envelope is wanted for as
    /// long as the broker that sent it is there.
    pub fn on_behalf_of(&self, principal: Principal, address: IpAddr) -> Self {
        Session {
            peer: SocketAddr::new(address, 0),
            connection_id: self.connection_id,
            listener: self.listener,
            listener_name: Arc::clone(&self.listener_name),
            protocol: self.protocol,
            principal,
            software: Mutex::new(None),
            peer_gone: self.peer_gone.clone(),
        }
    }

    /// Where the client is.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Unique among the connections of this process.
    pub fn connection_id(&self) -> u64 {
        self.connection_id
    }

    /// Whom the listener serves by which it came.
    pub fn listener(&self) -> ListenerKind {
        self.listener
    }

    /// The name of that listener: addresses are told as they stand under it.
    pub fn listener_name(&self) -> &str {
        &self.listener_name
    }

    /// Who asks.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The client has said what it is.
    pub fn learn_software(&self, name: &str, version: &str) {
        *self.software.lock() = Some(Software {
            name: name.to_owned(),
            version: version.to_owned(),
        });
    }

    /// What the client says it is; `None` until it does.
    pub fn software(&self) -> Option<Software> {
        self.software.lock().clone()
    }

    /// Tells when it has hung up.
    pub fn peer_gone(&self) -> &PeerGone {
        &self.peer_gone
    }
}

/// As it stands in the log beside a request.
impl fmt::Display for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Session {
            peer,
            principal,
            listener_name,
            protocol,
            ..
        } = self;
        write!(
            formatter,
            "{principal} at {peer} by {listener_name} ({})",
            protocol.name()
        )?;
        match &*self.software.lock() {
            Some(Software { name, version }) => write!(formatter, " with {name} {version}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let protocol = SecurityProtocol::Plaintext;
        let peer = ([192, 0, 2, 7], 4711).into();
        Session::new(peer, 3, ListenerKind::Broker, "INTERNAL".into(), protocol)
    }

    #[test]
    fn a_session_tells_who_asks_from_where_and_with_what() {
        let session = session();
        assert_eq!(
            session.to_string(),
            "User:ANONYMOUS at 192.0.2.7:4711 by INTERNAL (PLAINTEXT)"
        );
        session.learn_software("apache-kafka-java", "4.4.0");
        assert!(
            session.to_string().ends_with(" with apache-kafka-java 4.4.0"),
            "{session}"
        );
    }

    #[test]
    fn a_request_in_an_envelope_is_its_clients_and_ends_with_the_brokers_connection() {
        let broker = session();
        broker.learn_software("velo", "1");
        let alice = Principal::from_bytes(b"\0\0\x05User\x06alice\0\0").unwrap();
        let client = broker.on_behalf_of(alice, [192, 0, 2, 9].into());
        assert_eq!(client.principal().to_string(), "User:alice");
        assert_eq!(
            (client.peer().ip().to_string().as_str(), client.connection_id()),
            ("192.0.2.9", 3)
        );
        assert_eq!(client.software(), None);
        broker.peer_gone().tell();
        assert!(client.peer_gone().is_told());
    }
}
