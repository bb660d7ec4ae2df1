use super::*;
use crate::broker::batch::{self, BatchBuilder, BatchHeader, Records, records_of};
use crate::broker::log::{By, LogConfig, ReadLimit};
use crate::broker::world::disk::refusing::{Refused, Refusing};
use crate::clock::Clock;
use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

const NOW: i64 = 1_700_000_000_000;

struct Bench {
    folder: TempDir,
    config: LogConfig,
}

impl Bench {
    fn new(config: LogConfig) -> Self {
        Bench {
            folder: TempDir::new().unwrap(),
            config,
        }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("topic-0")
    }

    fn open(&self) -> PartitionLog {
        let log = PartitionLog::open(&self.dir(), Arc::new(self.config.clone()), Clock::manual(NOW)).unwrap();
        log.set_high_watermark(log.log_end_offset());
        log
    }

    fn refuses(&self, what: Refused) -> Refusing {
        Refusing::new(&self.dir(), what)
    }

    /// Up to where the files beside the log say that it is on the disk.
    fn recovery_point_on_disk(&self) -> Option<i64> {
        let name = crate::broker::log::checkpoint::RECOVERY_POINTS;
        let known = crate::broker::log::checkpoint::read(
            &crate::broker::world::Disk::files(),
            self.folder.path(),
            name,
        )
        .unwrap();
        known.get(&("topic".to_owned(), 0)).copied()
    }
}

/// Every record is synced before it is acknowledged.
fn synced() -> LogConfig {
    LogConfig {
        flush_messages: 1,
        ..LogConfig::default()
    }
}

/// Every record has a segment of its own.
fn one_a_segment() -> LogConfig {
    LogConfig {
        segment_bytes: 100,
        ..LogConfig::default()
    }
}

fn batch(value: &str) -> Bytes {
    let mut builder = BatchBuilder::default();
    builder.push(None, Some(value.as_bytes()));
    builder.build(BatchHeader::of_broker(NOW)).unwrap().bytes
}

/// The first batch of an idempotent producer.
fn idempotent_batch(value: &str) -> Bytes {
    let mut bytes = BytesMut::from(&batch(value)[..]);
    bytes[43..51].copy_from_slice(&7i64.to_be_bytes());
    bytes[51..57].fill(0);
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.freeze()
}

/// Appends; the value's offset, or what the client is told.
fn append(log: &PartitionLog, value: &str) -> std::result::Result<i64, ResponseError> {
    let appended = log.append_as_leader(batch(value), 0);
    log.set_high_watermark(log.log_end_offset());
    appended
        .map(|appended| appended.base_offset)
        .map_err(|error| error.response_error())
}

fn values(log: &PartitionLog) -> Vec<String> {
    let mut values = Vec::new();
    let mut offset = log.log_start_offset();
    while offset < log.log_end_offset() {
        let records = log
            .read(offset, 1 << 20, true, ReadLimit::LogEnd)
            .unwrap()
            .records;
        for batch in batch::intact(records).unwrap() {
            offset = batch.header.next_offset();
            for record in Records::new(&records_of(&batch).unwrap()) {
                let value = record.unwrap().value.unwrap();
                values.push(String::from_utf8(value.to_vec()).unwrap());
            }
        }
    }
    values
}

const REFUSED: std::result::Result<i64, ResponseError> = Err(ResponseError::KafkaStorageError);

#[test]
fn a_log_whose_write_failed_takes_nothing_until_it_was_recovered() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    assert_eq!(append(&log, "kept"), Ok(0));
    let full = bench.refuses(Refused::Write);
    assert_eq!(append(&log, "refused"), REFUSED);
    drop(full);
    assert_eq!(
        append(&log, "refused too"),
        REFUSED,
        "the disk serves, but nobody has looked at the log"
    );
    assert!(log.is_poisoned());
    assert_eq!(values(&log), ["kept"], "reads go on");
    assert!(log.recover().unwrap());
    assert!(!log.recover().unwrap(), "there is nothing more to do");
    assert_eq!(append(&log, "after"), Ok(1));
    assert_eq!(values(&log), ["kept", "after"]);
}

#[test]
fn a_record_whose_sync_failed_is_never_seen_and_never_comes_back() {
    for recovered_here in [true, false] {
        let bench = Bench::new(synced());
        let mut log = bench.open();
        assert_eq!(append(&log, "kept"), Ok(0));
        let refusing = bench.refuses(Refused::Sync);
        assert_eq!(append(&log, "refused"), REFUSED);
        assert_eq!((log.log_end_offset(), values(&log)), (1, vec!["kept".to_owned()]));
        drop(refusing);
        assert_eq!(
            append(&log, "refused too"),
            REFUSED,
            "the next one would publish both"
        );
        if recovered_here {
            assert!(log.recover().unwrap());
        } else {
            drop(log);
            log = bench.open();
        }
        assert_eq!(append(&log, "after"), Ok(1));
        assert_eq!(values(&log), ["kept", "after"]);
    }
}

#[test]
fn a_sync_that_failed_once_never_moves_the_recovery_point_by_succeeding_later() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    assert_eq!(append(&log, "synced"), Ok(0));
    log.flush().unwrap();
    assert_eq!(append(&log, "acknowledged"), Ok(1));
    let refusing = bench.refuses(Refused::Sync);
    log.flush().unwrap_err();
    drop(refusing);
    log.flush().unwrap_err();
    log.close().unwrap_err();
    assert_eq!(
        (log.recovery_point(), bench.recovery_point_on_disk()),
        (1, Some(1))
    );
    drop(log);
    assert_eq!(
        values(&bench.open()),
        ["synced", "acknowledged"],
        "checked, as after a crash"
    );
}

#[test]
fn a_rolled_segment_whose_sync_failed_never_moves_the_recovery_point_either() {
    let bench = Bench::new(one_a_segment());
    let log = bench.open();
    for value in ["one", "two", "three"] {
        append(&log, value).unwrap();
    }
    let refusing = bench.refuses(Refused::Sync);
    log.apply_retention().unwrap_err();
    drop(refusing);
    assert_eq!(append(&log, "refused"), REFUSED);
    assert_eq!(
        log.apply_retention().unwrap(),
        0,
        "nothing is done to a poisoned log"
    );
    assert_eq!((log.recovery_point(), bench.recovery_point_on_disk()), (0, None));
    assert!(log.recover().unwrap());
    assert_eq!(
        (log.recovery_point(), bench.recovery_point_on_disk()),
        (3, Some(3))
    );
    assert_eq!(values(&log), ["one", "two", "three"]);
}

#[cfg(unix)]
#[test]
fn what_a_failed_sync_may_have_lost_is_written_anew() {
    use std::os::unix::fs::MetadataExt;
    let bench = Bench::new(one_a_segment());
    let log = bench.open();
    append(&log, "on the disk").unwrap();
    log.flush().unwrap();
    append(&log, "acknowledged").unwrap();
    let inode = |base| {
        fs::metadata(file::path_of(&bench.dir(), base, file::LOG))
            .unwrap()
            .ino()
    };
    let before = (inode(0), inode(1));
    let refusing = bench.refuses(Refused::Sync);
    log.flush().unwrap_err();
    log.recover().unwrap_err();
    assert!(log.is_poisoned(), "the disk still refuses");
    drop(refusing);
    assert!(log.recover().unwrap());
    assert_eq!(inode(0), before.0, "was known to be on the disk");
    assert_ne!(
        inode(1),
        before.1,
        "its pages may be gone: another sync of the same file says nothing"
    );
    assert_eq!(values(&log), ["on the disk", "acknowledged"]);
    assert_eq!(log.recovery_point(), 2);
}

#[test]
fn a_producer_that_was_refused_may_send_the_same_batch_again() {
    let bench = Bench::new(synced());
    let log = bench.open();
    let refusing = bench.refuses(Refused::Sync);
    log.append_as_leader(idempotent_batch("once"), 0).unwrap_err();
    drop(refusing);
    log.recover().unwrap();
    for duplicate in [false, true] {
        let appended = log.append_as_leader(idempotent_batch("once"), 0).unwrap();
        assert_eq!((appended.base_offset, appended.duplicate), (0, duplicate));
    }
    assert_eq!(values(&log), ["once"]);
}

#[test]
fn a_poisoned_log_takes_no_change_of_any_kind() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    append(&log, "kept").unwrap();
    let full = bench.refuses(Refused::Write);
    append(&log, "refused").unwrap_err();
    drop(full);
    let refused = |outcome: Result<()>| outcome.map_err(|error| error.response_error()).unwrap_err();
    let outcomes = [
        refused(log.append(batch("refused"), By::Follower).map(|_| ())),
        refused(log.append(batch("refused"), By::Marker { epoch: 0 }).map(|_| ())),
        refused(log.delete_records(1).map(|_| ())),
        refused(log.truncate_to(0)),
        refused(log.truncate_to(1)),
        refused(log.truncate_fully_and_start_at(7)),
        refused(log.flush()),
        refused(log.close()),
    ];
    assert_eq!(outcomes, [ResponseError::KafkaStorageError; 8]);
    assert_eq!(
        (log.log_start_offset(), values(&log)),
        (0, vec!["kept".to_owned()])
    );
}

#[test]
fn a_change_that_panics_poisons_the_log() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    append(&log, "kept").unwrap();
    let panicking = bench.refuses(Refused::Panic);
    let attempt = std::panic::AssertUnwindSafe(|| append(&log, "broken off"));
    assert!(std::panic::catch_unwind(attempt).is_err());
    drop(panicking);
    assert_eq!(append(&log, "refused"), REFUSED);
    log.recover().unwrap();
    assert_eq!(append(&log, "after"), Ok(1));
    assert_eq!(values(&log), ["kept", "after"]);
}

#[test]
fn a_poisoned_log_can_be_deleted() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    let full = bench.refuses(Refused::Write);
    append(&log, "refused").unwrap_err();
    drop(full);
    log.delete().unwrap();
    assert!(!log.recover().unwrap() && !bench.dir().exists());
}

#[test]
fn a_sync_that_failed_is_known_to_the_next_process_until_all_is_written_anew() {
    let bench = Bench::new(LogConfig::default());
    let mark = bench.dir().join(UNSYNCED);
    let log = bench.open();
    append(&log, "acknowledged").unwrap();
    assert!(!mark.exists());
    let refusing = bench.refuses(Refused::Sync);
    log.flush().unwrap_err();
    assert!(mark.exists());
    drop(log);
    let config = Arc::new(LogConfig::default());
    let open = || PartitionLog::open(&bench.dir(), Arc::clone(&config), Clock::manual(NOW));
    open().map(|_| ()).unwrap_err();
    assert!(mark.exists(), "the disk still refuses");
    drop(refusing);
    assert_eq!(values(&open().unwrap()), ["acknowledged"]);
    assert!(!mark.exists());
}

#[test]
fn a_cut_that_does_not_come_to_the_disk_is_a_sync_that_failed() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    for value in ["kept", "goes"] {
        append(&log, value).unwrap();
    }
    let refusing = bench.refuses(Refused::Sync);
    log.truncate_to(1).unwrap_err();
    drop(refusing);
    assert_eq!(log.writer.lock().poison, Some(Poison::Sync));
    log.recover().unwrap();
    assert_eq!(
        (append(&log, "after"), values(&log)),
        (Ok(1), vec!["kept".to_owned(), "after".to_owned()])
    );
}
