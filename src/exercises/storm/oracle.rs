//! Which events there are, found the slow and simple way, and what the memory makes of the same records in any order.

use super::{Event, Memory, Position, Told};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A record: station, offset, whether it is empty.
type Record = (i64, i64, bool);
/// An event: station, offset of its cause, what it is.
type Cause = (i64, i64, Event);

/// For each record the one before it of the same station, looked for anew each time.
fn expected(records: &[Record]) -> BTreeSet<Cause> {
    let before = |number: i64, offset: i64| {
        let earlier = records
            .iter()
            .filter(|record| record.0 == number && record.1 < offset);
        earlier.max_by_key(|record| record.1)
    };
    let changed = |record: &&Record| before(record.0, record.1).is_some_and(|before| before.2 != record.2);
    let told = records.iter().filter(changed);
    told.map(|(number, offset, empty)| (*number, *offset, Event::of(*empty)))
        .collect()
}

fn look(memory: &mut Memory, (number, offset, empty): Record) -> Vec<Cause> {
    let at = Position { partition: 0, offset };
    // What is told of an event is when its own record was written.
    let told = memory.look("Toulouse", number, at, empty, Some(offset));
    told.into_iter()
        .map(|Told { event, last_update }| (number, last_update.unwrap_or(-1), event))
        .collect()
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec((0..4_i64, 1..3_i64, any::<bool>()), 1..120).prop_map(|all| {
        let at = all.into_iter().scan(0, |at, (number, gap, empty)| {
            *at += gap;
            Some((number, *at, empty))
        });
        at.collect()
    })
}

proptest! {
    #[test]
    fn in_order_each_event_is_told_by_its_cause_and_by_nothing_else(records in records()) {
        let mut memory = Memory::default();
        let told: Vec<Cause> = records.iter().flat_map(|record| look(&mut memory, *record)).collect();
        let once: BTreeSet<Cause> = told.iter().copied().collect();
        prop_assert_eq!(told.len(), once.len());
        prop_assert_eq!(once, expected(&records));
    }

    #[test]
    fn a_replay_tells_again_what_its_record_told_and_nothing_more(
        records in records(),
        replays in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..200),
    ) {
        let expected = expected(&records);
        let of = |record: &Record| -> Vec<Cause> {
            expected.iter().copied().filter(|cause| (cause.0, cause.1) == (record.0, record.1)).collect()
        };
        let mut memory = Memory::default();
        for (so_far, record) in records.iter().enumerate() {
            prop_assert_eq!(look(&mut memory, *record), of(record));
            for (when, which) in &replays {
                if when.index(records.len()) == so_far {
                    let again = records[which.index(so_far + 1)];
                    prop_assert_eq!(look(&mut memory, again), of(&again));
                }
            }
        }
    }

    #[test]
    fn in_whatever_order_records_first_come_no_change_is_left_out(
        records in records().prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
    ) {
        let (records, shuffled) = records;
        let mut memory = Memory::default();
        let mut told: Vec<(i64, Event)> = Vec::new();
        for record in &shuffled {
            told.extend(look(&mut memory, *record).into_iter().map(|(number, _, event)| (number, event)));
        }
        // Each change is told, by whichever record made it known; in the end the memory knows them as if in order.
        for (number, _, event) in expected(&records) {
            let changes = expected(&records).iter().filter(|cause| (cause.0, cause.2) == (number, event)).count();
            let times = told.iter().filter(|told| **told == (number, event)).count();
            prop_assert!(times >= changes, "{times} of {changes}: {event:?} of {number}");
        }
        for number in 0..4 {
            let last = records.iter().rev().find(|record| record.0 == number);
            if let Some((_, _, empty)) = last {
                let next = look(&mut memory, (number, 1_000, !empty));
                prop_assert_eq!(next, vec![(number, 1_000, Event::of(!empty))]);
            }
        }
    }

    #[test]
    fn a_short_memory_forgets_old_changes_and_invents_none(records in records(), limit in 0..6_usize) {
        let mut memory = Memory::of(limit);
        let expected = expected(&records);
        let mut told: BTreeSet<Cause> = records.iter().flat_map(|record| look(&mut memory, *record)).collect();
        prop_assert_eq!(&told, &expected);
        told.extend(records.iter().flat_map(|record| look(&mut memory, *record)));
        prop_assert_eq!(told, expected);
    }
}

#[test]
fn of_several_partitions_the_newest_record_counts() {
    let mut memory = Memory::default();
    let mut look = |partition: i32, offset: i64, empty: bool, last_update: i64| -> Vec<Event> {
        let at = Position { partition, offset };
        let told = memory.look("Lyon", 5, at, empty, Some(last_update));
        told.into_iter().map(|told| told.event).collect()
    };
    assert_eq!(look(0, 0, false, 1), []);
    assert_eq!(look(7, 0, true, 3), [Event::Empty]);
    assert_eq!(look(3, 0, false, 2), [], "old news");
    assert_eq!(look(0, 1, true, 4), [], "known already");
    assert_eq!(look(0, 2, false, 5), [Event::NoLongerEmpty]);
    assert_eq!(look(7, 0, true, 3), [Event::Empty], "a replay");
    assert_eq!(look(0, 2, false, 5), [Event::NoLongerEmpty], "a replay");
    assert_eq!(look(7, 1, false, 6), []);
}

#[test]
fn a_station_is_its_contracts_own() {
    let mut memory = Memory::default();
    let at = |offset: i64| Position { partition: 0, offset };
    assert!(memory.look("Lyon", 5, at(0), false, None).is_empty());
    assert!(memory.look("Nantes", 5, at(1), true, None).is_empty());
    assert_eq!(memory.look("Lyon", 5, at(2), true, None).len(), 1);
    assert_eq!(memory.stations(), 2);
    memory.forget(0);
    assert_eq!(memory.stations(), 0);
    assert!(
        memory.look("Lyon", 5, at(9), false, None).is_empty(),
        "a first sight"
    );
}

#[test]
fn a_record_that_comes_late_tells_the_changes_that_it_makes() {
    let mut memory = Memory::default();
    assert_eq!(look(&mut memory, (1, 10, false)), []);
    assert_eq!(look(&mut memory, (1, 30, false)), []);
    let both = [(1, 20, Event::Empty), (1, 30, Event::NoLongerEmpty)];
    assert_eq!(look(&mut memory, (1, 20, true)), both);
    assert_eq!(look(&mut memory, (1, 20, true)), both, "replayed");
    assert_eq!(look(&mut memory, (1, 30, false)), []);
    // A bolt that was started anew sees the younger record first.
    let mut memory = Memory::default();
    assert_eq!(look(&mut memory, (1, 11, true)), []);
    assert_eq!(look(&mut memory, (1, 10, false)), [(1, 11, Event::Empty)]);
    assert_eq!(look(&mut memory, (1, 10, false)), [(1, 11, Event::Empty)]);
    assert_eq!(look(&mut memory, (1, 11, true)), []);
}
