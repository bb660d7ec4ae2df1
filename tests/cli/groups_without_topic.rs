//! A cluster that cannot make `__consumer_offsets`: named at once by whatever needs a group, with what helps.
//!
//! The other cluster is tried by hand: `KAFKA_SETTINGS=offsets.topic.replication.factor=3 scripts/dev/real-kafka …`.

use crate::support::cluster::Cluster;
use crate::support::records::User;
use std::time::{Duration, Instant};

const NAMED: &str = "it cannot make __consumer_offsets, where they keep their offsets\n  why: \
                     offsets.topic.replication.factor is 3, and there is 1 broker\nhint: ";

#[test]
fn whatever_needs_a_group_names_it_and_what_is_typed_helps() {
    let cluster = Cluster::classroom_with(&["offsets.topic.replication.factor=3"]);
    let user = User::at(&cluster);
    let topic = user.topic(1);
    user.writes(&topic, "a\n", &[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.jsonl");
    let file = file.to_str().unwrap();
    let mut hint = String::new();
    for command in [
        &["consume", &topic, "--group", "g"][..],
        &[
            "consume",
            &topic,
            "--group",
            "g",
            "--from-beginning",
            "--exit-at-end",
        ],
        &["group", "describe", "g"],
        &["group", "members", "g"],
        &["group", "delete", "g", "--yes"],
        &["group", "reset", "g", "--topic", &topic, "--to", "earliest"],
        &["velib", "monitor", "--topic", &topic],
        &["velib", "empty", "--topic", &topic],
        &["mongo", "ingest", "--topic", &topic, "--to", file],
        &["people", "ingest", "--topic", &topic, "--to", file],
    ] {
        let begun = Instant::now();
        let ended = user.velo(command).fails_with(1);
        assert!(ended.stderr.contains(NAMED), "{command:?}: {}", ended.stderr);
        assert!(
            begun.elapsed() < Duration::from_secs(45),
            "{command:?}: {:?}",
            begun.elapsed()
        );
        let (_, rest) = ended.stderr.split_once("hint: velo ").unwrap();
        rest.lines().next().unwrap().clone_into(&mut hint);
    }
    let doctor = user.velo(&["doctor", "--output", "json"]).fails_with(1);
    assert!(
        doctor.stdout.contains("cannot make __consumer_offsets"),
        "{}",
        doctor.stdout
    );
    assert!(
        !user
            .velo(&["topic", "list", "--internal"])
            .succeeds()
            .stdout
            .contains("__consumer_offsets")
    );

    user.velo(&hint.split(' ').collect::<Vec<_>>()).succeeds();
    user.velo(&["doctor"]).succeeds();
    let read = [
        "consume",
        &topic,
        "--group",
        "g",
        "--from-beginning",
        "--exit-at-end",
    ];
    assert_eq!(user.velo(&read).succeeds().stdout, "a\n");
    user.velo(&["group", "describe", "g"]).succeeds();
}
