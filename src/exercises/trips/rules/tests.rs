//! The rules, one by one, and against an oracle that remembers everything.

use super::*;
use crate::exercises::stream::StoreValue;
use crate::exercises::stream::store::in_memory::InMemory;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Kept = InMemory<Place, State>;

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 86_400_000;
const MEMORY: Memory = Memory {
    ttl_ms: 7 * DAY,
    remember_ms: Some(7 * DAY),
};
const FORGETFUL: Memory = Memory {
    ttl_ms: 7 * DAY,
    remember_ms: None,
};
const TRIP: Trip = Trip {
    device: 1,
    start: NOW - 1_000,
    end: NOW,
};

fn packet(trip: Trip, chunk: u32, chunks: u32) -> Vec<u8> {
    let Trip { device, start, end } = trip;
    let part = Chunk {
        start,
        end,
        chunk,
        chunks,
    };
    let (ts, trip) = (NOW, Some(part));
    Heard { ts, device, trip }.write(None)
}

fn send(store: &mut Kept, memory: Memory, chunk: u32, chunks: u32) -> Verdict {
    take(Some(&packet(TRIP, chunk, chunks)), NOW, memory, store).unwrap()
}

fn is_ignored(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::OutOfRange(_) | Verdict::Disagrees(..))
}

#[test]
fn the_last_missing_chunk_makes_the_trip_whole_once() {
    let mut store = Kept::default();
    assert_eq!(send(&mut store, MEMORY, 3, 3), Verdict::Noted);
    assert_eq!(send(&mut store, MEMORY, 1, 3), Verdict::Noted);
    assert_eq!(send(&mut store, MEMORY, 3, 3), Verdict::Repeated);
    assert_eq!(send(&mut store, MEMORY, 2, 3), Verdict::Whole(TRIP));
    for chunk in 1..=3 {
        assert_eq!(send(&mut store, MEMORY, chunk, 3), Verdict::Repeated);
    }
}

#[test]
fn without_a_memory_a_trip_sent_whole_again_is_emitted_again() {
    let mut store = Kept::default();
    for _ in 0..2 {
        assert_eq!(send(&mut store, FORGETFUL, 1, 2), Verdict::Noted);
        assert_eq!(send(&mut store, FORGETFUL, 2, 2), Verdict::Whole(TRIP));
        assert!(store.0.is_empty());
    }
    assert_eq!(send(&mut store, FORGETFUL, 1, 1), Verdict::Whole(TRIP));
    assert_eq!(send(&mut store, FORGETFUL, 1, 1), Verdict::Whole(TRIP));
}

#[test]
fn chunks_that_cannot_be_are_ignored_and_leave_nothing() {
    let mut store = Kept::default();
    for (chunk, chunks) in [
        (0, 3),
        (4, 3),
        (1, 0),
        (0, 0),
        (u32::MAX, u32::MAX - 1),
        (0, 1),
        (2, 1),
    ] {
        assert!(
            is_ignored(&send(&mut store, MEMORY, chunk, chunks)),
            "{chunk} of {chunks}"
        );
    }
    assert!(store.0.is_empty());
}

#[test]
fn a_trip_of_one_chunk_is_emitted_at_once() {
    let mut store = Kept::default();
    assert_eq!(send(&mut store, MEMORY, 1, 1), Verdict::Whole(TRIP));
    assert_eq!(send(&mut store, MEMORY, 1, 1), Verdict::Repeated);
}

#[test]
fn who_disagrees_with_the_first_about_the_number_is_ignored() {
    let mut store = Kept::default();
    assert_eq!(send(&mut store, MEMORY, 1, 3), Verdict::Noted);
    assert!(is_ignored(&send(&mut store, MEMORY, 2, 2)));
    // That one comes before: one chunk of one is a whole trip.
    assert_eq!(send(&mut store, MEMORY, 1, 1), Verdict::Whole(TRIP));
    assert_eq!(send(&mut store, MEMORY, 2, 3), Verdict::Repeated);
    assert!(is_ignored(&send(&mut store, MEMORY, 2, 2)));
}

#[test]
fn a_trip_of_as_many_chunks_as_there_are_numbers_takes_no_memory_for_them() {
    let mut store = Kept::default();
    for chunk in [u32::MAX, 1, u32::MAX - 1, 1 << 31, 65_536, 65_537] {
        assert_eq!(send(&mut store, MEMORY, chunk, u32::MAX), Verdict::Noted);
        assert_eq!(send(&mut store, MEMORY, chunk, u32::MAX), Verdict::Repeated);
    }
    let bytes: usize = store.0.values().map(|(_, state)| state.to_bytes().len()).sum();
    assert!(
        store.0.len() == 4 && bytes < 300,
        "{} states, {bytes} bytes",
        store.0.len()
    );
}

#[test]
fn a_trip_of_several_blocks_becomes_whole_and_leaves_a_mark_alone() {
    let mut store = Kept::default();
    let chunks = 2 * BLOCK + 3;
    for chunk in (2..=chunks).rev() {
        let verdict = note_directly(&mut store, chunk, chunks);
        assert_eq!(verdict, Verdict::Noted);
    }
    assert_eq!(store.0.len(), 3);
    assert_eq!(note_directly(&mut store, 1, chunks), Verdict::Whole(TRIP));
    assert_eq!(store.0.len(), 1);
}

fn note_directly(store: &mut Kept, chunk: u32, chunks: u32) -> Verdict {
    let part = Chunk {
        start: TRIP.start,
        end: TRIP.end,
        chunk,
        chunks,
    };
    note(TRIP, part, MEMORY, store).unwrap()
}

#[test]
fn a_clock_that_is_ahead_by_more_than_an_hour_is_not_believed() {
    let mut store = Kept::default();
    let at = |ts| Heard {
        ts,
        device: 1,
        trip: Some(Chunk {
            start: 1,
            end: 2,
            chunk: 1,
            chunks: 1,
        }),
    };
    let mut take = |ts| take(Some(&at(ts).write(None)), NOW, FORGETFUL, &mut store).unwrap();
    assert!(matches!(take(NOW + AHEAD_MS), Verdict::Whole(_)));
    assert_eq!(take(NOW + AHEAD_MS + 1), Verdict::FromTheFuture(AHEAD_MS + 1));
    assert!(matches!(take(i64::MAX), Verdict::FromTheFuture(_)));
    assert!(matches!(take(i64::MIN), Verdict::Whole(_)));
}

#[test]
fn what_is_no_packet_and_what_is_of_no_trip_is_told_apart() {
    let mut store = Kept::default();
    let mut take = |value: Option<&[u8]>| take(value, NOW, MEMORY, &mut store).unwrap();
    assert!(matches!(take(None), Verdict::Undecodable(_)));
    assert!(matches!(take(Some(b"")), Verdict::Undecodable(_)));
    let (ts, device, trip) = (NOW + 2 * AHEAD_MS, 1, None);
    let stream = Heard { ts, device, trip }.write(None);
    assert_eq!(take(Some(&stream)), Verdict::NoTrip);
}

#[test]
fn states_go_when_their_trip_started_longer_ago_than_the_time_to_live() {
    let mut store = Kept::default();
    let trip = |device, age| Trip {
        device,
        start: NOW - age,
        end: NOW,
    };
    let begun = [trip(1, 7 * DAY), trip(2, 7 * DAY + 1), trip(3, 30 * DAY)];
    for trip in begun {
        take(Some(&packet(trip, 1, 200_000)), NOW, MEMORY, &mut store).unwrap();
        take(Some(&packet(trip, 150_000, 200_000)), NOW, MEMORY, &mut store).unwrap();
    }
    take(Some(&packet(trip(4, 8 * DAY), 1, 1)), NOW, MEMORY, &mut store).unwrap();
    let (dropped, more) = expire(NOW, MEMORY, None, &mut store).unwrap();
    let devices: Vec<_> = dropped
        .iter()
        .map(|gone| (gone.trip.device, gone.waiting))
        .collect();
    let waited = Some((2, 200_000));
    assert_eq!(devices, [(3, waited), (4, None), (2, waited)]);
    assert_eq!(more, None);
    assert_eq!(store.0.len(), 2);
    assert_eq!(expire(NOW, MEMORY, None, &mut store).unwrap(), (Vec::new(), None));
}

#[test]
fn marks_may_be_kept_for_less_or_for_longer_than_states() {
    for (remember_days, left) in [(1, vec![2]), (30, vec![2, 3])] {
        let memory = Memory {
            ttl_ms: 7 * DAY,
            remember_ms: Some(remember_days * DAY),
        };
        let mut store = Kept::default();
        for (device, age, chunks) in [(1, 8 * DAY, 2), (2, 6 * DAY, 2), (3, 8 * DAY, 1)] {
            let trip = Trip {
                device,
                start: NOW - age,
                end: NOW,
            };
            take(Some(&packet(trip, 1, chunks)), NOW, memory, &mut store).unwrap();
        }
        expire(NOW, memory, None, &mut store).unwrap();
        let mut devices: Vec<i64> = store.0.values().map(|(place, _)| place.trip.device).collect();
        devices.sort_unstable();
        assert_eq!(devices, left);
    }
}

#[test]
fn marks_that_are_kept_for_longer_hide_nothing_that_expires_behind_them() {
    let memory = Memory {
        ttl_ms: DAY,
        remember_ms: Some(30 * DAY),
    };
    let mut store = Kept::default();
    let old = |device, age| Trip {
        device,
        start: NOW - age,
        end: NOW,
    };
    for device in 0..2 * SWEEP as i64 {
        store.put(Place::of(old(device, 5 * DAY)), State::Emitted { chunks: 1 });
    }
    take(Some(&packet(old(-1, 2 * DAY), 1, 2)), NOW, memory, &mut store).unwrap();
    let (mut after, mut dropped) = (None, Vec::new());
    loop {
        let (more, next) = expire(NOW, memory, after, &mut store).unwrap();
        dropped.extend(more);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].trip.device, -1);
}

/// The slow way: every packet that ever came, looked through from the first for each trip.
fn oracle(packets: &[(Trip, u32, u32)]) -> BTreeSet<Trip> {
    let mut whole = BTreeSet::new();
    let mut all: BTreeMap<Trip, Vec<(u32, u32)>> = BTreeMap::new();
    for (trip, chunk, chunks) in packets {
        if *chunk >= 1 && chunk <= chunks {
            all.entry(*trip).or_default().push((*chunk, *chunks));
        }
    }
    for (trip, parts) in all {
        let first = parts.iter().map(|(_, chunks)| *chunks).find(|chunks| *chunks > 1);
        let said = first.map(|first| {
            let agreeing = parts.iter().filter(|(_, chunks)| *chunks == first);
            let came: BTreeSet<u32> = agreeing.map(|(chunk, _)| *chunk).collect();
            (1..=first).all(|chunk| came.contains(&chunk))
        });
        if said == Some(true) || parts.iter().any(|(_, chunks)| *chunks == 1) {
            whole.insert(trip);
        }
    }
    whole
}

proptest! {
    #[test]
    fn every_trip_that_is_whole_is_emitted_once_whatever_comes_in_whatever_order(
        packets in proptest::collection::vec((0_i64..3, 0_i64..2, 0_u32..5, 0_u32..5), 0..120),
    ) {
        let packets: Vec<_> = packets
            .into_iter()
            .map(|(device, end, chunk, chunks)| (Trip { device, start: NOW, end: NOW + end }, chunk, chunks))
            .collect();
        let mut store = Kept::default();
        let mut emitted = Vec::new();
        for (trip, chunk, chunks) in &packets {
            let verdict = take(Some(&packet(*trip, *chunk, *chunks)), NOW, MEMORY, &mut store).unwrap();
            if let Verdict::Whole(trip) = verdict {
                emitted.push(trip);
            }
        }
        let once: BTreeSet<Trip> = emitted.iter().copied().collect();
        prop_assert_eq!(once.len(), emitted.len());
        prop_assert_eq!(once, oracle(&packets));
    }

    #[test]
    fn any_order_and_repetition_of_all_chunks_makes_one_trip(
        order in Just((1_u32..=40).flat_map(|chunk| [chunk, chunk]).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut store = Kept::default();
        let verdicts: Vec<Verdict> =
            order.iter().map(|chunk| send(&mut store, MEMORY, *chunk, 40)).collect();
        prop_assert_eq!(verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Whole(_))).count(), 1);
        prop_assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Repeated).count(), 40);
    }
}
