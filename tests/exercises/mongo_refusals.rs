//! `velo mongo ingest`: what the server refuses for ever is a dead letter, and nothing else is.

use super::mongo_support::{MongoServer, arguments, dead, send};
use super::velib_support::{admin, create, records, velo};
use crate::support::cluster::Cluster;
use mongodb::bson::doc;
use velodrome::kafka::NewTopic;

/// The longest document that MongoDB keeps, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

fn ingest(cluster: &Cluster, server: &MongoServer, more: &[&str]) -> String {
    let uri = server.uri();
    let more = [&["--exit-at-end"], more].concat();
    velo(cluster, &arguments("people", &uri, &more)).succeeds().stderr
}

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn what_a_validator_refuses_is_a_dead_letter_that_says_why() {
    let (cluster, server) = (Cluster::classroom(), MongoServer::start());
    create(&cluster, "people", 1);
    server.run(doc! {"create": "people", "validator": {"$jsonSchema": {
        "required": ["nombre"], "properties": {"edad": {"bsonType": "int", "maximum": 80}}
    }}});
    for value in [
        r#"{"nombre": "Ana", "edad": 20}"#,
        r#"{"edad": 30}"#,
        r#"{"nombre": "Eva", "edad": "30"}"#,
        r#"{"nombre": "Luis"}"#,
    ] {
        send(&cluster, "people", Some("clave"), Some(value.as_bytes()));
    }
    let said = ingest(&cluster, &server, &[]);
    assert!(
        said.contains("4 records read: 2 written, 0 already there, 2 dead"),
        "{said}"
    );
    assert_eq!(server.count(), 2);
    let mut dead = dead(&cluster, "people");
    dead.sort();
    let offsets: Vec<&str> = dead.iter().map(|(offset, _)| offset.as_str()).collect();
    assert_eq!(offsets, ["1", "2"]);
    assert!(
        dead.iter().all(|(_, reason)| reason.contains("code 121")),
        "{dead:?}"
    );
    let letters = records(&cluster, "people-dead-letter");
    assert!(
        letters
            .iter()
            .all(|letter| letter.key.as_deref() == Some(&b"clave"[..]))
    );
    assert!(
        letters
            .iter()
            .any(|letter| letter.value.as_deref() == Some(br#"{"edad": 30}"#))
    );
}

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn a_second_value_of_a_unique_index_is_a_dead_letter_by_record_and_by_key() {
    for id in ["record", "key"] {
        let (cluster, server) = (Cluster::classroom(), MongoServer::start());
        create(&cluster, "people", 1);
        server.run(doc! {"createIndexes": "people", "indexes": [
            {"key": {"dni": 1}, "name": "dni_1", "unique": true}
        ]});
        for (key, value) in [
            ("a", r#"{"dni": 1}"#),
            ("b", r#"{"dni": 1}"#),
            ("c", r#"{"dni": 2}"#),
        ] {
            send(&cluster, "people", Some(key), Some(value.as_bytes()));
        }
        let said = ingest(&cluster, &server, &["--id", id]);
        assert!(
            said.contains("3 records read: 2 written, 0 already there, 1 dead"),
            "{said}"
        );
        let dead = dead(&cluster, "people");
        assert_eq!((dead.len(), dead[0].0.as_str()), (1, "1"));
        assert!(dead[0].1.contains("dni_1"), "{dead:?}");
    }
}

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn a_document_over_sixteen_mebibytes_is_a_dead_letter_and_one_below_is_kept() {
    let (cluster, server) = (Cluster::classroom(), MongoServer::start());
    let mut topic = NewTopic::named("people");
    topic.partitions = Some(1);
    topic
        .configs
        .insert("max.message.bytes".to_owned(), (2 * LARGEST).to_string());
    admin(&cluster).create_topic(&topic).unwrap();
    let person = |length: usize| format!("{{\"nombre\": \"{}\"}}", "x".repeat(length));
    for length in [10, LARGEST - 1_000, LARGEST, 20] {
        send(&cluster, "people", None, Some(person(length).as_bytes()));
    }
    let said = ingest(&cluster, &server, &[]);
    assert!(
        said.contains("4 records read: 3 written, 0 already there, 1 dead"),
        "{said}"
    );
    assert_eq!(server.count(), 3);
    let dead = dead(&cluster, "people");
    assert!(dead[0].0 == "2" && dead[0].1.contains("too big"), "{dead:?}");
    let letters = records(&cluster, "people-dead-letter");
    assert_eq!(
        letters[0].value.as_deref().map(<[u8]>::len),
        Some(person(LARGEST).len())
    );
}
