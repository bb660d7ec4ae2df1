//! Transactions in a log: what is undecided is held back, what was aborted is named.

use super::log_support::{Bench, NOW, Sent, append};
use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use std::fs;
use std::time::Duration;
use velodrome::broker::batch::Batches;
use velodrome::broker::log::checkpoint::mark_clean;
use velodrome::broker::log::{Beginner, By, CleanupPolicy, Leave, LogConfig, PartitionLog, ReadLimit};
use velodrome::broker::world::Disk;

fn batch(producer_id: i64, sequence: i32, control: bool, key: &'static [u8], value: &'static [u8]) -> Bytes {
    let record = Record {
        transactional: true,
        control,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id,
        producer_epoch: 0,
        timestamp_type: TimestampType::Creation,
        offset: 0,
        sequence,
        timestamp: NOW,
        key: Some(Bytes::from_static(key)),
        value: Some(Bytes::from_static(value)),
        headers: IndexMap::new(),
    };
    let options = RecordEncodeOptions {
        version: 2,
        compression: Compression::None,
    };
    let mut buffer = BytesMut::new();
    RecordBatchEncoder::encode(&mut buffer, [&record], &options).unwrap();
    buffer.freeze()
}

fn send(log: &PartitionLog, producer_id: i64, sequence: i32) {
    log.append_as_leader(batch(producer_id, sequence, false, b"key", b"value"), 0)
        .unwrap();
    log.set_high_watermark(log.log_end_offset());
}

fn end(log: &PartitionLog, producer_id: i64, commit: bool) {
    let key: &[u8; 4] = if commit { &[0, 0, 0, 1] } else { &[0, 0, 0, 0] };
    log.append(
        batch(producer_id, -1, true, key, &[0, 0, 0, 0, 0, 0]),
        By::Marker { epoch: 0 },
    )
    .unwrap();
    log.set_high_watermark(log.log_end_offset());
}

fn aborted(log: &PartitionLog, from: i64) -> Vec<(i64, i64)> {
    log.read(from, 1 << 20, true, ReadLimit::LastStable)
        .unwrap()
        .aborted
}

#[test]
fn readers_of_committed_records_stop_before_an_open_transaction() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    send(&log, 1, 0);
    send(&log, 2, 0);
    end(&log, 2, true);
    assert_eq!(log.last_stable_offset(), 0);
    assert!(
        log.read(0, 1 << 20, true, ReadLimit::LastStable)
            .unwrap()
            .records
            .is_empty()
    );
    assert!(
        !log.read(0, 1 << 20, true, ReadLimit::HighWatermark)
            .unwrap()
            .records
            .is_empty()
    );
    drop(log);
    let log = bench.open();
    log.set_high_watermark(3);
    assert_eq!(log.last_stable_offset(), 0, "also after a crash");
    end(&log, 1, true);
    assert_eq!(log.last_stable_offset(), 4);
    assert_eq!(aborted(&log, 0), []);
}

#[test]
fn a_marker_above_the_high_watermark_decides_nothing_yet() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    send(&log, 1, 0);
    log.append(
        batch(1, -1, true, &[0, 0, 0, 1], &[0; 6]),
        By::Marker { epoch: 0 },
    )
    .unwrap();
    assert_eq!(log.last_stable_offset(), 0);
    log.set_high_watermark(2);
    assert_eq!(log.last_stable_offset(), 2);
}

#[test]
fn aborted_transactions_are_named_to_those_who_read_over_them() {
    let bench = Bench::new(LogConfig {
        segment_bytes: 250,
        ..LogConfig::default()
    });
    let log = bench.open();
    send(&log, 1, 0);
    send(&log, 1, 1);
    end(&log, 1, false);
    send(&log, 2, 0);
    end(&log, 2, true);
    assert_eq!(aborted(&log, 0), [(1, 0)]);
    assert_eq!(aborted(&log, 3), []);
    log.close().unwrap();
    drop(log);
    let log = bench.open();
    assert_eq!(aborted(&log, 0), [(1, 0)], "kept over a restart");
    assert!(bench.files().iter().any(|name| name.ends_with(".txnindex")));
    log.truncate_to(2).unwrap();
    assert_eq!(log.last_stable_offset(), 0, "the marker has been taken back");
}

#[test]
fn what_was_torn_in_the_file_of_aborted_transactions_hides_none_that_come_after_it() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    send(&log, 1, 0);
    end(&log, 1, false);
    drop(log);
    // As the loss of power leaves it in the middle of a write.
    let index = bench.segment(0).with_extension("txnindex");
    let whole = fs::read(&index).unwrap();
    fs::write(&index, &whole[..whole.len() - 5]).unwrap();

    let log = bench.open();
    log.set_high_watermark(2);
    send(&log, 2, 0);
    end(&log, 2, false);
    assert_eq!(aborted(&log, 0), [(1, 0), (2, 2)]);
    log.close().unwrap();
    mark_clean(&Disk::files(), bench.folder.path(), -1).unwrap();
    drop(log);
    assert_eq!(aborted(&bench.open(), 0), [(1, 0), (2, 2)], "after a clean stop");
}

#[test]
fn a_producer_may_not_write_markers() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    assert!(
        log.append_as_leader(batch(1, 0, true, &[0, 0, 0, 1], &[0; 6]), 0)
            .is_err()
    );
}

#[test]
fn a_transaction_that_opens_while_the_high_watermark_moves_is_held_back() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    for sequence in 0..300 {
        log.append_as_leader(batch(1, sequence, false, b"k", b"v"), 0)
            .unwrap();
        log.append(
            batch(1, -1, true, &[0, 0, 0, 1], &[0; 6]),
            By::Marker { epoch: 0 },
        )
        .unwrap();
        let decided = log.log_end_offset();
        std::thread::scope(|scope| {
            scope.spawn(|| log.set_high_watermark(decided));
            log.append_as_leader(batch(2, sequence, false, b"k", b"v"), 0)
                .unwrap();
        });
        log.set_high_watermark(log.log_end_offset());
        assert_eq!(log.last_stable_offset(), decided);
        end(&log, 2, true);
    }
}

#[test]
fn records_of_an_open_transaction_that_are_deleted_hold_nobody_back_before_the_start() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    send(&log, 1, 0);
    send(&log, 1, 1);
    assert_eq!(log.delete_records(1).unwrap(), 1);
    assert_eq!((log.log_start_offset(), log.last_stable_offset()), (1, 1));
}

fn beginner(producer_id: i64, sequence: i32) -> Beginner {
    Beginner {
        producer_id,
        epoch: 0,
        sequence,
        bumps_epoch: false,
    }
}

fn refused(log: &PartitionLog, sequence: i32, leave: Leave) -> Option<ResponseError> {
    let records = batch(1, sequence, false, b"k", b"v");
    let appended = log.append(records, By::Client { epoch: 0, leave });
    appended.err().map(|error| error.response_error())
}

#[test]
fn nothing_is_begun_that_its_coordinator_was_not_asked_about() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    assert_eq!(
        refused(&log, 0, Leave::Open),
        Some(ResponseError::InvalidTxnState)
    );
    let guard = log.begin_verification(beginner(1, 0)).unwrap();
    assert_eq!(log.begin_verification(beginner(1, 1)), Some(guard));
    // What overtook the first records waits for them.
    let overtaking = refused(&log, 1, Leave::Verified(guard));
    assert_eq!(overtaking, Some(ResponseError::OutOfOrderSequenceNumber));
    assert_eq!(refused(&log, 0, Leave::Verified(guard)), None);
    assert_eq!(log.begin_verification(beginner(1, 1)), None, "it is open");
    assert_eq!(refused(&log, 1, Leave::Open), None);
    end(&log, 1, true);
    // What was true of the last transaction is not of the next.
    let late = refused(&log, 2, Leave::Verified(guard));
    assert_eq!(late, Some(ResponseError::InvalidTxnState));
    let other = log.begin_verification(beginner(1, 2)).unwrap();
    end(&log, 1, false);
    let overtaken = refused(&log, 2, Leave::Verified(other));
    assert_eq!(overtaken, Some(ResponseError::InvalidTxnState));
}

#[test]
fn records_outside_of_a_transaction_that_is_open_are_refused() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    send(&log, 1, 0);
    let plain = Sent::values(NOW, &["plain"]).by(1, 0, 1);
    let refused = log.append_as_leader(plain.bytes(), 0).unwrap_err();
    assert_eq!(refused.response_error(), ResponseError::InvalidTxnState);
}

#[test]
fn of_two_coordinators_the_later_ends_transactions_also_after_a_restart() {
    let bench = Bench::new(LogConfig::default());
    let mut log = bench.open();
    let marker = |epoch: u8| {
        let value: &'static [u8] = match epoch {
            1 => &[0, 0, 0, 0, 0, 1],
            _ => &[0, 0, 0, 0, 0, 2],
        };
        batch(1, -1, true, &[0, 0, 0, 1], value)
    };
    send(&log, 1, 0);
    log.append(marker(2), By::Marker { epoch: 0 }).unwrap();
    for _ in 0..2 {
        let earlier = log.append(marker(1), By::Marker { epoch: 0 }).unwrap_err();
        assert_eq!(
            earlier.response_error(),
            ResponseError::TransactionCoordinatorFenced
        );
        assert_eq!(log.active_producers()[0].coordinator_epoch, 2);
        log.close().unwrap();
        log = bench.open();
    }
}

/// Offsets of the markers in the log.
fn markers(log: &PartitionLog) -> Vec<i64> {
    let mut found = Vec::new();
    let mut offset = 0;
    while offset < log.high_watermark() {
        let fetched = log.read(offset, 1 << 20, true, ReadLimit::HighWatermark).unwrap();
        for batch in Batches::new(fetched.records) {
            offset = batch.header.next_offset();
            found.extend(batch.header.is_control().then_some(batch.header.base_offset));
        }
    }
    found
}

#[test]
fn a_marker_goes_delete_retention_ms_after_all_records_of_its_transaction_have_gone() {
    let bench = Bench::new(LogConfig {
        segment_bytes: 400,
        cleanup_policy: CleanupPolicy {
            delete: false,
            compact: true,
        },
        min_cleanable_dirty_ratio: 0.01,
        delete_retention_ms: 10_000,
        ..LogConfig::default()
    });
    let log = bench.open();
    // Of one key: what comes later takes the place of what was there, and what was aborted counts for nothing.
    for (producer_id, sequence, commits) in [(1, 0, true), (2, 0, false), (1, 1, true), (2, 1, true)] {
        send(&log, producer_id, sequence);
        end(&log, producer_id, commits);
    }
    let mut filled = 0..;
    let mut compact = || {
        filled.by_ref().take(10).for_each(|n| {
            append(&log, &Sent::keyed(NOW, &format!("key {n}"), Some("value")));
        });
        assert!(log.compact().unwrap());
    };
    compact();
    assert_eq!(markers(&log), [1, 3, 5, 7], "there were records");
    compact();
    assert_eq!(markers(&log), [1, 3, 5, 7], "they are kept for a while");
    assert_eq!(aborted(&log, 0), [(2, 2)]);
    bench.clock.advance(Duration::from_secs(11));
    compact();
    assert_eq!(
        markers(&log),
        [5, 7],
        "of what the producers wrote last all is known"
    );
    assert_eq!(
        aborted(&log, 0),
        [],
        "who heard of it would wait for its marker for ever"
    );
    let producers = log.active_producers();
    log.close().unwrap();
    drop(log);
    let log = bench.open();
    log.set_high_watermark(log.log_end_offset());
    assert_eq!((markers(&log), aborted(&log, 0)), (vec![5, 7], vec![]));
    assert_eq!(log.active_producers(), producers);
}
