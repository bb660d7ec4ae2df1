//! Roles and listeners, read from a node's properties.

use super::properties::{Properties, given, listeners_text, words};
use super::protocols::protocols;
use crate::broker::error::{BrokerError, Result};
use crate::broker::security::SecurityProtocol;
use std::net::IpAddr;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Keeps partitions and serves clients.
    pub broker: bool,
    /// Keeps the metadata log.
    pub controller: bool,
}

/// Which of a node's listeners a connection came in by; decides the APIs it may use, as in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// For clients and other brokers.
    Broker,
    /// For brokers and tools that talk to the controller.
    Controller,
}

/// An address of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// `PLAINTEXT`, `CONTROLLER` or a name of the user's, in capital letters.
    pub name: String,
    /// Host to bind or to tell; never empty.
    pub host: String,
    /// Port; 0 lets the system choose.
    pub port: u16,
    /// Whom it serves.
    pub kind: ListenerKind,
    /// How they prove who they are.
    pub protocol: SecurityProtocol,
}

/// One item of `listeners` or `advertised.listeners`, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// The name in capital letters: as Kafka, names of listeners are compared so.
    pub name: String,
    /// The host without brackets; empty if there is none.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Written {
    /// Reads `NAME://HOST:PORT`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let (name, address) = word.rsplit_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        let belongs = |letter: char| letter.is_ascii_alphanumeric() || "-%._:".contains(letter);
        host.chars().all(belongs).then_some(())?;
        Some(Written {
            name: name.to_uppercase(),
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    }

    /// Whether nobody can connect to it: it stands for every address, or for many hosts at once.
    pub(super) fn is_nowhere(&self) -> bool {
        is_nowhere(&self.host)
    }
}

/// Whether a host is an address that can be bound or sent to, but is no host's own.
pub(super) fn is_nowhere(host: &str) -> bool {
    let address = host.split('%').next().unwrap_or_default();
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => {
            address.is_unspecified() || address.is_broadcast() || address.is_multicast()
        }
        Ok(IpAddr::V6(address)) => address.is_unspecified() || address.is_multicast(),
        // `0`, `0.0` and `000.000.000.000` are the same to the system.
        Err(_) => {
            !address.is_empty()
                && address
                    .split('.')
                    .all(|part| !part.is_empty() && part.chars().all(|letter| letter == '0'))
        }
    }
}

pub(super) fn node_id(properties: &Properties) -> Result<i32> {
    let text = given(properties, "node.id").or_else(|| given(properties, "broker.id"));
    let id = text.map_or(Ok(1), str::parse::<i32>);
    id.ok()
        .filter(|id| *id >= 0)
        .ok_or_else(|| BrokerError::Config("node.id must be a number from 0 on".to_owned()))
}

impl Roles {
    /// `process.roles`, whose words have been checked; both if it is not given.
    pub(super) fn parse(properties: &Properties) -> Self {
        let text = given(properties, "process.roles").unwrap_or("broker,controller");
        let has = |role: &str| words(text).any(|word| word == role);
        Roles {
            broker: has("broker"),
            controller: has("controller"),
        }
    }
}

/// `controller.listener.names`
pub(super) fn controller_names(properties: &Properties) -> Vec<&str> {
    let names = given(properties, "controller.listener.names").unwrap_or("CONTROLLER");
    words(names).collect()
}

pub(super) fn listeners(properties: &Properties, roles: Roles) -> Result<Vec<Listener>> {
    let default = match (roles.broker, roles.controller) {
        (true, true) => "PLAINTEXT://:9092,CONTROLLER://:0",
        (true, false) => "PLAINTEXT://:9092",
        _ => "CONTROLLER://:9093",
    };
    let text = given(properties, "listeners").unwrap_or(default);
    let mut listeners = parse_listeners(text, properties)?;
    if let Some(other) = listeners
        .iter()
        .find(|listener| listener.protocol != SecurityProtocol::Plaintext)
    {
        return Err(BrokerError::Config(format!(
            "the listener {} stands for {}, and nodes of ours speak PLAINTEXT only",
            other.name,
            other.protocol.name()
        )));
    }
    let has = |listeners: &[Listener], kind| listeners.iter().any(|listener| listener.kind == kind);
    if roles.broker && !has(&listeners, ListenerKind::Broker) {
        return Err(BrokerError::Config(format!(
            "listeners={text} has no listener for clients"
        )));
    }
    if roles.controller && !has(&listeners, ListenerKind::Controller) {
        // A lone node needs no fixed port for talking to itself.
        let name = controller_names(properties)
            .first()
            .copied()
            .unwrap_or("CONTROLLER");
        listeners.extend(parse_listeners(&format!("{name}://:0"), properties)?);
    }
    Ok(listeners)
}

pub(super) fn advertised(properties: &Properties, bound: &[Listener]) -> Result<Vec<Listener>> {
    let Some(text) = given(properties, "advertised.listeners") else {
        return Ok(bound.to_vec());
    };
    let mut told = parse_listeners(text, properties)?;
    let nameless: Vec<String> = words(text)
        .filter_map(Written::parse)
        .filter(|written| written.host.is_empty())
        .map(|written| written.name)
        .collect();
    for listener in told.iter_mut().filter(|told| nameless.contains(&told.name)) {
        if let Some(same) = bound.iter().find(|bound| bound.name == listener.name) {
            listener.host = host_of(&same.host);
        }
    }
    Ok(told)
}

/// What clients are told of a listener that is bound to `host` and advertised without one: the host, or this machine's
/// name if it is bound to every address.
fn host_of(host: &str) -> String {
    if !is_nowhere(host) {
        return host.to_owned();
    }
    sysinfo::System::host_name().unwrap_or_else(|_| "localhost".to_owned())
}

/// `inter.broker.listener.name`, in capital letters.
pub(super) fn inter_broker(properties: &Properties) -> String {
    given(properties, "inter.broker.listener.name")
        .or_else(|| given(properties, "security.inter.broker.protocol"))
        .unwrap_or("PLAINTEXT")
        .to_uppercase()
}

fn parse_listeners(text: &str, properties: &Properties) -> Result<Vec<Listener>> {
    let controllers = controller_names(properties);
    let protocols =
        protocols(properties, &controllers, listeners_text(properties)).map_err(BrokerError::Config)?;
    let parse = |word: &str| {
        let written = Written::parse(word)?;
        let kind = if controllers.contains(&written.name.as_str()) {
            ListenerKind::Controller
        } else {
            ListenerKind::Broker
        };
        Some(Listener {
            host: host_or_loopback(&written.host),
            // What a list of protocols does not name is checked before; a lone node's own controller may be none of it.
            protocol: protocols
                .get(&written.name)
                .copied()
                .unwrap_or(SecurityProtocol::Plaintext),
            name: written.name,
            port: written.port,
            kind,
        })
    };
    words(text)
        .map(|word| {
            parse(word).ok_or_else(|| {
                BrokerError::Config(format!("{word:?} is not a listener; write NAME://HOST:PORT"))
            })
        })
        .collect()
}

/// An empty host means every interface to Kafka; here it is loopback, so that nothing is open by an oversight.
pub(super) fn host_or_loopback(host: &str) -> String {
    if host.is_empty() {
        "127.0.0.1".to_owned()
    } else {
        host.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_stands_for_tls_or_a_login_is_refused_and_not_served_without() {
        let roles = Roles {
            broker: true,
            controller: true,
        };
        for (map, outside, protocol) in [
            ("", "SSL", "SSL"),
            ("PLAINTEXT:PLAINTEXT,OUTSIDE:sasl_ssl", "OUTSIDE", "SASL_SSL"),
        ] {
            let text = format!("PLAINTEXT://127.0.0.1:0,{outside}://127.0.0.1:0");
            let mut properties = Properties::from([("listeners".to_owned(), text)]);
            if !map.is_empty() {
                properties.insert("listener.security.protocol.map".to_owned(), map.to_owned());
            }
            let why = listeners(&properties, roles).unwrap_err().to_string();
            let told = format!(
                "the listener {outside} stands for {protocol}, and nodes of ours speak PLAINTEXT only"
            );
            assert_eq!(why, told);
        }
    }

    #[test]
    fn addresses_that_are_no_hosts_own_are_known() {
        for host in [
            "0.0.0.0",
            "::",
            "0:0:0:0:0:0:0:0",
            "::ffff:0.0.0.0",
            "::%eth0",
            "0",
            "000.000.000.000",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
        ] {
            assert!(is_nowhere(host), "{host}");
        }
        for host in [
            "",
            "localhost",
            "127.0.0.1",
            "::1",
            "10.0.0.0",
            "192.0.2.7",
            "0.example.org",
        ] {
            assert!(!is_nowhere(host), "{host}");
        }
    }
}
