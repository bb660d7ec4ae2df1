//! Waiting is never silent.

use crate::support::records::User;
use crate::support::velo::Home;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A port that takes connections and never says a word; the connections stay open.
fn mute() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let held: Vec<TcpStream> = listener.incoming().map_while(Result::ok).collect();
        drop(held);
    });
    address
}

#[test]
fn every_command_says_what_it_waits_for_and_with_q_none_does() {
    let home = Home::new();
    let server = mute();
    let commands = [
        &["topic", "list"][..],
        &["topic", "describe", "a"],
        &["group", "list"],
        &["config", "get", "topic", "a"],
        &["config", "get", "broker", "9"],
        &["offsets", "a"],
        &["records", "delete", "a", "--before", "latest", "--yes"],
        &["produce", "a"],
        &["consume", "a"],
        &["consume", "a", "--tail", "1"],
        &["consume", "a", "--group", "g"],
        &["velib", "monitor"],
        &["velib", "empty"],
        &["velib", "map"],
        &["mongo", "ingest", "--topic", "a", "--to", "a.jsonl"],
        &["lesson", "start", "hello-kafka"],
    ];
    // All at once: each waits for some seconds.
    std::thread::scope(|scope| {
        for command in commands {
            let (home, at) = (&home, ["-b", &server]);
            scope.spawn(move || {
                let command = [command, &at].concat();
                let loud = home.velo(&command);
                assert!(loud.code != 0, "{command:?}");
                assert!(
                    loud.stderr.contains("waiting for "),
                    "{command:?}: {}",
                    loud.stderr
                );
                let quiet = home.velo(&[&command[..], &["-q"]].concat());
                assert!(
                    !quiet.stderr.contains("waiting for "),
                    "{command:?}: {}",
                    quiet.stderr
                );
            });
        }
    });
}

on_both_clusters! {
    fn a_broker_that_is_not_there_is_told_at_once(cluster) {
        let user = User::at(cluster);
        for command in [
            &["config", "get", "broker", "9"][..],
            &["config", "set", "broker", "9", "log.retention.ms=1h"],
        ] {
            let begun = Instant::now();
            let ended = user.velo(command).fails_with(1);
            assert!(ended.stderr.contains("broker 9"), "{}", ended.stderr);
            // The request alone would be waited for for 15 s.
            assert!(begun.elapsed() < Duration::from_secs(12), "{command:?}: {:?}", begun.elapsed());
        }
    }

    fn what_answers_at_once_says_nothing_of_waiting(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let begun = Instant::now();
        let ended = user.velo(&["topic", "describe", &topic]).succeeds();
        // On a machine that is busy even this takes a moment.
        let slow = begun.elapsed() > Duration::from_secs(1);
        assert!(slow || !ended.stderr.contains("waiting for"), "{}", ended.stderr);
    }

    fn the_rate_of_an_ingest_leaves_out_the_joining(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out.jsonl");
        user.writes(&topic, "{\"n\": 1}\n", &[]);
        let begun = Instant::now();
        let ingest = ["mongo", "ingest", "--topic", &topic, "--to", file.to_str().unwrap(), "--exit-at-end", "-o", "json"];
        let ended = user.velo(&ingest).succeeds();
        let whole = begun.elapsed().as_secs_f64();
        let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        let counted = told["seconds"].as_f64().unwrap();
        assert!(counted < whole, "{counted} s of {whole} s");
        assert_eq!(told["read"], 1);
    }
}
