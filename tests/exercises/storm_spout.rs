//! `velo storm spout` under a parent that speaks Storm's part.

use super::storm_support::{Chance, FakeStorm, Seen, a_day};
use super::velib_support::{admin, create, eventually, write};
use crate::support::cluster::Cluster;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the spout reports to Storm and overcomes by itself ends so.
const AGAIN: &str = "; trying again";

/// Says a command, and answers the tuples that came before the `sync`, by id.
fn ask(storm: &mut FakeStorm, command: &str, id: &str) -> Vec<(String, Value)> {
    storm.write(&json!({"command": command, "id": id}));
    let mut emitted = Vec::new();
    loop {
        let said = storm.hear();
        match said["command"].as_str() {
            Some("sync") => return emitted,
            Some("emit") => {
                assert_eq!(said["need_task_ids"], false, "{said}");
                assert_eq!(said["tuple"].as_array().unwrap().len(), 5, "{said}");
                emitted.push((said["id"].as_str().unwrap().to_owned(), said["tuple"].clone()));
            }
            Some("log") => {}
            Some("error") if said["msg"].as_str().unwrap().ends_with(AGAIN) => {}
            _ => panic!("not to be said by a spout: {said}"),
        }
    }
}

fn start(cluster: &Cluster, topic: &str, group: &str) -> FakeStorm {
    let arguments = [
        "--bootstrap-server",
        cluster.bootstrap(),
        "storm",
        "spout",
        "--topic",
        topic,
        "--group",
        group,
    ];
    let mut storm = FakeStorm::velo(&[&arguments[..], &["--max-spout-pending", "50"]].concat(), &[]);
    assert!(ask(&mut storm, "activate", "").is_empty());
    storm
}

/// Asks for a tuple, and answers what the spout reports to Storm instead, if it does.
fn reported(storm: &mut FakeStorm) -> Option<String> {
    storm.write(&json!({"command": "next", "id": ""}));
    let mut reported = None;
    loop {
        let said = storm.hear();
        match said["command"].as_str() {
            Some("error") => reported = said["msg"].as_str().map(str::to_owned),
            Some("sync") => return reported,
            Some("log") => {}
            _ => panic!("neither reported nor done: {said}"),
        }
    }
}

fn committed(cluster: &Cluster, group: &str) -> i64 {
    let offsets = admin(cluster).committed_offsets(group).unwrap();
    offsets.values().map(|offset| offset.offset).sum()
}

on_both_clusters! {
    fn every_record_is_emitted_until_it_is_acked_and_only_then_committed(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("storm"));
        create(cluster, &topic, 1);
        let day = a_day(300, 21);
        let mut values: Vec<Value> = day.iter().map(Seen::json).collect();
        values.push(json!("no station"));
        write(cluster, &topic, &values);
        let mut storm = start(cluster, &topic, &group);
        let mut chance = Chance(22);
        let mut acked = BTreeMap::new();
        let mut pending: BTreeSet<String> = BTreeSet::new();
        let mut times: BTreeMap<i64, usize> = BTreeMap::new();
        while acked.len() < values.len() {
            for (id, tuple) in ask(&mut storm, "next", "") {
                *times.entry(tuple[3].as_i64().unwrap()).or_default() += 1;
                assert!(pending.insert(id.clone()), "an id of its own");
                assert!(pending.len() <= 50, "no more than may be under way");
                if chance.below(4) == 0 {
                    assert!(ask(&mut storm, "fail", &id).is_empty());
                } else {
                    assert!(ask(&mut storm, "ack", &id).is_empty());
                    assert!(acked.insert(tuple[3].as_i64().unwrap(), tuple).is_none(), "acked twice");
                }
                pending.remove(&id);
            }
        }
        assert!(times.values().any(|times| *times > 2), "what fails comes again");
        for (offset, tuple) in &acked {
            let seen = day.get(usize::try_from(*offset).unwrap());
            let (contract, number) = seen.map_or((Value::Null, Value::Null), |seen| ("Toulouse".into(), seen.number.into()));
            assert_eq!((&tuple[0], &tuple[1], &tuple[2]), (&contract, &number, &Value::from(0)));
            let station: Value = serde_json::from_str(tuple[4].as_str().unwrap()).unwrap();
            assert_eq!(station, values[usize::try_from(*offset).unwrap()]);
        }
        eventually(|| { ask(&mut storm, "next", ""); committed(cluster, &group) == 301 }, || "not committed".into());
        assert_eq!(storm.cleanup(), (143, String::new()));
    }

    fn a_topic_that_is_not_there_yet_is_waited_for(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("storm"));
        let mut storm = start(cluster, &topic, &group);
        let said = reported(&mut storm).unwrap();
        assert!(said.contains(&topic) && said.ends_with(AGAIN), "{said}");
        create(cluster, &topic, 1);
        write(cluster, &topic, &a_day(3, 24).iter().map(Seen::json).collect::<Vec<_>>());
        let mut seen = 0;
        eventually(|| { seen += ask(&mut storm, "next", "").len(); seen == 3 }, || "not emitted".into());
        assert_eq!(storm.cleanup(), (143, String::new()));
    }

    fn what_was_not_acked_the_next_spout_emits_again(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("storm"));
        create(cluster, &topic, 1);
        write(cluster, &topic, &a_day(40, 23).iter().map(Seen::json).collect::<Vec<_>>());
        let mut storm = start(cluster, &topic, &group);
        let mut seen = Vec::new();
        while seen.len() < 40 {
            seen.extend(ask(&mut storm, "next", ""));
        }
        // All but one, so that only what is before it may be committed.
        for (id, tuple) in &seen {
            if tuple[3] != 25 {
                ask(&mut storm, "ack", id);
            }
        }
        ask(&mut storm, "deactivate", "");
        assert_eq!(storm.hang_up(), (0, String::new()));
        assert_eq!(committed(cluster, &group), 25);
        let mut storm = start(cluster, &topic, &group);
        let mut again = Vec::new();
        while again.len() < 15 {
            again.extend(ask(&mut storm, "next", ""));
        }
        assert_eq!(again[0].1[3], 25);
    }
}

#[test]
fn a_cluster_that_is_away_is_told_to_storm_and_not_on_stderr_and_tried_again() {
    let arguments = ["--bootstrap-server", "127.0.0.1:1", "storm", "spout"];
    let mut storm = FakeStorm::velo(&arguments, &[]);
    let said = reported(&mut storm).unwrap();
    assert!(said.contains("127.0.0.1:1") && said.ends_with(AGAIN), "{said}");
    // It goes on answering, without telling the same again.
    for _ in 0..3 {
        assert_ne!(reported(&mut storm), Some(said.clone()));
    }
    assert_eq!(storm.cleanup(), (143, String::new()));
}
