//! `velo mongo ingest`: every record a document, once, whatever dies.

use super::mongo_support::MongoServer;
use super::velib_support::{Running, connection, create, eventually, lag, records, velo, write};
use crate::support::cluster::Cluster;
use mongodb::bson::{Bson, doc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use velodrome::kafka::RecordProducer;
use velodrome::kafka::record_producer::Outgoing;

fn people(range: std::ops::Range<usize>) -> Vec<Value> {
    range
        .map(|number| json!({"nombre": format!("Ana {number}"), "edad": 18 + number % 62, "n": number}))
        .collect()
}

fn send(cluster: &Cluster, topic: &str, key: Option<&str>, value: Option<&[u8]>) {
    let producer = RecordProducer::connect(&connection(cluster)).unwrap();
    let record = Outgoing {
        topic,
        key: key.map(str::as_bytes),
        value,
        headers: &[],
    };
    producer.send(record).unwrap();
    producer.flush().unwrap();
}

fn arguments<'a>(topic: &'a str, uri: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "mongo",
        "ingest",
        "--topic",
        topic,
        "--mongodb",
        uri,
        "--collection",
        "people",
        "--group",
        topic,
    ];
    [&fixed, more].concat()
}

/// The bad records' reasons, by offset.
fn dead(cluster: &Cluster, topic: &str) -> Vec<(String, String)> {
    let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    records(cluster, &format!("{topic}-dead-letter"))
        .iter()
        .map(|letter| (text(letter.header("offset")), text(letter.header("reason"))))
        .collect()
}

#[test]
fn without_a_server_the_user_is_told_where_to_get_one() {
    let cluster = Cluster::classroom();
    create(&cluster, "people", 1);
    let said = velo(&cluster, &arguments("people", "mongodb://127.0.0.1:1", &[])).fails_with(3);
    for part in [
        "no MongoDB answers on 127.0.0.1:1",
        "refused",
        "pip install secantusdb",
        "--to FILE.jsonl",
    ] {
        assert!(said.stderr.contains(part), "{}", said.stderr);
    }
    let said = velo(&cluster, &arguments("people", "localhost", &[])).fails_with(2);
    assert!(
        said.stderr.contains("--mongodb mongodb://localhost:27017"),
        "{}",
        said.stderr
    );
}

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn every_value_is_kept_and_what_cannot_be_is_a_dead_letter() {
    let (cluster, server) = (Cluster::classroom(), MongoServer::start());
    let topic = "people";
    create(&cluster, topic, 1);
    server.run(doc! {"createIndexes": "people", "indexes": [
        {"key": {"dni": 1}, "name": "dni_1", "unique": true, "sparse": true}
    ]});
    for value in [
        br#"{"big": 9007199254740993, "nested": {"list": [1, null, "x"]}, "none": null, "dni": 1}"#
            .as_slice(),
        b"not json",
        b"{\"latin\": \"\xe9\"}",
        br#"{"dni": 1}"#,
        b"[1]",
        br#"{"dni": 2}"#,
    ] {
        send(&cluster, topic, None, Some(value));
    }
    let uri = server.uri();
    let said = velo(&cluster, &arguments(topic, &uri, &["--exit-at-end"])).succeeds();
    assert!(
        said.stderr
            .contains("6 records read: 2 written, 0 already there, 4 dead"),
        "{}",
        said.stderr
    );
    let found = server.documents();
    assert_eq!(found.len(), 2);
    let first = found
        .iter()
        .find(|document| document.contains_key("big"))
        .unwrap();
    assert_eq!(first.get("big"), Some(&Bson::Int64(9_007_199_254_740_993)));
    assert_eq!(
        first.get("nested"),
        Some(&Bson::Document(doc! {"list": [1, Bson::Null, "x"]}))
    );
    assert_eq!(first.get("none"), Some(&Bson::Null));
    let mut dead = dead(&cluster, topic);
    dead.sort();
    let reasons = ["not JSON", "not UTF-8", "dni_1", "not a JSON object"];
    assert_eq!(dead.len(), reasons.len(), "{dead:?}");
    for ((offset, said), (expected, reason)) in dead.iter().zip(["1", "2", "3", "4"].iter().zip(reasons)) {
        assert!(offset == expected && said.contains(reason), "{offset}: {said}");
    }
    // What was read once is not read again; read again on purpose, it is there already.
    velo(
        &cluster,
        &["group", "reset", topic, "--to", "earliest", "--execute"],
    )
    .succeeds();
    velo(&cluster, &arguments(topic, &uri, &["--exit-at-end"])).succeeds();
    assert_eq!(server.count(), 2);
}

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn by_key_the_last_record_is_the_document_and_a_tombstone_deletes_it() {
    let (cluster, server) = (Cluster::classroom(), MongoServer::start());
    let topic = "people";
    create(&cluster, topic, 1);
    for (key, value) in [
        ("ana", Some(r#"{"edad": 20}"#)),
        ("eva", Some(r#"{"edad": 30}"#)),
        ("ana", Some(r#"{"edad": 21}"#)),
        ("eva", None),
    ] {
        send(&cluster, topic, Some(key), value.map(str::as_bytes));
    }
    let uri = server.uri();
    for batch in ["1", "1000"] {
        let group = format!("batches-of-{batch}");
        let more = [
            "--id",
            "key",
            "--exit-at-end",
            "--batch",
            batch,
            "--dead-letter",
            "dead",
        ];
        let mut line = arguments(topic, &uri, &more);
        line[9] = &group;
        velo(&cluster, &line).succeeds();
        assert_eq!(server.documents(), [doc! {"_id": "ana", "edad": 21}]);
    }
}

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn two_ingests_killed_and_a_server_killed_lose_nothing_and_double_nothing() {
    let (cluster, mut server) = (Cluster::classroom(), MongoServer::start());
    let topic = "people";
    create(&cluster, topic, 4);
    let uri = server.uri();
    let start = || Running::start(&cluster, &arguments(topic, &uri, &["--batch", "100"]));
    let (mut first, mut second) = (start(), start());
    let mut sent = 0;
    for round in 0..6 {
        let mut values = people(sent..sent + 500);
        values.push(json!([round]));
        write(&cluster, topic, &values);
        sent += 500;
        let so_far = sent as u64 - 300;
        match round % 3 {
            0 => {
                first.kill();
                first = start();
            }
            1 => {
                server.kill();
                server.restart();
            }
            _ => {
                second.kill();
                second = start();
            }
        }
        eventually(
            || server.count() >= so_far,
            || format!("{}\n{}", first.stderr(), second.stderr()),
        );
    }
    eventually(
        || lag(&cluster, topic, topic) == 0,
        || format!("{}\n{}", first.stderr(), second.stderr()),
    );
    assert_eq!(first.interrupt(), 130);
    let documents = server.documents();
    assert_eq!(documents.len(), sent);
    let numbers: BTreeSet<i32> = documents.iter().map(|one| one.get_i32("n").unwrap()).collect();
    assert_eq!(numbers.len(), sent);
    assert_eq!(dead(&cluster, topic).len(), 6);
}
