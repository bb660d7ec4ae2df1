//! A node's settings taken together, as Kafka checks them before it starts: which of them must be there, and what has to
//! fit what. The texts are Kafka's.

use super::broker;
use super::listener::{Roles, Written, controller_names, inter_broker};
use super::properties::{Properties, given, listeners_text, words};
use super::protocols::{MAP, names_of_all, protocols};
use super::quorum;
use crate::broker::security::SecurityProtocol;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

type Checked = Result<(), String>;

/// Checks what a file with `process.roles` says.
///
/// # Errors
/// The text Kafka gives.
pub(super) fn check_file(given: &Properties) -> Checked {
    check_values(given)?;
    for name in ["process.roles", "node.id", "controller.listener.names"] {
        let is_there = given.contains_key(name) || name == "node.id" && given.contains_key("broker.id");
        if !is_there {
            return Err(format!(
                "Missing required configuration \"{name}\" which has no default value."
            ));
        }
    }
    let whole = Whole::read(given)?;
    whole.check_quorum()?;
    match (whole.roles.broker, whole.roles.controller) {
        (true, false) => whole.check_broker_alone()?,
        (false, true) => whole.check_controller_alone()?,
        _ => whole.check_controller()?,
    }
    whole.check()
}

/// Checks the settings of a node, wherever they come from.
///
/// # Errors
/// The text Kafka gives.
pub(super) fn check_node(given: &Properties) -> Checked {
    check_values(given)?;
    Whole::read(given)?.check()
}

/// Each setting by itself, then the numbers that depend on one another.
fn check_values(given: &Properties) -> Checked {
    for (name, value) in given {
        if let Some(definition) = broker::definition(name) {
            definition.canonical(value)?;
        }
    }
    if let (Some(node), Some(broker)) = (given.get("node.id"), given.get("broker.id"))
        && node.trim().parse::<i32>() != broker.trim().parse::<i32>()
    {
        return Err(
            "`node.id` and `broker.id` must be set to the same value. `broker.id` is deprecated, please use `node.id` \
             instead."
                .to_owned(),
        );
    }
    check_numbers(given)
}

fn ensure(holds: bool, otherwise: impl Into<String>) -> Checked {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// A whole number: as given, else as it is by default.
fn number(given: &Properties, name: &str, default: i64) -> i64 {
    let value = given.get(name).and_then(|value| value.trim().parse().ok());
    let of_definition = || broker::definition(name)?.default?.parse().ok();
    value.or_else(of_definition).unwrap_or(default)
}

fn check_numbers(given: &Properties) -> Checked {
    let is_set = |name: &str| given.contains_key(name);
    ensure(
        !is_set("log.roll.ms") || number(given, "log.roll.ms", 1) >= 1,
        "log.roll.ms must be greater than or equal to 1",
    )?;
    let retention = ["log.retention.ms", "log.retention.minutes", "log.retention.hours"];
    let retention = retention.into_iter().find(|name| is_set(name));
    ensure(
        retention.is_none_or(|name| number(given, name, -1) != 0),
        "log.retention.ms must be unlimited (-1) or, greater than or equal to 1",
    )?;
    let threads = number(given, "log.cleaner.threads", 1).max(1);
    ensure(
        number(given, "log.cleaner.dedupe.buffer.size", 134_217_728) / threads > 1 << 20,
        "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.",
    )?;
    let wait = number(given, "replica.fetch.wait.max.ms", 500);
    ensure(
        wait <= number(given, "replica.socket.timeout.ms", 30_000),
        "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket \
         timeouts",
    )?;
    ensure(
        wait <= number(given, "replica.lag.time.max.ms", 30_000),
        "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent \
         changes in ISR",
    )?;
    let queued = number(given, "queued.max.request.bytes", -1);
    ensure(
        queued <= 0 || queued >= number(given, "socket.request.max.bytes", 0),
        "queued.max.request.bytes must be larger or equal to socket.request.max.bytes",
    )?;
    ensure(
        number(given, "max.connections.per.ip", 1) != 0 || is_set("max.connections.per.ip.overrides"),
        "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.",
    )?;
    let idle = number(given, "connections.max.idle.ms", 600_000);
    let delay = number(given, "connection.failed.authentication.delay.ms", 100);
    ensure(
        idle < 0 || delay < idle,
        format!(
            "connection.failed.authentication.delay.ms={delay} should always be less than connections.max.idle.ms={idle} \
             to prevent failed authentication responses from timing out"
        ),
    )
}

/// The settings that speak of one another.
struct Whole<'a> {
    given: &'a Properties,
    roles: Roles,
    controllers: Vec<&'a str>,
    /// What each listener's name stands for.
    protocols: BTreeMap<String, SecurityProtocol>,
    listeners: Vec<Written>,
    /// `advertised.listeners` as given, else `listeners`.
    advertised: Vec<Written>,
    /// Ids of `controller.quorum.voters`.
    voters: BTreeSet<i32>,
    node_id: i64,
}

impl<'a> Whole<'a> {
    fn read(given: &'a Properties) -> Result<Self, String> {
        let controllers = controller_names(given);
        let text = listeners_text(given);
        let protocols = protocols(given, &controllers, text)?;
        let voters = quorum::voters(given)?;
        quorum::quorum(given)?;
        let listeners = endpoints(text, &protocols, true)?;
        let advertised = match self::given(given, "advertised.listeners") {
            Some(text) => endpoints(text, &protocols, false)?,
            None => listeners.clone(),
        };
        Ok(Whole {
            roles: Roles::parse(given),
            controllers,
            protocols,
            listeners,
            advertised,
            voters: voters.into_iter().filter_map(|voter| voter.id).collect(),
            node_id: number(given, "node.id", number(given, "broker.id", 1)),
            given,
        })
    }

    fn is_controllers(&self, listener: &Written) -> bool {
        self.controllers.contains(&listener.name.as_str())
    }

    /// The advertised listeners of the broker.
    fn of_broker(&self) -> Vec<&Written> {
        let advertised = self.advertised.iter();
        advertised
            .filter(|listener| !self.is_controllers(listener))
            .collect()
    }

    /// The names in `controller.listener.names` that are listeners.
    fn of_controller(&self) -> usize {
        let all = || self.advertised.iter().chain(&self.listeners);
        let names = self.controllers.iter();
        names
            .filter(|name| all().any(|listener| listener.name == name.to_uppercase()))
            .count()
    }

    fn check_quorum(&self) -> Checked {
        let servers = given(self.given, "controller.quorum.bootstrap.servers");
        ensure(
            !self.voters.is_empty() || servers.is_some(),
            "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap \
             controllers or controller.quorum.voters must contain a parseable set of controllers.",
        )
    }

    fn voters_text(&self) -> String {
        let ids: Vec<String> = self.voters.iter().map(ToString::to_string).collect();
        format!("controller.quorum.voters=Set({})", ids.join(", "))
    }

    fn is_voter(&self) -> bool {
        self.voters.iter().any(|id| i64::from(*id) == self.node_id)
    }

    fn check_broker_alone(&self) -> Checked {
        ensure(
            !self.is_voter(),
            format!(
                "If process.roles contains just the 'broker' role, the node id {} must not be included in the set of \
                 voters {}",
                self.node_id,
                self.voters_text()
            ),
        )?;
        ensure(
            !self
                .listeners
                .iter()
                .any(|listener| self.is_controllers(listener)),
            "controller.listener.names must not contain a value appearing in the 'listeners' configuration when \
             running KRaft with just the broker role",
        )?;
        for name in &self.controllers {
            ensure(
                self.protocols.contains_key(&name.to_uppercase()),
                format!(
                    "Controller listener with name {} defined in controller.listener.names not found in {MAP}  (an \
                     explicit security mapping for each controller listener is required if {MAP} is non-empty, or if \
                     there are security protocols other than PLAINTEXT in use)",
                    name.to_uppercase()
                ),
            )?;
        }
        let joins = self.given.get("controller.quorum.auto.join.enable");
        ensure(
            !joins.is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
            "controller.quorum.auto.join.enable is only supported when process.roles contains the 'controller' role.",
        )
    }

    fn check_controller_alone(&self) -> Checked {
        ensure(
            self.of_controller() == self.listeners.len(),
            "The listeners config must only contain KRaft controller listeners from controller.listener.names when \
             process.roles=controller",
        )?;
        let explicit = given(self.given, "inter.broker.listener.name");
        ensure(
            explicit.is_none_or(|name| !self.controllers.contains(&name.to_uppercase().as_str())),
            "controller.listener.names must not contain an explicitly set inter.broker.listener.name configuration \
             value when process.roles=controller'",
        )?;
        self.check_controller()
    }

    fn check_controller(&self) -> Checked {
        ensure(
            self.voters.is_empty() || self.is_voter(),
            format!(
                "If process.roles contains the 'controller' role, the node id {} must be included in the set of voters {}",
                self.node_id,
                self.voters_text()
            ),
        )?;
        ensure(
            self.of_controller() > 0,
            "controller.listener.names must contain at least one value appearing in the 'listeners' configuration when \
             running the KRaft controller role",
        )?;
        let bound = |name: &&str| self.listeners.iter().any(|listener| listener.name == **name);
        ensure(
            self.controllers.iter().all(bound),
            "controller.listener.names must only contain values appearing in the 'listeners' configuration when running \
             the KRaft controller role",
        )
    }

    /// What must hold for every node.
    fn check(&self) -> Checked {
        if self.roles.broker {
            self.check_broker()?;
        }
        let early = given(self.given, "early.start.listeners").unwrap_or_default();
        for name in words(early).map(str::to_uppercase) {
            let known = self.listeners.iter().any(|listener| listener.name == name)
                || self.controllers.contains(&name.as_str());
            ensure(
                known,
                format!(
                    "early.start.listeners contains listener {name}, but this is not contained in listeners or \
                     controller.listener.names"
                ),
            )?;
        }
        // A controller's own listener that is not advertised is told by this machine's name.
        let explicit = given(self.given, "advertised.listeners").is_some();
        let told = self.advertised.iter();
        let mut told = told.filter(|listener| explicit || !self.is_controllers(listener));
        told.find(|listener| listener.is_nowhere())
            .map_or(Ok(()), |nowhere| {
                Err(format!(
                    "advertised.listeners cannot use the nonroutable meta-address {}. Use a routable IP address.",
                    nowhere.host
                ))
            })
    }

    fn check_broker(&self) -> Checked {
        let advertised = self.of_broker();
        ensure(
            !advertised.is_empty(),
            "There must be at least one broker advertised listener. Perhaps all listeners appear in \
             controller.listener.names?",
        )?;
        let names = |listeners: &mut dyn Iterator<Item = &Written>| -> String {
            let names: Vec<&str> = listeners.map(|listener| listener.name.as_str()).collect();
            names.join(",")
        };
        let told = names(&mut advertised.iter().copied());
        let between = self.inter_broker()?;
        ensure(
            advertised.iter().any(|listener| listener.name == between),
            format!(
                "inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options \
                 based on currently configured listeners are {told}"
            ),
        )?;
        let bound = |name: &str| self.listeners.iter().any(|listener| listener.name == name);
        ensure(
            advertised.iter().all(|listener| bound(&listener.name)),
            format!(
                "advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found \
                 {told}. The valid options based on the current configuration are {}",
                names(&mut self.listeners.iter())
            ),
        )
    }

    /// The listener of the brokers among themselves.
    fn inter_broker(&self) -> Result<String, String> {
        let protocol = given(self.given, "security.inter.broker.protocol");
        if let Some(protocol) = protocol.filter(|name| SecurityProtocol::of_name(name).is_none()) {
            return Err(format!(
                "Invalid value {protocol} for configuration security.inter.broker.protocol: String must be one of: {}",
                names_of_all()
            ));
        }
        let name = inter_broker(self.given);
        if given(self.given, "inter.broker.listener.name").is_none() {
            return Ok(name);
        }
        ensure(
            protocol.is_none(),
            "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.",
        )?;
        ensure(
            self.protocols.contains_key(&name),
            format!("Listener with name {name} defined in inter.broker.listener.name not found in {MAP}."),
        )?;
        Ok(name)
    }
}

/// The listeners of a list; no two may have the same name, nor, where they are bound, the same port.
fn endpoints(
    text: &str,
    protocols: &BTreeMap<String, SecurityProtocol>,
    distinct_ports: bool,
) -> Result<Vec<Written>, String> {
    let all: Vec<&str> = words(text).collect();
    let shown = format!("[{}]", all.join(", "));
    let read = || -> Result<Vec<Written>, String> {
        let mut listeners: Vec<Written> = Vec::new();
        for word in &all {
            let written =
                Written::parse(word).ok_or_else(|| format!("Unable to parse {word} to a broker endpoint"))?;
            ensure(
                protocols.contains_key(&written.name),
                format!("No security protocol defined for listener {}", written.name),
            )?;
            listeners.push(written);
        }
        let names: BTreeSet<&str> = listeners.iter().map(|listener| listener.name.as_str()).collect();
        ensure(
            names.len() == listeners.len(),
            format!("Each listener must have a different name, listeners: {shown}"),
        )?;
        if distinct_ports {
            check_ports(&listeners, &shown)?;
        }
        Ok(listeners)
    };
    read().map_err(|why| format!("Error creating broker listeners from '{shown}': {why}"))
}

/// Two listeners may share a port if one has an IPv4 address and the other an IPv6 address.
fn check_ports(listeners: &[Written], shown: &str) -> Checked {
    let mut by_port: BTreeMap<u16, Vec<&Written>> = BTreeMap::new();
    for listener in listeners.iter().filter(|listener| listener.port != 0) {
        by_port.entry(listener.port).or_default().push(listener);
    }
    for (port, same) in by_port.into_iter().filter(|(_, same)| same.len() > 1) {
        let addresses: Vec<IpAddr> = same.iter().filter_map(|same| same.host.parse().ok()).collect();
        let others = same.len() - addresses.len();
        ensure(
            others < 2,
            format!("Each listener must have a different port, listeners: {shown}"),
        )?;
        match addresses.as_slice() {
            [one, other] => ensure(
                one.is_ipv4() != other.is_ipv4() && others == 0,
                format!(
                    "If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: \
                     {shown}, port: {port}"
                ),
            )?,
            _ => {
                return Err(format!(
                    "Each listener must have a different port unless exactly one listener has an IPv4 address and the \
                     other IPv6 address, listeners: {shown}, port: {port}"
                ));
            }
        }
    }
    Ok(())
}
