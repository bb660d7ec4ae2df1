//! `velo cluster start --foreground`: runs the node in this process until it is told to stop.

use super::folder::{ClusterFolder, Settings, State};
use super::{addresses, nearby, port};
use crate::broker::config::NodeConfig;
use crate::broker::error::BrokerError;
use crate::broker::node::{Node, RunningNode};
use crate::broker::records::metadata::EndPoint;
use crate::clock::Clock;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use crate::process::stop_requested;
use crate::ui::log;
use std::collections::BTreeMap;
use std::io;
use tokio::runtime::Runtime;

/// Runs the node; `ready` and its address are printed once it serves.
///
/// # Errors
/// When the folder or the port is taken, a setting is refused, or the node cannot start.
pub fn run(folder: &ClusterFolder, settings: Settings, context: &Context) -> Outcome {
    log::start_service();
    let config = node_config(folder, &settings)?;
    let _lock = folder.lock()?;
    let runtime =
        Runtime::new().map_err(|error| Failure::request("the cluster could not start").because(error))?;
    runtime.block_on(async {
        let stopped =
            stop_requested().map_err(|error| Failure::request("cannot listen for signals").because(error))?;
        let port = settings.port;
        let mut node = Node::start(config, Clock::system())
            .await
            .map_err(|error| cannot_start(&error, Some((port, folder, &context.places))))?;
        announce(folder, settings, &node, context)?;
        let failure = tokio::select! {
            _ = stopped => None,
            why = node.failed() => Some(why),
        };
        tracing::info!("stopping");
        node.shutdown().await;
        tracing::info!("stopped");
        folder.clear_state()?;
        failure.map_or(Ok(()), |why| Err(cannot_go_on(folder, &why)))
    })
}

fn cannot_go_on(folder: &ClusterFolder, why: &str) -> Failure {
    let data = folder.data_option();
    Failure::request("the cluster had to end")
        .because(why)
        .hint(format!("velo cluster logs{data}"))
        .hint(format!(
            "velo cluster start{data}, once its disk serves: what was acknowledged is there"
        ))
}

/// The node's configuration, checked.
///
/// # Errors
/// When a setting is refused.
pub(super) fn node_config(folder: &ClusterFolder, settings: &Settings) -> Outcome<NodeConfig> {
    NodeConfig::from_properties(properties(folder, settings)?).map_err(|error| cannot_start(&error, None))
}

/// The node's properties: the listener and folder of this cluster, then what `--set` says.
fn properties(folder: &ClusterFolder, settings: &Settings) -> Outcome<BTreeMap<String, String>> {
    let mut properties = BTreeMap::new();
    let port = settings.port;
    let mut set = |name: &str, value: String| properties.insert(name.to_owned(), value);
    set("log.dirs", folder.node_dir().display().to_string());
    // Nobody in a class waits for members that do not come.
    set("group.initial.rebalance.delay.ms", "0".to_owned());
    if settings.listen_anyone {
        set("listeners", format!("PLAINTEXT://0.0.0.0:{port}"));
        if !settings.advertises() {
            let address = addresses::of_this_machine().into_iter().next().ok_or_else(|| {
                Failure::request("other machines cannot reach this one")
                    .because("it has no address in a network but its own loopback")
                    .hint(
                        "velo cluster start --listen-anyone --set advertised.listeners=PLAINTEXT://HOST:PORT",
                    )
            })?;
            set("advertised.listeners", format!("PLAINTEXT://{address}:{port}"));
        }
    } else {
        set("listeners", format!("PLAINTEXT://localhost:{port}"));
    }
    for setting in &settings.set {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(Failure::usage(format!("--set {setting} has no value"))
                .hint(format!("velo cluster start --set {setting}=VALUE")));
        };
        set(name.trim(), value.trim().to_owned());
    }
    Ok(properties)
}

fn announce(folder: &ClusterFolder, settings: Settings, node: &RunningNode, context: &Context) -> Outcome {
    let class = match settings.listen_anyone {
        true => node.node().advertised.iter().map(endpoint).collect(),
        false => Vec::new(),
    };
    let state = State {
        class,
        pid: std::process::id(),
        bootstrap: format!("localhost:{}", node.address().port()),
        started_ms: Clock::system().now_ms(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        settings,
    };
    folder.save(&state)?;
    nearby::note(&context.places, folder)?;
    tracing::info!(version = state.version, data = %folder.root().display(), "serving at {}", state.bootstrap);
    context.ui.line(format!("ready {}", state.bootstrap))?;
    tell_class(&state, context);
    Ok(())
}

fn endpoint(told: &EndPoint) -> String {
    format!("{}:{}", told.host, told.port)
}

/// Says what the others of a class type, if they may connect.
pub(super) fn tell_class(state: &State, context: &Context) {
    let Some(first) = state.class.first() else {
        return;
    };
    context.ui.say(format!(
        "The class types: export VELO_BOOTSTRAP_SERVER={}   (or --bootstrap-server with it)",
        state.class.join(",")
    ));
    let others = addresses::of_this_machine().into_iter();
    let others = others.filter(|address| !first.starts_with(&format!("{address}:")));
    let others: Vec<String> = others.map(|address| address.to_string()).collect();
    if let (Some(other), false) = (others.first(), state.settings.advertises()) {
        let port = first.rsplit_once(':').map_or("9092", |(_, port)| port);
        context.ui.say(format!(
            "This machine is also {}. For a class that reaches it there: velo cluster stop, then velo cluster start --port \
             {port} --listen-anyone --set advertised.listeners=PLAINTEXT://{other}:{port}",
            others.join(", ")
        ));
    }
}

/// `place` is where the node was to listen, for which folder, if it came so far.
fn cannot_start(error: &BrokerError, place: Option<(u16, &ClusterFolder, &Places)>) -> Failure {
    match (error, place) {
        (BrokerError::Io { source, .. }, Some((port, folder, places)))
            if source.kind() == io::ErrorKind::AddrInUse =>
        {
            port::in_use(port, folder, places)
        }
        (BrokerError::Config(text), _) => Failure::usage("the cluster cannot run with these settings")
            .because(text)
            .hint("velo cluster start --help"),
        (BrokerError::Unsupported(_), _) => Failure::request("the cluster could not start")
            .because(error)
            .hint("bin/kafka-server-start.sh config/server.properties, of the Apache Kafka that wrote the folder")
            .hint("velo cluster start --data OTHER_FOLDER"),
        _ => Failure::request("the cluster could not start")
            .because(error)
            .hint("velo doctor"),
    }
}
