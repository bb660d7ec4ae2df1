//! A group commits where it is, also where it has read nothing yet.

use crate::exercises::velib_support::{Running, eventually};
use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Home;

/// What `kafka-consumer-groups --describe` says of each partition, by topic, partition and the columns asked for.
fn described(cluster: &Cluster, group: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let said = Home::new().velo(&[
        "kafka-consumer-groups",
        "--bootstrap-server",
        cluster.bootstrap(),
        "--describe",
        "--group",
        group,
        "--verbose",
    ]);
    let mut lines = said.stdout.lines().skip_while(|line| !line.starts_with("GROUP "));
    let Some(header) = lines.next() else {
        return Vec::new();
    };
    let places: Vec<usize> = columns
        .iter()
        .map(|column| {
            header
                .split_whitespace()
                .position(|name| name == *column)
                .unwrap()
        })
        .collect();
    let mut rows: Vec<Vec<String>> = lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            places
                .iter()
                .map(|place| (*cells.get(*place).unwrap_or(&"")).to_owned())
                .collect()
        })
        .collect();
    rows.sort();
    rows
}

const PLACE: [&str; 3] = ["PARTITION", "CURRENT-OFFSET", "LAG"];

/// Those who read in a group until they are stopped, from the end of what is there.
fn readers<'a>(cluster: &'a Cluster, topic: &'a str, group: &'a str) -> Vec<Vec<&'a str>> {
    let server = ["--bootstrap-server", cluster.bootstrap()];
    let of = |words: &[&'a str]| [words, &server].concat();
    vec![
        of(&["kafka-console-consumer", "--topic", topic, "--group", group]),
        of(&["consume", topic, "--group", group]),
        of(&[
            "kafka-verifiable-consumer",
            "--topic",
            topic,
            "--group-id",
            group,
            "--enable-autocommit",
            "--reset-policy",
            "latest",
        ]),
        of(&["velib", "monitor", "--topic", topic, "--group", group]),
    ]
}

on_both_clusters! {
    fn a_member_that_has_read_nothing_has_a_position_and_the_next_goes_on_there(cluster) {
        let user = User::at(cluster);
        for index in 0..4 {
            let (topic, group) = (user.topic(2), cluster.name("positions"));
            let lines = readers(cluster, &topic, &group);
            let mut reader = Running::start_anywhere(&lines[index]);
            let at_the_start = [["0", "0", "0"], ["1", "0", "0"]];
            eventually(
                || described(cluster, &group, &PLACE) == at_the_start,
                || format!("{:?} {}", lines[index], reader.stderr()),
            );
            reader.interrupt();
            assert_eq!(described(cluster, &group, &PLACE), at_the_start, "{:?}", lines[index]);
            user.writes(&topic, "between\n", &["--partition", "1"]);
            let next = ["consume", &topic, "--group", &group, "--count", "1"];
            assert_eq!(user.velo(&next).succeeds().stdout, "between\n", "{:?}", lines[index]);
        }
    }

    fn what_was_not_read_for_a_limit_has_a_position_too(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(2), cluster.name("positions"));
        user.writes(&topic, "left\n", &["--partition", "0"]);
        user.writes(&topic, "right\n", &["--partition", "1"]);
        let server = cluster.bootstrap();
        let line = ["kafka-console-consumer", "--bootstrap-server", server, "--topic", &topic, "--group", &group];
        let read = user.velo(&[&line[..], &["--from-beginning", "--max-messages", "1"]].concat()).succeeds();
        let seen = described(cluster, &group, &PLACE);
        let expected = match read.stdout.as_str() {
            "left\n" => [["0", "1", "0"], ["1", "0", "1"]],
            _ => [["0", "0", "1"], ["1", "1", "0"]],
        };
        assert_eq!(seen, expected, "{}", read.stdout);
    }

    fn the_leader_epoch_of_what_was_read_is_committed_with_it(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(2), cluster.name("positions"));
        user.writes(&topic, "read\n", &["--partition", "1"]);
        let server = cluster.bootstrap();
        let line = ["kafka-console-consumer", "--bootstrap-server", server, "--topic", &topic, "--group", &group];
        let mut reader = Running::start_anywhere(&[&line[..], &["--from-beginning"]].concat());
        let columns = ["PARTITION", "LEADER-EPOCH", "CURRENT-OFFSET"];
        // As Java's consumer: a start is a place without an epoch.
        let expected = [["0", "-", "0"], ["1", "0", "1"]];
        eventually(|| described(cluster, &group, &columns) == expected, || reader.stderr());
        reader.interrupt();
        // Read on from there without a record, the epoch stays.
        let mut reader = Running::start_anywhere(&line);
        eventually(
            || described(cluster, &group, &["PARTITION", "CONSUMER-ID"]).iter().all(|row| row[1] != "-"),
            || reader.stderr(),
        );
        reader.interrupt();
        assert_eq!(described(cluster, &group, &columns), expected);
    }
}
