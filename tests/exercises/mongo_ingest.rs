//! `velo mongo ingest`: what becomes of each record, and what a user is told.

use super::mongo_support::{MongoServer, arguments, dead, send};
use super::velib_support::{create, velo};
use crate::support::cluster::Cluster;
use mongodb::bson::{Bson, doc};

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
fn no_password_is_ever_told() {
    let cluster = Cluster::classroom();
    create(&cluster, "people", 1);
    for (uri, code) in [
        ("mongodb://ana:s3cret/s3cret@127.0.0.1:1", 2),
        ("mongodb://ana:s3cret?s3cret@127.0.0.1:1", 2),
        ("mongodb://ana:31415?31415@127.0.0.1:1/?w=1", 2),
        ("mongodb://ana:s3cret@s3cret@127.0.0.1:1", 2),
        ("mongodb://ana:s3cret%zzs3cret@127.0.0.1:1", 2),
        ("mongodb://ana:s3cret:s3cret@127.0.0.1:1", 2),
        ("mongodb://ana:s3cret@127.0.0.1:1", 3),
    ] {
        let said = velo(&cluster, &arguments("people", uri, &[])).fails_with(code);
        let told = ["s3cret", "31415"].iter().any(|part| said.stderr.contains(part));
        assert!(!told, "{uri}: {}", said.stderr);
    }
}

#[test]
fn what_is_no_mongodb_is_told_so() {
    let cluster = Cluster::classroom();
    create(&cluster, "people", 1);
    let kafka = format!("mongodb://{}", cluster.bootstrap());
    let said = velo(&cluster, &arguments("people", &kafka, &[])).fails_with(3);
    assert!(
        said.stderr.contains("as what is no MongoDB does"),
        "{}",
        said.stderr
    );
}

#[test]
fn what_says_no_place_is_refused_before_anything_is_read() {
    let cluster = Cluster::classroom();
    for (more, part) in [
        (&["--topic", "people"][..], "neither --mongodb nor --to"),
        (
            &["--mongodb", "mongodb://localhost", "--database", "a b"],
            "no name of a database",
        ),
        (
            &["--mongodb", "mongodb://localhost", "--collection", "a$b"],
            "no name of a collection",
        ),
    ] {
        let said = velo(&cluster, &[&["people", "ingest"], more].concat()).fails_with(2);
        assert!(said.stderr.contains(part), "{}", said.stderr);
    }
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
fn extended_json_becomes_what_it_says_and_a_malformed_one_a_dead_letter() {
    let (cluster, server) = (Cluster::classroom(), MongoServer::start());
    let topic = "people";
    create(&cluster, topic, 1);
    for value in [
        r#"{"_id": {"$oid": "5d505646cf6d4fe581014ab2"}, "since": {"$date": "2019-08-11T17:54:14.692Z"},
            "many": {"$numberLong": "3"}, "plain": 3, "half": {"$numberDouble": "NaN"}}"#,
        r#"{"_id": {"$oid": "5d505646cf6d4fe581014ab3"}, "since": {"$date": {"$numberLong": "1565546054692"}},
            "raw": {"$binary": "AQI=", "$type": "00"}}"#,
        r#"{"_id": {"$oid": "not an id"}}"#,
        r#"{"_id": 4, "since": {"$date": "yesterday"}}"#,
    ] {
        send(&cluster, topic, None, Some(value.as_bytes()));
    }
    let uri = server.uri();
    let more = ["--extended-json", "--id", "_id", "--exit-at-end"];
    let said = velo(&cluster, &arguments(topic, &uri, &more)).succeeds();
    assert!(
        said.stderr
            .contains("4 records read: 2 written, 0 already there, 2 dead"),
        "{}",
        said.stderr
    );
    let mut found = server.documents();
    found.sort_by_key(|document| document.get_object_id("_id").unwrap());
    let since = Bson::DateTime(mongodb::bson::DateTime::from_millis(1_565_546_054_692));
    assert!(found.iter().all(|document| document.get("since") == Some(&since)));
    assert_eq!(found[0].get("many"), Some(&Bson::Int64(3)));
    assert_eq!(found[0].get("plain"), Some(&Bson::Int32(3)));
    assert!(found[0].get_f64("half").unwrap().is_nan());
    assert_eq!(found[1].get_binary_generic("raw").unwrap(), &vec![1, 2]);
    let mut dead = dead(&cluster, topic);
    dead.sort();
    for ((offset, reason), (expected, malformed)) in dead.iter().zip([
        ("2", r#"{"$oid": "not an id"}"#),
        ("3", r#"{"$date": "yesterday"}"#),
    ]) {
        let begin = format!("malformed extended JSON {malformed}: ");
        assert!(
            offset == expected && reason.starts_with(&begin),
            "{offset}: {reason}"
        );
    }
    // Not asked for, it is the document it looks like.
    let more = ["--exit-at-end", "--dead-letter", "other"];
    let mut line = arguments(topic, &uri, &more);
    (line[7], line[9]) = ("plain", "plain");
    let said = velo(&cluster, &line).succeeds();
    assert!(said.stderr.contains("4 dead"), "{}", said.stderr);
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
