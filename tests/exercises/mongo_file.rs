//! `velo mongo ingest --to FILE.jsonl`: the same without any server.

use super::velib_support::{Running, create, eventually, lag, records, velo, write};
use crate::support::cluster::Cluster;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;

fn arguments<'a>(topic: &'a str, file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "mongo", "ingest", "--topic", topic, "--to", file, "--group", topic,
    ];
    [&fixed, more].concat()
}

fn lines(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

on_both_clusters! {
    fn each_record_is_a_line_and_what_is_no_json_object_a_dead_letter(cluster) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("people.jsonl").to_str().unwrap().to_owned();
        let topic = cluster.name("people");
        create(cluster, &topic, 2);
        write(cluster, &topic, &[json!({"n": 9_007_199_254_740_993i64}), json!(12), json!({})]);
        let said = velo(cluster, &arguments(&topic, &file, &["--exit-at-end"])).succeeds();
        assert!(said.stderr.contains("3 records read: 2 written, 0 already there, 1 dead"), "{}", said.stderr);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("\"n\":9007199254740993}"), "{text}");
        assert_eq!(lines(&file).len(), 2);
        let letters = records(cluster, &format!("{topic}-dead-letter"));
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].value.as_deref(), Some(&b"12"[..]));
        assert_eq!(letters[0].header("reason"), Some(&b"not a JSON object"[..]));
        assert_eq!(letters[0].header("topic"), Some(topic.as_bytes()));
    }
}

#[test]
fn killed_again_and_again_the_file_holds_each_record_once() {
    let cluster = Cluster::classroom();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.jsonl").to_str().unwrap().to_owned();
    create(&cluster, "people", 3);
    let length = || fs::metadata(&file).map_or(0, |found| found.len());
    let mut sent = 0;
    for _ in 0..5 {
        let values: Vec<Value> = (sent..sent + 400).map(|n| json!({"n": n})).collect();
        sent += 400;
        let before = length();
        let mut ingest = Running::start(&cluster, &arguments("people", &file, &["--batch", "50"]));
        write(&cluster, "people", &values);
        eventually(|| length() > before, || ingest.stderr());
        ingest.kill();
        // What a power cut leaves of a line.
        fs::File::options()
            .append(true)
            .open(&file)
            .unwrap()
            .write_all(b"{\"_id\":\"cut")
            .unwrap();
    }
    velo(&cluster, &arguments("people", &file, &["--exit-at-end"])).succeeds();
    assert_eq!(lag(&cluster, "people", "people"), 0);
    let lines = lines(&file);
    let numbers: BTreeSet<i64> = lines.iter().map(|line| line["n"].as_i64().unwrap()).collect();
    assert_eq!((lines.len(), numbers.len()), (sent, sent));
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let cluster = Cluster::classroom();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.jsonl").to_str().unwrap().to_owned();
    fs::write(&file, "{\"nombre\":\"Ana\"}\nhalf").unwrap();
    create(&cluster, "people", 1);
    let said = velo(&cluster, &arguments("people", &file, &[])).fails_with(1);
    assert!(said.stderr.contains("is no file of an ingest"), "{}", said.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"nombre\":\"Ana\"}\nhalf");
    let said = velo(&cluster, &arguments("people", &file, &["--id", "key"])).fails_with(2);
    assert!(said.stderr.contains("--to takes no --id"), "{}", said.stderr);
}

#[test]
#[cfg(unix)]
fn on_a_terminal_enter_tells_how_far_it_is_and_ctrl_c_sums_up() {
    use expectrl::{Eof, Expect, Session};
    use std::process::Command;
    use std::time::Duration;

    let cluster = Cluster::classroom();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.jsonl").to_str().unwrap().to_owned();
    create(&cluster, "people", 1);
    write(&cluster, "people", &[json!({"n": 1}), json!({"n": 2})]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(arguments("people", &file, &[]))
        .args(["--bootstrap-server", cluster.bootstrap()])
        .env("VELO_HOME", folder.path());
    let mut terminal = Session::spawn(command).unwrap();
    terminal.set_expect_timeout(Some(Duration::from_secs(60)));
    terminal.expect("(Enter tells how far, Ctrl-C ends)").unwrap();
    eventually(
        || lag(&cluster, "people", "people") == 0,
        || "not read".to_owned(),
    );
    terminal.send_line("").unwrap();
    terminal.expect("2 records read: 2 written").unwrap();
    terminal.send("\u{3}").unwrap();
    terminal.expect("2 records read: 2 written").unwrap();
    terminal.expect(Eof).unwrap();
}
