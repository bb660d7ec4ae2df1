//! `velo velib produce`

use super::velib_support::{Answer, FakeApi, Running, create, eventually, records, station, velo};
use crate::support::velo::Home;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether this is `{unix seconds} Produced 280 station records`.
fn is_round(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(seconds, rest)| {
        seconds
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 1_700_000_000)
            && rest == "Produced 280 station records"
    })
}

on_both_clusters! {
    fn each_round_is_one_record_a_station_and_one_line(cluster) {
        let topic = cluster.name("stations");
        create(cluster, &topic, 1);
        let said = velo(cluster, &["velib", "produce", "--topic", &topic, "--every", "50ms", "--count", "3"])
            .succeeds();
        assert_eq!(said.stdout.lines().count(), 3);
        assert!(said.stdout.lines().all(is_round), "{}", said.stdout);
        let records = records(cluster, &topic);
        assert_eq!(records.len(), 840);
        assert!(records.iter().all(|record| record.key.is_none()));
        let first = String::from_utf8(records[0].value.clone().unwrap()).unwrap();
        assert!(first.starts_with(r#"{"number":1,"contract_name":"Toulouse","name":"00001"#), "{first}");
        assert!(first.ends_with(r#""status":"OPEN","last_update":1463949010000}"#), "{first}");
    }

    fn with_keys_a_station_stays_in_its_partition(cluster) {
        let topic = cluster.name("stations");
        create(cluster, &topic, 10);
        velo(cluster, &["velib", "produce", "--topic", &topic, "--key", "station", "--every", "10ms", "--count", "3"])
            .succeeds();
        let mut homes: BTreeMap<Vec<u8>, Vec<i32>> = BTreeMap::new();
        for record in records(cluster, &topic) {
            let value: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            let key = record.key.unwrap();
            assert_eq!(key, value["number"].to_string().as_bytes());
            homes.entry(key).or_default().push(record.partition);
        }
        assert_eq!(homes.len(), 280);
        assert!(homes.values().all(|home| home.iter().all(|partition| *partition == home[0])));
    }

    fn the_same_seed_produces_the_same_records(cluster) {
        let produce = |seed: &str| -> Vec<_> {
            let topic = cluster.name("stations");
            create(cluster, &topic, 1);
            velo(cluster, &["velib", "produce", "--topic", &topic, "--every", "10ms", "--count", "3",
                "--speed", "3600", "--seed", seed]).succeeds();
            records(cluster, &topic).into_iter().map(|record| record.value).collect()
        };
        let (one, again, other) = (produce("7"), produce("7"), produce("8"));
        assert_eq!(one, again);
        assert_ne!(one, other);
    }

    fn ctrl_c_ends_it_with_130_and_every_line_told_is_in_the_topic(cluster) {
        let topic = cluster.name("stations");
        create(cluster, &topic, 1);
        let mut producer = Running::start(cluster, &["velib", "produce", "--topic", &topic, "--every", "20ms"]);
        eventually(|| producer.stdout().lines().count() > 3, || producer.stderr());
        assert_eq!(producer.interrupt(), 130);
        assert_eq!(records(cluster, &topic).len(), producer.stdout().lines().count() * 280);
    }

    fn stations_come_from_any_api_with_what_else_it_says(cluster) {
        let topic = cluster.name("stations");
        create(cluster, &topic, 1);
        let mut more = station(1, 3);
        more["overflow"] = true.into();
        let api = FakeApi::start(vec![Answer::Status(200, Value::from(vec![more.clone()]).to_string())]);
        velo(cluster, &["velib", "produce", "--topic", &topic, "--count", "1", "--url", &api.url]).succeeds();
        assert_eq!(records(cluster, &topic)[0].value.as_deref(), Some(more.to_string().as_bytes()));
    }

    fn odd_stations_are_handed_on_or_named_and_never_end_it(cluster) {
        let topic = cluster.name("stations");
        create(cluster, &topic, 1);
        let odd = |field: &str, value: Value| {
            let mut odd = station(7, 3);
            odd[field] = value;
            odd
        };
        let mut bare = station(8, 3);
        bare.as_object_mut().unwrap().retain(|name, _| name == "number" || name == "contract_name");
        let passed = [
            odd("last_update", Value::Null),
            odd("position", Value::Null),
            odd("available_bikes", 2.5.into()),
            odd("bike_stands", "20".into()),
            odd("number", 7.0.into()),
            bare,
        ];
        let skipped = [
            odd("number", Value::Null),
            odd("contract_name", Value::Null),
            odd("number", 7.5.into()),
            Value::Null,
            "\u{1b}[2Jstation".into(),
        ];
        let all = Value::from([&passed[..], &skipped[..]].concat()).to_string();
        let api = FakeApi::start(vec![Answer::Status(200, format!("\u{feff}{all}"))]);
        let said = velo(cluster, &["velib", "produce", "--topic", &topic, "--key", "station", "--every", "10ms",
            "--count", "2", "--url", &api.url]).succeeds();
        assert_eq!(said.stdout.lines().filter(|line| line.ends_with("Produced 6 station records")).count(), 2);
        let values: Vec<Value> = records(cluster, &topic)
            .iter()
            .map(|record| serde_json::from_slice(record.value.as_deref().unwrap()).unwrap())
            .collect();
        assert_eq!(values, [&passed[..], &passed[..]].concat());
        for named in [
            "station 7 of the answer: no `number` (`00007 - LEDUC`); skipped",
            "station 8 of the answer: no `contract_name` (number 7); skipped",
            "station 10 of the answer: it is null; skipped",
            "station 11 of the answer: it is \"\\u001b[2Jstation\"; skipped",
        ] {
            assert_eq!(said.stderr.matches(named).count(), 1, "{named}: {}", said.stderr);
        }
        assert!(said.stderr.contains("2 rounds, 12 records, 0 changes of free stands, 10 skipped"), "{}", said.stderr);
    }
}

#[test]
fn a_live_source_without_a_key_says_where_to_get_one() {
    let said = Home::new()
        .command(&["velib", "produce", "--live"])
        .env_remove("JCDECAUX_API_KEY")
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(2));
    let text = String::from_utf8(said.stderr).unwrap();
    assert!(text.contains("JCDECAUX_API_KEY is not set"), "{text}");
    assert!(text.contains("https://developer.jcdecaux.com"), "{text}");
}

#[test]
fn options_that_would_be_ignored_are_refused() {
    for wrong in [
        &["--url", "http://localhost/", "--seed", "3"][..],
        &["--live", "--speed", "3"],
        &["--timeout", "3s"],
        &["--every", "0s"],
    ] {
        Home::new()
            .velo(&[&["velib", "produce"], wrong].concat())
            .fails_with(2);
    }
}

#[test]
fn without_a_cluster_it_says_how_to_start_one() {
    let said = Home::new()
        .velo(&[
            "--bootstrap-server",
            "127.0.0.1:1",
            "velib",
            "produce",
            "--count",
            "1",
        ])
        .fails_with(3);
    assert!(
        said.stderr.contains("hint: velo cluster start"),
        "{}",
        said.stderr
    );
    assert_eq!(said.stdout, "");
}
