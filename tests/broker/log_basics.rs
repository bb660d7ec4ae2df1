//! What goes in comes out, in order, before and after a restart.

use super::log_support::{Bench, NOW, Sent, append, read_all, values};
use kafka_protocol::ResponseError;
use std::time::Duration;
use velodrome::broker::log::checkpoint::mark_clean;
use velodrome::broker::log::{LogConfig, ReadLimit};
use velodrome::broker::world::Disk;

fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 300,
        index_interval_bytes: 100,
        ..LogConfig::default()
    }
}

#[test]
fn records_come_back_in_order_with_the_offsets_they_were_given() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    assert_eq!(append(&log, &Sent::values(NOW, &["a", "b"])), 0);
    assert_eq!(append(&log, &Sent::values(NOW + 1, &["c"])), 2);
    assert_eq!(values(&read_all(&log, 0, 1 << 20)), ["a", "b", "c"]);
    assert_eq!(values(&read_all(&log, 1, 1)), ["b", "c"]);
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset(), log.latest_epoch()),
        (0, 3, 0)
    );
}

#[test]
fn a_log_of_many_segments_reads_as_one_and_survives_a_clean_stop_and_a_crash() {
    let bench = Bench::new(small_segments());
    let sent: Vec<String> = (0..50).map(|n| format!("value {n}")).collect();
    let log = bench.open();
    for value in &sent {
        append(&log, &Sent::values(NOW, &[value]));
    }
    assert!(bench.files().iter().filter(|name| name.ends_with(".log")).count() > 5);
    assert_eq!(values(&read_all(&log, 0, 150)), sent);
    drop(log);

    let crashed = bench.open();
    crashed.set_high_watermark(crashed.log_end_offset());
    assert_eq!(values(&read_all(&crashed, 0, 1 << 20)), sent);
    crashed.close().unwrap();
    mark_clean(&Disk::files(), bench.folder.path(), -1).unwrap();

    let stopped = bench.open();
    assert_eq!(stopped.high_watermark(), 50, "the high watermark is kept");
    assert_eq!(values(&read_all(&stopped, 17, 1 << 20)), sent[17..]);
}

#[test]
fn reading_outside_the_log_is_an_error_and_at_its_end_is_nothing() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    append(&log, &Sent::values(NOW, &["a"]));
    assert!(
        log.read(1, 100, true, ReadLimit::LogEnd)
            .unwrap()
            .records
            .is_empty()
    );
    for offset in [-1, 2] {
        let error = log.read(offset, 100, true, ReadLimit::LogEnd).unwrap_err();
        assert_eq!(error.response_error(), ResponseError::OffsetOutOfRange);
    }
}

#[test]
fn consumers_see_nothing_above_the_high_watermark() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    append(&log, &Sent::values(NOW, &["a"]));
    log.append_as_leader(Sent::values(NOW, &["b"]).bytes(), 0)
        .unwrap();
    assert_eq!(values(&read_all(&log, 0, 1 << 20)), ["a"]);
    let all = log.read(0, 1 << 20, true, ReadLimit::LogEnd).unwrap();
    assert_eq!(all.records.len(), Sent::values(NOW, &["a"]).bytes().len() * 2);
}

#[test]
fn a_batch_larger_than_asked_comes_whole_or_not_at_all() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    let large = Sent::values(NOW, &["x".repeat(100_000)]);
    append(&log, &large);
    append(&log, &large);
    let whole = log.read(1, 10, true, ReadLimit::HighWatermark).unwrap();
    assert_eq!(whole.records.len(), large.bytes().len());
    let none = log.read(1, 10, false, ReadLimit::HighWatermark).unwrap();
    assert!(none.records.is_empty());
}

#[test]
fn offsets_are_found_by_time_also_inside_a_batch() {
    let bench = Bench::new(small_segments());
    let log = bench.open();
    for n in 0..30 {
        let mut sent = Sent::values(NOW + n * 10, &["first", "second"]);
        sent.records[1].2 += 5;
        append(&log, &sent);
    }
    let at = |timestamp| {
        let found = log.offset_for_timestamp(timestamp).unwrap();
        found.map(|found| (found.offset, found.timestamp - NOW))
    };
    assert_eq!(at(0), Some((0, 0)));
    assert_eq!(at(NOW + 5), Some((1, 5)));
    assert_eq!(at(NOW + 101), Some((21, 105)));
    assert_eq!(at(NOW + 295), Some((59, 295)));
    assert_eq!(at(NOW + 296), None);
    let newest = log.max_timestamp().unwrap().unwrap();
    assert_eq!((newest.offset, newest.timestamp), (59, NOW + 295));
}

#[test]
fn retention_deletes_old_segments_and_moves_the_start() {
    let bench = Bench::new(LogConfig {
        retention_ms: 4_000,
        segment_ms: 2_000,
        ..LogConfig::default()
    });
    let log = bench.open();
    for n in 0..10 {
        append(&log, &Sent::values(NOW + n * 1_000, &["x"]));
        bench.clock.advance(Duration::from_secs(1));
    }
    assert!(log.apply_retention().unwrap() >= 1);
    let start = log.log_start_offset();
    assert!(start >= 4, "log start {start}");
    assert!(bench.files().iter().any(|name| name.ends_with(".log.deleted")));
    bench.clock.advance(Duration::from_secs(120));
    log.apply_retention().unwrap();
    assert_eq!(
        log.log_start_offset(),
        10,
        "everything has expired, the active segment too"
    );
    assert_eq!(log.size(), 0);
    bench.clock.advance(Duration::from_secs(120));
    log.apply_retention().unwrap();
    assert!(!bench.files().iter().any(|name| name.ends_with(".deleted")));
    drop(log);
    assert_eq!(bench.open().log_start_offset(), 10);
}
