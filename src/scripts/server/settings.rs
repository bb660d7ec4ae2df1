//! The settings of a node of ours from a `server.properties`, of the KRaft or the ZooKeeper era. What cannot be honoured
//! is named.

use super::shipped::SHIPPED;
use crate::broker::config::{NodeConfig, Voter, broker_definition};
use crate::broker::error::BrokerError;
use crate::broker::part::{self, Part};
use crate::broker::world::Disk;
use crate::failure::{Failure, Outcome};
use crate::kafka::properties;
use std::collections::BTreeMap;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

/// Names and values of a settings file.
pub type Properties = BTreeMap<String, String>;

/// What ZooKeeper-era files call the controller, and what it is unless they say.
const ZOOKEEPER: &str = "zookeeper.connect";
const ZOOKEEPER_DEFAULT: &str = "localhost:2181";
/// How long a controller may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Settings ready for a node, and what its user should know about them.
#[derive(Debug)]
pub struct Prepared {
    /// The node's settings, checked.
    pub config: NodeConfig,
    /// What it will be to its cluster.
    pub part: Part,
    /// One sentence each.
    pub remarks: Vec<String>,
}

/// Reads a settings file. `config/server.properties` and `config/zookeeper.properties` need not be there: courses name
/// them as the files that Kafka ships, and ours are built in.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &str, remarks: &mut Vec<String>) -> Outcome<Properties> {
    let error = match std::fs::read(path) {
        Ok(bytes) => return Ok(properties::parse(&String::from_utf8_lossy(&bytes))),
        Err(error) => error,
    };
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name);
    match shipped.filter(|_| error.kind() == std::io::ErrorKind::NotFound) {
        Some(shipped) => {
            remarks.push(format!(
                "{path} is not here; the {name} that comes with velo is used (`velo scripts install DIR/bin` writes it to \
                 DIR/config)."
            ));
            Ok(properties::parse(shipped.text))
        }
        None => Err(Failure::request(format!("cannot read the settings file {path}"))
            .because(error)
            .hint("kafka-server-start.sh config/server.properties")),
    }
}

/// The settings of a broker, from what its file says.
///
/// # Errors
/// For listeners with TLS or SASL, settings the node refuses, and data that needs a controller which does not answer.
pub fn of_server(mut given: Properties, mut remarks: Vec<String>) -> Outcome<Prepared> {
    if given.get("broker.id").is_some_and(|id| id.trim() == "-1") {
        given.remove("broker.id");
    }
    refuse_zookeepers(&given)?;
    address_of_old(&mut given, "host.name", "port", "listeners");
    address_of_old(
        &mut given,
        "advertised.host.name",
        "advertised.port",
        "advertised.listeners",
    );
    refuse_security(&given)?;
    let is_of_today = given.contains_key("process.roles");
    if is_of_today {
        NodeConfig::check_file(&given).map_err(|error| refused(&error))?;
    }
    bind_loopback(&mut given, &mut remarks);
    if !is_of_today {
        find_controller(&mut given, &mut remarks)?;
    }
    given.remove(ZOOKEEPER);
    given.remove("zookeeper.connection.timeout.ms");
    name_the_rest(&mut given, &mut remarks);
    let config = NodeConfig::from_properties(given).map_err(|error| refused(&error))?;
    let part = part::part(&config, &Disk::files()).map_err(|error| refused(&error))?;
    remarks.extend(tell_part(&config, &part));
    Ok(Prepared {
        config,
        part,
        remarks,
    })
}

fn refused(error: &BrokerError) -> Failure {
    let text = error.to_string();
    let failure = Failure::request("this broker cannot run with these settings").because(&text);
    if text.contains("nonroutable") {
        return failure.hint(
            "kafka-server-start.sh FILE --override advertised.listeners=PLAINTEXT://HOST:9092   (this machine's name or \
             address, as others type it)",
        );
    }
    failure.hint("kafka-server-start.sh FILE --override NAME=VALUE")
}

/// What becomes of a file that names several controllers: there is one, and who it is, is said.
fn tell_part(config: &NodeConfig, part: &Part) -> Option<String> {
    let named = config.quorum.len();
    let several = format!("The file names {named} controllers, and this cluster has one: ");
    let leaders = match part {
        Part::Leads if named > 1 => {
            return Some(format!(
                "{several}this node leads, and the others join its cluster."
            ));
        }
        Part::Joins(leaders) if config.roles.controller => leaders,
        _ => return None,
    };
    let why = if named > 1 { several } else { String::new() };
    let leader = match leaders.as_slice() {
        [one] => match one.id {
            Some(id) => format!("node {id} leads, at {}", one.address()),
            None => format!("the one at {} leads", one.address()),
        },
        many => {
            let addresses: Vec<String> = many.iter().map(Voter::address).collect();
            format!("the one that answers of {} leads", addresses.join(", "))
        }
    };
    let joins = match config.roles.broker {
        true => "this node joins its cluster as a broker",
        false => "this node stands by and keeps no metadata",
    };
    Some(capitalised(&format!("{why}{leader}; {joins}.")))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Takes out the settings that have no effect here, and names them.
pub fn name_the_rest(given: &mut Properties, remarks: &mut Vec<String>) {
    let unknown: Vec<String> = given
        .keys()
        .filter(|name| broker_definition(name).is_none())
        .cloned()
        .collect();
    if !unknown.is_empty() {
        remarks.push(format!("Without effect here: {}.", unknown.join(", ")));
    }
    given.retain(|name, _| broker_definition(name).is_some());
}

/// Until Kafka 3 a host and a port could stand in place of a listener, as the quickstarts of Kafka 0.8 have it.
fn address_of_old(given: &mut Properties, host: &str, port: &str, listeners: &str) {
    if given.contains_key(listeners) || !given.contains_key(host) && !given.contains_key(port) {
        return;
    }
    let host = given.remove(host).unwrap_or_default();
    let port = given.remove(port).unwrap_or_else(|| "9092".to_owned());
    let listener = format!("PLAINTEXT://{}:{}", host.trim(), port.trim());
    given.insert(listeners.to_owned(), listener);
}

/// A slip that courses print: the broker is given `zookeeper.properties`. Taken as it stands, it would start a broker
/// in the default folder that its user did not describe.
fn refuse_zookeepers(given: &Properties) -> Outcome {
    let brokers = [
        "process.roles",
        "node.id",
        "broker.id",
        "log.dirs",
        "log.dir",
        "listeners",
        ZOOKEEPER,
    ];
    if !given.contains_key("clientPort") || brokers.iter().any(|name| given.contains_key(*name)) {
        return Ok(());
    }
    Err(Failure::request("these are ZooKeeper's settings, not a broker's")
        .because("clientPort is there, process.roles and broker.id are not")
        .hint("kafka-server-start.sh config/server.properties"))
}

fn refuse_security(given: &Properties) -> Outcome {
    let map: BTreeMap<&str, &str> = given
        .get("listener.security.protocol.map")
        .map(|map| {
            map.split(',')
                .filter_map(|pair| pair.trim().split_once(':'))
                .collect()
        })
        .unwrap_or_default();
    let listeners = given.get("listeners").map_or("", String::as_str);
    for listener in listeners.split(',').map(str::trim) {
        let name = listener.split("://").next().unwrap_or_default();
        let protocol = map.get(name).copied().unwrap_or(name);
        if protocol.contains("SSL") || protocol.contains("SASL") {
            return Err(
                Failure::request(format!("the listener {listener} cannot be served"))
                    .because(format!(
                        "it stands for {protocol}, and nodes of ours speak PLAINTEXT only"
                    ))
                    .hint("kafka-server-start.sh FILE --override listeners=PLAINTEXT://:9092,CONTROLLER://:9093"),
            );
        }
    }
    Ok(())
}

/// An empty host means every address of the machine to Kafka; here it means this machine alone.
fn bind_loopback(given: &mut Properties, remarks: &mut Vec<String>) {
    let listeners = given
        .entry("listeners".to_owned())
        .or_insert_with(|| "PLAINTEXT://:9092".to_owned());
    if listeners.contains("://:") {
        remarks.push(format!(
            "listeners={listeners} names no host: only this machine can connect. To let others in, name one: \
             --override listeners=PLAINTEXT://HOST:9092,CONTROLLER://:9093"
        ));
        *listeners = listeners.replace("://:", "://localhost:");
    } else if listeners.contains("://0.0.0.0:") || listeners.contains("://[::]:") {
        remarks.push(
            "warning: every machine that reaches this port can read, write and delete everything".to_owned(),
        );
    }
}

/// A file of the ZooKeeper era: a broker of the controller that `zookeeper.connect` names, or, where none answers, a
/// broker with a controller of its own. The folder decides first: metadata that is there is never left aside.
fn find_controller(given: &mut Properties, remarks: &mut Vec<String>) -> Outcome {
    let folder = given.get("log.dirs").or_else(|| given.get("log.dir"));
    let folder = Path::new(folder.map_or("/tmp/kafka-logs", |folder| folder.trim()));
    if folder.join("__cluster_metadata-0").is_dir() {
        remarks.push("This broker is its own controller, as before.".to_owned());
        return Ok(());
    }
    let named = given.get(ZOOKEEPER).map_or(ZOOKEEPER_DEFAULT, |text| text.trim());
    let first = named.split([',', '/']).next().unwrap_or_default().to_owned();
    let address = if first.contains(':') {
        first
    } else {
        format!("{first}:2181")
    };
    if answers(&address) {
        remarks.push(format!(
            "Kafka 4 has no ZooKeeper; zookeeper.connect={address} is taken for the cluster's controller."
        ));
        if given
            .get("num.partitions")
            .is_some_and(|count| count.trim() != "1")
        {
            remarks.push(
                "num.partitions is the controller's to decide: it makes one partition unless --partitions says more."
                    .to_owned(),
            );
        }
        given.insert("process.roles".to_owned(), "broker".to_owned());
        given.insert("controller.quorum.bootstrap.servers".to_owned(), address);
        return Ok(());
    }
    if folder.join("meta.properties").exists() {
        return Err(Failure::request(format!("no controller answers at {address}"))
            .because(format!(
                "the data in {} belongs to a cluster whose controller runs there",
                folder.display()
            ))
            .hint("zookeeper-server-start.sh config/zookeeper.properties   (in another terminal)"));
    }
    remarks.push(format!(
        "Kafka 4 has no ZooKeeper, and no controller answers at {address}: this broker is its own."
    ));
    Ok(())
}

fn answers(address: &str) -> bool {
    let Ok(addresses) = address.to_socket_addrs() else {
        return false;
    };
    let mut addresses = addresses;
    addresses.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KRAFT: &str = "process.roles=broker,controller\nlisteners=PLAINTEXT://:9092,CONTROLLER://:29093\n\
                         controller.listener.names=CONTROLLER\n\
                         controller.quorum.bootstrap.servers=localhost:29093\nlog.dirs=/nowhere/d\n";

    fn prepared(text: &str) -> Outcome<Prepared> {
        of_server(properties::parse(text), Vec::new())
    }

    #[test]
    fn a_kraft_file_is_taken_as_it_stands_and_the_rest_is_named() {
        let text = format!("{KRAFT}node.id=7\nnum.network.threads=3\n");
        let prepared = prepared(&text).unwrap();
        assert_eq!(prepared.config.node_id, 7);
        assert!(prepared.config.roles.controller);
        assert_eq!(
            prepared.remarks.last().unwrap(),
            "Without effect here: num.network.threads."
        );
    }

    #[test]
    fn an_old_file_without_a_controller_makes_a_node_with_one() {
        let folder = tempfile::tempdir().unwrap();
        let text = |more: &str| {
            format!(
                "broker.id=0\nzookeeper.connect=localhost:1\nlog.dirs={}\n{more}",
                folder.path().display()
            )
        };
        let node = prepared(&text("")).unwrap();
        assert!(node.config.roles.broker && node.config.roles.controller);
        assert_eq!(node.config.node_id, 0);
        std::fs::write(folder.path().join("meta.properties"), "version=1\n").unwrap();
        let refused = prepared(&text("")).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("no controller answers at localhost:1"),
            "{refused}"
        );
    }

    #[test]
    fn a_host_and_a_port_of_kafka_0_8_are_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let text = format!("broker.id=1\nport=19093\nlog.dir={path}\nzookeeper.connect=localhost:1\n");
        let node = prepared(&text).unwrap();
        assert!(
            node.remarks
                .iter()
                .any(|remark| remark.contains("PLAINTEXT://:19093")),
            "{node:?}"
        );
        assert!(
            !node
                .remarks
                .iter()
                .any(|remark| remark.contains("Without effect")),
            "{node:?}"
        );
    }

    #[test]
    fn a_file_of_zookeepers_is_refused() {
        let refused = prepared("dataDir=/tmp/zookeeper\nclientPort=2181\n").unwrap_err();
        assert!(refused.to_string().contains("ZooKeeper's settings"), "{refused}");
    }

    #[test]
    fn several_controllers_are_told_who_leads() {
        let told = |more: &str| {
            let remarks = prepared(&format!("{KRAFT}{more}")).unwrap().remarks;
            remarks.last().cloned().unwrap_or_default()
        };
        let voters = "controller.quorum.voters=1@localhost:29093,2@localhost:29094,3@localhost:29095\n";
        assert_eq!(
            told(&format!("node.id=1\n{voters}")),
            "The file names 3 controllers, and this cluster has one: this node leads, and the others join its \
             cluster."
        );
        assert_eq!(
            told(&format!("node.id=2\n{voters}")),
            "The file names 3 controllers, and this cluster has one: node 1 leads, at localhost:29093; this node \
             joins its cluster as a broker."
        );
        let alone = "process.roles=controller\nlisteners=CONTROLLER://:29095\n";
        assert_eq!(
            told(&format!("node.id=3\n{voters}{alone}")),
            "The file names 3 controllers, and this cluster has one: node 1 leads, at localhost:29093; this node \
             stands by and keeps no metadata."
        );
        assert_eq!(
            told("node.id=2\ncontroller.quorum.bootstrap.servers=localhost:29094\n"),
            "The one at localhost:29094 leads; this node joins its cluster as a broker."
        );
    }

    #[test]
    fn an_address_that_nobody_can_reach_is_refused_with_what_to_type() {
        for (listeners, host) in [
            ("PLAINTEXT://0.0.0.0:9092", "0.0.0.0"),
            ("PLAINTEXT://[::]:9092", "::"),
        ] {
            for text in [
                format!("{KRAFT}node.id=1\nlisteners={listeners},CONTROLLER://:29093\n"),
                format!("{KRAFT}node.id=1\nadvertised.listeners={listeners}\n"),
                format!(
                    "broker.id=1\nzookeeper.connect=localhost:1\nlog.dirs=/nowhere/d\nlisteners={listeners}\n"
                ),
            ] {
                let refused = prepared(&text).unwrap_err().to_string();
                let words =
                    format!("cannot use the nonroutable meta-address {host}. Use a routable IP address.");
                assert!(refused.contains(&words), "{text}: {refused}");
                assert!(refused.contains("--override advertised.listeners="), "{refused}");
            }
        }
    }

    #[test]
    fn a_listener_with_tls_is_refused_by_name() {
        let refused = prepared(&format!("{KRAFT}node.id=1\nlisteners=SSL://:9093\n")).unwrap_err();
        assert!(refused.to_string().contains("SSL://:9093"), "{refused}");
    }
}
