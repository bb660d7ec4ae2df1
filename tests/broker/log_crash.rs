//! What a crash leaves on the disk is found again: torn tails go, acknowledged batches stay, indexes are built anew.

use super::log_support::{Bench, NOW, Seen, Sent, append, read_all, values};
use proptest::prelude::*;
use std::fs;
use std::sync::Arc;
use velodrome::broker::log::checkpoint::mark_clean;
use velodrome::broker::log::{By, LogConfig, PartitionLog, ReadLimit};
use velodrome::broker::world::Disk;

fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 500,
        index_interval_bytes: 100,
        ..LogConfig::default()
    }
}

/// A log of `count` batches, dropped without closing; what it held.
fn crashed(bench: &Bench, count: i64) -> Vec<Seen> {
    let log = bench.open();
    for n in 0..count {
        append(
            &log,
            &Sent::values(NOW + n, &[format!("value {n}"), "second".to_owned()]),
        );
    }
    read_all(&log, 0, 1 << 20)
}

fn reopened(bench: &Bench) -> PartitionLog {
    let log = bench.open();
    log.set_high_watermark(log.log_end_offset());
    log
}

#[test]
fn a_tail_torn_at_any_byte_of_the_last_batch_loses_that_batch_alone() {
    let last = Sent::values(NOW, &["the last one"]).bytes().len() as u64;
    for lost in 1..=last {
        let bench = Bench::new(LogConfig::default());
        let expected = crashed(&bench, 3);
        append(&reopened(&bench), &Sent::values(NOW, &["the last one"]));
        let segment = fs::OpenOptions::new().write(true).open(bench.segment(0)).unwrap();
        segment.set_len(segment.metadata().unwrap().len() - lost).unwrap();

        let log = reopened(&bench);
        assert_eq!(read_all(&log, 0, 1 << 20), expected, "{lost} bytes lost");
        assert_eq!(append(&log, &Sent::values(NOW, &["again"])), 6);
    }
}

#[test]
fn a_byte_that_changed_ends_the_log_before_its_batch() {
    let bench = Bench::new(LogConfig::default());
    let expected = crashed(&bench, 10);
    let whole = fs::read(bench.segment(0)).unwrap();
    let batch = whole.len() / 10;
    // A byte of its records, and the highest of its offset, which the checksum does not cover.
    for at in [5 * batch + 70, 5 * batch] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        fs::write(bench.segment(0), &bytes).unwrap();
        let log = reopened(&bench);
        assert_eq!(log.log_end_offset(), 10);
        assert_eq!(read_all(&log, 0, 1 << 20), expected[..10]);
    }
}

#[test]
fn damaged_and_missing_indexes_are_built_again() {
    for clean in [false, true] {
        for damage in ["flip", "cut", "remove", "empty", "zeros"] {
            let bench = Bench::new(small_segments());
            let expected = crashed(&bench, 40);
            if clean {
                reopened(&bench).close().unwrap();
                mark_clean(&Disk::files(), bench.folder.path(), -1).unwrap();
            }
            for name in bench.files().iter().filter(|name| name.ends_with("index")) {
                let path = bench.dir().join(name);
                let mut bytes = fs::read(&path).unwrap();
                match damage {
                    "flip" => bytes.iter_mut().for_each(|byte| *byte ^= 0xff),
                    "cut" => bytes.truncate(bytes.len().saturating_sub(3)),
                    "empty" => bytes.clear(),
                    "zeros" => bytes.extend_from_slice(&[0; 240]),
                    _ => fs::remove_file(&path).unwrap(),
                }
                if damage != "remove" {
                    fs::write(&path, &bytes).unwrap();
                }
            }
            let log = reopened(&bench);
            assert_eq!(read_all(&log, 0, 200), expected, "{damage}, clean: {clean}");
            let found = log.offset_for_timestamp(NOW + 31).unwrap().unwrap();
            assert_eq!(found.offset, 62, "{damage}, clean: {clean}");
        }
    }
}

#[test]
fn an_index_damaged_under_a_running_log_costs_time_and_no_record() {
    let bench = Bench::new(small_segments());
    let expected = crashed(&bench, 40);
    let log = reopened(&bench);
    log.flush().unwrap();
    for name in bench.files().iter().filter(|name| name.ends_with("index")) {
        let path = bench.dir().join(name);
        let noise: Vec<u8> = fs::read(&path)
            .unwrap()
            .iter()
            .map(|byte| byte.wrapping_add(7))
            .collect();
        fs::write(&path, noise).unwrap();
    }
    assert_eq!(read_all(&log, 0, 200), expected);
}

#[test]
fn records_deleted_before_a_crash_stay_deleted() {
    let bench = Bench::new(small_segments());
    let expected = crashed(&bench, 40);
    let log = reopened(&bench);
    assert_eq!(log.delete_records(33).unwrap(), 33);
    assert!(log.delete_records(81).is_err());
    drop(log);
    let log = reopened(&bench);
    assert_eq!(log.log_start_offset(), 33);
    assert!(log.read(32, 100, true, ReadLimit::LogEnd).is_err());
    assert_eq!(read_all(&log, 33, 1 << 20), expected[33..]);
    log.apply_retention().unwrap();
    assert!(
        !bench.segment(0).exists(),
        "the segments below the start are gone"
    );
    assert_eq!(log.delete_records(-1).unwrap(), 80);
}

#[test]
fn truncation_takes_back_records_epochs_and_the_high_watermark() {
    let bench = Bench::new(small_segments());
    let log = bench.open();
    for n in 0..30 {
        log.append_as_leader(
            Sent::values(NOW + n, &[format!("value {n}")]).bytes(),
            i32::try_from(n / 10).unwrap(),
        )
        .unwrap();
    }
    log.set_high_watermark(30);
    assert_eq!(log.end_offset_for_epoch(0), (0, 10));
    assert_eq!(log.end_offset_for_epoch(2), (2, 30));
    assert_eq!(log.end_offset_for_epoch(3), (-1, -1));
    log.truncate_to(17).unwrap();
    assert_eq!(
        (log.log_end_offset(), log.high_watermark(), log.latest_epoch()),
        (17, 17, 1)
    );
    assert_eq!(append(&log, &Sent::values(NOW, &["new"])), 17);
    assert_eq!(
        values(&read_all(&log, 15, 1 << 20)),
        ["value 15", "value 16", "new"]
    );
    drop(log);
    let log = reopened(&bench);
    assert_eq!(log.log_end_offset(), 18);
    log.truncate_fully_and_start_at(1000).unwrap();
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset(), log.latest_epoch()),
        (1000, 1000, -1)
    );
    assert_eq!(append(&log, &Sent::values(NOW, &["far"])), 1000);
}

#[test]
fn a_follower_keeps_the_leaders_offsets_and_epochs() {
    let (leader, follower) = (Bench::new(small_segments()), Bench::new(small_segments()));
    let expected = crashed(&leader, 20);
    let (from, to) = (reopened(&leader), follower.open());
    while to.log_end_offset() < from.log_end_offset() {
        let fetched = from
            .read(to.log_end_offset(), 300, true, ReadLimit::LogEnd)
            .unwrap();
        to.append(fetched.records, By::Follower).unwrap();
    }
    to.set_high_watermark(40);
    assert_eq!(read_all(&to, 0, 1 << 20), expected);
    assert_eq!(
        fs::read(leader.segment(0)).unwrap(),
        fs::read(follower.segment(0)).unwrap()
    );
    let again = from.read(0, 300, true, ReadLimit::LogEnd).unwrap();
    assert!(
        to.append(again.records, By::Follower).is_err(),
        "offsets must rise"
    );
}

#[test]
fn a_deleted_log_makes_room_for_one_of_the_same_name() {
    let bench = Bench::new(small_segments());
    crashed(&bench, 20);
    let old = reopened(&bench);
    old.delete().unwrap();
    assert!(!bench.dir().exists());
    assert!(
        old.append_as_leader(Sent::values(NOW, &["x"]).bytes(), 0)
            .is_err()
    );
    let new = bench.open();
    assert_eq!((new.log_end_offset(), new.high_watermark()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn whatever_lies_in_the_folder_opening_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0usize..4), 1..12),
        clean in any::<bool>(),
        recovery_point in prop::option::of(0i64..100),
    ) {
        let bench = Bench::new(small_segments());
        crashed(&bench, 20);
        if clean {
            mark_clean(&Disk::files(), bench.folder.path(), -1).unwrap();
        }
        if let Some(offset) = recovery_point {
            let text = format!("0\n1\ntopic 0 {offset}\n");
            fs::write(bench.folder.path().join("recovery-point-offset-checkpoint"), text).unwrap();
        }
        for (file, place, byte, kind) in edits {
            let files = bench.files();
            let path = bench.dir().join(file.get(&files));
            let mut bytes = fs::read(&path).unwrap();
            if bytes.is_empty() {
                continue;
            }
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.extend(std::iter::repeat_n(byte, at)),
                _ => bytes.rotate_left(at),
            }
            fs::write(&path, &bytes).unwrap();
        }
        let opened = PartitionLog::open(&bench.dir(), Arc::new(bench.config.clone()), bench.clock.clone());
        if let Ok(log) = opened {
            log.set_high_watermark(log.log_end_offset());
            let start = log.log_start_offset();
            let _ = log.read(start, 1 << 20, true, ReadLimit::LogEnd);
            let _ = log.offset_for_timestamp(NOW + 5);
            let _ = log.max_timestamp();
            let _ = log.apply_retention();
            let end = log.log_end_offset();
            if end < i64::MAX / 2 {
                let offset = append(&log, &Sent::values(NOW, &["still works"]));
                prop_assert_eq!(offset, end);
                prop_assert_eq!(values(&read_all(&log, end, 1 << 20)), ["still works"]);
            }
        }
    }
}

#[test]
fn an_epoch_without_records_goes_with_a_cut_where_nothing_else_does() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    for epoch in [1, 4] {
        let sent = Sent::values(NOW, &["one"]).bytes();
        log.append_as_leader(sent, epoch).unwrap();
    }
    log.set_high_watermark(2);
    log.truncate_to(2).unwrap();
    assert_eq!(log.latest_epoch(), 4, "it has a record");
    log.delete_records(2).unwrap();
    assert_eq!(log.latest_epoch(), 4, "what is written next follows it");
    log.truncate_to(2).unwrap();
    assert_eq!((log.latest_epoch(), log.log_end_offset()), (-1, 2));
}
