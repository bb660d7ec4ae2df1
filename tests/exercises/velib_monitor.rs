//! `velo velib monitor`: every change once, whatever dies.

use super::velib_support::{Running, admin, create, eventually, lag, records, station, velo, write};
use crate::support::cluster::Cluster;
use serde_json::Value;
use std::collections::BTreeMap;
use velodrome::kafka::TopicPartition;

/// Reads all there is and answers the lines.
fn monitor(cluster: &Cluster, topic: &str, group: &str) -> Vec<String> {
    let said = velo(
        cluster,
        &[
            "velib",
            "monitor",
            "--topic",
            topic,
            "--group",
            group,
            "--exit-at-end",
        ],
    );
    said.succeeds().stdout.lines().map(str::to_owned).collect()
}

/// How many changes of free stands lie between the rounds of a topic, in the order in which they were written.
fn changes(cluster: &Cluster, topic: &str) -> usize {
    let mut written = records(cluster, topic);
    written.sort_by_key(|record| (record.timestamp, record.partition, record.offset));
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    written
        .into_iter()
        .filter(|record| {
            let value: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
            let stands = value["available_bike_stands"].as_i64().unwrap();
            last.insert(value["number"].to_string(), stands)
                .is_some_and(|before| before != stands)
        })
        .count()
}

/// Two monitors share ten partitions while a producer works; answers how many changes there were, and how many lines
/// the two printed.
fn two_monitors(cluster: &Cluster, key: &str) -> (usize, usize) {
    let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
    create(cluster, &topic, 10);
    let start = || {
        Running::start(
            cluster,
            &["velib", "monitor", "--topic", &topic, "--group", &group],
        )
    };
    let mut monitors = [start(), start()];
    let shares = |monitor: &Running| {
        let said = monitor.stderr();
        let last = said.lines().rfind(|line| line.contains(": partitions "));
        last.is_some_and(|line| line.matches(',').count() == 4)
    };
    eventually(
        || monitors.iter().all(shares),
        || format!("{}{}", monitors[0].stderr(), monitors[1].stderr()),
    );
    velo(
        cluster,
        &[
            "velib", "produce", "--topic", &topic, "--key", key, "--every", "50ms", "--count", "40",
            "--speed", "600",
        ],
    )
    .succeeds();
    eventually(|| lag(cluster, &group, &topic) == 0, || monitors[0].stderr());
    let told = monitors
        .iter_mut()
        .map(|monitor| {
            assert_eq!(monitor.interrupt(), 130);
            monitor.stdout().lines().count()
        })
        .sum();
    (changes(cluster, &topic), told)
}

on_both_clusters! {
    fn a_first_sight_says_nothing_and_a_change_says_how_many_stands_where(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
        create(cluster, &topic, 1);
        write(cluster, &topic, &[
            station(1, 3), station(2, 7), station(1, 3), station(1, 4), station(2, 5), station(1, 4),
        ]);
        assert_eq!(monitor(cluster, &topic, &group), ["+1 1 RUE LEDUC (Toulouse)", "-2 2 RUE LEDUC (Toulouse)"]);
        assert!(monitor(cluster, &topic, &group).is_empty());
    }

    fn records_that_are_no_stations_are_passed_over_and_counted(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
        create(cluster, &topic, 1);
        write(cluster, &topic, &[station(1, 3), Value::from("hello"), station(1, 2)]);
        let said = velo(cluster, &["velib", "monitor", "--topic", &topic, "--group", &group, "--exit-at-end"])
            .succeeds();
        assert_eq!(said.stdout, "-1 1 RUE LEDUC (Toulouse)\n");
        assert!(said.stderr.contains("3 records, 1 of them no station"), "{}", said.stderr);
    }

    fn killed_and_started_again_it_knows_what_it_knew_although_the_records_are_gone(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
        create(cluster, &topic, 1);
        write(cluster, &topic, &[station(1, 3), station(2, 7), station(1, 5)]);
        let mut first = Running::start(cluster, &["velib", "monitor", "--topic", &topic, "--group", &group]);
        eventually(|| lag(cluster, &group, &topic) == 0, || first.stderr());
        assert_eq!(first.kill(), "+2 1 RUE LEDUC (Toulouse)\n");
        write(cluster, &topic, &[station(1, 5), station(2, 9)]);
        let gone = [(TopicPartition::new(&topic, 0), 3)];
        admin(cluster).delete_records(&gone).unwrap();
        assert_eq!(monitor(cluster, &topic, &group), ["+2 2 RUE LEDUC (Toulouse)"]);
    }

    fn of_a_station_it_asks_only_for_what_it_uses(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
        create(cluster, &topic, 1);
        let odd = |free: i64, bikes: Value, more: Value| {
            let mut odd = serde_json::json!({
                "number": 5, "contract_name": "Lyon", "available_bike_stands": free, "available_bikes": bikes,
                "position": null, "status": 7, "last_update": "never",
            });
            odd.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            odd
        };
        let name = serde_json::json!({"name": "BELLECOUR", "address": null});
        let code = serde_json::json!({"address": "RUE \u{1b}[31m\u{9b}1m"});
        write(cluster, &topic, &[
            odd(3, 1.into(), serde_json::json!({})),
            odd(4, Value::Null, name),
            odd(5, 0.into(), serde_json::json!({})),
            odd(7, 1.5.into(), code),
            serde_json::json!({"number": 5, "contract_name": "Lyon", "available_bike_stands": null}),
        ]);
        let told = monitor(cluster, &topic, &group);
        // What is piped stays as it is.
        assert_eq!(told, ["+1 BELLECOUR (Lyon)", "+1 station 5 (Lyon)", "+2 RUE \u{1b}[31m\u{9b}1m (Lyon)"]);
        let map = velo(cluster, &["velib", "map", "--topic", &topic]).fails_with(1);
        assert!(map.stderr.contains("holds no station"), "{}", map.stderr);
    }

    fn each_change_goes_to_the_report_topic_with_its_origin(cluster) {
        let (topic, group, reports) = (cluster.name("stations"), cluster.name("monitors"), cluster.name("reports"));
        create(cluster, &topic, 1);
        write(cluster, &topic, &[station(1, 3), station(1, 5)]);
        velo(cluster, &["velib", "monitor", "--topic", &topic, "--group", &group, "--exit-at-end",
            "--report-to", &reports]).succeeds();
        let reports = records(cluster, &reports);
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].key.as_deref(), Some(&b"1"[..]));
        assert_eq!(reports[0].header("origin"), Some(format!("{topic}/0/1").as_bytes()));
        let value: Value = serde_json::from_slice(reports[0].value.as_deref().unwrap()).unwrap();
        assert_eq!((&value["change"], &value["address"]), (&2.into(), &"1 RUE LEDUC".into()));
    }

    fn a_group_reset_to_the_beginning_tells_it_all_again(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
        create(cluster, &topic, 1);
        write(cluster, &topic, &[station(1, 3)]);
        monitor(cluster, &topic, &group);
        write(cluster, &topic, &[station(1, 5)]);
        assert_eq!(monitor(cluster, &topic, &group), ["+2 1 RUE LEDUC (Toulouse)"]);
        let beginning = [(TopicPartition::new(&topic, 0), 0)];
        admin(cluster).alter_group_offsets(&group, &beginning).unwrap();
        assert_eq!(monitor(cluster, &topic, &group), ["+2 1 RUE LEDUC (Toulouse)"]);
    }

    fn two_monitors_miscount_without_keys(cluster) {
        let (changes, told) = two_monitors(cluster, "none");
        assert!(changes > 20, "{changes} changes");
        assert!(told > changes, "{told} told of {changes} changes");
    }

    fn two_monitors_count_right_with_keys(cluster) {
        let (changes, told) = two_monitors(cluster, "station");
        assert!(changes > 20, "{changes} changes");
        assert_eq!(told, changes);
    }
}
