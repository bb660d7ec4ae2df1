//! Transactions in a log: what is undecided is held back, what was aborted is named.

use super::log_support::{Bench, NOW};
use bytes::{Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use velodrome::broker::log::{LogConfig, PartitionLog, ReadLimit};

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
    log.append_control(batch(producer_id, -1, true, key, &[0, 0, 0, 0, 0, 0]), 0)
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
    log.append_control(batch(1, -1, true, &[0, 0, 0, 1], &[0; 6]), 0)
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
fn a_producer_may_not_write_markers() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    assert!(
        log.append_as_leader(batch(1, 0, true, &[0, 0, 0, 1], &[0; 6]), 0)
            .is_err()
    );
}
