//! `zookeeper-server-start` and `kafka-server-start`, in the order of the old courses.

use crate::support::ending;
use crate::support::velo::Home;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A node in the foreground; ends with the value.
pub(super) struct Node {
    process: Child,
    pub(super) address: String,
}

impl Node {
    /// A node that was started, and has not said where it serves.
    pub(super) fn of(process: Child) -> Self {
        Node {
            process,
            address: String::new(),
        }
    }

    /// The first line that it says.
    pub(super) fn first_line(&mut self) -> String {
        ending::first_line(&mut self.process)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a script and waits until it says where it serves.
pub(super) fn start(home: &Home, script: &str, arguments: &[&str]) -> Node {
    let process = Command::new(env!("CARGO_BIN_EXE_velo"))
        .arg(script)
        .args(arguments)
        .env("VELO_HOME", home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut node = Node::of(process);
    let line = node.first_line();
    assert!(line.contains("] started at "), "{line:?}");
    node.address = line.rsplit(' ').next().unwrap().to_owned();
    node
}

pub(super) fn settings(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_first_two_terminals_of_an_old_course_make_a_cluster() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let data = |name: &str| folder.path().join(name).display().to_string();
    let zookeeper = format!("dataDir={}\nclientPort=0\nmaxClientCnxns=0\n", data("zookeeper"));
    let zookeeper = settings(folder.path(), "zookeeper.properties", &zookeeper);
    let controller = start(&home, "zookeeper-server-start", &[&zookeeper]);
    let server = format!(
        "broker.id=0\nlisteners=PLAINTEXT://:0\nlog.dirs={}\nzookeeper.connect={}\nnum.io.threads=8\n",
        data("kafka-logs"),
        controller.address
    );
    let server = settings(folder.path(), "server.properties", &server);
    let broker = start(
        &home,
        "kafka-server-start",
        &[&server, "--override", "log.retention.hours=1"],
    );
    home.velo(&[
        "kafka-topics",
        "--create",
        "--partitions",
        "3",
        "--topic",
        "t",
        "--bootstrap-server",
        &broker.address,
    ])
    .succeeds();
    let described = home
        .velo(&[
            "kafka-topics",
            "--describe",
            "--topic",
            "t",
            "--bootstrap-server",
            &broker.address,
        ])
        .succeeds();
    assert!(
        described.stdout.contains("PartitionCount: 3"),
        "{}",
        described.stdout
    );
    home.velo(&["kafka-server-stop"]).succeeds();
    let mut broker = broker;
    // As Java's node ends after SIGTERM.
    assert_eq!(ending::ended(&mut broker.process).code(), Some(143));
    let again = home.velo(&["kafka-server-stop"]).fails_with(1);
    assert_eq!(again.stdout, "No kafka server to stop\n");
    home.velo(&["zookeeper-server-stop"]).succeeds();
    let mut controller = controller;
    assert_eq!(ending::ended(&mut controller.process).code(), Some(143));
}

#[test]
fn a_broker_in_the_background_serves_until_it_is_stopped() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "process.roles=broker,controller\nnode.id=5\nlisteners=PLAINTEXT://:0,CONTROLLER://:0\n\
         controller.listener.names=CONTROLLER\ncontroller.quorum.voters=5@localhost:19093\nlog.dirs={}\n",
        folder.path().join("logs").display()
    );
    let server = settings(folder.path(), "server.properties", &text);
    home.velo(&["kafka-server-start", "-daemon", &server]).succeeds();
    home.velo(&["kafka-server-stop", "--node-id=4"]).succeeds();
    home.velo(&["kafka-server-stop", "--node-id=5"]).succeeds();
    let refused = home.velo(&["kafka-server-start"]).fails_with(1);
    assert!(
        refused.stdout.starts_with("USAGE: kafka-server-start.sh"),
        "{}",
        refused.stdout
    );
    home.velo(&["kafka-server-start", "nowhere/other.properties"])
        .fails_with(1);
}
