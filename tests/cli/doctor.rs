//! `velo doctor`

use crate::support::velo::Home;
use std::io::{Read, Write};

fn finding<'a>(findings: &'a serde_json::Value, check: &str) -> &'a serde_json::Value {
    findings
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == check)
        .unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_cluster_that_serves_is_in_order() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let said = home
        .velo(&[
            "doctor",
            "--output",
            "json",
            "--bootstrap-server",
            &home.bootstrap(),
        ])
        .succeeds();
    let findings = json(&said.stdout);
    for check in [
        "port",
        "cluster",
        "partitions",
        "groups",
        "record clock",
        "classroom cluster",
    ] {
        assert_eq!(finding(&findings, check)["verdict"], "ok", "{findings}");
    }
}

#[test]
fn nothing_on_the_port_says_how_to_start_a_cluster() {
    let home = Home::new();
    let said = home
        .velo(&["doctor", "--output", "json", "--bootstrap-server", "127.0.0.1:1"])
        .fails_with(1);
    let findings = json(&said.stdout);
    assert_eq!(finding(&findings, "port")["verdict"], "bad");
    let hint = finding(&findings, "port")["hint"].as_str().unwrap();
    assert!(hint.starts_with("velo cluster start --port "), "{hint}");
    let address = finding(&findings, "address")["found"].as_str().unwrap();
    assert_eq!(address, "127.0.0.1:1, as --bootstrap-server says");
}

#[test]
fn a_web_server_on_the_port_is_recognised() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let home = Home::new();
    let said = home
        .velo(&["doctor", "--output", "json", "--bootstrap-server", &address])
        .fails_with(1);
    let found = finding(&json(&said.stdout), "port")["found"].to_string();
    assert!(found.contains("it is a web server"), "{found}");
}

#[test]
fn a_state_file_left_by_a_kill_is_said_to_be_stale() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    home.velo(&["cluster", "stop", "--kill"]).succeeds();
    let said = home
        .velo(&["doctor", "--output", "json", "--bootstrap-server", "127.0.0.1:1"])
        .fails_with(1);
    let findings = json(&said.stdout);
    assert_eq!(finding(&findings, "classroom cluster")["verdict"], "warn");
}
