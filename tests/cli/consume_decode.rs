//! `velo consume --decode protobuf`: values as JSON.

use crate::exercises::trips_support::{moment, part, write_packets, write_values};
use crate::support::hints::lines;
use crate::support::records::User;
use crate::support::velo::Home;
use serde_json::{Value, json};

const FILE: &str = "lessons/65-trips/files/packet.proto";

fn words<'a>(topic: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let decode = ["--decode", "protobuf", "--proto", FILE, "--message", "Packet"];
    [&["consume", topic][..], &decode, more].concat()
}

/// One partition with two packets, and between them what is none: 6 records.
fn write(cluster: &crate::support::cluster::Cluster, topic: &str) {
    write_packets(cluster, topic, &[part(7, 1_000, 1, 2)]);
    let none = [
        (7, Some(b"hello".to_vec())),
        (7, Some(Vec::new())),
        (7, None),
        (7, Some(vec![8])),
    ];
    write_values(cluster, topic, &none);
    write_packets(cluster, topic, &[moment(8, 5)]);
}

const FIRST: &str =
    r#"{"header":{"ts":2000,"device":7,"trip":{"start":1000,"end":2000,"chunk":1,"chunks":2}}}"#;
const LAST: &str = r#"{"header":{"ts":5,"device":8}}"#;

on_both_clusters! {
    fn packets_are_shown_as_json_and_what_is_none_is_named_counted_and_never_the_end(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        write(cluster, &topic);
        let all = ["--from-beginning", "--exit-at-end"];
        let ended = user.velo(&words(&topic, &all)).succeeds();
        // A null is none to decode.
        assert_eq!(ended.stdout, format!("{FIRST}\nnull\n{LAST}\n"));
        assert_eq!(ended.stderr.matches("is no `Packet`").count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains("offset 1 is no `Packet`"), "{}", ended.stderr);
        assert!(ended.stderr.contains("3 records read, 3 undecodable records passed over"), "{}", ended.stderr);
        // The line that is told shows it as it is.
        let told = ended.stderr.lines().find_map(|line| line.strip_prefix("  velo ")).unwrap();
        let told: Vec<&str> = told.split(' ').collect();
        let raw: Value = serde_json::from_str(&user.velo(&told).succeeds().stdout).unwrap();
        assert_eq!((&raw["offset"], &raw["value"]), (&json!(1), &json!("hello")));
        // Asked for a number of records, it counts those that it shows.
        let two = user.velo(&words(&topic, &["--from-beginning", "--count", "3"])).succeeds();
        assert_eq!(two.stdout, ended.stdout);
        let tail = user.velo(&words(&topic, &["--tail", "1"])).succeeds();
        assert_eq!(tail.stdout, format!("{LAST}\n"));
    }

    fn the_json_is_what_patterns_and_expressions_see_too(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        write(cluster, &topic);
        let shown = |more: &[&str]| {
            let all = ["--from-beginning", "--exit-at-end"];
            user.velo(&words(&topic, &[&all[..], more].concat())).succeeds().stdout
        };
        assert_eq!(shown(&["--grep", "\"chunk\":1", "--format", "%k %S %v"]), format!("7 {} {FIRST}\n", FIRST.len()));
        let of_lines = shown(&["-o", "jsonl", "--grep", "device"]);
        let values: Vec<Value> = of_lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected: [Value; 2] = [FIRST, LAST].map(|text| serde_json::from_str(text).unwrap());
        assert_eq!(values.iter().map(|line| line["value"].clone()).collect::<Vec<_>>(), expected);
        assert_eq!((&values[1]["key"], &values[1]["offset"]), (&json!("8"), &json!(5)));
        assert!(shown(&["-o", "table"]).contains("\n    \"device\": 8\n"), "laid out");
    }

    fn a_group_goes_on_behind_what_could_not_be_decoded(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(1), cluster.name("decode"));
        write(cluster, &topic);
        let reads = |expected: &str| {
            let all = ["--group", &group, "--from-beginning", "--exit-at-end"];
            let ended = user.velo(&words(&topic, &all)).succeeds();
            assert_eq!(ended.stdout, expected);
        };
        reads(&format!("{FIRST}\nnull\n{LAST}\n"));
        reads("");
    }
}

#[test]
fn a_file_or_a_message_that_is_none_is_told_before_anything_is_read() {
    let home = Home::new();
    let slip = home.path().join("slip.proto");
    std::fs::write(&slip, "message Packet {\n  required = 1;\n}\n").unwrap();
    let slip = slip.to_str().unwrap();
    let asks = |file: &str, message: &str| {
        let words = [
            "consume",
            "any",
            "--decode",
            "protobuf",
            "--proto",
            file,
            "--message",
            message,
        ];
        home.velo(&words).fails_with(2).stderr
    };
    let unknown = asks(FILE, "Paket");
    assert!(
        unknown.contains("packet.proto has no message `Paket`"),
        "{unknown}"
    );
    assert!(unknown.contains("it has Packet, Header, Trip"), "{unknown}");
    let hint = unknown
        .lines()
        .find_map(|line| line.strip_prefix("hint: "))
        .unwrap();
    assert_eq!(
        lines(hint),
        [format!(
            "velo consume TOPIC --decode protobuf --proto {FILE} --message Packet"
        )]
    );
    let wrong = asks(slip, "Packet");
    assert!(wrong.contains("slip.proto:2:12: "), "{wrong}");
    let none = asks("none.proto", "Packet");
    assert!(none.contains("none.proto"), "{none}");
    // Each of the three needs the others.
    for words in [
        &["--decode", "protobuf", "--proto", FILE][..],
        &["--decode", "protobuf", "--message", "Packet"],
        &["--proto", FILE, "--message", "Packet"],
        &["--decode", "xml", "--proto", FILE, "--message", "Packet"],
    ] {
        home.velo(&[&["consume", "any"], words].concat()).fails_with(2);
    }
}
