//! `velo mongo ingest --to FILE.jsonl`: the same without any server.

use super::velib_support::{Running, admin, connection, create, eventually, lag, records, velo, write};
use crate::support::cluster::Cluster;
use crate::support::terminal::Terminal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use velodrome::kafka::record_producer::Outgoing;
use velodrome::kafka::{NewTopic, RecordProducer};

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
    use std::process::Command;

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
    let mut terminal = Terminal::on(command);
    // Folded at the terminal's width, wherever that falls.
    terminal.expect("(Enter");
    terminal.expect("Ctrl-C");
    eventually(
        || lag(&cluster, "people", "people") == 0,
        || "not read".to_owned(),
    );
    terminal.send_line("");
    terminal.expect("2 records read: 2 written");
    terminal.send("\u{3}");
    terminal.expect("2 records read: 2 written");
    terminal.rest();
}

on_both_clusters! {
    fn a_dead_letter_has_the_headers_of_its_record_and_behind_them_its_own(cluster) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("people").to_str().unwrap().to_owned();
        let topic = cluster.name("people");
        create(cluster, &topic, 1);
        let headers: &[(&str, &[u8])] = &[("trace", b"\xff\x00"), ("reason", b"of its own")];
        let record = Outgoing { topic: &topic, key: Some(b"k"), value: None, headers };
        let producer = RecordProducer::connect(&connection(cluster)).unwrap();
        producer.send(record).unwrap();
        producer.flush().unwrap();
        velo(cluster, &arguments(&topic, &file, &["--exit-at-end"])).succeeds();
        let letters = records(cluster, &format!("{topic}-dead-letter"));
        let names: Vec<&str> = letters[0].headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["trace", "reason", "reason", "topic", "partition", "offset", "topic-id", "group"]);
        assert_eq!(letters[0].header("trace"), Some(&b"\xff\x00"[..]));
        assert_eq!((letters[0].key.as_deref(), letters[0].value.as_deref()), (Some(&b"k"[..]), None));
        // Read again by the same group, it is no second letter.
        velo(cluster, &["group", "reset", &topic, "--to", "earliest", "--execute"]).succeeds();
        velo(cluster, &arguments(&topic, &file, &["--exit-at-end"])).succeeds();
        assert_eq!(records(cluster, &format!("{topic}-dead-letter")).len(), 1);
    }
}

#[test]
#[cfg(unix)]
fn in_the_background_of_a_shell_it_goes_on() {
    use std::process::Command;

    let cluster = Cluster::classroom();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.jsonl").to_str().unwrap().to_owned();
    create(&cluster, "people", 1);
    write(&cluster, "people", &[json!({"n": 1})]);
    let mut shell = Command::new("bash");
    shell
        .args(["--norc", "-i"])
        .env("VELO_HOME", folder.path())
        .env("VELO_BOOTSTRAP_SERVER", cluster.bootstrap());
    let mut terminal = Terminal::on(shell);
    let line = arguments("people", &file, &[]).join(" ");
    terminal.send_line(format!("{} {line} &", env!("CARGO_BIN_EXE_velo")));
    eventually(
        || lag(&cluster, "people", "people") == 0,
        || "stopped by the terminal".to_owned(),
    );
    terminal.send_line("kill %1; wait; exit");
    terminal.rest();
}

#[test]
#[cfg(unix)]
fn a_device_and_a_file_without_lines_are_refused_at_once() {
    let cluster = Cluster::classroom();
    let folder = tempfile::tempdir().unwrap();
    let zeros = folder.path().join("zeros").to_str().unwrap().to_owned();
    fs::File::create(&zeros).unwrap().set_len(1 << 36).unwrap();
    create(&cluster, "people", 1);
    for (place, told) in [
        ("/dev/full", "/dev/full is no file"),
        (zeros.as_str(), "is no file of an ingest"),
    ] {
        let said = velo(&cluster, &arguments("people", place, &[])).fails_with(1);
        assert!(said.stderr.contains(told), "{}", said.stderr);
    }
}

#[test]
#[cfg(unix)]
fn a_patient_producer_keeps_its_records_while_the_cluster_is_away() {
    use std::process::Command;
    use std::time::Duration;

    let cluster = Cluster::classroom();
    let Cluster::Classroom(node) = &cluster else {
        unreachable!("it was made so")
    };
    let signal = |name: &str| {
        let sent = Command::new("kill")
            .args([name, &node.pid().to_string()])
            .status();
        assert!(sent.unwrap().success());
    };
    create(&cluster, "letters", 1);
    let producer = RecordProducer::patient(&connection(&cluster)).unwrap();
    let send = |value: &str| {
        let record = Outgoing {
            topic: "letters",
            value: Some(value.as_bytes()),
            ..Outgoing::default()
        };
        producer.send(record).unwrap();
    };
    send("before");
    producer.flush().unwrap();
    signal("-STOP");
    send("meanwhile");
    let arrived = producer.flush_for(Duration::from_secs(1));
    signal("-CONT");
    assert!(!arrived.unwrap());
    eventually(
        || producer.flush_for(Duration::from_secs(1)).unwrap(),
        || "not written".to_owned(),
    );
    assert_eq!(records(&cluster, "letters").len(), 2);
}

#[test]
fn a_file_is_believed_to_hold_only_what_it_holds() {
    let cluster = Cluster::classroom();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    create(&cluster, "people", 1);
    write(&cluster, "people", &[json!({"n": 0}), json!({"n": 1})]);
    velo(&cluster, &arguments("people", &file("first"), &["--exit-at-end"])).succeeds();
    write(&cluster, "people", &[json!({"n": 2})]);
    let second = file("second");
    let said = velo(&cluster, &arguments("people", &second, &["--exit-at-end"])).succeeds();
    assert!(
        said.stderr.contains("--group ANOTHER reads it again"),
        "{}",
        said.stderr
    );
    assert_eq!(lines(&second).len(), 1);
    let again = [
        "mongo",
        "ingest",
        "--topic",
        "people",
        "--to",
        &second,
        "--group",
        "another",
        "--exit-at-end",
    ];
    let said = velo(&cluster, &again).succeeds();
    assert!(
        said.stderr.contains("3 records read: 2 written, 1 already there"),
        "{}",
        said.stderr
    );
    let numbers: BTreeSet<i64> = lines(&second)
        .iter()
        .map(|line| line["n"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, BTreeSet::from([0, 1, 2]));
}

on_both_clusters! {
    fn a_topic_deleted_and_made_again_is_read_from_its_beginning(cluster) {
        let folder = tempfile::tempdir().unwrap();
        for (before, after) in [(5, 3), (3, 5)] {
            let topic = cluster.name("people");
            let file = folder.path().join(&topic).to_str().unwrap().to_owned();
            let some = |range: std::ops::Range<i64>| range.map(|n| json!({"n": n})).collect::<Vec<Value>>();
            create(cluster, &topic, 1);
            write(cluster, &topic, &some(0..before));
            let mut ingest = Running::start(cluster, &arguments(&topic, &file, &[]));
            eventually(|| lag(cluster, &topic, &topic) == 0, || ingest.stderr());
            admin(cluster).delete_topics(std::slice::from_ref(&topic)).unwrap();
            create(cluster, &topic, 1);
            write(cluster, &topic, &some(before..before + after));
            // Who looks for the topic while it is not there ends, and is started again.
            let whole = || fs::read_to_string(&file).unwrap().lines().count() as i64 == before + after;
            eventually(|| whole() || ingest.stderr().contains("does not exist"), || ingest.stderr());
            ingest.interrupt();
            let said = velo(cluster, &arguments(&topic, &file, &["--exit-at-end"])).succeeds();
            let numbers: BTreeSet<i64> = lines(&file).iter().map(|line| line["n"].as_i64().unwrap()).collect();
            assert_eq!(numbers, (0..before + after).collect(), "{}\n{}", ingest.stderr(), said.stderr);
            assert_eq!(lines(&file).len(), numbers.len());
        }
    }

    fn a_letter_too_large_for_its_topic_ends_it_with_nothing_committed(cluster) {
        let folder = tempfile::tempdir().unwrap();
        let topic = cluster.name("people");
        let file = folder.path().join("people").to_str().unwrap().to_owned();
        let letters = format!("{topic}-dead-letter");
        create(cluster, &topic, 1);
        let small = BTreeMap::from([("max.message.bytes".to_owned(), "1000".to_owned())]);
        let dead = NewTopic { configs: small, ..NewTopic::named(&letters) };
        admin(cluster).create_topic(&dead).unwrap();
        write(cluster, &topic, &[json!({"n": 1}), json!("x".repeat(2_000))]);
        let said = velo(cluster, &arguments(&topic, &file, &["--exit-at-end"])).fails_with(1);
        let hint = format!("hint: velo config set topic {letters} max.message.bytes=");
        assert!(said.stderr.contains(&hint), "{}", said.stderr);
        assert_eq!(lag(cluster, &topic, &topic), 2);
        velo(cluster, &["config", "set", "topic", &letters, "max.message.bytes=32MiB"]).succeeds();
        let said = velo(cluster, &arguments(&topic, &file, &["--exit-at-end"])).succeeds();
        assert!(said.stderr.contains("2 records read: 0 written, 1 already there, 1 dead"), "{}", said.stderr);
    }
}
