//! `kafka-cluster`: the cluster's id, its nodes and what they know, and forgetting a broker or a controller.

use super::argparse::{Arg, Command, Group, Manners, Parsed, Parser, Takes, Type};
use super::java_words::java_message;
use super::wire_tool::{
    self, bootstrap_controller, bootstrap_group, bootstrap_server, command_config, refused,
};
use super::{Ending, broker_api_versions, out};
use crate::kafka::{Answer, ClusterNode, ErrorCode, Wire};

const SERVER: Arg = bootstrap_server(&["--bootstrap-server", "-b"]);
const CONTROLLER: Arg = bootstrap_controller(&["--bootstrap-controller", "-C"]);
const OLD_CONFIG: Arg = Arg::new(
    &["--config"],
    Takes::One(Type::Text),
    "CONFIG",
    "(DEPRECATED) Use --command-config.",
);
const CONFIG: Arg = command_config(&["--command-config", "-c"]);
const GROUPS: &[Group] = &[bootstrap_group(true)];

const PARSER: Parser = Parser {
    prog: "kafka-cluster",
    about: "The Kafka cluster tool.",
    args: &[],
    groups: &[],
    command_metavar: "",
    manners: Manners::OrFail,
    commands: &[
        Command {
            name: "cluster-id",
            help: "Print the id of the cluster.",
            args: &[SERVER, CONTROLLER, OLD_CONFIG, CONFIG],
            groups: GROUPS,
        },
        Command {
            name: "unregister",
            help: "Have the cluster forget a broker that will not come back.",
            args: &[
                SERVER,
                CONTROLLER,
                OLD_CONFIG,
                CONFIG,
                Arg::new(
                    &["--id", "-i"],
                    Takes::One(Type::Int),
                    "ID",
                    "The id of the broker to forget.",
                )
                .required(),
            ],
            groups: GROUPS,
        },
        Command {
            name: "unregister-controller",
            help: "Have the cluster forget a controller that will not come back.",
            args: &[
                SERVER,
                CONTROLLER,
                OLD_CONFIG,
                CONFIG,
                Arg::new(
                    &["--id", "-i"],
                    Takes::One(Type::Int),
                    "ID",
                    "The id of the controller to forget.",
                )
                .required(),
            ],
            groups: GROUPS,
        },
        Command {
            name: "list-endpoints",
            help: "List where the brokers or controllers listen.",
            args: &[
                SERVER,
                CONTROLLER,
                OLD_CONFIG,
                CONFIG,
                Arg::flag(
                    &["--include-fenced-brokers"],
                    "List the brokers too that may not serve clients now.",
                ),
            ],
            groups: GROUPS,
        },
        Command {
            name: "api-versions",
            help: "List which requests the brokers or controllers know.",
            args: &[SERVER, CONTROLLER, OLD_CONFIG, CONFIG],
            groups: GROUPS,
        },
    ],
};

/// Runs the script.
///
/// # Errors
/// Usage or Java's exception on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let given = PARSER.parse(arguments)?;
    let config = config(&given)?;
    match given.command.unwrap_or_default() {
        "cluster-id" => cluster_id(&given, config),
        "unregister" => unregister(&given, config, &BROKER),
        "unregister-controller" => unregister(&given, config, &CONTROLLER_NODE),
        "api-versions" => api_versions(&given, config),
        _ => list_endpoints(&given, config),
    }
}

fn config(given: &Parsed) -> Result<Option<&str>, Ending> {
    match (given.value("config"), given.value("command-config")) {
        (Some(_), Some(_)) => Err(Ending::failure(
            "--config and --command-config cannot be specified together.",
        )),
        (Some(old), None) => {
            out(
                "Option --config has been deprecated and will be removed in a future version. Use --command-config instead.",
            );
            Ok(Some(old))
        }
        (None, config) => Ok(config),
    }
}

fn cluster_id(given: &Parsed, config: Option<&str>) -> Result<u8, Ending> {
    const CALL: &str = "listNodes";
    let mut wire = wire_tool::connect(given, config, CALL)?;
    let cluster = wire.describe_cluster(false).map_err(refused(CALL))?;
    out(&format!("Cluster ID: {}", cluster.cluster_id));
    Ok(0)
}

/// What the cluster is to forget: a node in one of its roles.
struct Forgotten {
    /// Java's name of the request.
    call: &'static str,
    /// What it is called at the beginning of a sentence.
    title: &'static str,
    /// What it is called within one.
    name: &'static str,
    ask: fn(&mut Wire, i32) -> Answer,
}

const BROKER: Forgotten = Forgotten {
    call: "unregisterBroker",
    title: "Broker",
    name: "broker",
    ask: Wire::unregister_broker,
};
const CONTROLLER_NODE: Forgotten = Forgotten {
    call: "unregisterController",
    title: "Controller",
    name: "controller",
    ask: Wire::unregister_controller,
};

fn unregister(given: &Parsed, config: Option<&str>, what: &Forgotten) -> Result<u8, Ending> {
    let id = given.number("id").unwrap_or_default();
    let mut wire = wire_tool::connect(given, config, what.call)?;
    match (what.ask)(&mut wire, id) {
        Ok(()) => out(&format!("{} {id} is no longer registered.", what.title)),
        Err(error) if error.code() == ErrorCode::UnsupportedVersion => out(&format!(
            "The target cluster does not support the {} unregistration API.",
            what.name
        )),
        Err(error) => return Err(refused(what.call)(error)),
    }
    Ok(0)
}

fn api_versions(given: &Parsed, config: Option<&str>) -> Result<u8, Ending> {
    const CALL: &str = "listNodes";
    let mut wire = wire_tool::connect(given, config, CALL)?;
    let nodes = wire.nodes().map_err(refused(CALL))?;
    broker_api_versions::print(&mut wire, nodes);
    Ok(0)
}

fn list_endpoints(given: &Parsed, config: Option<&str>) -> Result<u8, Ending> {
    const CALL: &str = "listNodes";
    let fenced = given.has("include-fenced-brokers");
    if fenced && given.has("bootstrap-controller") {
        return Err(Ending::failure(
            "The option --include-fenced-brokers is only supported with --bootstrap-server option",
        ));
    }
    let mut wire = wire_tool::connect(given, config, CALL)?;
    let nodes = match wire.describe_cluster(fenced) {
        Ok(cluster) => cluster.nodes,
        Err(error) if error.code() == ErrorCode::UnsupportedVersion => {
            out(&java_message(&error));
            return Ok(0);
        }
        Err(error) => return Err(refused(CALL)(error)),
    };
    print(&nodes, wire.asks_controllers());
    Ok(0)
}

fn print(nodes: &[ClusterNode], controllers: bool) {
    let host = nodes.iter().map(|told| told.node.host.len()).max().unwrap_or(100);
    let racks = nodes.iter().filter_map(|told| told.node.rack.as_ref());
    let rack = racks.map(String::len).max().unwrap_or(10);
    let line = |[id, name, port, place, state, kind]: [&str; 6]| {
        let node = format!("{id:<10} {name:<host$} {port:<10} {place:<rack$} ");
        if controllers {
            out(&format!("{node}{kind:<15}"));
        } else {
            out(&format!("{node}{state:<10} {kind:<15}"));
        }
    };
    line(["ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"]);
    for ClusterNode { node, is_fenced } in nodes {
        line([
            &node.id.to_string(),
            &node.host,
            &node.port.to_string(),
            node.rack.as_deref().unwrap_or("null"),
            if *is_fenced { "fenced" } else { "unfenced" },
            if controllers { "controller" } else { "broker" },
        ]);
    }
}
