//! Files that name several controllers: one leads, the others join its cluster, and nobody begins one of his own.

use super::server::{Node, settings, start};
use crate::support::ending::{self, Limit};
use crate::support::velo::Home;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A user, a folder for files and data, and ports that were free.
struct Desk {
    home: Home,
    folder: TempDir,
    ports: Vec<u16>,
}

impl Desk {
    fn new(ports: usize) -> Self {
        let held: Vec<TcpListener> = (0..ports)
            .map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap())
            .collect();
        Desk {
            home: Home::new(),
            folder: tempfile::tempdir().unwrap(),
            ports: held
                .iter()
                .map(|held| held.local_addr().unwrap().port())
                .collect(),
        }
    }

    /// A node's file; its controller listens on the port of its number, if it has one.
    fn file(&self, id: usize, roles: &str, quorum: &str) -> String {
        let mut listeners = Vec::new();
        if roles.contains("broker") {
            listeners.push("PLAINTEXT://localhost:0".to_owned());
        }
        if roles.contains("controller") {
            listeners.push(format!("CONTROLLER://localhost:{}", self.ports[id - 1]));
        }
        let text = format!(
            "process.roles={roles}\nnode.id={id}\nlisteners={}\ncontroller.listener.names=CONTROLLER\n{quorum}\n\
             log.dirs={}\n",
            listeners.join(","),
            self.folder.path().join(format!("data-{id}")).display()
        );
        settings(self.folder.path(), &format!("node-{id}.properties"), &text)
    }

    fn voters(&self) -> String {
        let voters = (1..)
            .zip(&self.ports)
            .map(|(id, port)| format!("{id}@localhost:{port}"));
        format!(
            "controller.quorum.voters={}",
            voters.collect::<Vec<_>>().join(",")
        )
    }

    fn servers(&self) -> String {
        let servers = self.ports.iter().map(|port| format!("localhost:{port}"));
        format!(
            "controller.quorum.bootstrap.servers={}",
            servers.collect::<Vec<_>>().join(",")
        )
    }

    fn start(&self, file: &str) -> Node {
        start(&self.home, "kafka-server-start", &[file])
    }

    /// A topic with as many replicas as there are brokers in the cluster, made through that node.
    fn has_brokers(&self, node: &Node, count: usize) {
        let name = format!("t{count}");
        for (factor, code) in [(count + 1, 1), (count, 0)] {
            self.home
                .velo(&[
                    "kafka-topics",
                    "--create",
                    "--topic",
                    &name,
                    "--replication-factor",
                    &factor.to_string(),
                    "--bootstrap-server",
                    &node.address,
                ])
                .fails_with(code);
        }
    }

    fn format(&self, file: &str, options: &[&str]) -> crate::support::velo::Ended {
        let format = [
            "kafka-storage",
            "format",
            "-t",
            "AAAAAAAAAAAAAAAAAAAAAQ",
            "-c",
            file,
        ];
        self.home.velo(&[&format[..], options].concat())
    }
}

/// Starts a node and reads what it says on stderr up to a line with that.
fn spawn_until(home: &Home, file: &str, words: &str) -> Child {
    let mut process = Command::new(env!("CARGO_BIN_EXE_velo"))
        .args(["kafka-server-start", file])
        .env("VELO_HOME", home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _limit = Limit::on(&process);
    let mut said = Vec::new();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let found = lines.by_ref().map_while(Result::ok).any(|line| {
        let found = line.contains(words);
        said.push(line);
        found
    });
    assert!(found, "{words:?} is not in {said:#?}");
    // Read on, or the node would end at its next word.
    std::thread::spawn(move || lines.for_each(drop));
    process
}

#[test]
fn of_three_voters_the_first_leads_and_the_others_join_its_cluster() {
    let desk = Desk::new(3);
    let both = |id| desk.file(id, "broker,controller", &desk.voters());
    let (one, two, three) = (both(1), both(2), both(3));
    // The second is first here: it waits, and begins nothing.
    let waiting = spawn_until(&desk.home, &two, "Waiting for the controller at localhost:");
    let leader = desk.start(&one);
    let mut waiting = Node::of(waiting);
    assert!(waiting.first_line().contains("[KafkaServer id=2] started at"));
    let third = desk.start(&three);
    desk.has_brokers(&third, 3);
    drop(leader);
}

#[test]
fn a_controller_that_does_not_lead_says_so_and_stands_by() {
    let desk = Desk::new(2);
    let leader = desk.start(&desk.file(1, "controller", &desk.voters()));
    assert!(leader.address.starts_with("localhost:"));
    let second = desk.file(2, "controller", &desk.voters());
    let process = spawn_until(&desk.home, &second, "node 1 leads, at localhost:");
    let line = Node::of(process).first_line();
    assert!(
        line.starts_with("[KafkaServer id=2] stands by for localhost:"),
        "{line}"
    );
    let broker = desk.start(&desk.file(7, "broker", &desk.voters()));
    desk.has_brokers(&broker, 1);
}

#[test]
fn a_node_whose_file_names_anothers_controller_joins_it() {
    let desk = Desk::new(2);
    let first = format!("controller.quorum.bootstrap.servers=localhost:{}", desk.ports[0]);
    let leader = desk.start(&desk.file(1, "broker,controller", &first));
    let second = desk.start(&desk.file(2, "broker,controller", &first));
    desk.has_brokers(&second, 2);
    // The third names both, the one that does not lead before the other.
    let servers = format!(
        "{},localhost:{}",
        first.replace(&desk.ports[0].to_string(), &desk.ports[1].to_string()),
        desk.ports[0]
    );
    let third = desk.start(&desk.file(3, "broker", &servers));
    desk.has_brokers(&third, 3);
    drop(leader);
}

#[test]
fn the_folder_that_was_formatted_to_lead_decides_among_the_servers() {
    let desk = Desk::new(2);
    let both = |id| desk.file(id, "broker,controller", &desk.servers());
    let (one, two) = (both(1), both(2));
    desk.format(&two, &["--standalone"]).succeeds();
    desk.format(&one, &["--no-initial-controllers"]).succeeds();
    let leader = desk.start(&two);
    let other = desk.start(&one);
    desk.has_brokers(&other, 2);
    drop((leader, other));
    // It goes on so, in whatever order they start.
    let waiting = spawn_until(&desk.home, &one, "Waiting for the controller at localhost:");
    let _leader = desk.start(&two);
    assert!(Node::of(waiting).first_line().contains("started at"));
}

#[test]
fn of_the_initial_controllers_the_first_leads() {
    let desk = Desk::new(2);
    let both = |id| desk.file(id, "broker,controller", &desk.servers());
    let (one, two) = (both(1), both(2));
    let initial = format!(
        "2@localhost:{}:AAAAAAAAAAAAAAAAAAAAAg,1@localhost:{}:AAAAAAAAAAAAAAAAAAAAAw",
        desk.ports[1], desk.ports[0]
    );
    for file in [&one, &two] {
        let said = desk.format(file, &["--initial-controllers", &initial]).succeeds();
        assert!(
            said.stdout
                .starts_with("Formatting dynamic metadata voter directory "),
            "{}",
            said.stdout
        );
    }
    let meta = std::fs::read_to_string(desk.folder.path().join("data-1/meta.properties")).unwrap();
    assert!(meta.contains("directory.id=AAAAAAAAAAAAAAAAAAAAAw\n"), "{meta}");
    let _leader = desk.start(&two);
    let other = desk.start(&one);
    desk.has_brokers(&other, 2);
}

#[test]
fn what_would_begin_a_cluster_beside_the_files_is_refused() {
    let desk = Desk::new(2);
    let others = format!("controller.quorum.bootstrap.servers=localhost:{}", desk.ports[0]);
    let file = desk.file(2, "broker,controller", &others);
    let refused = desk.format(&file, &["--standalone"]).fails_with(1);
    assert!(
        refused.stderr.contains("never begins a cluster of its own"),
        "{}",
        refused.stderr
    );
    let own = format!("controller.quorum.bootstrap.servers=localhost:{}", desk.ports[1]);
    let file = desk.file(2, "broker,controller", &own);
    let refused = desk.format(&file, &["--no-initial-controllers"]).fails_with(1);
    assert!(
        refused.stderr.contains("names this node alone"),
        "{}",
        refused.stderr
    );
    for (text, why) in [
        ("x", "No @ found in dynamic voter string."),
        ("1@h", "No colon following hostname could be found."),
        ("1@h:p:d", "Failed to parse port in dynamic voter string."),
        ("1@h:1:d", "Failed to parse directory ID in dynamic voter string."),
    ] {
        let refused = desk.format(&file, &["--initial-controllers", text]).fails_with(1);
        assert!(refused.stderr.contains(why), "{text}: {}", refused.stderr);
    }
    assert!(!desk.folder.path().join("data-2").exists());
}

#[test]
fn a_folder_of_another_cluster_is_told_and_left_alone() {
    let desk = Desk::new(2);
    let own = format!("controller.quorum.bootstrap.servers=localhost:{}", desk.ports[1]);
    drop(desk.start(&desk.file(2, "broker,controller", &own)));
    let leader = desk.start(&desk.file(1, "broker,controller", &desk.voters()));
    let mut joining = Command::new(env!("CARGO_BIN_EXE_velo"));
    joining
        .args([
            "kafka-server-start",
            &desk.file(2, "broker,controller", &desk.voters()),
        ])
        .env("VELO_HOME", desk.home.path());
    let refused = ending::output(&mut joining);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("belongs to the cluster"), "{said}");
    drop(leader);
}
