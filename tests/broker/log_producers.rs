//! Idempotent producers: nothing twice, nothing out of order, also over restarts.

use super::log_support::{Bench, NOW, Sent, append, read_all, values};
use kafka_protocol::ResponseError;
use std::time::Duration;
use velodrome::broker::log::{Appended, LogConfig, PartitionLog};

const PRODUCER: i64 = 4000;

fn send(log: &PartitionLog, epoch: i16, sequence: i32, values: &[&str]) -> Result<Appended, ResponseError> {
    let sent = Sent::values(NOW, values).by(PRODUCER, epoch, sequence);
    log.append_as_leader(sent.bytes(), 0)
        .map_err(|error| error.response_error())
}

#[test]
fn a_repeated_batch_is_answered_with_its_first_offset_and_not_written() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    append(&log, &Sent::values(NOW, &["someone else"]));
    for n in 0..6 {
        send(&log, 0, n * 2, &["a", "b"]).unwrap();
    }
    let again = send(&log, 0, 4, &["a", "b"]).unwrap();
    assert_eq!(
        (again.base_offset, again.last_offset, again.duplicate),
        (5, 6, true)
    );
    assert_eq!(log.log_end_offset(), 13);
    assert_eq!(
        send(&log, 0, 0, &["a", "b"]),
        Err(ResponseError::OutOfOrderSequenceNumber),
        "only the last five batches are remembered"
    );
}

#[test]
fn gaps_and_fenced_producers_are_refused() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    send(&log, 1, 0, &["a"]).unwrap();
    assert_eq!(
        send(&log, 1, 2, &["c"]),
        Err(ResponseError::OutOfOrderSequenceNumber)
    );
    assert_eq!(send(&log, 0, 1, &["b"]), Err(ResponseError::InvalidProducerEpoch));
    assert_eq!(
        send(&log, 2, 1, &["b"]),
        Err(ResponseError::OutOfOrderSequenceNumber)
    );
    assert_eq!(send(&log, 2, 0, &["b"]).unwrap().base_offset, 1);
    assert_eq!(send(&log, 1, 1, &["b"]), Err(ResponseError::InvalidProducerEpoch));
}

#[test]
fn sequences_go_on_at_zero_after_the_greatest() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    send(&log, 0, i32::MAX - 1, &["a"]).unwrap();
    send(&log, 0, i32::MAX, &["b", "c"]).unwrap();
    assert_eq!(
        send(&log, 0, 0, &["x"]),
        Err(ResponseError::OutOfOrderSequenceNumber)
    );
    assert_eq!(send(&log, 0, 1, &["d"]).unwrap().base_offset, 3);
    assert!(send(&log, 0, i32::MAX, &["b", "c"]).unwrap().duplicate);
}

#[test]
fn what_was_written_is_remembered_over_a_stop_and_a_crash() {
    for clean in [true, false] {
        let bench = Bench::new(LogConfig {
            segment_bytes: 400,
            ..LogConfig::default()
        });
        let log = bench.open();
        for n in 0..20 {
            send(&log, 3, n, &["x"]).unwrap();
        }
        if clean {
            log.close().unwrap();
        }
        drop(log);
        let log = bench.open();
        assert!(send(&log, 3, 19, &["x"]).unwrap().duplicate, "clean: {clean}");
        assert_eq!(
            send(&log, 3, 21, &["x"]),
            Err(ResponseError::OutOfOrderSequenceNumber)
        );
        assert_eq!(send(&log, 2, 0, &["x"]), Err(ResponseError::InvalidProducerEpoch));
        assert_eq!(send(&log, 3, 20, &["last"]).unwrap().base_offset, 20);
        log.set_high_watermark(21);
        assert_eq!(values(&read_all(&log, 20, 1 << 20)), ["last"]);
    }
}

#[test]
fn truncation_makes_a_producer_forget_what_was_taken_back() {
    let bench = Bench::new(LogConfig {
        segment_bytes: 400,
        ..LogConfig::default()
    });
    let log = bench.open();
    for n in 0..20 {
        send(&log, 0, n, &["x"]).unwrap();
    }
    log.truncate_to(11).unwrap();
    assert_eq!(
        send(&log, 0, 12, &["x"]),
        Err(ResponseError::OutOfOrderSequenceNumber)
    );
    assert_eq!(send(&log, 0, 11, &["x"]).unwrap().base_offset, 11);
}

#[test]
fn a_producer_silent_for_a_day_is_forgotten() {
    let bench = Bench::new(LogConfig {
        retention_ms: -1,
        ..LogConfig::default()
    });
    let log = bench.open();
    send(&log, 5, 0, &["x"]).unwrap();
    bench.clock.advance(Duration::from_secs(24 * 3600 + 1));
    log.apply_retention().unwrap();
    assert_eq!(send(&log, 0, 77, &["y"]).unwrap().base_offset, 1);
}

#[test]
fn a_producer_is_forgotten_after_producer_id_expiration_ms_also_by_a_log_that_is_opened() {
    let expiration = |expiration_ms: i64| LogConfig {
        producer_id_expiration_ms: expiration_ms,
        ..LogConfig::default()
    };
    let mut bench = Bench::new(expiration(1_000_000));
    let log = bench.open();
    send(&log, 0, 0, &["a"]).unwrap();
    bench.clock.advance(Duration::from_secs(700));
    log.apply_retention().unwrap();
    assert_eq!(log.active_producers().len(), 1);
    log.set_config(expiration(100_000).into());
    bench.clock.advance(Duration::from_secs(700));
    log.apply_retention().unwrap();
    assert_eq!(log.active_producers().len(), 0);
    assert_eq!(
        send(&log, 0, 7, &["b"]).unwrap().base_offset,
        1,
        "nobody knows what came before"
    );
    log.close().unwrap();
    drop(log);
    bench.clock.advance(Duration::from_secs(200));
    bench.config = expiration(300_000_000);
    assert_eq!(bench.open().active_producers().len(), 1);
    bench.config = expiration(100_000);
    assert_eq!(bench.open().active_producers().len(), 0);
}
