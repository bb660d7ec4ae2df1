//! What a log does not take, with Kafka's own error for each.

use super::log_support::{Bench, NOW, Sent, append, read_all};
use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use velodrome::broker::error::{BrokerError, RecordFault, Why};
use velodrome::broker::log::{CleanupPolicy, LogConfig, TimestampType};

fn refusal(config: LogConfig, records: Bytes) -> Option<ResponseError> {
    let bench = Bench::new(config);
    let log = bench.open();
    let refused = log
        .append_as_leader(records, 0)
        .err()
        .map(|error| error.response_error());
    if refused.is_some() {
        assert_eq!((log.log_end_offset(), log.size()), (0, 0), "nothing was written");
    }
    refused
}

fn changed(at: usize, bytes: &[u8]) -> Bytes {
    let mut batch = BytesMut::from(Sent::values(NOW, &["value", "other"]).bytes().as_ref());
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    batch.freeze()
}

/// The same, with the checksum put right again.
fn sealed(at: usize, bytes: &[u8]) -> Bytes {
    let mut batch = BytesMut::from(changed(at, bytes).as_ref());
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch.freeze()
}

#[test]
fn broken_batches() {
    let default = LogConfig::default;
    let good = Sent::values(NOW, &["value", "other"]).bytes();
    assert_eq!(refusal(default(), good.clone()), None);
    assert_eq!(
        refusal(default(), changed(70, &[0xff])),
        Some(ResponseError::CorruptMessage),
        "checksum"
    );
    assert_eq!(
        refusal(default(), changed(16, &[1])),
        Some(ResponseError::InvalidRecord),
        "old format"
    );
    assert_eq!(
        refusal(default(), changed(16, &[9])),
        Some(ResponseError::CorruptMessage),
        "unknown format"
    );
    for length in [-1i32, 0, 13] {
        let broken = changed(8, &length.to_be_bytes());
        assert_eq!(
            refusal(default(), broken),
            Some(ResponseError::CorruptMessage),
            "length {length}"
        );
    }
    for length in [48i32, 10_000, i32::MAX] {
        let broken = changed(8, &length.to_be_bytes());
        assert!(refusal(default(), broken).is_some(), "length {length}");
    }
    assert_eq!(
        refusal(default(), sealed(57, &3i32.to_be_bytes())),
        Some(ResponseError::InvalidRecord),
        "count"
    );
    assert_eq!(
        refusal(default(), sealed(57, &(-1i32).to_be_bytes())),
        Some(ResponseError::InvalidRecord)
    );
    assert_eq!(
        refusal(default(), sealed(21, &[0, 0x20])),
        Some(ResponseError::InvalidRecord),
        "control"
    );
    assert_eq!(
        refusal(default(), Bytes::new()),
        Some(ResponseError::InvalidRecord)
    );
    for cut in 1..good.len() {
        assert!(refusal(default(), good.slice(..cut)).is_some(), "cut at {cut}");
    }
}

#[test]
fn batches_that_are_too_large() {
    let sent = Sent::values(NOW, &["x".repeat(2_000)]).bytes();
    let small = LogConfig {
        max_message_bytes: 1_000,
        ..LogConfig::default()
    };
    assert_eq!(refusal(small, sent.clone()), Some(ResponseError::MessageTooLarge));
    let short = LogConfig {
        segment_bytes: 1_000,
        ..LogConfig::default()
    };
    assert_eq!(refusal(short, sent), Some(ResponseError::RecordListTooLarge));
}

#[test]
fn timestamps_outside_the_window() {
    let config = LogConfig {
        timestamp_before_max_ms: 10_000,
        ..LogConfig::default()
    };
    let at = |timestamp| refusal(config.clone(), Sent::values(timestamp, &["x"]).bytes());
    assert_eq!(at(NOW - 10_001), Some(ResponseError::InvalidTimestamp));
    assert_eq!(at(NOW + 3_600_001), Some(ResponseError::InvalidTimestamp));
    assert_eq!(at(NOW - 10_000), None);
    assert_eq!(at(NOW + 3_600_000), None);
    assert_eq!(at(-1), None, "records without a timestamp are taken");
}

#[test]
fn records_without_a_key_in_a_compacted_topic() {
    let config = LogConfig {
        cleanup_policy: CleanupPolicy {
            delete: false,
            compact: true,
        },
        ..LogConfig::default()
    };
    let without = Sent::values(NOW, &["value"]).bytes();
    assert_eq!(
        refusal(config.clone(), without),
        Some(ResponseError::InvalidRecord)
    );
    assert_eq!(refusal(config, Sent::keyed(NOW, "key", None).bytes()), None);
}

#[test]
fn the_records_at_fault_are_named() {
    let config = LogConfig {
        timestamp_before_max_ms: 10_000,
        ..LogConfig::default()
    };
    let log = Bench::new(config).open();
    let sent = Sent::values(NOW - 10_001, &["x", "y"]).bytes();
    let error = log.append_as_leader(sent, 0).unwrap_err();
    let fault = |index: i32| RecordFault {
        index,
        why: Why::Timestamp {
            timestamp: NOW - 10_001,
            offset: i64::from(index),
            earliest: NOW - 10_000,
            latest: NOW + 3_600_000,
        },
    };
    assert!(matches!(error, BrokerError::Records(faults) if faults == [fault(0), fault(1)]));
}

#[test]
fn the_broker_stamps_records_where_the_topic_says_so() {
    let bench = Bench::new(LogConfig {
        timestamp_type: TimestampType::LogAppendTime,
        ..LogConfig::default()
    });
    let log = bench.open();
    let appended = log.append_as_leader(Sent::values(5, &["x"]).bytes(), 0).unwrap();
    assert_eq!(appended.log_append_time, NOW);
    log.set_high_watermark(1);
    let found = log.offset_for_timestamp(NOW).unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (0, NOW));
    drop(log);
    assert_eq!(bench.open().log_end_offset(), 1, "the checksum was made anew");
}

#[test]
fn every_codec_can_be_asked_for_and_read_back() {
    for codec in ["gzip", "snappy", "lz4", "zstd", "uncompressed"] {
        let bench = Bench::new(LogConfig {
            compression_type: codec.to_owned(),
            ..LogConfig::default()
        });
        let log = bench.open();
        let mut sent = Sent::values(NOW, &["x".repeat(70_000), "y".repeat(70_000)]);
        sent.records[1].2 += 7;
        let plain = sent.bytes().len() as u64;
        append(&log, &sent);
        assert_eq!(log.size() < plain / 10, codec != "uncompressed", "{codec}");
        let newest = log.max_timestamp().unwrap().unwrap();
        assert_eq!((newest.offset, newest.timestamp), (1, NOW + 7), "{codec}");

        // Recompressed by a second log to plain, what was read must be what was sent.
        let other = Bench::new(LogConfig {
            compression_type: "uncompressed".to_owned(),
            ..LogConfig::default()
        });
        let copy = other.open();
        let fetched = log
            .read(0, 1 << 20, true, velodrome::broker::log::ReadLimit::HighWatermark)
            .unwrap();
        copy.append_as_leader(fetched.records, 0).unwrap();
        copy.set_high_watermark(2);
        let seen = read_all(&copy, 0, 1 << 20);
        assert_eq!(
            (seen[0].3.as_deref(), seen[1].1),
            (Some("x".repeat(70_000).as_str()), NOW + 7),
            "{codec}"
        );
    }
}
