//! A first-timer's mistakes: each has its own text, exit code and way out.

use crate::support::velo::Home;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A port that nothing listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn no_cluster_running_is_told_at_once_by_every_command() {
    let home = Home::new();
    let port = free_port();
    let server = format!("127.0.0.1:{port}");
    for command in [
        &["topic", "list"][..],
        &["topic", "create", "a"],
        &["topic", "describe", "a"],
        &["group", "list"],
        &["group", "describe", "a"],
        &["config", "get", "topic", "a"],
        &["offsets", "a"],
        &["records", "delete", "a", "--before", "latest", "--yes"],
    ] {
        let begun = Instant::now();
        let ended = home
            .velo(&[command, &["--bootstrap-server", &server]].concat())
            .fails_with(3);
        assert_eq!(
            ended.stderr,
            format!(
                "error: no broker answers on {server}\n  why: connection refused: nothing listens there\n\
                 hint: velo cluster start --port {port}\nhint: velo doctor\n"
            )
        );
        assert!(
            begun.elapsed() < Duration::from_secs(8),
            "{command:?} took {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_port_that_is_not_kafka_s_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.read_exact(&mut [0; 14]).unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        }
    });
    let ended = Home::new()
        .velo(&["topic", "list", "--bootstrap-server", &server])
        .fails_with(3);
    assert!(
        ended.stderr.starts_with(&format!(
            "error: what answers on {server} is not a Kafka broker\n  why: it is a web server\nhint: "
        )),
        "{}",
        ended.stderr
    );
}

#[test]
fn one_live_server_of_several_is_enough() {
    let cluster = crate::support::cluster::Cluster::classroom();
    let servers = format!("127.0.0.1:{},{}", free_port(), cluster.bootstrap());
    Home::new()
        .velo(&["topic", "list", "--bootstrap-server", &servers])
        .succeeds();
}

#[test]
fn a_server_without_a_port_number_is_wrong_usage() {
    let ended = Home::new()
        .velo(&["topic", "list", "--bootstrap-server", "localhost:kafka"])
        .fails_with(2);
    assert_eq!(
        ended.stderr,
        "error: `localhost:kafka` is no bootstrap server\n  why: a server is HOST:PORT, several are separated by \
         commas\nhint: --bootstrap-server localhost:9092\n"
    );
}

#[test]
fn a_settings_file_is_read_or_refused_by_name_and_never_shown() {
    let home = Home::new();
    let file = home.path().join("client.properties");
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        home.velo(&["topic", "list", "--command-config", file.to_str().unwrap()])
    };
    let server = format!("127.0.0.1:{}", free_port());
    let ended = with(&format!("bootstrap.servers={server}\nrequest.timeout.ms=5000\n")).fails_with(3);
    assert!(ended.stderr.contains(&server), "{}", ended.stderr);
    let ended =
        with("key.deserializer=org.apache.kafka.common.serialization.StringDeserializer\n").fails_with(2);
    assert!(
        ended
            .stderr
            .starts_with("error: the setting `key.deserializer` cannot be used\n"),
        "{}",
        ended.stderr
    );
    let ended = with(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n\
         sasl.jaas.config=PlainLoginModule required password=\"hunter2\";\n",
    )
    .fails_with(2);
    assert!(
        ended.stderr.contains("it has no username") && !ended.stderr.contains("hunter2"),
        "{}",
        ended.stderr
    );
    let missing = home
        .velo(&["topic", "list", "--command-config", "nowhere.properties"])
        .fails_with(2);
    assert!(
        missing.stderr.contains("cannot read the settings file"),
        "{}",
        missing.stderr
    );
}

#[test]
#[cfg(not(feature = "tls"))]
fn a_build_without_tls_says_so() {
    let home = Home::new();
    let file = home.path().join("client.properties");
    std::fs::write(&file, "security.protocol=SSL\n").unwrap();
    let ended = home
        .velo(&["topic", "list", "--command-config", file.to_str().unwrap()])
        .fails_with(2);
    assert!(ended.stderr.contains("--features tls"), "{}", ended.stderr);
}

on_both_clusters! {
    fn a_misspelt_topic_is_told_with_the_nearest_name(cluster) {
        let user = crate::support::records::User::at(cluster);
        let topic = user.topic(1);
        let slip = &topic[..topic.len() - 1];
        for command in [
            &["topic", "describe", slip][..],
            &["topic", "alter", slip, "--partitions", "9"],
            &["topic", "delete", slip, "--yes"],
            &["config", "get", "topic", slip],
            &["config", "set", "topic", slip, "retention.ms=1h"],
            &["records", "delete", slip, "--before", "latest", "--yes"],
        ] {
            let ended = user.velo(command).fails_with(1);
            assert!(
                ended.stderr.starts_with(&format!("error: topic `{slip}` does not exist\n  why: ")),
                "{command:?}: {}",
                ended.stderr
            );
            assert!(ended.stderr.contains("hint: did you mean `"), "{command:?}: {}", ended.stderr);
        }
    }
}
