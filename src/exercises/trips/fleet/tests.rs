//! The fleet keeps its promises: its own account of what it sends is what the rules make of it.

use super::*;
use crate::exercises::stream::StoreValue;
use crate::exercises::stream::store::in_memory::InMemory;
use crate::exercises::trips::rules::{Memory, Verdict, take};
use std::collections::BTreeSet;

const NOW: i64 = 1_800_000_000_000;
const MUCH: Misfortunes = Misfortunes {
    late: 0.1,
    twice: 0.1,
    missing: 0.02,
    broken: 0.02,
    out_of_range: 0.1,
    disagree: 0.1,
    future: 0.05,
    again: 0.05,
};

fn fleet(seed: u64, misfortunes: Misfortunes) -> Fleet {
    Fleet::new(seed, 20, 0.3, misfortunes, NOW)
}

#[test]
fn the_same_seed_sends_the_same_and_another_seed_does_not() {
    let row = |seed| fleet(seed, MUCH).take(2_000).collect::<Vec<_>>();
    assert!(row(1) == row(1));
    assert!(row(1) != row(2));
}

#[test]
fn the_trips_that_it_says_are_whole_are_those_that_the_rules_put_together() {
    let memory = Memory {
        ttl_ms: 7 * 86_400_000,
        remember_ms: Some(7 * 86_400_000),
    };
    let mut store = InMemory::default();
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    let mut kinds = BTreeSet::new();
    for sent in fleet(7, MUCH).take(30_000) {
        expected.extend(sent.completes);
        let verdict = take(sent.value.as_deref(), NOW, memory, &mut store).unwrap();
        kinds.insert(
            format!("{verdict:?}")
                .split(['(', ' '])
                .next()
                .unwrap()
                .to_owned(),
        );
        if let Verdict::Whole(trip) = verdict {
            found.push(trip);
        }
    }
    assert_eq!(found, expected);
    assert!(expected.len() > 1_000, "{} trips", expected.len());
    let every = [
        "Disagrees",
        "FromTheFuture",
        "NoTrip",
        "Noted",
        "OutOfRange",
        "Repeated",
        "Undecodable",
        "Whole",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), every);
    let longest = store.0.values().map(|(_, state)| state.to_bytes().len()).max();
    assert!(longest < Some(100));
}

#[test]
fn without_misfortune_every_trip_becomes_whole() {
    let mut store = InMemory::default();
    let memory = Memory {
        ttl_ms: i64::MAX,
        remember_ms: None,
    };
    for sent in fleet(3, Misfortunes::default()).take(20_000) {
        let verdict = take(sent.value.as_deref(), NOW, memory, &mut store).unwrap();
        assert!(
            matches!(verdict, Verdict::NoTrip | Verdict::Noted | Verdict::Whole(_)),
            "{verdict:?}"
        );
    }
    // What is left is under way.
    assert!(store.0.len() < 100, "{} trips are not whole", store.0.len());
}

#[test]
fn no_clock_is_ahead_and_none_older_than_a_week_however_many_packets_there_are() {
    let sent = fleet(3, Misfortunes::default()).take(200_000);
    let clocks = sent.filter_map(|sent| Some(Heard::read(sent.value.as_deref()).ok()?.ts));
    let (least, most) = clocks.fold((i64::MAX, i64::MIN), |(least, most), ts| {
        (least.min(ts), most.max(ts))
    });
    assert!(least > NOW - 7 * 86_400_000 && most < NOW);
}
