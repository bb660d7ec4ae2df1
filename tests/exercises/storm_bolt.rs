//! `velo storm bolt` under a parent that is as strict as Storm.

use super::storm_support::{Chance, EMPTY, FakeStorm, Seen, Sent, a_day, event, expected};
use super::velib_support::{create, write};
use crate::support::cluster::Cluster;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FIELDS: [&str; 5] = ["topic", "partition", "offset", "key", "value"];

fn bolt() -> FakeStorm {
    FakeStorm::velo(&["storm", "bolt"], &FIELDS)
}

/// As KafkaSpout emits it.
fn tuple(offset: usize, seen: &Seen) -> Value {
    json!([
        "velib-stations",
        0,
        offset,
        seen.number.to_string(),
        seen.json().to_string()
    ])
}

#[test]
fn each_event_is_told_once_and_anchored_to_its_cause() {
    let mut storm = bolt();
    let day = a_day(2_000, 1);
    for (offset, seen) in day.iter().enumerate() {
        storm.station(tuple(offset, seen));
    }
    storm.settle();
    let told: BTreeSet<_> = storm.events().into_iter().collect();
    assert_eq!(told, expected(&day));
    assert_eq!(told.len(), storm.emitted.len());
    for (anchor, emitted) in &storm.emitted {
        let cause: Value = serde_json::from_str(anchor.tuple[4].as_str().unwrap()).unwrap();
        assert_eq!(
            (&cause["number"], &cause["last_update"]),
            (&emitted[1], &emitted[3])
        );
    }
    assert_eq!(storm.cleanup(), (143, String::new()));
}

#[test]
fn a_replay_tells_its_event_again_among_heartbeats_ticks_and_poison_and_nothing_is_invented() {
    let mut storm = bolt();
    let day = a_day(1_500, 2);
    let all = expected(&day);
    let mut chance = Chance(3);
    let mut beats = 0;
    for (offset, seen) in day.iter().enumerate() {
        storm.station(tuple(offset, seen));
        for _ in 0..chance.below(3) {
            let again = chance.below(offset as i64 + 1) as usize;
            storm.settle();
            let before = storm.emitted.len();
            storm.station(tuple(again, &day[again]));
            storm.settle();
            let told: Vec<_> = storm.emitted[before..]
                .iter()
                .map(|(_, tuple)| event(tuple))
                .collect();
            let due = all.iter().filter(|event| event.2 == day[again].at).cloned();
            assert_eq!(told, due.collect::<Vec<_>>(), "replay of {again}");
        }
        match chance.below(8) {
            0 => drop(storm.tick()),
            1 => {
                storm.heartbeat();
                beats += 1;
            }
            2 => drop(storm.station(json!(["velib-stations", 0, offset, null, "no station"]))),
            3 => drop(storm.station(json!([null, {"a": []}]))),
            4 => storm.write(&json!([2, 7])),
            _ => {}
        }
    }
    storm.settle();
    while storm.syncs < beats {
        storm.serve();
    }
    assert_eq!(storm.syncs, beats);
    let told: BTreeSet<_> = storm.events().into_iter().collect();
    assert_eq!(told, all);
    assert!(storm.emitted.len() > all.len(), "some were told again");
    let poison = storm
        .logged
        .iter()
        .filter(|said| said.contains("acked without an event"))
        .count();
    assert!((1..20).contains(&poison), "named once in a while: {poison}");
    assert_eq!(storm.hang_up(), (0, String::new()));
}

#[test]
fn a_tuple_that_failed_downstream_comes_again_with_its_event_until_it_is_taken() {
    let mut storm = bolt();
    let day = a_day(400, 4);
    let mut chance = Chance(5);
    let mut taken = BTreeSet::new();
    // What fails is sent again later, when others of its station have come.
    let mut waiting: Vec<(usize, usize)> = day
        .iter()
        .enumerate()
        .map(|(offset, _)| (offset, offset))
        .collect();
    let mut rounds = 0;
    while !waiting.is_empty() {
        let mut again = Vec::new();
        for (_, offset) in waiting {
            let before = storm.emitted.len();
            storm.station(tuple(offset, &day[offset]));
            storm.settle();
            let told = storm.emitted[before..]
                .iter()
                .map(|(_, tuple)| event(tuple))
                .collect::<Vec<_>>();
            // The bolt behind it fails the tuple in a third of all cases.
            if chance.below(3) == 0 {
                again.push((chance.number() as usize, offset));
            } else {
                taken.extend(told);
            }
        }
        again.sort_unstable();
        waiting = again;
        rounds += 1;
    }
    assert!(rounds > 2);
    assert_eq!(taken, expected(&day));
}

#[test]
fn heartbeats_are_answered_while_tuples_wait_to_be_worked_on() {
    let mut storm = bolt();
    let day = a_day(20_000, 6);
    for (offset, seen) in day.iter().enumerate() {
        storm.station(tuple(offset, seen));
        if offset % 1_000 == 999 {
            storm.heartbeat();
        }
        // Storm reads while it writes.
        while offset > 2_000 && storm.live.len() > 1_000 {
            storm.serve();
        }
    }
    storm.settle();
    while storm.syncs < 20 {
        storm.serve();
    }
    assert_eq!(
        storm.events().into_iter().collect::<BTreeSet<_>>(),
        expected(&day)
    );
}

#[test]
fn a_bolt_that_was_killed_knows_again_what_came_before_if_it_may_look_into_the_topic() {
    let cluster = Cluster::classroom();
    let topic = cluster.name("stations");
    create(&cluster, &topic, 1);
    let day = a_day(600, 8);
    write(&cluster, &topic, &day.iter().map(Seen::json).collect::<Vec<_>>());
    let start = || {
        let arguments = [
            "--bootstrap-server",
            cluster.bootstrap(),
            "storm",
            "bolt",
            "--topic",
            &topic,
        ];
        FakeStorm::velo(&arguments, &FIELDS)
    };
    let mut told = BTreeSet::new();
    let mut unanswered: Vec<Sent> = Vec::new();
    for part in [0..200, 200..400, 400..600] {
        let mut storm = start();
        for sent in unanswered.drain(..) {
            storm.send(sent);
        }
        for offset in part.clone() {
            storm.station(tuple(offset, &day[offset]));
        }
        // Killed with a part of them unanswered; but not the last one.
        let left = if part.end == day.len() { 0 } else { 60 };
        while storm.live.len() > left {
            storm.serve();
        }
        // Of the tree of an unanswered tuple nothing counts.
        let (left, events) = storm.kill();
        unanswered = left;
        told.extend(events);
    }
    assert_eq!(told, expected(&day));
}

#[test]
fn what_is_not_storm_ends_with_what_to_type() {
    let home = crate::support::velo::Home::new();
    let output = home
        .command(&["storm", "bolt"])
        .write_stdin("hello\nend\n")
        .output()
        .unwrap();
    let ended = crate::support::velo::Ended::of(output).fails_with(1);
    assert!(ended.stderr.contains("hint: velo storm flux"), "{}", ended.stderr);
    assert_eq!(home.velo(&["storm", "bolt"]).succeeds().stdout, "");
}

#[test]
fn tuples_whose_fields_have_other_names_are_read_as_well() {
    let mut storm = FakeStorm::velo(&["storm", "bolt"], &["contract", "number", "offset", "station"]);
    let seen = |bikes, at| Seen { number: 7, bikes, at };
    for (offset, seen) in [seen(2, 1), seen(0, 2), seen(0, 3)].iter().enumerate() {
        storm.station(json!(["Toulouse", 7, offset, seen.json().to_string()]));
    }
    storm.settle();
    assert_eq!(storm.events(), [(7, EMPTY.to_owned(), 2)]);
}
