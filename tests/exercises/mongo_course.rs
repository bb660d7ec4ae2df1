//! The class's own Python programs beside ours: same topic, same server, same documents.

use super::mongo_support::MongoServer;
use super::velib_support::{Running, connection, create, eventually, lag, velo};
use crate::peers::{peers_folder, program};
use crate::support::cluster::Cluster;
use crate::support::ending;
use mongodb::bson::Document;
use std::path::{Path, PathBuf};
use std::process::Command;
use velodrome::kafka::RecordProducer;
use velodrome::kafka::record_producer::Outgoing;

/// Runs one of the programs of `tests/peers/programs` to its end and answers its stdout.
fn python(name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(peers_folder().join("mongo/bin/python"));
    let output = ending::output(command.arg(program(name)).args(arguments));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The documents without their `_id`, in an order of their own.
fn people(server: &MongoServer, database: &str) -> Vec<String> {
    let plain = |mut document: Document| {
        document.remove("_id");
        document.to_string()
    };
    let found = server.documents_of(database, "kafka_personas");
    let mut people: Vec<String> = found.into_iter().map(plain).collect();
    people.sort();
    people
}

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn the_programs_of_the_class_and_ours_make_the_same_documents() {
    let (cluster, server) = (Cluster::classroom(), MongoServer::start());
    let (topic, uri) = ("iabd-python-topic", server.uri());
    let at = cluster.bootstrap();
    create(&cluster, topic, 3);
    let theirs: u64 = python("course_people_producer.py", &[at, topic, "0.1", "8"])
        .parse()
        .unwrap();
    velo(
        &cluster,
        &["people", "produce", "--every", "0s", "--count", "150"],
    )
    .succeeds();
    let sent = theirs + 150;
    let counted = python(
        "course_people_consumer.py",
        &[at, topic, &uri, "class", &sent.to_string()],
    );
    assert_eq!(counted, sent.to_string());
    velo(
        &cluster,
        &["people", "ingest", "--mongodb", &uri, "--exit-at-end"],
    )
    .succeeds();
    let ours = people(&server, "iabd");
    assert_eq!(ours.len() as u64, sent);
    assert_eq!(ours, people(&server, "class"));
    for field in [
        "nombre",
        "edad",
        "calle",
        "ciudad",
        "provincia",
        "cp",
        "longitud",
        "latitud",
    ] {
        assert!(ours.iter().all(|person| person.contains(field)), "{field}");
    }
}

fn lesson_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("lessons/70-people-mongodb/files")
        .join(name)
}

/// The lesson's naive loop at work in `folder`.
fn naive(cluster: &Cluster, folder: &Path) -> Running {
    let mut command = Command::new(peers_folder().join("python/bin/python"));
    command
        .arg(lesson_file("naive.py"))
        .env("VELO_BOOTSTRAP_SERVER", cluster.bootstrap())
        .current_dir(folder);
    Running::start_command(command)
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn what_the_naive_loop_cannot_read_ends_it_once_and_is_then_lost() {
    let cluster = Cluster::classroom();
    let folder = tempfile::tempdir().unwrap();
    let (topic, group) = ("iabd-python-topic", "iabd-personas-naive");
    create(&cluster, topic, 1);
    let producer = RecordProducer::connect(&connection(&cluster)).unwrap();
    for value in [
        "{\"nombre\": \"Ana\"}",
        "esto no es JSON",
        "{\"nombre\": \"Eva\"}",
    ] {
        let record = Outgoing {
            topic,
            value: Some(value.as_bytes()),
            ..Outgoing::default()
        };
        producer.send(record).unwrap();
    }
    producer.flush().unwrap();
    let mut first = naive(&cluster, folder.path());
    assert_eq!(first.wait(), 1);
    assert!(first.stderr().contains("JSONDecodeError"), "{}", first.stderr());
    let mut second = naive(&cluster, folder.path());
    eventually(|| lag(&cluster, group, topic) == 0, || second.stderr());
    second.interrupt();
    let mut count = Command::new(peers_folder().join("python/bin/python"));
    count
        .arg(lesson_file("count.py"))
        .arg("naive.jsonl")
        .current_dir(folder.path());
    let counted = ending::output(&mut count);
    assert_eq!(
        String::from_utf8_lossy(&counted.stdout),
        "2 documents of 2 records: 0 more than once, 1 missing\n"
    );
}
