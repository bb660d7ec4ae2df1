//! `zookeeper-server-start [-daemon] zookeeper.properties`: Kafka 4 has no ZooKeeper. What a course's first terminal
//! starts here is the cluster's controller, on ZooKeeper's port, which does ZooKeeper's work for the brokers.

use super::node;
use super::running::Kind;
use super::settings::{self, Prepared, Properties};
use crate::broker::config::NodeConfig;
use crate::broker::part::Part;
use crate::failure::{Failure, Outcome};
use crate::scripts::Ending;

const USAGE: &str = "USAGE: zookeeper-server-start.sh [-daemon] zookeeper.properties";
/// The controller's id: out of the way of the brokers', which courses number from 0, 1 or 101.
const NODE_ID: &str = "3000";

/// Runs the script.
///
/// # Errors
/// Usage mistakes, and a controller that cannot start; exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let Some(first) = arguments.first() else {
        return Err(Ending::on_stdout(1, USAGE));
    };
    if first == "-daemon" {
        let rest = arguments.get(1..).unwrap_or_default();
        return node::in_background("zookeeper-server-start", Kind::Zookeeper, "zookeeper.out", rest);
    }
    let mut remarks = vec![
        "ZooKeeper is gone since Kafka 4.0: brokers now ask a controller, which keeps the cluster's metadata in a log \
         (KRaft). This is that controller, on ZooKeeper's port."
            .to_owned(),
    ];
    let given = settings::read(first, &mut remarks)?;
    node::serve(Kind::Zookeeper, controller(&given, remarks)?)
}

/// The controller's settings, from ZooKeeper's.
fn controller(given: &Properties, mut remarks: Vec<String>) -> Outcome<Prepared> {
    let value = |name: &str, default: &str| given.get(name).map_or(default, |value| value.trim()).to_owned();
    let port = value("clientPort", "2181");
    let host = value("clientPortAddress", "localhost");
    let mut properties = Properties::new();
    for (name, value) in [
        ("process.roles", "controller".to_owned()),
        ("node.id", NODE_ID.to_owned()),
        ("listeners", format!("CONTROLLER://{host}:{port}")),
        ("log.dirs", value("dataDir", "/tmp/zookeeper")),
    ] {
        properties.insert(name.to_owned(), value);
    }
    let known = ["dataDir", "clientPort", "clientPortAddress"];
    let others: Vec<&str> = given
        .keys()
        .map(String::as_str)
        .filter(|name| !known.contains(name))
        .collect();
    if !others.is_empty() {
        remarks.push(format!("Without effect here: {}.", others.join(", ")));
    }
    remarks.push("Next, in another terminal: kafka-server-start.sh config/server.properties".to_owned());
    let config = NodeConfig::from_properties(properties)
        .map_err(|error| Failure::request("the controller cannot run with these settings").because(error))?;
    Ok(Prepared {
        config,
        part: Part::Leads,
        remarks,
    })
}
