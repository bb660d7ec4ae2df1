//! The class's three city-bike programs, in kafka-python, as the lesson hands them out; the stations come from
//! `velo velib api`.

use super::velib_support::{Running, admin, create, eventually, lag, records};
use crate::peers::{NO_DEPRECATION, peers_folder};
use crate::support::cluster::Cluster;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use velodrome::kafka::group_consumer::Received;

/// One of the lesson's programs, at work on that topic and group.
fn start(cluster: &Cluster, name: &str, topic: &str, group: &str, url: &str) -> Running {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/20-velib/files");
    let mut command = Command::new(peers_folder().join("python/bin/python"));
    command
        .arg(files.join(name))
        .env("VELO_BOOTSTRAP_SERVER", cluster.bootstrap())
        .env("PYTHONWARNINGS", NO_DEPRECATION)
        .env("VELIB_TOPIC", topic)
        .env("VELIB_GROUP", group)
        .env("VELIB_URL", url);
    Running::start_command(command)
}

fn station(record: &Received) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

/// The lines that one monitor of all records prints, sorted.
fn changes(records: &[Received]) -> Vec<String> {
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    let mut lines = Vec::new();
    for record in records {
        let station = station(record);
        let free = station["available_bike_stands"].as_i64().unwrap();
        let before = last.insert(station["number"].as_i64().unwrap(), free);
        let change = free - before.unwrap_or(free);
        if change != 0 {
            let address = station["address"].as_str().unwrap();
            lines.push(format!("{change:+} {address} (Toulouse)"));
        }
    }
    lines.sort();
    lines
}

/// Two monitors of one group on ten partitions, which a program fills for some rounds; what they printed together, sorted,
/// and the records.
fn two_monitors(cluster: &Cluster, producer: &str) -> (Vec<String>, Vec<Received>) {
    let (topic, group) = (cluster.name("velib-stations"), cluster.name("monitors"));
    create(cluster, &topic, 10);
    let monitor = || start(cluster, "velib-monitor-stations.py", &topic, &group, "");
    let mut monitors = [monitor(), monitor()];
    let shares = || -> Vec<usize> {
        let found = admin(cluster).find_group(&group).unwrap();
        let members = found.map_or_else(Vec::new, |found| found.members);
        members.iter().map(|member| member.assignment.len()).collect()
    };
    eventually(
        || shares() == [5, 5],
        || format!("{:?} {}{}", shares(), monitors[0].stderr(), monitors[1].stderr()),
    );
    // From here on nothing is missed: each monitor notes where its partitions end before it reads.
    eventually(
        || {
            admin(cluster)
                .committed_offsets(&group)
                .is_ok_and(|all| all.len() == 10)
        },
        || "the monitors note no places".to_owned(),
    );
    let api = Running::start_anywhere(&["velib", "api", "--port", "0", "--speed", "600"]);
    let mut produce = start(cluster, producer, &topic, &group, &api.first_line());
    eventually(
        || {
            monitors
                .iter()
                .all(|monitor| monitor.stdout().lines().count() > 20)
        },
        || produce.stderr(),
    );
    produce.interrupt();
    assert!(produce.first_line().ends_with(" Produced 280 station records"));
    eventually(|| lag(cluster, &group, &topic) == 0, || monitors[0].stderr());
    let mut told: Vec<String> = Vec::new();
    for monitor in &mut monitors {
        monitor.interrupt();
        told.extend(monitor.stdout().lines().map(str::to_owned));
    }
    told.sort();
    let mut written = records(cluster, &topic);
    written.sort_by_key(|record| (record.timestamp, record.partition, record.offset));
    (told, written)
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn without_keys_the_classs_monitors_tell_changes_that_there_are_not() {
    let cluster = Cluster::classroom();
    let (told, written) = two_monitors(&cluster, "velib-get-stations.py");
    assert!(written.iter().all(|record| record.key.is_none()));
    assert_ne!(told, changes(&written));
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn with_keys_the_classs_monitors_tell_each_change_once() {
    let cluster = Cluster::classroom();
    let (told, written) = two_monitors(&cluster, "velib-get-stations-keyed.py");
    let mut homes: BTreeMap<Vec<u8>, BTreeSet<i32>> = BTreeMap::new();
    for record in &written {
        let key = record.key.clone().unwrap();
        assert_eq!(key, station(record)["number"].to_string().into_bytes());
        homes.entry(key).or_default().insert(record.partition);
    }
    assert!(homes.values().all(|partitions| partitions.len() == 1));
    assert_eq!(told, changes(&written));
}
