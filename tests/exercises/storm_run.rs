//! `velo storm run`: every event, whatever fails, and none that there was not.

use super::storm_support::{Event, Seen, a_day, expected};
use super::velib_support::{Running, admin, connection, create, eventually, lag, records, velo, write};
use crate::support::cluster::Cluster;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use velodrome::kafka::RecordProducer;
use velodrome::kafka::record_producer::Outgoing;

/// Writes the records with the station's number as their key.
fn write_keyed(cluster: &Cluster, topic: &str, day: &[Seen]) {
    let producer = RecordProducer::connect(&connection(cluster)).unwrap();
    for seen in day {
        let (key, value) = (seen.number.to_string(), seen.json().to_string());
        let record = Outgoing {
            topic,
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &[],
        };
        producer.send(record).unwrap();
    }
    producer.flush().unwrap();
}

/// The events of `-o jsonl`, in the order in which they were told.
fn events(stdout: &str) -> Vec<Event> {
    let told = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    told.map(|value| {
        let number = value["number"].as_i64().unwrap();
        (
            number,
            value["event"].as_str().unwrap().to_owned(),
            value["last_update"].as_i64().unwrap(),
        )
    })
    .collect()
}

fn once(events: &[Event]) -> BTreeSet<Event> {
    events.iter().cloned().collect()
}

fn arguments<'a>(topic: &'a str, group: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [
        &["storm", "run", "--topic", topic, "--group", group, "-o", "jsonl"],
        more,
    ]
    .concat()
}

/// What the group has committed in all partitions together.
fn committed(cluster: &Cluster, group: &str) -> i64 {
    let offsets = admin(cluster).committed_offsets(group).unwrap();
    offsets.values().map(|offset| offset.offset).sum()
}

on_both_clusters! {
    fn stations_that_become_empty_and_those_that_no_longer_are_are_told_in_words(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("storm"));
        create(cluster, &topic, 1);
        let seen = |number, bikes| Seen { number, bikes, at: 1 }.json();
        write(cluster, &topic, &[seen(1, 2), seen(2, 0), seen(1, 0), Value::from("no station"), seen(2, 1), seen(1, 0)]);
        // One task, so that the lines come in the order of the records.
        let more = ["--exit-at-end", "--parallelism", "1", "-o", "table"];
        let said = velo(cluster, &[&["storm", "run", "--topic", &topic, "--group", &group], &more[..]].concat()).succeeds();
        assert_eq!(said.stdout, "station is empty: 1 (Toulouse)\nstation is no longer empty: 2 (Toulouse)\n");
        assert!(said.stderr.contains("partition 0 offset 3 is no station"), "{}", said.stderr);
        assert!(said.stderr.contains("6 tuples emitted (0 again), 6 acked, 0 failed"), "{}", said.stderr);
        assert_eq!(committed(cluster, &group), 6);
        // Where it left off: it knows station 1, and says nothing twice.
        write(cluster, &topic, &[seen(1, 0), seen(1, 3)]);
        let said = velo(cluster, &["storm", "run", "--topic", &topic, "--group", &group, "--exit-at-end"]).succeeds();
        assert_eq!(said.stdout, "station is no longer empty: 1 (Toulouse)\n");
    }

    fn events_that_fail_and_events_whose_acks_are_lost_come_again_and_none_is_invented(cluster) {
        let (topic, group, out) = (cluster.name("stations"), cluster.name("storm"), cluster.name("events"));
        create(cluster, &topic, 3);
        let day = a_day(3_000, 11);
        write_keyed(cluster, &topic, &day);
        let more = ["--exit-at-end", "--parallelism", "3", "--fail", "0.2", "--lose", "0.1", "--message-timeout", "1s",
            "--max-spout-pending", "500", "--tick", "100ms", "--output-topic", &out];
        let said = velo(cluster, &arguments(&topic, &group, &more)).succeeds();
        let told = events(&said.stdout);
        assert_eq!(once(&told), expected(&day));
        assert!(told.len() > once(&told).len(), "what was told and not acked is told again");
        assert!(!said.stderr.contains("(0 again)") && !said.stderr.contains("(0 timed out)"), "{}", said.stderr);
        assert_eq!(committed(cluster, &group), 3_000);
        let written = records(cluster, &out);
        assert_eq!(written.len(), told.len());
        let mut causes: BTreeMap<Vec<u8>, BTreeSet<String>> = BTreeMap::new();
        for record in &written {
            let value = String::from_utf8(record.value.clone().unwrap()).unwrap();
            causes.entry(record.header("origin").unwrap().to_vec()).or_default().insert(value);
        }
        assert_eq!(causes.len(), expected(&day).len(), "one event a cause");
        assert!(causes.values().all(|same| same.len() == 1));
    }

    fn killed_in_the_midst_and_started_again_it_leaves_no_event_out(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("storm"));
        create(cluster, &topic, 2);
        let day = a_day(2_000, 12);
        let mut told = Vec::new();
        for part in day.chunks(1_000) {
            write_keyed(cluster, &topic, part);
            // Slowed down, so that it dies with tuples under way.
            let mut running = Running::start(cluster, &arguments(&topic, &group,
                &["--max-spout-pending", "20", "--lose", "0.3", "--message-timeout", "500ms"]));
            eventually(|| running.stdout().lines().count() > 30, || running.stderr());
            let stdout = running.kill();
            // The last line may be half written.
            let whole = stdout.rfind('\n').map_or("", |end| &stdout[..end]);
            told.extend(events(whole));
        }
        let said = velo(cluster, &arguments(&topic, &group, &["--exit-at-end"])).succeeds();
        told.extend(events(&said.stdout));
        assert_eq!(once(&told), expected(&day));
    }

    fn spouts_that_come_and_go_share_the_partitions_and_no_event_is_left_out(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("storm"));
        create(cluster, &topic, 4);
        let day = a_day(3_000, 13);
        let (first, rest) = day.split_at(1_000);
        let (second, third) = rest.split_at(1_000);
        let mut one = Running::start(cluster, &arguments(&topic, &group, &["--spouts", "2"]));
        write_keyed(cluster, &topic, first);
        eventually(|| lag(cluster, &group, &topic) == 0, || one.stderr());
        let mut other = Running::start(cluster, &arguments(&topic, &group, &[]));
        write_keyed(cluster, &topic, second);
        eventually(|| other.stderr().contains(": partition"), || other.stderr());
        eventually(|| lag(cluster, &group, &topic) == 0, || other.stderr());
        assert_eq!(one.interrupt(), 130, "{}", one.stderr());
        write_keyed(cluster, &topic, third);
        eventually(|| lag(cluster, &group, &topic) == 0, || other.stderr());
        assert_eq!(other.interrupt(), 130, "{}", other.stderr());
        let told = [events(&one.stdout()), events(&other.stdout())].concat();
        assert_eq!(once(&told), expected(&day));
    }
}

#[test]
fn the_topology_is_drawn_with_its_counts_while_it_runs_and_plainly_when_it_does_not() {
    let cluster = Cluster::classroom();
    let topic = cluster.name("stations");
    create(&cluster, &topic, 1);
    let day = a_day(500, 14);
    write_keyed(&cluster, &topic, &day);
    let home = crate::support::velo::Home::new();
    let plain = home.velo(&["storm", "topology"]).succeeds().stdout;
    assert!(
        plain.contains("[spout] stations") && plain.contains("fields grouping on (contract, number)"),
        "{plain}"
    );
    assert!(!plain.contains("emitted"), "{plain}");
    home.velo(&["storm", "topology", "--watch"]).fails_with(1);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_velo"));
    command.args([
        "--bootstrap-server",
        cluster.bootstrap(),
        "storm",
        "run",
        "--topic",
        &topic,
        "--tick",
        "50ms",
    ]);
    let mut running = Running::start_command(command);
    let drawn = || running.velo(&["storm", "topology"]).stdout;
    eventually(|| drawn().contains("emitted 500  acked 500  failed 0"), drawn);
    let events = expected(&day).len();
    assert!(
        drawn().contains(&format!("emitted {events}  acked {events}  failed 0")),
        "{}",
        drawn()
    );
    assert!(
        drawn().contains("complete latency") && drawn().contains("tick tuple every 0.05 s"),
        "{}",
        drawn()
    );
    let json: Value =
        serde_json::from_str(&running.velo(&["storm", "topology", "-o", "json"]).stdout).unwrap();
    assert_eq!(
        (&json[0]["spout"]["acked"], &json[0]["streams"][1]["to"]),
        (&500.into(), &"events".into())
    );
    assert_eq!(running.interrupt(), 130);
    assert_eq!(
        running.velo(&["storm", "topology", "-o", "json"]).stdout.trim(),
        "[]"
    );
}

#[test]
fn options_that_leave_nothing_to_ack_are_refused() {
    let home = crate::support::velo::Home::new();
    for wrong in [
        &["--fail", "0.6", "--lose", "0.4"][..],
        &["--fail", "2"],
        &["--parallelism", "0"],
        &["--max-spout-pending", "0"],
        &["--message-timeout", "0s"],
        &["--no-print"],
    ] {
        home.velo(&[&["storm", "run"], wrong].concat()).fails_with(2);
    }
}
