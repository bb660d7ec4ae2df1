//! `velo cluster start --foreground`: runs a node in this process until it is told to stop.

use super::folder::ClusterFolder;
use super::node::{NodeFolder, Serving, State};
use super::shape::{Shape, address};
use super::{class, nearby, port, settings};
use crate::broker::error::BrokerError;
use crate::broker::records::metadata::EndPoint;
use crate::broker::{Node, RunningNode};
use crate::clock::Clock;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::process::{Process, stop_requested};
use crate::ui::log;
use std::io;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long a broker may take until it is said what it waits for.
const GLANCE: Duration = Duration::from_secs(3);

/// A node that is to run in this process.
struct Running<'a> {
    folder: &'a ClusterFolder,
    shape: &'a Shape,
    id: i32,
    context: &'a Context,
}

/// Runs the node `id`; `ready` and its address are printed once it serves.
///
/// # Errors
/// When the node or the port is taken, a setting is refused, or the node cannot start.
pub fn run(folder: &ClusterFolder, shape: &Shape, id: i32, context: &Context) -> Outcome {
    log::start_service();
    let running = Running {
        folder,
        shape,
        id,
        context,
    };
    let node = folder.node(id);
    let state = State {
        process: Process::own(),
        serving: None,
        started_ms: Clock::system().now_ms(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let Some(_lock) = node.lock(&state)? else {
        return Err(already_runs(folder));
    };
    let runtime =
        Runtime::new().map_err(|error| Failure::request("the cluster could not start").because(error))?;
    let ended = runtime.block_on(running.until_stopped(&node, state));
    // Whatever ended it, it has told: nobody need look for a crash.
    node.clear_state()?;
    ended
}

/// The failure of a cluster, or a node of it, that another process runs.
pub(super) fn already_runs(folder: &ClusterFolder) -> Failure {
    Failure::request(format!("a cluster already runs on {}", folder.root().display()))
        .because("another process holds its lock")
        .hint(format!("velo cluster status{}", folder.data_option()))
}

impl Running<'_> {
    async fn until_stopped(&self, files: &NodeFolder, state: State) -> Outcome {
        let config = settings::node(self.folder, self.shape, self.id)?;
        let stopped =
            stop_requested().map_err(|error| Failure::request("cannot listen for signals").because(error))?;
        tokio::pin!(stopped);
        // A broker waits for its controller; Ctrl-C ends that too.
        let mut node = tokio::select! {
            node = Node::start(config, Clock::system()) => node.map_err(|error| self.cannot_start(&error))?,
            () = self.tell_waiting() => return Ok(()),
            _ = &mut stopped => return Ok(()),
        };
        self.announce(files, state, &node)?;
        let failure = tokio::select! {
            _ = stopped => None,
            why = node.failed() => Some(why),
        };
        tracing::info!("stopping");
        node.shutdown().await;
        tracing::info!("stopped");
        failure.map_or(Ok(()), |why| Err(self.cannot_go_on(&why)))
    }

    /// Says what a broker waits for that does not start at once; never ends.
    async fn tell_waiting(&self) {
        if self.shape.controller().id != self.id {
            tokio::time::sleep(GLANCE).await;
            let controller = self.shape.name(self.shape.controller().id);
            self.context.ui.say(format!("Waiting for {controller}."));
        }
        std::future::pending().await
    }

    fn announce(&self, files: &NodeFolder, mut state: State, node: &RunningNode) -> Outcome {
        let broker = self.shape.broker(self.id);
        let serving = Serving {
            port: broker.map(|_| node.address().port()),
            controller_port: node.controller_address().map(|address| address.port()),
            class: match self.shape.settings().listen_anyone && broker.is_some() {
                true => node.node().advertised.iter().map(endpoint).collect(),
                false => Vec::new(),
            },
        };
        let served = serving.port.or(serving.controller_port).unwrap_or_default();
        state.serving = Some(serving.clone());
        files.save(&state)?;
        nearby::note(&self.context.places, self.folder)?;
        let at = address(served);
        tracing::info!(version = state.version, data = %self.folder.root().display(), "serving at {at}");
        if self.shape.is_lone() {
            // Of several, whoever starts them notes their ports.
            let mut shape = self.shape.clone();
            shape.settle(self.id, serving.port, serving.controller_port);
            self.folder.save(&shape)?;
        }
        self.context.ui.line(format!("ready {at}"))?;
        class::tell(self.folder, self.shape, &serving.class, self.context);
        Ok(())
    }

    fn cannot_go_on(&self, why: &str) -> Failure {
        let data = self.folder.data_option();
        let broker = self.shape.broker_option(self.id);
        let what = match self.shape.is_lone() {
            true => "the cluster had to end".to_owned(),
            false => format!("{} had to end", self.shape.name(self.id)),
        };
        Failure::request(what)
            .because(why)
            .hint(format!("velo cluster logs{broker}{data}"))
            .hint(format!(
                "velo cluster start{broker}{data}, once its disk serves: what was acknowledged is there"
            ))
    }

    fn cannot_start(&self, error: &BrokerError) -> Failure {
        match error {
            BrokerError::Io { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                let own = self.shape.broker(self.id).map(|broker| broker.port);
                let taken = own.filter(|port| !port::is_free(*port));
                let port = taken.unwrap_or(self.shape.controller().port);
                port::in_use(port, self.shape, self.folder, &self.context.places)
            }
            BrokerError::Config(text) => Failure::usage("the cluster cannot run with these settings")
                .because(text)
                .hint("velo cluster start --help"),
            BrokerError::Unsupported(_) => Failure::request("the cluster could not start")
                .because(error)
                .hint(
                    "bin/kafka-server-start.sh config/server.properties, of the Apache Kafka that wrote the folder",
                )
                .hint("velo cluster start --data OTHER_FOLDER"),
            _ => Failure::request("the cluster could not start")
                .because(error)
                .hint("velo doctor"),
        }
    }
}

fn endpoint(told: &EndPoint) -> String {
    format!("{}:{}", told.host, told.port)
}
