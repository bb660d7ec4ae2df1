//! `velo cluster start --foreground` with several brokers: one terminal for all; and processes that are no longer a node's.

use super::cluster_brokers::{json_of, node, until};
use crate::support::ending;
use crate::support::velo::{Ended, Home};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

/// A cluster under a supervisor, which ends with the value however the test ends.
struct Supervised {
    home: Home,
    data: PathBuf,
    process: Child,
    ready: String,
    stderr: BufReader<ChildStderr>,
}

/// `velo cluster start --foreground` with further words.
fn terminal(home: &Home, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(["cluster", "start", "--foreground"])
        .args(words)
        .env("VELO_HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

impl Supervised {
    fn start(brokers: &str) -> Self {
        let home = Home::new();
        let data = home.path().join("supervised");
        let mut process = terminal(
            &home,
            &[
                "--port",
                "0",
                "--brokers",
                brokers,
                "--data",
                data.to_str().unwrap(),
            ],
        )
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let mut supervised = Supervised {
            home,
            data,
            process,
            ready: String::new(),
            stderr,
        };
        supervised.ready = ending::first_line(&mut supervised.process);
        supervised
    }

    fn velo(&self, words: &[&str]) -> Ended {
        let data = ["--data", self.data.to_str().unwrap()];
        self.home.velo(&[&["cluster"], words, &data].concat())
    }

    fn status(&self) -> Value {
        json_of(&self.velo(&["status", "-o", "json"]).succeeds())
    }

    /// What it says next.
    fn says(&mut self) -> String {
        let _limit = ending::Limit::on(&self.process);
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn is_over(&mut self) {
        let status = ending::ended(&mut self.process);
        assert!(status.success(), "{status}");
        self.velo(&["status"]).fails_with(1);
        let left = self.velo(&["status", "-o", "json"]);
        assert!(!left.stderr.contains("without a clean stop"), "{}", left.stderr);
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.velo(&["stop", "--kill"]);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn one_terminal_has_all_brokers_tells_of_the_one_that_dies_and_ends_all_on_ctrl_c() {
    let mut cluster = Supervised::start("3");
    let seen = cluster.status();
    assert_eq!(
        cluster.ready,
        format!("ready {}", seen["bootstrap"].as_str().unwrap())
    );
    let pid = node(&seen, 2)["pid"].as_u64().unwrap();
    let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
    let said = cluster.says();
    assert!(
        said.starts_with("broker 2 has ended (signal: 9") && said.ends_with("; the others go on."),
        "{said}"
    );
    assert_eq!(
        cluster.says(),
        format!(
            "hint: velo cluster start --broker 2 --data {}",
            cluster.data.display()
        )
    );
    let after = cluster.status();
    assert_eq!(node(&after, 1)["pid"], node(&seen, 1)["pid"]);
    assert_eq!(node(&after, 3)["state"], "running");
    // Started again by another, it ends with the others.
    cluster.velo(&["start", "--broker", "2"]).succeeds();
    let stopped = cluster.velo(&["stop", "--broker", "3"]).succeeds();
    assert_eq!(stopped.said(), "Stopped: broker 3.\n");
    assert_eq!(cluster.says(), "broker 3 has stopped.");
    ending::interrupt(&cluster.process);
    cluster.is_over();
}

#[test]
fn a_supervisor_ends_with_its_cluster_and_when_it_is_told_to_while_it_starts() {
    let mut cluster = Supervised::start("2");
    let second = cluster.velo(&["start", "--foreground"]).fails_with(1);
    assert!(
        second.said().starts_with("error: a cluster already runs on "),
        "{}",
        second.stderr
    );
    cluster.velo(&["stop"]).succeeds();
    cluster.is_over();

    let home = Home::new();
    let mut starting = terminal(&home, &["--port", "0", "--brokers", "2"])
        .spawn()
        .unwrap();
    // It has begun: from here on a signal finds it ready for it.
    until("the first node has begun", || {
        home.path().join("data/cluster/node-1.json").exists()
    });
    let told = Command::new("kill").arg(starting.id().to_string()).status();
    assert!(told.unwrap().success());
    let status = ending::ended(&mut starting);
    assert!(status.success(), "{status}");
    home.velo(&["cluster", "status"]).fails_with(1);
}

#[test]
fn one_broker_of_a_cluster_runs_in_a_terminal_of_its_own() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--brokers", "2", "--port", "0"])
        .succeeds();
    home.velo(&["cluster", "stop", "--broker", "2"]).succeeds();
    let mut terminal = terminal(&home, &["--broker", "2"]).spawn().unwrap();
    let ready = ending::first_line(&mut terminal);
    let seen = json_of(&home.velo(&["cluster", "status", "-o", "json"]).succeeds());
    assert_eq!(
        ready,
        format!("ready {}", node(&seen, 2)["address"].as_str().unwrap())
    );
    assert_eq!(node(&seen, 2)["pid"], terminal.id());
    home.velo(&["cluster", "stop"]).succeeds();
    assert!(ending::ended(&mut terminal).success());
}

/// A process that has nothing to do with any cluster.
struct Stranger(Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_that_got_the_id_of_a_broker_is_never_signalled() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    home.velo(&["cluster", "stop", "--kill"]).succeeds();
    let mut cat = Command::new("cat");
    let cat = cat.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stranger = Stranger(cat);
    let state_file = home.path().join("data/cluster/node-1.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&state_file).unwrap()).unwrap();
    state["process"]["id"] = stranger.0.id().into();
    std::fs::write(&state_file, state.to_string()).unwrap();
    // Its lock is free: nothing runs, whoever has that id.
    let said = home.velo(&["cluster", "stop", "--kill"]).succeeds();
    assert_eq!(said.said(), "No cluster runs.\n");
    // And where it is taken, whoever has that id by now is not the one who took it.
    let lock = std::fs::File::open(home.path().join("data/cluster/node-1.lock")).unwrap();
    lock.lock().unwrap();
    let refused = home.velo(&["cluster", "pause"]).fails_with(1);
    assert!(
        refused
            .stderr
            .contains(&format!("process {} is another one by now", stranger.0.id())),
        "{}",
        refused.stderr
    );
    let refused = home.velo(&["cluster", "stop", "--kill"]).fails_with(1);
    assert!(
        refused.stderr.contains("is another one by now"),
        "{}",
        refused.stderr
    );
    assert_eq!(stranger.0.try_wait().unwrap(), None, "it was signalled");
}
