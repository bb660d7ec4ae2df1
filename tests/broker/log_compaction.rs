//! Compaction keeps the last value of every key, and nothing that is older.

use super::log_support::{Bench, NOW, Sent, append, read_all};
use std::collections::BTreeMap;
use std::time::Duration;
use velodrome::broker::log::{CleanupPolicy, LogConfig};

fn compacted() -> LogConfig {
    LogConfig {
        segment_bytes: 400,
        cleanup_policy: CleanupPolicy {
            delete: false,
            compact: true,
        },
        min_cleanable_dirty_ratio: 0.01,
        delete_retention_ms: 10_000,
        ..LogConfig::default()
    }
}

#[test]
fn the_last_value_of_each_key_stays_at_its_offset() {
    let bench = Bench::new(compacted());
    let log = bench.open();
    let mut model = BTreeMap::new();
    for n in 0..200 {
        let (key, value) = (format!("key {}", n % 7), format!("value {n}"));
        let offset = append(&log, &Sent::keyed(NOW + n, &key, Some(&value)));
        model.insert(key, (offset, value));
    }
    let before = log.size();
    assert!(log.compact().unwrap());
    assert!(log.size() < before / 2);
    let check = |seen: Vec<super::log_support::Seen>| {
        let mut last = BTreeMap::new();
        for (offset, _, key, value) in seen {
            last.insert(key.unwrap(), (offset, value.unwrap()));
        }
        assert_eq!(last, model);
    };
    check(read_all(&log, 0, 1 << 20));
    assert_eq!(log.log_end_offset(), 200);
    assert!(!log.compact().unwrap(), "nothing is dirty any more");
    drop(log);
    let log = bench.open();
    log.set_high_watermark(200);
    check(read_all(&log, 0, 100));
}

#[test]
fn a_tombstone_stays_for_delete_retention_ms_and_then_goes() {
    let bench = Bench::new(compacted());
    let log = bench.open();
    append(&log, &Sent::keyed(NOW, "gone", Some("value")));
    append(&log, &Sent::keyed(NOW, "gone", None));
    let fill = |from: i64| {
        (from..from + 20).for_each(|n| {
            append(&log, &Sent::keyed(NOW + n, &format!("key {n}"), Some("value")));
        })
    };
    let tombstones = || {
        let seen = read_all(&log, 0, 1 << 20);
        seen.iter()
            .filter(|(_, _, key, _)| key.as_deref() == Some("gone"))
            .count()
    };
    fill(0);
    assert!(log.compact().unwrap());
    let seen = read_all(&log, 0, 1 << 20);
    assert_eq!(
        seen[0],
        (1, NOW, Some("gone".to_owned()), None),
        "its timestamp is unchanged"
    );
    fill(20);
    assert!(log.compact().unwrap());
    assert_eq!(tombstones(), 1);
    bench.clock.advance(Duration::from_secs(11));
    fill(40);
    assert!(log.compact().unwrap());
    assert_eq!(tombstones(), 0);
}

#[test]
fn a_crash_between_swap_and_rename_is_finished_at_the_next_start() {
    let bench = Bench::new(compacted());
    let log = bench.open();
    for n in 0..60 {
        append(
            &log,
            &Sent::keyed(NOW + n, &format!("key {}", n % 3), Some("value")),
        );
    }
    log.compact().unwrap();
    let expected = read_all(&log, 0, 1 << 20);
    drop(log);
    let swap = bench.segment(0).with_extension("log.swap");
    std::fs::rename(bench.segment(0), &swap).unwrap();
    std::fs::write(bench.segment(0).with_extension("index.cleaned"), b"half").unwrap();
    let log = bench.open();
    log.set_high_watermark(60);
    assert_eq!(read_all(&log, 0, 1 << 20), expected);
    assert!(
        !bench
            .files()
            .iter()
            .any(|name| name.ends_with(".swap") || name.ends_with(".cleaned"))
    );
}

#[test]
fn the_last_sequence_of_a_producer_outlives_its_records() {
    let bench = Bench::new(compacted());
    let log = bench.open();
    append(
        &log,
        &Sent::keyed(NOW, "key", Some("by the producer")).by(7, 0, 0),
    );
    for n in 0..20 {
        append(&log, &Sent::keyed(NOW + n, "key", Some("newer")));
    }
    log.compact().unwrap();
    assert!(read_all(&log, 0, 1 << 20).iter().all(|(offset, ..)| *offset > 0));
    drop(log);
    for snapshot in bench.files().iter().filter(|name| name.ends_with(".snapshot")) {
        std::fs::remove_file(bench.dir().join(snapshot)).unwrap();
    }
    let log = bench.open();
    let again = log.append_as_leader(
        Sent::keyed(NOW, "key", Some("by the producer"))
            .by(7, 0, 0)
            .bytes(),
        0,
    );
    assert!(again.unwrap().duplicate);
}
