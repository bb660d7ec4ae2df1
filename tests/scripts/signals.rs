//! What ends a script that runs on: the exit codes of Java's tools after Ctrl-C and SIGTERM.

use crate::support::cluster::Cluster;
use crate::support::ending::{self, Limit};
use crate::support::records::User;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use velodrome::process::ignores_hangup;

/// Signals, and the exit codes that a JVM ends with after them.
const SIGNALS: [(&str, i32); 3] = [("-INT", 130), ("-TERM", 143), ("-HUP", 129)];

/// Runs a script until it has printed a line with `word` in it, sends it a signal, and answers its exit code.
fn ended_by(user: &User<'_>, signal: &str, word: &str, line: &[&str]) -> Option<i32> {
    let mut process = user
        .process(line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let _limit = Limit::on(&process);
    // Read to its end, so that it never waits for a reader.
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut sent = false;
    for text in lines.map(Result::unwrap) {
        if !sent && text.contains(word) {
            let id = process.id().to_string();
            assert!(
                Command::new("kill")
                    .args([signal, &id])
                    .status()
                    .unwrap()
                    .success()
            );
            sent = true;
        }
    }
    assert!(sent, "{line:?} never said {word}");
    ending::ended(&mut process).code()
}

#[track_caller]
fn ends_as_javas(cluster: &Cluster, word: &str, script: &str, arguments: &[&str]) {
    let user = User::at(cluster);
    let topic = user.topic(1);
    user.writes(&topic, "one\n", &[]);
    let line = [
        &[
            script,
            "--bootstrap-server",
            cluster.bootstrap(),
            "--topic",
            &topic,
        ],
        arguments,
    ]
    .concat();
    for (signal, code) in SIGNALS {
        // What started the tests may be there to outlive its terminal, and the scripts then are too.
        if signal == "-HUP" && ignores_hangup() {
            continue;
        }
        assert_eq!(
            ended_by(&user, signal, word, &line),
            Some(code),
            "{script} {signal}"
        );
    }
}

#[test]
fn scripts_that_run_on_end_with_javas_codes() {
    let cluster = Cluster::classroom();
    let endless = ["--num-records", "1000000000"];
    let perf = [
        &endless[..],
        &[
            "--throughput",
            "100",
            "--record-size",
            "1",
            "--reporting-interval",
            "1",
        ],
    ]
    .concat();
    ends_as_javas(&cluster, "records sent", "kafka-producer-perf-test", &perf);
    let latency = [&endless[..], &["--producer-acks", "1", "--record-size", "1"]].concat();
    ends_as_javas(&cluster, "0\t", "kafka-e2e-latency", &latency);
    let verifiable = ["--throughput", "100"];
    ends_as_javas(
        &cluster,
        "producer_send_success",
        "kafka-verifiable-producer",
        &verifiable,
    );
}
