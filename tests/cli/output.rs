//! `--output`: one meaning for every command.

use crate::support::records::User;
use crate::support::velo::{Ended, Home};
use serde_json::Value;

/// One JSON value, laid out, and nothing else.
#[track_caller]
fn is_one_value(ended: &Ended) -> Value {
    let value: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout));
    let laid_out = serde_json::to_string_pretty(&value).unwrap() + "\n";
    assert_eq!(ended.stdout, laid_out);
    value
}

/// A line for each thing in a value, or one for the value.
#[track_caller]
fn is_lines_of(ended: &Ended, value: &Value) {
    let things = match value {
        Value::Array(things) => things.clone(),
        thing => vec![thing.clone()],
    };
    let lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), things.len(), "{}", ended.stdout);
    for (line, thing) in lines.iter().zip(&things) {
        let keys = |value: &Value| {
            value
                .as_object()
                .map(|object| object.keys().cloned().collect::<Vec<_>>())
        };
        assert_eq!(keys(line), keys(thing));
    }
}

on_both_clusters! {
    fn every_result_is_one_value_as_json_and_its_parts_as_lines(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        let group = cluster.name("json");
        user.writes(&topic, "1\n2\n", &[]);
        user.velo(&["context", "add", "here"]).succeeds();
        user.velo(&["consume", &topic, "--group", &group, "--from-beginning", "--count", "1"]).succeeds();
        for command in [
            &["topic", "list"][..],
            &["topic", "describe", &topic],
            &["topic", "create", &topic, "--if-not-exists"],
            &["topic", "alter", &topic, "--config", "retention.ms=1h"],
            &["topic", "delete", &topic, "--dry-run"],
            &["group", "list"],
            &["group", "describe", &group],
            &["group", "members", &group],
            &["group", "reset", &group, "--to", "earliest"],
            &["config", "get", "topic", &topic],
            &["config", "set", "topic", &topic, "retention.ms=2h", "--dry-run"],
            &["config", "unset", "topic", &topic, "retention.ms", "--dry-run"],
            &["offsets", &topic],
            &["records", "delete", &topic, "--before", "latest", "--partition", "0", "--dry-run"],
            &["context", "list"],
            &["context", "show"],
            &["scripts", "list"],
            &["doctor"],
            &["lesson", "list"],
            &["lesson", "status", "hello-kafka"],
            &["lesson", "report"],
            &["velib", "map", "--snapshot"],
        ] {
            let value = is_one_value(&user.velo(&[command, &["-o", "json"]].concat()).succeeds());
            is_lines_of(&user.velo(&[command, &["-o", "jsonl"]].concat()).succeeds(), &value);
        }
        let produced = user.velo_with("3\n", &["produce", &topic, "-o", "json"]).succeeds();
        assert_eq!(is_one_value(&produced)["records"], 1);
    }
}

#[test]
fn a_cluster_s_status_is_one_value_running_or_not() {
    let home = Home::new();
    let stopped = home.velo(&["cluster", "status", "-o", "json"]).fails_with(1);
    assert_eq!(is_one_value(&stopped)["running"], false);
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let running = home.velo(&["cluster", "status", "-o", "json"]).succeeds();
    assert_eq!(is_one_value(&running)["running"], true);
}

#[test]
fn commands_that_go_on_print_a_line_of_json_each_time() {
    let cluster = crate::support::cluster::Cluster::classroom();
    let user = User::at(&cluster);
    let topic = user.topic(1);
    for format in ["json", "jsonl"] {
        let produced = user
            .velo(&[
                "velib", "produce", "--topic", &topic, "--count", "2", "--every", "10ms", "-o", format,
            ])
            .succeeds();
        assert_eq!(produced.stdout.lines().count(), 2, "{}", produced.stdout);
        let read = user
            .velo(&["consume", &topic, "--tail", "3", "-o", format])
            .succeeds();
        assert_eq!(read.stdout.lines().count(), 3, "{}", read.stdout);
        for line in produced.stdout.lines().chain(read.stdout.lines()) {
            serde_json::from_str::<Value>(line).unwrap();
        }
    }
}
