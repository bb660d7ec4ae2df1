//! Roles, listeners and the quorum, read from a node's properties.

use crate::broker::api::ListenerKind;
use crate::broker::error::{BrokerError, Result};
use std::collections::BTreeMap;

type Properties = BTreeMap<String, String>;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Keeps partitions and serves clients.
    pub broker: bool,
    /// Keeps the metadata log.
    pub controller: bool,
}

/// An address of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// `PLAINTEXT`, `CONTROLLER` or a name of the user's.
    pub name: String,
    /// Host to bind or to tell; never empty.
    pub host: String,
    /// Port; 0 lets the system choose.
    pub port: u16,
    /// Whom it serves.
    pub kind: ListenerKind,
}

/// A controller of the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    /// Its node id, when the setting says.
    pub id: Option<i32>,
    /// Host of its controller listener.
    pub host: String,
    /// Port of its controller listener.
    pub port: u16,
}

fn given<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties
        .get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

pub(super) fn node_id(properties: &Properties) -> Result<i32> {
    let text = given(properties, "node.id").or_else(|| given(properties, "broker.id"));
    let id = text.map_or(Ok(1), str::parse::<i32>);
    id.ok()
        .filter(|id| *id >= 0)
        .ok_or_else(|| BrokerError::Config("node.id must be a number from 0 on".to_owned()))
}

impl Roles {
    pub(super) fn parse(properties: &Properties) -> Result<Self> {
        let text = given(properties, "process.roles").unwrap_or("broker,controller");
        let mut roles = Roles {
            broker: false,
            controller: false,
        };
        for word in words(text) {
            match word {
                "broker" => roles.broker = true,
                "controller" => roles.controller = true,
                other => {
                    return Err(BrokerError::Config(format!(
                        "process.roles has {other:?}; a node is a broker, a controller, or both"
                    )));
                }
            }
        }
        Ok(roles)
    }
}

pub(super) fn listeners(properties: &Properties, roles: Roles) -> Result<Vec<Listener>> {
    let default = match (roles.broker, roles.controller) {
        (true, true) => "PLAINTEXT://:9092,CONTROLLER://:0",
        (true, false) => "PLAINTEXT://:9092",
        _ => "CONTROLLER://:9093",
    };
    let text = given(properties, "listeners").unwrap_or(default);
    let mut listeners = parse_listeners(text, properties)?;
    let has = |listeners: &[Listener], kind| listeners.iter().any(|listener| listener.kind == kind);
    if roles.broker && !has(&listeners, ListenerKind::Broker) {
        return Err(BrokerError::Config(format!(
            "listeners={text} has no listener for clients"
        )));
    }
    if roles.controller && !has(&listeners, ListenerKind::Controller) {
        // A lone node needs no fixed port for talking to itself.
        listeners.extend(parse_listeners("CONTROLLER://:0", properties)?);
    }
    Ok(listeners)
}

pub(super) fn advertised(properties: &Properties, bound: &[Listener]) -> Result<Vec<Listener>> {
    given(properties, "advertised.listeners")
        .map_or_else(|| Ok(bound.to_vec()), |text| parse_listeners(text, properties))
}

fn parse_listeners(text: &str, properties: &Properties) -> Result<Vec<Listener>> {
    let controllers = given(properties, "controller.listener.names").unwrap_or("CONTROLLER");
    let parse = |word: &str| {
        let (name, address) = word.split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let kind = if words(controllers).any(|controller| controller == name) {
            ListenerKind::Controller
        } else {
            ListenerKind::Broker
        };
        Some(Listener {
            name: name.to_owned(),
            host: host_or_loopback(host),
            port: port.parse().ok()?,
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
fn host_or_loopback(host: &str) -> String {
    if host.is_empty() {
        "127.0.0.1".to_owned()
    } else {
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }
}

pub(super) fn quorum(properties: &Properties) -> Result<Vec<Voter>> {
    let (name, text) = match given(properties, "controller.quorum.voters") {
        Some(text) => ("controller.quorum.voters", text),
        None => (
            "controller.quorum.bootstrap.servers",
            given(properties, "controller.quorum.bootstrap.servers").unwrap_or(""),
        ),
    };
    let parse = |word: &str| {
        let (id, address) = match word.split_once('@') {
            Some((id, address)) => (Some(id.parse().ok()?), address),
            None => (None, word),
        };
        let (host, port) = address.rsplit_once(':')?;
        Some(Voter {
            id,
            host: host_or_loopback(host),
            port: port.parse().ok()?,
        })
    };
    words(text)
        .map(|word| {
            parse(word).ok_or_else(|| {
                BrokerError::Config(format!("{name} has {word:?}; write ID@HOST:PORT or HOST:PORT"))
            })
        })
        .collect()
}
