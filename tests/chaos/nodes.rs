//! Three brokers and a controller, each a process, with links between them that can be cut.
//!
//! Clients and brokers reach a broker by the broker's link, and each broker reaches the controller by a link of its own; so a
//! broker whose two links are cut is cut off from everybody.

use super::links::{Link, Way};
use crate::support::ending;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use velodrome::kafka::Connection;

/// Ids of the brokers.
pub const BROKERS: [i32; 3] = [1, 2, 3];
const CONTROLLER: i32 = 4;
/// A broker that is not heard of for so long is given up.
pub const SESSION_MS: u64 = 2_000;
/// How long a file may be on a disk that is full, in bytes: no file grows that has anything.
const FULL: u64 = 1;

/// The nodes, and what they stand in.
pub struct Nodes {
    folder: TempDir,
    nodes: BTreeMap<i32, Node>,
    /// Each broker's link to the controller.
    to_controller: BTreeMap<i32, Arc<Link>>,
    _runtime: Runtime,
}

struct Node {
    /// By which the others reach it; a controller is reached by several.
    links: Vec<Arc<Link>>,
    process: Child,
}

impl Nodes {
    /// Starts all of them.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let link = || Arc::new(Link::new(runtime.handle()));
        let own = link();
        let to_controller: BTreeMap<i32, Arc<Link>> = BROKERS.into_iter().map(|id| (id, link())).collect();
        let cluster = velo(&["kafka-storage", "random-uuid"]);
        let mut nodes = BTreeMap::new();
        let mut links = vec![Arc::clone(&own)];
        links.extend(to_controller.values().cloned());
        configure(&folder, CONTROLLER, &own, None, &cluster);
        nodes.insert(CONTROLLER, Node::started(&folder, CONTROLLER, links));
        for (id, controller) in &to_controller {
            let broker = link();
            configure(&folder, *id, controller, Some(&broker), &cluster);
            nodes.insert(*id, Node::started(&folder, *id, vec![broker]));
        }
        Nodes {
            folder,
            nodes,
            to_controller,
            _runtime: runtime,
        }
    }

    /// Where clients reach the brokers.
    fn bootstrap(&self) -> String {
        let address = |id: &i32| self.nodes[id].links[0].address().to_string();
        BROKERS.iter().map(address).collect::<Vec<_>>().join(",")
    }

    /// How clients reach the cluster: they look soon whether one that was away is there again.
    pub fn connection(&self) -> Connection {
        let file = self.folder.path().join("client.properties");
        fs::write(&file, "request.timeout.ms=4000\nreconnect.backoff.max.ms=500\n").unwrap();
        Connection::new(&self.bootstrap(), Some(&file)).unwrap()
    }

    /// Ends a broker as a power cut would.
    pub fn kill(&mut self, broker: i32) {
        self.node(broker).end();
    }

    /// The same with the controller.
    pub fn kill_controller(&mut self) {
        self.kill(CONTROLLER);
    }

    /// Starts again whoever does not run.
    pub fn revive(&mut self) {
        for (id, node) in &mut self.nodes {
            if node.process.try_wait().unwrap().is_some() {
                *node = Node::started(&self.folder, *id, std::mem::take(&mut node.links));
            }
        }
    }

    /// A broker stands still; its connections stay open.
    pub fn pause(&mut self, broker: i32) {
        self.node(broker).signal(Signal::STOP);
    }

    /// And goes on.
    pub fn resume(&mut self, broker: i32) {
        self.node(broker).signal(Signal::CONT);
    }

    /// What becomes of all that goes to a broker, and from it to the controller.
    pub fn set_way(&self, broker: i32, way: Way) {
        self.nodes[&broker].links[0].set(way);
        self.to_controller[&broker].set(way);
    }

    /// A broker's disk is full, or has room again.
    pub fn set_full(&mut self, broker: i32, full: bool) {
        let limit = Rlimit {
            current: full.then_some(FULL),
            maximum: None,
        };
        // One that has just ended has no disk to fill.
        let _ = prlimit(Some(self.node(broker).pid()), Resource::Fsize, limit);
    }

    fn node(&mut self, id: i32) -> &mut Node {
        self.nodes.get_mut(&id).unwrap()
    }

    /// What the nodes have said last, for whoever looks for the cause of a failure.
    pub fn said(&self) -> String {
        let last = |id: &i32| {
            let said = fs::read_to_string(log_of(&self.folder, *id)).unwrap_or_default();
            let lines: Vec<&str> = said.lines().collect();
            let first = lines.len().saturating_sub(30);
            format!("node {id}:\n{}", lines[first..].join("\n"))
        };
        self.nodes.keys().map(last).collect::<Vec<_>>().join("\n")
    }
}

impl Node {
    fn started(folder: &TempDir, id: i32, links: Vec<Arc<Link>>) -> Self {
        let said = File::options()
            .create(true)
            .append(true)
            .open(log_of(folder, id))
            .unwrap();
        // A write over the limit is an error then, as on a full disk, and not the end of the process.
        let mut process = Command::new("sh")
            .args([
                "-c",
                "trap '' XFSZ; exec \"$@\"",
                "sh",
                env!("CARGO_BIN_EXE_velo"),
            ])
            .arg("kafka-server-start")
            .arg(file_of(folder, id))
            .env("VELO_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let lead = links.clone();
        // It serves when it says so, at a port of the system's choice; nobody waits here.
        std::thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                if let Some((_, address)) = line.split_once(" started at localhost:") {
                    let port: u16 = address.trim().parse().unwrap();
                    lead.iter()
                        .for_each(|link| link.lead_to(([127, 0, 0, 1], port).into()));
                }
            }
        });
        Node { links, process }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    fn signal(&self, signal: Signal) {
        // One that has just ended is told nothing.
        let _ = kill_process(self.pid(), signal);
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}

fn file_of(folder: &TempDir, id: i32) -> PathBuf {
    folder.path().join(format!("{id}.properties"))
}

fn log_of(folder: &TempDir, id: i32) -> PathBuf {
    folder.path().join(format!("{id}.log"))
}

/// Writes a node's file, and formats its folder.
fn configure(folder: &TempDir, id: i32, controller: &Link, broker: Option<&Link>, cluster: &str) {
    let (roles, listener) = match broker {
        None => ("controller", "CONTROLLER"),
        Some(_) => ("broker", "PLAINTEXT"),
    };
    let mut lines = vec![
        format!("process.roles={roles}"),
        format!("node.id={id}"),
        format!("listeners={listener}://127.0.0.1:0"),
        "controller.listener.names=CONTROLLER".to_owned(),
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT".to_owned(),
        format!("controller.quorum.voters={CONTROLLER}@{}", controller.address()),
        format!("log.dirs={}", folder.path().join(id.to_string()).display()),
        format!("broker.session.timeout.ms={SESSION_MS}"),
        "broker.heartbeat.interval.ms=300".to_owned(),
        "replica.lag.time.max.ms=3000".to_owned(),
        "offsets.topic.num.partitions=5".to_owned(),
        "offsets.topic.replication.factor=3".to_owned(),
        "transaction.state.log.num.partitions=5".to_owned(),
        "transaction.state.log.replication.factor=3".to_owned(),
        "transaction.state.log.min.isr=2".to_owned(),
        "min.insync.replicas=2".to_owned(),
    ];
    lines.extend(broker.map(|broker| format!("advertised.listeners=PLAINTEXT://{}", broker.address())));
    let file = file_of(folder, id);
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    velo(&[
        "kafka-storage",
        "format",
        "-t",
        cluster,
        "-c",
        file.to_str().unwrap(),
    ]);
}

/// What a script says that must succeed, without the end of its line.
fn velo(words: &[&str]) -> String {
    let output = ending::output(Command::new(env!("CARGO_BIN_EXE_velo")).args(words));
    let (said, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{words:?}: {said}{complaints}");
    said.trim().to_owned()
}
