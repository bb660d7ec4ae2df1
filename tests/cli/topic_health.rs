//! `velo topic describe` and `list` of partitions that are not well, and `velo topic elect`.

use super::cluster_brokers::{json_of, node, status, until};
use crate::support::records::User;
use crate::support::velo::Home;
use serde_json::{Value, json};

on_both_clusters! {
    fn where_all_is_well_nothing_is_marked_and_no_election_is_needed(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        let table = user.velo(&["topic", "describe", &topic]).succeeds().stdout;
        assert!(table.lines().last().unwrap().trim_end().ends_with("ok"), "{table}");
        let described = json_of(&user.velo(&["topic", "describe", &topic, "-o", "json"]).succeeds());
        let partition = &described[0]["partitions"][1];
        assert_eq!(
            (&partition["offline"], &partition["lagging"], &partition["down"]),
            (&json!(false), &json!([]), &json!([]))
        );
        for (option, said) in [
            ("--under-replicated", "No partition is under-replicated.\n"),
            ("--offline", "No partition is offline.\n"),
        ] {
            let none = user.velo(&["topic", "describe", &topic, option, "-o", "json"]).succeeds();
            assert_eq!((none.stdout.trim_end(), none.said().as_str()), ("[]", said));
            let none = user.velo(&["topic", "list", &topic, option]).succeeds();
            assert_eq!(none.said(), said);
        }
        let elected = json_of(&user.velo(&["topic", "elect", &topic, "-o", "json"]).succeeds());
        let not_needed = |partition: i32| {
            json!({"topic": topic, "partition": partition, "state": "not needed", "error": null})
        };
        assert_eq!(elected, json!([not_needed(0), not_needed(1)]));
        let one = user.velo(&["topic", "elect", &topic, "--partition", "1", "-o", "plain"]).succeeds();
        assert_eq!(one.stdout, format!("{topic}\t1\tnot needed\n"));
        let none = user.velo(&["topic", "elect", &topic, "--partition", "7"]).fails_with(1);
        assert!(none.stderr.contains("has no partition 7\n"), "{}", none.stderr);
        user.velo(&["topic", "elect", &cluster.name("nowhere")]).fails_with(1);
        let unsure = user.velo(&["topic", "elect", &topic, "--unclean"]).fails_with(2);
        assert!(
            unsure.stderr.contains(&format!("hint: velo topic elect {topic} --unclean --yes\n")),
            "{}",
            unsure.stderr
        );
        user.velo(&["topic", "elect", &topic, "--unclean", "--yes"]).succeeds();
    }
}

fn partition(home: &Home, topic: &str, number: usize) -> Value {
    let described = json_of(&home.velo(&["topic", "describe", topic, "-o", "json"]).succeeds());
    described[0]["partitions"][number].clone()
}

/// Broker 2 is down.
fn what_cannot_be_written_says_why(home: &Home) {
    home.velo(&["config", "set", "topic", "both", "min.insync.replicas=2"])
        .succeeds();
    let patience = home.path().join("impatient.properties");
    std::fs::write(&patience, "delivery.timeout.ms=6000\n").unwrap();
    let with = ["--command-config", patience.to_str().unwrap()];
    let why = "have 1 replica in sync of the 2 that min.insync.replicas asks for";
    let refused = home
        .velo_with("x\n", &[&["produce", "both"], &with[..]].concat())
        .fails_with(1);
    for told in [
        &format!("nothing is acknowledged: partitions 0, 1 {why}; trying again\n"),
        &format!("line 1: no broker acknowledged it in time; partitions 0, 1 {why}\n"),
        "hint: velo topic describe both\n",
    ] {
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    // Who waits for the leader alone writes; which of the partitions of `single` that is, is chance.
    home.velo_with("x\n", &["produce", "both", "--acks", "1"])
        .succeeds();
    let single = [&["produce", "single", "--partition", "1"], &with[..]].concat();
    let leaderless = partition(home, "single", 1)["leader"].is_null();
    let ended = home.velo_with("x\n", &single);
    if leaderless {
        let refused = ended.fails_with(1);
        assert!(
            refused.stderr.contains("; partition 1 has no leader\n"),
            "{}",
            refused.stderr
        );
    } else {
        ended.succeeds();
    }
    home.velo(&["config", "unset", "topic", "both", "min.insync.replicas"])
        .succeeds();
}

#[test]
fn what_a_broker_that_is_down_leaves_behind_is_marked_chosen_and_mended() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--ids", "1,2", "--port", "0"])
        .succeeds();
    home.velo(&[
        "topic",
        "create",
        "both",
        "--partitions",
        "2",
        "--replication-factor",
        "2",
    ])
    .succeeds();
    home.velo(&["topic", "create", "single", "--partitions", "2"])
        .succeeds();
    let preferred = partition(&home, "both", 0)["replicas"][0].clone();
    home.velo(&["cluster", "stop", "--broker", "2"]).succeeds();
    until("its replicas are told to be down", || {
        (0..2).all(|number| partition(&home, "both", number)["down"] == json!([2]))
    });
    let table = home.velo(&["topic", "describe", "both"]).succeeds().stdout;
    assert!(
        table.lines().last().unwrap().trim_end().ends_with("2 down"),
        "{table}"
    );
    what_cannot_be_written_says_why(&home);
    let offline = json_of(
        &home
            .velo(&["topic", "describe", "--offline", "-o", "json"])
            .succeeds(),
    );
    let topics = offline.as_array().unwrap();
    assert_eq!(
        (topics.len(), &topics[0]["topic"]),
        (1, &json!("single")),
        "{offline}"
    );
    let partitions = topics[0]["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 1, "{offline}");
    assert_eq!(
        (
            &partitions[0]["leader"],
            &partitions[0]["offline"],
            &partitions[0]["down"]
        ),
        (&json!(null), &json!(true), &json!([2]))
    );
    let table = home
        .velo(&["topic", "describe", "single", "--offline"])
        .succeeds()
        .stdout;
    assert!(table.starts_with("single: 2 partitions"), "{table}");
    assert!(
        table.lines().last().unwrap().contains("OFFLINE; 2 down"),
        "{table}"
    );
    let listed = |option: &str| {
        home.velo(&["topic", "list", option, "-o", "plain"])
            .succeeds()
            .stdout
    };
    // As on Apache Kafka nobody is in sync where nobody serves.
    assert_eq!(listed("--under-replicated"), "both\t2\t2\nsingle\t2\t1\n");
    assert_eq!(listed("--offline"), "single\t2\t1\n");
    let behind = node(&status(&home), 2)["behind"].clone();
    assert_eq!(behind, json!(3));
    // The preferred replica of one partition cannot lead now; once it is back, it is made to.
    let refused = home.velo(&["topic", "elect", "both"]).fails_with(1);
    assert!(
        refused.stderr.contains("hint: velo topic describe both\n"),
        "{}",
        refused.stderr
    );
    home.velo(&["cluster", "start", "--broker", "2"]).succeeds();
    until("it is in sync again", || {
        let again = json_of(
            &home
                .velo(&["topic", "describe", "both", "--under-replicated", "-o", "json"])
                .succeeds(),
        );
        again == json!([])
    });
    home.velo(&["topic", "elect", "both", "single"]).succeeds();
    until("the preferred replicas lead", || {
        (0..2).all(|number| {
            let one = partition(&home, "both", number);
            one["leader"] == one["replicas"][0]
        })
    });
    assert_eq!(partition(&home, "both", 0)["leader"], preferred);
}
