//! Which cluster a command means, and that what is to be typed where none answers leads on.

use crate::support::velo::{Ended, Home};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// A port that nothing listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn port_of(bootstrap: &str) -> u16 {
    bootstrap.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// The first thing that is to be typed.
fn hint(ended: &Ended) -> String {
    let hint = ended.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
    hint.unwrap_or_else(|| panic!("no hint: {}", ended.stderr))
        .to_owned()
}

/// A cluster in a folder of one's choice, which ends with the value.
struct Elsewhere<'a> {
    home: &'a Home,
    data: String,
}

impl<'a> Elsewhere<'a> {
    fn start(home: &'a Home, data: &Path) -> Self {
        let data = data.to_str().unwrap().to_owned();
        home.velo(&["cluster", "start", "--port", "0", "--data", &data])
            .succeeds();
        Elsewhere { home, data }
    }

    fn stop(&self) {
        self.home
            .velo(&["cluster", "stop", "--data", &self.data])
            .succeeds();
    }
}

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        self.home
            .velo(&["cluster", "stop", "--kill", "--data", &self.data]);
    }
}

#[test]
fn without_a_word_about_it_the_cluster_that_runs_is_meant() {
    let home = Home::new();
    let started = home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let bootstrap = home.bootstrap();
    assert_eq!(started.said(), format!("The cluster serves at {bootstrap}.\n"));
    home.velo(&["topic", "create", "here"]).succeeds();
    let listed = home.velo(&["topic", "list", "--output", "plain"]).succeeds();
    assert!(listed.stdout.starts_with("here"), "{}", listed.stdout);
    let doctor = home.velo(&["doctor"]).succeeds().stdout;
    let decided = format!("{bootstrap}, the cluster of this machine that runs");
    assert!(doctor.contains(&decided), "{doctor}");
}

#[test]
fn a_cluster_keeps_its_port_over_a_stop_and_says_who_has_it() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let bootstrap = home.bootstrap();
    home.velo(&["cluster", "stop"]).succeeds();
    home.velo(&["cluster", "start"]).succeeds();
    assert_eq!(home.bootstrap(), bootstrap);
    home.velo(&["cluster", "stop"]).succeeds();
    let port = port_of(&bootstrap);
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let refused = home.velo(&["cluster", "start"]).fails_with(1);
    assert!(
        refused
            .stderr
            .starts_with(&format!("error: port {port} is in use\n  why: "))
            && refused
                .stderr
                .contains(&format!("(process {})", std::process::id())),
        "{}",
        refused.stderr
    );
    type_hint(&home, &hint(&refused), &mut Vec::new());
    drop(taken);
    home.velo(&["topic", "list"]).succeeds();
}

#[test]
fn a_cluster_that_runs_says_the_same_as_one_that_starts() {
    let home = Home::new();
    let context = ["context", "add", "away", "--bootstrap-server", "127.0.0.1:1"];
    home.velo(&context).succeeds();
    let said = home.velo(&["cluster", "start", "--port", "0"]).succeeds().said();
    let again = home.velo(&["cluster", "start"]).succeeds().said();
    let (first, rest) = again.split_once('\n').unwrap();
    assert!(first.starts_with("The cluster already runs (process "), "{again}");
    assert_eq!(rest, said);
    assert!(said.contains("as the context `away` says"), "{said}");
    let (_, option) = said.trim_end().rsplit_once("\n  ").unwrap();
    let option = option.split(',').next().unwrap();
    let words: Vec<&str> = ["topic", "list"].into_iter().chain(option.split(' ')).collect();
    home.velo(&words).succeeds();
}

#[test]
fn what_a_running_cluster_does_not_honour_is_refused() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0", "--set", "num.partitions=2"])
        .succeeds();
    let bootstrap = home.bootstrap();
    let port = port_of(&bootstrap).to_string();
    let same = ["cluster", "start", "--port", &port, "--set", "num.partitions=2"];
    home.velo(&same).succeeds();
    for other in [
        &["--port", "1"][..],
        &["--listen-anyone"],
        &["--set", "num.partitions=3"],
    ] {
        let refused = home.velo(&[&["cluster", "start"], other].concat()).fails_with(1);
        let options = other.join(" ");
        assert!(
            refused
                .stderr
                .starts_with(&format!("error: the cluster already runs, without {options}\n"))
                && refused.stderr.contains(&bootstrap),
            "{}",
            refused.stderr
        );
    }
    let refused = home.velo(&["cluster", "start", "--set", "num.partitions=3"]);
    type_hint(&home, &hint(&refused), &mut Vec::new());
    let setting = home.velo(&[
        "config",
        "get",
        "broker",
        "1",
        "num.partitions",
        "--output",
        "plain",
    ]);
    assert!(setting.succeeds().stdout.contains('3'));
    assert_eq!(home.bootstrap(), bootstrap);
}

#[test]
fn the_only_cluster_of_another_folder_is_meant_and_of_two_one_must_be_named() {
    let home = Home::new();
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Elsewhere::start(&home, one.path());
    let bootstrap = home.bootstrap();
    home.velo(&["topic", "create", "first"]).succeeds();
    let second = Elsewhere::start(&home, two.path());
    let torn = home.velo(&["topic", "list"]).fails_with(2);
    assert!(
        torn.stderr
            .starts_with("error: several clusters run on this machine; which one is meant?\n")
            && torn
                .stderr
                .contains(&format!("hint: --bootstrap-server {bootstrap}\n")),
        "{}",
        torn.stderr
    );
    home.velo(&["cluster", "status"]).fails_with(2);
    home.velo(&["topic", "list", "--bootstrap-server", &bootstrap])
        .succeeds();
    // The user's own folder goes before all others.
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    assert!(
        !home
            .velo(&["topic", "list", "--output", "plain"])
            .succeeds()
            .stdout
            .contains("first")
    );
    home.velo(&["cluster", "stop"]).succeeds();
    second.stop();
    let listed = home.velo(&["topic", "list", "--output", "plain"]).succeeds();
    assert!(listed.stdout.starts_with("first"), "{}", listed.stdout);
    first.stop();
    home.velo(&["cluster", "status"]).fails_with(1);
}

/// Does what a hint says: options are kept for what is tried again, `velo` lines and `unset` are done.
fn type_hint(home: &Home, hint: &str, options: &mut Vec<String>) -> bool {
    let hint = hint.split("    (").next().unwrap();
    if let Some(option) = hint.strip_prefix("--bootstrap-server ") {
        *options = vec!["--bootstrap-server".to_owned(), option.to_owned()];
        return true;
    }
    if hint == "unset VELO_BOOTSTRAP_SERVER" {
        return false;
    }
    for line in hint.split(", then ") {
        let words: Vec<&str> = line
            .strip_prefix("velo ")
            .unwrap_or_else(|| panic!("{hint}"))
            .split(' ')
            .collect();
        home.velo(&words).succeeds();
    }
    true
}

/// Types what is hinted at, and tries again, until it works; hints that lead back would never end.
fn follow(home: &Home, command: &[&str], mut options: Vec<String>, variable: Option<&str>) {
    let mut variable = variable.map(str::to_owned);
    let mut seen: Vec<String> = Vec::new();
    loop {
        let mut typed = Command::new(env!("CARGO_BIN_EXE_velo"));
        typed
            .args(command)
            .args(&options)
            .env("VELO_HOME", home.path())
            .env_remove("VELO_BOOTSTRAP_SERVER");
        if let Some(variable) = &variable {
            typed.env("VELO_BOOTSTRAP_SERVER", variable);
        }
        let output = crate::support::ending::output(&mut typed);
        if output.status.success() {
            return;
        }
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        let hint = hint_of(&output).unwrap_or_else(|| panic!("no hint: {said}"));
        assert!(
            !seen.contains(&hint),
            "{command:?}: `{hint}` leads back to where it came from: {said}"
        );
        // A script names the trouble first.
        let way_out = hint.rsplit("; ").next().unwrap();
        let way_out = way_out.split(", or another").next().unwrap();
        let way_out = way_out
            .find("--bootstrap-server")
            .map_or(way_out, |at| &way_out[at..]);
        if !type_hint(home, way_out, &mut options) {
            variable = None;
        }
        seen.push(hint);
    }
}

/// The first hint about what does not work.
fn hint_of(output: &std::process::Output) -> Option<String> {
    if let Ok(findings) = serde_json::from_slice::<serde_json::Value>(&output.stdout) {
        let bad = findings
            .as_array()?
            .iter()
            .find(|finding| finding["verdict"] == "bad")?;
        return bad["hint"].as_str().map(str::to_owned);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let hint = said.lines().find_map(|line| line.strip_prefix("hint: "))?;
    Some(hint.to_owned())
}

/// The commands that a beginner tries next, in both faces.
const COMMANDS: [&[&str]; 3] = [
    &["topic", "list"],
    &["group", "list"],
    &["doctor", "--output", "json"],
];

#[test]
fn hints_lead_to_the_cluster_that_runs_elsewhere() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let wrong = format!("localhost:{}", free_port());
    let option = vec!["--bootstrap-server".to_owned(), wrong.clone()];
    for command in COMMANDS {
        follow(&home, command, option.clone(), None);
        follow(&home, command, Vec::new(), Some(&wrong));
    }
    follow(&home, &["kafka-topics", "--list"], option, None);
    home.velo(&["context", "add", "wrong", "--bootstrap-server", &wrong])
        .succeeds();
    for command in COMMANDS {
        follow(&home, command, Vec::new(), None);
    }
}

#[test]
fn hints_start_a_cluster_where_none_runs() {
    let wrong = || format!("localhost:{}", free_port());
    for command in COMMANDS {
        let home = Home::new();
        follow(
            &home,
            command,
            vec!["--bootstrap-server".to_owned(), wrong()],
            None,
        );
        home.velo(&["cluster", "stop"]).succeeds();
        // Its port is remembered, and the variable names another one.
        follow(&home, command, Vec::new(), Some(&wrong()));
    }
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    home.velo(&["cluster", "stop"]).succeeds();
    let script = ["kafka-topics", "--list"];
    follow(
        &home,
        &script,
        vec!["--bootstrap-server".to_owned(), wrong()],
        None,
    );
}

#[test]
fn hints_lead_away_from_a_port_that_is_not_kafka_s() {
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = stranger.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in stranger.incoming() {
            drop(stream.unwrap());
        }
    });
    let home = Home::new();
    follow(
        &home,
        &["topic", "list"],
        vec!["--bootstrap-server".to_owned(), address],
        None,
    );
}

#[test]
fn a_lesson_goes_on_with_the_cluster_it_had() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let bootstrap = home.bootstrap();
    let start = ["lesson", "start", "hello-kafka", "--lang", "en", "--yes"];
    let said = home.velo(&start).succeeds().stdout;
    let on = format!("Lesson hello-kafka, cluster {bootstrap}.");
    assert!(said.contains(&on) && !said.contains("export "), "{said}");
    home.velo(&["cluster", "stop"]).succeeds();
    // It is started again where it was.
    let said = home.velo(&start).succeeds().stdout;
    assert!(said.contains(&on), "{said}");
    // Another cluster is meant by now, but the lesson's own answers.
    home.velo(&["cluster", "stop"]).succeeds();
    let data = tempfile::tempdir().unwrap();
    let own = home.path().join("data/cluster");
    std::fs::rename(&own, data.path().join("cluster")).unwrap();
    let elsewhere = Elsewhere {
        home: &home,
        data: data.path().join("cluster").to_str().unwrap().to_owned(),
    };
    home.velo(&["cluster", "start", "--data", &elsewhere.data])
        .succeeds();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    assert_ne!(home.bootstrap(), bootstrap);
    let said = home.velo(&start).succeeds().stdout;
    assert!(
        said.contains(&on) && said.contains(&format!("export VELO_BOOTSTRAP_SERVER={bootstrap}")),
        "{said}"
    );
    // Where it is gone, the lesson says that it goes on with the one that runs.
    elsewhere.stop();
    let moved = home.velo(&start).succeeds();
    assert!(
        moved.stderr.contains(&format!(
            "The cluster {bootstrap}, which you began this lesson on"
        )),
        "{}",
        moved.stderr
    );
    assert!(moved.stdout.contains(&home.bootstrap()), "{}", moved.stdout);
}
