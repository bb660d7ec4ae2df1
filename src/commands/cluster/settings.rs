//! The settings that a cluster gives each of its nodes.

use super::addresses;
use super::folder::ClusterFolder;
use super::shape::{Member, Settings, Shape};
use crate::broker::config::NodeConfig;
use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;

type Properties = BTreeMap<String, String>;

/// What each node of several has for itself, so that one `--set` cannot say it for all.
const OF_EACH_NODE: [&str; 11] = [
    "broker.id",
    "controller.listener.names",
    "controller.quorum.bootstrap.servers",
    "controller.quorum.voters",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dir",
    "log.dirs",
    "node.id",
    "process.roles",
];
/// What clients are told; of several brokers each has its own port.
const ADVERTISED: &str = "advertised.listeners";

/// Whether settings say what clients are told.
pub fn advertises(settings: &Settings) -> bool {
    settings.set.iter().any(|setting| name_of(setting) == ADVERTISED)
}

fn name_of(setting: &str) -> &str {
    setting.split('=').next().unwrap_or_default().trim()
}

/// The settings that a cluster had `before` and goes on with where `set` has no others of their names. Where it listens is
/// said at each start; of several nodes each has some for itself.
pub fn kept(before: &Settings, set: &[String], is_lone: bool) -> Vec<String> {
    let stays = |setting: &&String| {
        let name = name_of(setting);
        let given = set.iter().any(|other| name_of(other) == name);
        let of_one_start = ["listeners", ADVERTISED].contains(&name);
        !given && !of_one_start && (is_lone || !OF_EACH_NODE.contains(&name))
    };
    before.set.iter().filter(stays).cloned().collect()
}

/// The configuration of each node, checked, in the order in which they start.
///
/// # Errors
/// When a setting is refused.
pub fn check(folder: &ClusterFolder, shape: &Shape) -> Outcome {
    if !shape.is_lone() {
        shape.settings().set.iter().try_for_each(|set| of_all(set))?;
    }
    let mut nodes = shape.nodes().into_iter();
    nodes.try_for_each(|id| node(folder, shape, id).map(|_| ()))
}

/// Refuses a setting that several nodes cannot share.
fn of_all(setting: &str) -> Outcome {
    let name = name_of(setting);
    let refused = || {
        Failure::usage(format!("--set {setting} cannot be for all brokers"))
            .because(format!("each of several brokers has {name} for itself"))
    };
    if OF_EACH_NODE.contains(&name) {
        return Err(refused().hint("velo cluster start --help"));
    }
    let told = setting.split_once('=').filter(|_| name == ADVERTISED);
    match told.and_then(|(_, listeners)| listeners.trim().rsplit_once(':')) {
        Some((listener, port)) if port != "0" => Err(refused().hint(format!(
            "velo cluster start --set {name}={listener}:0    (each tells its own port)"
        ))),
        _ => Ok(()),
    }
}

/// The configuration of a node, checked.
///
/// # Errors
/// When a setting is refused.
pub fn node(folder: &ClusterFolder, shape: &Shape, id: i32) -> Outcome<NodeConfig> {
    NodeConfig::from_properties(properties(folder, shape, id)?).map_err(|error| {
        Failure::usage("the cluster cannot run with these settings")
            .because(error)
            .hint("velo cluster start --help")
    })
}

/// The node's properties: its listeners, folder and part, then what `--set` says.
fn properties(folder: &ClusterFolder, shape: &Shape, id: i32) -> Outcome<Properties> {
    let mut properties = Properties::new();
    let mut set = |name: &str, value: String| properties.insert(name.to_owned(), value);
    set("node.id", id.to_string());
    set("log.dirs", folder.node(id).log_dir().display().to_string());
    // Nobody in a class waits for members that do not come.
    set("group.initial.rebalance.delay.ms", "0".to_owned());
    let broker = shape.broker(id);
    match broker {
        Some(broker) => listen(broker, shape, &mut properties)?,
        None => {
            properties.insert("listeners".to_owned(), controller_listener(shape));
        }
    }
    if !shape.is_lone() {
        properties.extend(of_several(shape, id));
    }
    for setting in &shape.settings().set {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(Failure::usage(format!("--set {setting} has no value"))
                .hint(format!("velo cluster start --set {setting}=VALUE")));
        };
        // A controller that is no broker tells clients nothing.
        if broker.is_some() || name.trim() != ADVERTISED {
            properties.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    Ok(properties)
}

/// A broker's listeners, and what clients are told of them.
fn listen(broker: Member, shape: &Shape, properties: &mut Properties) -> Outcome {
    let port = broker.port;
    let settings = shape.settings();
    let host = if settings.listen_anyone {
        "0.0.0.0"
    } else {
        "localhost"
    };
    let mut listeners = format!("PLAINTEXT://{host}:{port}");
    if !shape.is_lone() && shape.controller().id == broker.id {
        listeners = format!("{listeners},{}", controller_listener(shape));
    }
    properties.insert("listeners".to_owned(), listeners);
    if !settings.listen_anyone || advertises(settings) {
        return Ok(());
    }
    let address = addresses::of_this_machine().into_iter().next().ok_or_else(|| {
        Failure::request("other machines cannot reach this one")
            .because("it has no address in a network but its own loopback")
            .hint("velo cluster start --listen-anyone --set advertised.listeners=PLAINTEXT://HOST:PORT")
    })?;
    properties.insert(ADVERTISED.to_owned(), format!("PLAINTEXT://{address}:{port}"));
    Ok(())
}

/// The controller is asked by the other nodes alone, which are on this machine.
fn controller_listener(shape: &Shape) -> String {
    format!("CONTROLLER://{}", controller_address(shape))
}

fn controller_address(shape: &Shape) -> String {
    format!("127.0.0.1:{}", shape.controller().port)
}

/// What a node needs that has others beside it.
fn of_several(shape: &Shape, id: i32) -> Properties {
    let is_controller = shape.controller().id == id;
    let roles = match (shape.broker(id).is_some(), is_controller) {
        (true, true) => "broker,controller",
        (true, false) => "broker",
        (false, _) => "controller",
    };
    let replicas = shape.internal_replicas();
    let mut properties = vec![
        ("process.roles", roles.to_owned()),
        ("offsets.topic.replication.factor", replicas.to_string()),
        ("transaction.state.log.replication.factor", replicas.to_string()),
        ("transaction.state.log.min.isr", replicas.div_ceil(2).to_string()),
    ];
    if !is_controller {
        properties.push(("controller.quorum.bootstrap.servers", controller_address(shape)));
    }
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    properties.into_iter().map(owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_anew_and_where_it_listens_does_not_stay() {
        let owned = |set: &[&str]| -> Vec<String> { set.iter().map(|set| (*set).to_owned()).collect() };
        let before = Settings {
            set: owned(&[
                "num.partitions=2",
                "log.dirs=/elsewhere",
                "listeners=PLAINTEXT://:9",
                "advertised.listeners=PLAINTEXT://there:9",
                "num.io.threads = 3",
            ]),
            ..Settings::default()
        };
        let given = owned(&["num.io.threads=4"]);
        assert_eq!(
            kept(&before, &given, true),
            ["num.partitions=2", "log.dirs=/elsewhere"]
        );
        assert_eq!(kept(&before, &given, false), ["num.partitions=2"]);
        assert_eq!(
            kept(&before, &[], false),
            ["num.partitions=2", "num.io.threads = 3"]
        );
    }
}
