//! `velo why`: what is likely behind something that does not go as expected.

use crate::support::cluster::Cluster;
use crate::support::hints::{Reading, mistake};
use crate::support::velo::{Ended, Home};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A user at a cluster.
struct At<'a> {
    home: Home,
    cluster: &'a Cluster,
}

impl<'a> At<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        At {
            home: Home::new(),
            cluster,
        }
    }

    fn run(&self, arguments: &[&str], typed: &str) -> Ended {
        let all = [arguments, &["-b", self.cluster.bootstrap()]].concat();
        let mut command = self.home.command(&all);
        Ended::of(command.write_stdin(typed.to_owned()).output().unwrap())
    }

    fn velo(&self, line: &str) -> Ended {
        self.types(line, "")
    }

    fn types(&self, line: &str, typed: &str) -> Ended {
        let words: Vec<&str> = line.split(' ').collect();
        self.run(&words, typed).succeeds()
    }

    fn topic(&self, stem: &str, options: &str) -> String {
        let name = self.cluster.name(stem);
        self.velo(&format!("topic create {name} {options}"));
        name
    }

    /// What `velo why` finds about a group or topic, by name; each line to type must be one.
    fn why(&self, about: &str, name: &str) -> Vec<(String, Value)> {
        let told = self.velo(&format!("why {about} {name} -o json --lang en"));
        findings(&told.stdout)
    }

    fn names(&self, about: &str, name: &str) -> Vec<String> {
        let found = self.why(about, name).into_iter();
        found.map(|(name, _)| name).collect()
    }
}

fn findings(json: &str) -> Vec<(String, Value)> {
    let told: Value = serde_json::from_str(json).unwrap();
    let found = told["findings"].as_array().unwrap().iter();
    found
        .map(|finding| {
            for line in finding["next"].as_array().unwrap() {
                let line = line.as_str().unwrap();
                let wrong = mistake(line, Reading::Line);
                assert!(line.starts_with("velo ") && wrong.is_none(), "{line}: {wrong:?}");
            }
            assert!(!finding["next"].as_array().unwrap().is_empty(), "{finding}");
            (
                finding["finding"].as_str().unwrap().to_owned(),
                finding["seen"].clone(),
            )
        })
        .collect()
}

on_both_clusters! {
    fn a_group_that_has_read_everything_and_one_that_nobody_is_in_are_told_apart(cluster) {
        let at = At::new(cluster);
        let (topic, group) = (at.topic("why", "--partitions 1"), cluster.name("why"));
        at.types(&format!("produce {topic}"), "one\ntwo\nthree\n");
        at.velo(&format!("consume {topic} --group {group} --from-beginning --exit-at-end"));
        let found = at.why("group", &group);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["no-members", "all-committed"]);
        assert_eq!(found[1].1["n"], 3);
        // In words, with the belief, in each language.
        for (lang, said, believed) in [
            ("en", "3 records there will be shown to it again", "Many take `--from-beginning` for an order"),
            ("es", "3 registros que hay", "Se suele tomar `--from-beginning` por una orden"),
            ("fr", "3 messages présents", "On prend souvent `--from-beginning` pour un ordre"),
        ] {
            let told = at.velo(&format!("why group {group} --lang {lang}")).stdout;
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains(said) && told.contains(believed), "{told}");
            assert!(told.contains(&format!("velo group reset {group} --topic {topic} --to earliest")), "{told}");
        }
        at.types(&format!("produce {topic}"), "four\nfive\n");
        let found = at.why("group", &group);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0.as_str(), &found[0].1["n"]), ("no-members", &2.into()));
        let plain = at.velo(&format!("why group {group} -o plain")).stdout;
        assert!(plain.starts_with("no-members\t"), "{plain}");
        // Deleted before anybody had read them.
        at.velo(&format!("records delete {topic} --before 4 --yes"));
        let found = at.why("group", &group);
        let deleted = found.iter().find(|(name, _)| name == "deleted-unread").unwrap();
        assert_eq!((&deleted.1["n"], &deleted.1["start"]), (&1.into(), &4.into()));
        let unknown = at.run(&["why", "group", &cluster.name("nobody")], "").fails_with(1);
        assert!(unknown.stderr.contains("does not exist"), "{}", unknown.stderr);
    }

    fn a_lag_of_markers_alone_is_no_lag_of_records(cluster) {
        let at = At::new(cluster);
        let (topic, group) = (at.topic("why", "--partitions 1"), cluster.name("why"));
        at.types(&format!("produce {topic} --transactional-id {topic}"), "one\n");
        at.velo(&format!("consume {topic} --group {group} --from-beginning --exit-at-end"));
        // The record has offset 0, and the marker behind it offset 1.
        at.velo(&format!("group reset {group} --topic {topic} --to 1 --execute"));
        let found = at.why("group", &group);
        let marker = found.iter().find(|(name, _)| name == "marker-at-the-end");
        assert_eq!(marker.unwrap_or_else(|| panic!("{found:?}")).1["lag"], 1);
        assert_eq!(found[0].1["n"], 0, "nothing waits: {found:?}");
        at.velo(&format!("group reset {group} --topic {topic} --to 0 --execute"));
        let names = at.names("group", &group);
        assert!(!names.contains(&"marker-at-the-end".to_owned()), "{names:?}");
        assert_eq!(at.names("topic", &topic), ["fewer-than-offsets"]);
    }

    fn a_member_too_many_is_told(cluster) {
        let at = At::new(cluster);
        let (topic, group) = (at.topic("why", "--partitions 1"), cluster.name("why"));
        let _members = [Reader::start(&at, &topic, &group), Reader::start(&at, &topic, &group)];
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            // Before the first has joined there is no such group.
            let told = at.run(&["why", "group", &group, "-o", "json"], "");
            let found = if told.code == 0 { findings(&told.stdout) } else { Vec::new() };
            if let Some((_, seen)) = found.iter().find(|(name, _)| name == "idle-members") {
                assert_eq!((&seen["members"], &seen["idle"]), (&2.into(), &1.into()));
                break;
            }
            assert!(Instant::now() < deadline, "{found:?}");
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    fn what_has_expired_and_stays_is_told_with_its_reason(cluster) {
        let at = At::new(cluster);
        let topic = at.topic("why", "--partitions 1");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let record = |age: u128| format!("{{\"value\":\"v\",\"timestamp\":{}}}\n", now - age);
        at.types(&format!("produce {topic} --jsonl"), &(record(2 * 3_600_000) + &record(0)));
        assert_eq!(at.names("topic", &topic), [""; 0]);
        at.velo(&format!("config set topic {topic} retention.ms=1h"));
        let found = at.why("topic", &topic);
        assert_eq!(found.len(), 1, "{found:?}");
        let (name, seen) = &found[0];
        assert_eq!(name, "expired-and-kept");
        assert_eq!((&seen["n"], &seen["retention"]), (&1.into(), &3_600_000.into()));
        at.velo(&format!("config set topic {topic} retention.ms=1d"));
        assert_eq!(at.names("topic", &topic), [""; 0]);
        at.velo(&format!("config set topic {topic} cleanup.policy=compact"));
        assert_eq!(at.names("topic", &topic), ["compact-only"]);
    }

    fn one_partition_with_all_records_is_told_with_its_keys(cluster) {
        let at = At::new(cluster);
        let topic = at.topic("why", "--partitions 3");
        assert_eq!(at.names("topic", &topic), ["empty-topic"]);
        at.types(&format!("produce {topic} --key-separator :"), "k:1\nk:2\nk:3\n");
        let found = at.why("topic", &topic);
        assert_eq!((found.len(), found[0].0.as_str()), (1, "one-key"), "{found:?}");
        assert_eq!((&found[0].1["n"], &found[0].1["key"]), (&3.into(), &"k".into()));
        let other = at.topic("why", "--partitions 3");
        at.types(&format!("produce {other} --partition 1"), "1\n2\n3\n");
        assert_eq!(at.names("topic", &other), ["sticky-batches"]);
        at.types(&format!("produce {other} --partition 0"), "4\n5\n6\n");
        assert_eq!(at.names("topic", &other), [""; 0]);
        at.velo(&format!("records delete {other} --before latest --yes"));
        assert_eq!(at.names("topic", &other), ["all-deleted"]);
        let unknown = at.run(&["why", "topic", &cluster.name("nothing")], "").fails_with(1);
        assert!(unknown.stderr.contains("does not exist"), "{}", unknown.stderr);
    }

    fn compaction_that_is_to_come_and_the_word_null_are_told(cluster) {
        let at = At::new(cluster);
        let topic = at.topic("why", "--partitions 1 --config cleanup.policy=compact");
        at.types(&format!("produce {topic} --key-separator :"), "a:1\na:2\na:null\nb:1\n");
        let found = at.why("topic", &topic);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["not-compacted-yet", "the-word-null"]);
        assert_eq!((&found[0].1["n"], &found[0].1["keys"]), (&2.into(), &2.into()));
        assert_eq!(found[1].1["n"], 1);
    }

    fn a_cluster_that_clients_reach_has_nothing_odd(cluster) {
        let at = At::new(cluster);
        let told = at.velo("why connect -o json").stdout;
        assert!(findings(&told).is_empty(), "{told}");
        let told = at.velo("why connect --lang es").stdout;
        assert!(told.contains("Nada raro"), "{told}");
    }
}

/// A consumer that goes on; it ends with the value.
struct Reader(Child);

impl Reader {
    fn start(at: &At<'_>, topic: &str, group: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_velo"))
            .args(["consume", topic, "--group", group, "-b", at.cluster.bootstrap()])
            .env("VELO_HOME", at.home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Reader(child)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `velo why connect` finds at an address that no client gets through by.
fn found_at(address: &str) -> Vec<String> {
    let told = Home::new()
        .velo(&["why", "connect", "-o", "json", "-b", address])
        .fails_with(3);
    findings(&told.stdout).into_iter().map(|(name, _)| name).collect()
}

/// A server that says this to whoever asks.
fn saying(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

#[test]
fn an_address_that_no_client_gets_through_by_is_told_for_what_it_is() {
    assert_eq!(found_at("127.0.0.1:1"), ["nothing-listens"]);
    assert_eq!(found_at("127.0.0.1:2181"), ["zookeepers-port"]);
    assert_eq!(
        found_at(&saying(b"\x15\x03\x03\0\x02\x02\x50")),
        ["tls-against-plain"]
    );
    assert_eq!(
        found_at(&saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        ["stranger"]
    );
    let controller = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x12\0\0\0\x04";
    assert_eq!(found_at(&saying(controller)), ["controllers-port"]);
    let hangs_up = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x03\0\0\0\x0c";
    assert_eq!(found_at(&saying(hangs_up)), ["login-wanted"]);
}

#[test]
fn an_address_among_several_that_does_not_answer_is_told_and_the_others_get_through() {
    let cluster = Cluster::classroom();
    let servers = format!("127.0.0.1:1,{}", cluster.bootstrap());
    let told = Home::new()
        .velo(&["why", "connect", "-o", "json", "-b", &servers])
        .succeeds();
    let names: Vec<String> = findings(&told.stdout).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["nothing-listens"]);
}

#[test]
fn an_advertised_address_that_nobody_reaches_is_told() {
    let cluster = Cluster::classroom_with(&["advertised.listeners=PLAINTEXT://127.0.0.1:1"]);
    assert_eq!(found_at(cluster.bootstrap()), ["advertised-unreachable"]);
}
