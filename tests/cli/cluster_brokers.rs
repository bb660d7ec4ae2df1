//! `velo cluster` with several brokers, each a process of its own.

use crate::support::hints::lines;
use crate::support::raw::ask_at;
use crate::support::velo::{Ended, Home};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::DeleteTopicsRequest;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::protocol::StrBytes;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// More than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again and again until it is so.
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
    }
}

pub(super) fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

pub(super) fn status(home: &Home) -> Value {
    json_of(&home.velo(&["cluster", "status", "-o", "json"]).succeeds())
}

pub(super) fn node(status: &Value, id: i32) -> &Value {
    let nodes = status["nodes"].as_array().unwrap().iter();
    let mut of_id = nodes.filter(|node| node["id"] == id);
    of_id.next().unwrap_or_else(|| panic!("no node {id}: {status}"))
}

/// Brokers 1 and 2 run, and their controller 3 apart from them.
fn two_and_a_controller() -> Home {
    let home = Home::new();
    home.velo(&[
        "cluster",
        "start",
        "--brokers",
        "2",
        "--controller-apart",
        "--port",
        "0",
    ])
    .succeeds();
    home
}

fn state(home: &Home, id: i32) -> String {
    node(&status(home), id)["state"].as_str().unwrap().to_owned()
}

fn pids(status: &Value) -> Vec<u64> {
    let nodes = status["nodes"].as_array().unwrap().iter();
    nodes.filter_map(|node| node["pid"].as_u64()).collect()
}

/// The line to type of the first hint.
fn hint(said: &str) -> Vec<String> {
    let hint = said.lines().find_map(|line| line.strip_prefix("hint: "));
    let hint = hint.unwrap_or_else(|| panic!("no hint: {said}"));
    let line = lines(hint)
        .first()
        .copied()
        .unwrap_or_else(|| panic!("no line: {hint}"));
    line.split(' ').skip(1).map(str::to_owned).collect()
}

fn follow(home: &Home, said: &str) -> Ended {
    let words = hint(said);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    home.velo(&words).succeeds()
}

/// The ids of the replicas in sync of a topic's only partition.
fn isr(home: &Home, topic: &str) -> Vec<i64> {
    let described = home.velo(&["topic", "describe", topic, "-o", "json"]);
    if described.code != 0 {
        return Vec::new();
    }
    let mut ids: Vec<i64> = json_of(&described)[0]["partitions"][0]["isr"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_i64)
        .collect();
    ids.sort_unstable();
    ids
}

#[test]
fn one_line_starts_three_brokers_each_a_process_with_a_folder_of_its_own() {
    let home = Home::new();
    let said = home
        .velo(&["cluster", "start", "--brokers", "3", "--port", "0"])
        .succeeds();
    let seen = status(&home);
    let bootstrap = seen["bootstrap"].as_str().unwrap();
    assert_eq!(said.said(), format!("The cluster serves at {bootstrap}.\n"));
    assert_eq!(bootstrap.split(',').count(), 3, "{bootstrap}");
    let mut processes = pids(&seen);
    processes.dedup();
    assert_eq!(processes.len(), 3, "{seen}");
    for id in 1..=3 {
        let one = node(&seen, id);
        assert_eq!(one["state"], "running");
        let roles = if id == 1 {
            json!(["broker", "controller"])
        } else {
            json!(["broker"])
        };
        assert_eq!(one["roles"], roles);
        let data = home
            .path()
            .join(format!("data/cluster/node-{id}/meta.properties"));
        assert!(data.exists(), "{}", data.display());
    }
    home.velo(&[
        "topic",
        "create",
        "t",
        "--partitions",
        "3",
        "--replication-factor",
        "3",
    ])
    .succeeds();
    until("each broker leads one of three partitions", || {
        let seen = status(&home);
        (1..=3).all(|id| {
            let one = node(&seen, id);
            (&one["leaders"], &one["replicas"], &one["behind"]) == (&json!(1), &json!(3), &json!(0))
        })
    });
    let setting = [
        "config",
        "get",
        "broker",
        "2",
        "offsets.topic.replication.factor",
        "-o",
        "json",
    ];
    assert_eq!(json_of(&home.velo(&setting).succeeds())[0]["value"], "3");
    let plain = home.velo(&["cluster", "status", "-o", "plain"]).succeeds().stdout;
    let addresses: Vec<&str> = plain.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(addresses.join(","), bootstrap);
    let table = home.velo(&["cluster", "status"]).succeeds().stdout;
    assert!(table.contains(&format!("running  {bootstrap}, for ")), "{table}");
    assert!(table.contains("broker,controller"), "{table}");
    let lines = home.velo(&["cluster", "status", "-o", "jsonl"]).succeeds().stdout;
    assert_eq!(lines.lines().count(), 1, "{lines}");
}

#[test]
fn a_stopped_cluster_starts_again_as_it_was_also_with_the_controller_apart() {
    let home = Home::new();
    let start = [
        "cluster",
        "start",
        "--ids",
        "101,102",
        "--controller-apart",
        "--port",
        "0",
    ];
    home.velo(&start).succeeds();
    let before = status(&home);
    assert_eq!(node(&before, 101)["roles"], json!(["broker"]));
    assert_eq!(node(&before, 103)["roles"], json!(["controller"]));
    home.velo(&["topic", "create", "kept", "--replication-factor", "2"])
        .succeeds();
    let stopped = home.velo(&["cluster", "stop"]).succeeds();
    assert_eq!(stopped.said(), "The cluster has stopped.\n");
    let none = home.velo(&["cluster", "status"]).fails_with(1);
    assert_eq!(none.said(), "error: no cluster runs\nhint: velo cluster start\n");
    home.velo(&["cluster", "start"]).succeeds();
    let after = status(&home);
    assert_eq!(after["bootstrap"], before["bootstrap"]);
    for id in [101, 102, 103] {
        let (one, other) = (node(&before, id), node(&after, id));
        assert_eq!(
            (&one["roles"], &one["address"]),
            (&other["roles"], &other["address"])
        );
    }
    let listed = home.velo(&["topic", "list", "-o", "plain"]).succeeds();
    assert!(listed.stdout.starts_with("kept\t"), "{}", listed.stdout);
    home.velo(&["cluster", "restart"]).succeeds();
    assert_eq!(status(&home)["bootstrap"], before["bootstrap"]);
    // The same words are the same cluster.
    home.velo(&["cluster", "start", "--ids", "101,102", "--controller-apart"])
        .succeeds();
    home.velo(&["cluster", "start", "--brokers", "2"]).succeeds();
}

#[test]
fn a_killed_broker_is_told_with_the_line_that_starts_it_and_comes_back_into_the_isr() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--ids", "101,102,103", "--port", "0"])
        .succeeds();
    let before = status(&home);
    home.velo(&["topic", "create", "t", "--replication-factor", "3"])
        .succeeds();
    let killed = home
        .velo(&["cluster", "stop", "--broker", "102", "--kill"])
        .succeeds();
    assert_eq!(killed.said(), "Killed: broker 102.\n");
    let told = home.velo(&["cluster", "status", "-o", "json"]).succeeds();
    assert_eq!(node(&json_of(&told), 102)["state"], "crashed");
    let process = node(&before, 102)["pid"].to_string();
    assert_eq!(
        told.said(),
        format!(
            "broker 102 (process {process}) ended without a clean stop.\nhint: velo cluster start --broker 102\n"
        )
    );
    let doctor = json_of(&home.velo(&["doctor", "-o", "json"]));
    let findings = doctor.as_array().unwrap();
    let crashed = findings.iter().find(|finding| {
        let found = finding["found"].as_str().unwrap();
        finding["check"] == "classroom cluster" && found.contains("ended without a clean stop")
    });
    let hint = crashed.unwrap_or_else(|| panic!("{doctor}"))["hint"]
        .as_str()
        .unwrap();
    assert!(hint.starts_with("velo cluster start --broker 102 "), "{hint}");
    let port = findings.iter().find(|finding| {
        finding["verdict"] == "bad" || finding["verdict"] == "warn" && finding["check"] == "port"
    });
    assert_eq!(
        port.unwrap()["hint"],
        "velo cluster start --broker 102",
        "{doctor}"
    );
    until("the partition goes on without it", || {
        let isr = isr(&home, "t");
        isr.len() == 2 && !isr.contains(&102)
    });
    follow(&home, &told.stderr);
    assert_eq!(
        node(&status(&home), 102)["address"],
        node(&before, 102)["address"]
    );
    until("it is in sync again", || isr(&home, "t") == [101, 102, 103]);
    home.velo(&["cluster", "restart", "--broker", "103,102", "--kill"])
        .succeeds();
    let after = status(&home);
    assert_eq!(after["bootstrap"], before["bootstrap"]);
    assert_eq!(node(&after, 101)["pid"], node(&before, 101)["pid"]);
    assert_ne!(node(&after, 103)["pid"], node(&before, 103)["pid"]);
    home.velo(&["cluster", "stop", "--kill"]).succeeds();
    let none = home.velo(&["cluster", "status"]).fails_with(1).said();
    for id in [101, 102, 103] {
        let killed = format!("broker {id} (process {})", node(&after, id)["pid"]);
        assert!(none.contains(&killed), "{none}");
    }
}

#[test]
fn commands_without_options_reach_the_cluster_when_the_first_broker_is_stopped() {
    let home = two_and_a_controller();
    let seen = status(&home);
    let first = node(&seen, 1)["address"].as_str().unwrap();
    let stopped = home.velo(&["cluster", "stop", "--broker", "1"]).succeeds();
    assert_eq!(stopped.said(), "Stopped: broker 1.\n");
    home.velo(&["topic", "create", "here"]).succeeds();
    let listed = home.velo(&["topic", "list", "-o", "plain"]).succeeds();
    assert!(listed.stdout.starts_with("here\t"), "{}", listed.stdout);
    home.command(&["produce", "here"])
        .write_stdin("hello\n")
        .assert()
        .success();
    let read = home
        .velo(&["consume", "here", "--from-beginning", "--exit-at-end"])
        .succeeds();
    assert_eq!(read.stdout, "hello\n");
    assert_eq!(status(&home)["bootstrap"], seen["bootstrap"]);
    assert_eq!(state(&home, 1), "stopped");
    // Who names the stopped one is told how to start it, in both faces.
    let refused = home.velo(&["topic", "list", "-b", first]).fails_with(3);
    assert_eq!(hint(&refused.stderr).join(" "), "cluster start --broker 1");
    let script = home
        .velo(&["kafka-topics", "--list", "--bootstrap-server", first])
        .fails_with(1);
    assert!(
        format!("{}{}", script.stdout, script.stderr).contains("velo cluster start --broker 1"),
        "{script:?}"
    );
    // What is not there is started by the line for all, too.
    let again = home.velo(&["cluster", "start"]).succeeds();
    assert_eq!(again.said(), format!("broker 1 serves at {first}.\n"));
    assert_eq!(state(&home, 1), "running");
}

#[test]
fn without_its_controller_a_cluster_says_what_is_missing() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--brokers", "2", "--port", "0"])
        .succeeds();
    let stopped = home.velo(&["cluster", "stop", "--broker", "1"]).succeeds();
    assert!(
        stopped
            .stderr
            .contains("broker 1, the controller, does not run: "),
        "{}",
        stopped.stderr
    );
    home.velo(&["cluster", "stop", "--broker", "2"]).succeeds();
    home.velo(&["cluster", "start"]).succeeds();
    home.velo(&["cluster", "stop", "--broker", "1,2", "--kill"])
        .succeeds();
    let refused = home.velo(&["cluster", "start", "--broker", "2"]).fails_with(1);
    assert!(
        refused
            .stderr
            .contains("why: broker 1, the controller, does not run\n"),
        "{}",
        refused.stderr
    );
    follow(&home, &refused.stderr);
    assert_eq!(
        (state(&home, 1), state(&home, 2)),
        ("running".to_owned(), "running".to_owned())
    );
}

#[cfg(unix)]
#[test]
fn a_paused_broker_stands_still_until_it_is_resumed_or_stopped() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--brokers", "3", "--port", "0"])
        .succeeds();
    let paused = home.velo(&["cluster", "pause", "--broker", "2"]).succeeds();
    assert_eq!(
        paused.said(),
        "Paused: broker 2.\nhint: velo cluster resume --broker 2\n"
    );
    assert_eq!(state(&home, 2), "paused");
    home.velo(&["topic", "create", "t"]).succeeds();
    let address = node(&status(&home), 2)["address"].as_str().unwrap().to_owned();
    let silent = home.velo(&["topic", "list", "-b", &address]).fails_with(3);
    assert_eq!(hint(&silent.stderr).join(" "), "cluster resume --broker 2");
    follow(&home, &silent.stderr);
    until("it goes on", || state(&home, 2) == "running");
    home.velo(&["topic", "list", "-b", &address]).succeeds();
    home.velo(&["cluster", "pause"]).succeeds();
    for id in 1..=3 {
        assert_eq!(state(&home, id), "paused");
    }
    // Clean all the same.
    home.velo(&["cluster", "stop"]).succeeds();
    let none = home.velo(&["cluster", "status"]).fails_with(1);
    assert_eq!(none.said(), "error: no cluster runs\nhint: velo cluster start\n");
    let refused = home.velo(&["cluster", "pause", "--broker", "2"]).fails_with(1);
    assert_eq!(
        refused.said(),
        "error: no cluster runs\nhint: velo cluster start\n"
    );
}

#[cfg(unix)]
#[test]
fn what_a_paused_controller_was_asked_in_vain_is_not_done_once_it_goes_on() {
    let home = two_and_a_controller();
    home.velo(&["topic", "create", "kept"]).succeeds();
    home.velo(&["cluster", "pause", "--broker", "3"]).succeeds();
    let kept = DeleteTopicState::default().with_name(Some(StrBytes::from_static_str("kept").into()));
    let request = DeleteTopicsRequest::default()
        .with_topics(vec![kept])
        .with_timeout_ms(2_000);
    let seen = status(&home);
    let broker = node(&seen, 2)["address"].as_str().unwrap();
    let answer = ask_at(broker, request, 6);
    assert_eq!(
        answer.responses[0].error_code,
        ResponseError::RequestTimedOut.code()
    );
    home.velo(&["cluster", "resume", "--broker", "3"]).succeeds();
    home.velo(&["topic", "create", "after"]).succeeds();
    let listed = home.velo(&["topic", "list", "-o", "plain"]).succeeds().stdout;
    let topics: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(topics, ["after", "kept"]);
}

#[test]
fn another_shape_is_refused_with_lines_that_help() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--ids", "7", "--port", "0"])
        .succeeds();
    let running = home.velo(&["cluster", "start", "--brokers", "2"]).fails_with(1);
    assert!(
        running
            .said()
            .starts_with("error: the cluster already runs, without --brokers 2\n"),
        "{}",
        running.stderr
    );
    assert!(running.stderr.contains("with broker 7\n"), "{}", running.stderr);
    home.velo(&["cluster", "stop"]).succeeds();
    let other = home.velo(&["cluster", "start", "--ids", "8"]).fails_with(1);
    assert!(
        other
            .stderr
            .contains("cannot be started with --ids 8\n  why: its data is that of broker 7\n"),
        "{}",
        other.stderr
    );
    let elsewhere = home.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    home.velo(&[
        "cluster", "start", "--ids", "8", "--port", "0", "--data", elsewhere,
    ])
    .succeeds();
    home.velo(&["cluster", "stop", "--data", elsewhere]).succeeds();
    // It grows by brokers behind those it has, and keeps what is there.
    home.velo(&["cluster", "start"]).succeeds();
    home.velo(&["topic", "create", "kept"]).succeeds();
    home.velo(&["cluster", "stop"]).succeeds();
    home.velo(&["cluster", "start", "--ids", "7,8", "--port", "0"])
        .succeeds();
    let listed = home.velo(&["topic", "list", "-o", "plain"]).succeeds();
    assert!(listed.stdout.starts_with("kept\t"), "{}", listed.stdout);
    home.velo(&["topic", "create", "both", "--replication-factor", "2"])
        .succeeds();
    home.velo(&["cluster", "stop"]).succeeds();
    // Without data there is nothing to keep.
    home.velo(&["cluster", "reset", "--yes"]).succeeds();
    for id in [7, 8] {
        assert!(!home.path().join(format!("data/cluster/node-{id}")).exists());
    }
    home.velo(&["cluster", "start", "--ids", "1", "--port", "0"])
        .succeeds();
    assert_eq!(home.velo(&["topic", "list", "-o", "plain"]).succeeds().stdout, "");
}

#[test]
fn ports_follow_one_another_and_a_taken_one_is_told_before_anything_starts() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let first = (port - 1).to_string();
    let refused = home
        .velo(&["cluster", "start", "--brokers", "2", "--port", &first])
        .fails_with(1);
    assert!(
        refused.stderr.contains(" is in use\n  why: "),
        "{}",
        refused.stderr
    );
    if refused.said().starts_with(&format!("error: port {port} ")) {
        let owner = format!("(process {})", std::process::id());
        assert!(refused.stderr.contains(&owner), "{}", refused.stderr);
    }
    home.velo(&["cluster", "status"]).fails_with(1);
    drop(taken);
    // What it hints at is free for all of them, unless somebody is faster.
    until("free ports are found", || {
        let free = hint(&refused.stderr).last().unwrap().clone();
        let started = home.velo(&["cluster", "start", "--brokers", "2", "--port", &free]);
        let Some(free) = (started.code == 0).then(|| free.parse::<u16>().unwrap()) else {
            return home
                .velo(&["cluster", "start", "--brokers", "2", "--port", "0"])
                .code
                == 0;
        };
        let bootstrap = format!("localhost:{free},localhost:{}", free + 1);
        assert_eq!(status(&home)["bootstrap"], json!(bootstrap));
        true
    });
}

#[test]
fn what_cannot_be_for_several_brokers_is_wrong_usage() {
    let home = Home::new();
    let start = |more: &[&str]| {
        home.velo(&[&["cluster", "start", "--port", "0"], more].concat())
            .fails_with(2)
    };
    for setting in ["node.id=4", "listeners=PLAINTEXT://:0", "log.dirs=/tmp/x"] {
        let refused = start(&["--brokers", "2", "--set", setting]);
        assert!(
            refused
                .said()
                .starts_with(&format!("error: --set {setting} cannot be for all brokers\n")),
            "{}",
            refused.stderr
        );
    }
    let told = start(&[
        "--brokers",
        "2",
        "--set",
        "advertised.listeners=PLAINTEXT://there:9092",
    ]);
    assert!(
        told.stderr
            .contains("--set advertised.listeners=PLAINTEXT://there:0"),
        "{}",
        told.stderr
    );
    start(&["--brokers", "0"]);
    start(&["--ids", "1,2,1"]);
    start(&["--ids", "1,-2"]);
    start(&["--brokers", "2", "--ids", "1,2"]);
    start(&["--broker", "2"]);
    start(&["--brokers", "2", "--set", "num.partitions=many"]);
    start(&["--ids", "2147483647", "--controller-apart"]);
    let many = home
        .velo(&["cluster", "start", "--brokers", "2", "--port", "65535"])
        .fails_with(2);
    assert!(many.stderr.contains("not so many ports"), "{}", many.stderr);
    home.velo(&["cluster", "start", "--broker", "1"]).fails_with(1);
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    for verb in ["start", "stop", "restart", "pause", "resume", "logs"] {
        let unknown = home.velo(&["cluster", verb, "--broker", "9"]).fails_with(2);
        assert!(
            unknown.said().starts_with("error: the cluster has no broker 9\n"),
            "{verb}: {}",
            unknown.stderr
        );
    }
}

#[test]
fn every_verb_takes_a_folder_of_one_s_choice() {
    let home = Home::new();
    let folder = home.path().join("elsewhere");
    let data = ["--data", folder.to_str().unwrap()];
    let velo = |words: &[&str]| home.velo(&[&["cluster"], words, &data].concat());
    velo(&["start", "--brokers", "2", "--port", "0", "--listen-anyone"]).succeeds();
    let seen = json_of(&velo(&["status", "-o", "json"]).succeeds());
    assert_eq!(seen["class"].as_array().unwrap().len(), 2, "{seen}");
    let log = velo(&["logs", "--broker", "2"]).succeeds().stdout;
    let port = node(&seen, 2)["address"]
        .as_str()
        .unwrap()
        .rsplit_once(':')
        .unwrap()
        .1;
    assert!(log.contains(&format!("serving at localhost:{port}")), "{log}");
    let both = velo(&["logs"]).succeeds().stdout;
    assert!(
        both.contains("==> broker 1 (") && both.contains("==> broker 2 ("),
        "{both}"
    );
    let offered = home
        .command(&["--", "velo", "cluster", "stop", "--broker", ""])
        .env("VELO_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "4")
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&offered.stdout).trim_end(), "1\n2");
    velo(&["stop", "--broker", "2", "--kill"]).succeeds();
    let told = velo(&["status"]).succeeds();
    assert_eq!(hint(&told.stderr)[..4], ["cluster", "start", "--broker", "2"]);
    follow(&home, &told.stderr);
    velo(&["restart", "--broker", "2"]).succeeds();
    velo(&["restart"]).succeeds();
    let again = json_of(&velo(&["status", "-o", "json"]).succeeds());
    assert_eq!(again["bootstrap"], seen["bootstrap"]);
    assert_eq!(again["class"], seen["class"], "still for the class");
    velo(&["stop"]).succeeds();
    velo(&["reset", "--yes"]).succeeds();
}
