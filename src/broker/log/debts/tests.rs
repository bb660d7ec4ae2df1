use super::*;
use crate::broker::batch::{BatchBuilder, BatchHeader};
use crate::broker::log::{By, Leave, LogConfig, ReadLimit};
use crate::broker::world::disk::refusing::{Refused, Refusing};
use crate::clock::Clock;
use bytes::Bytes;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const NOW: i64 = 1_700_000_000_000;
/// A test that is wrong shall not hang.
const LONGEST: Duration = Duration::from_secs(60);

/// A log, and its disk, which can stand still.
struct Bench {
    folder: TempDir,
    log: Arc<PartitionLog>,
}

impl Bench {
    fn new(config: LogConfig) -> Self {
        let folder = TempDir::new().unwrap();
        let log = PartitionLog::open(
            &folder.path().join("topic-0"),
            Arc::new(config),
            Clock::manual(NOW),
        );
        let log = Arc::new(log.unwrap());
        Bench { folder, log }
    }

    /// A log that syncs after so many records, with three of them on the disk.
    fn synced_after(flush_messages: i64) -> Self {
        let bench = Bench::new(LogConfig {
            flush_messages,
            ..LogConfig::default()
        });
        for value in ["one", "two", "three"] {
            bench.log.append(batch(value), client()).unwrap();
        }
        bench.log.flush().unwrap();
        bench.log.set_high_watermark(bench.log.log_end_offset());
        bench
    }

    fn refuses(&self, what: Refused) -> Refusing {
        Refusing::new(self.folder.path(), what)
    }

    /// Does something beside; the receiver tells what became of it.
    fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PartitionLog) -> T + Send + 'static,
    ) -> mpsc::Receiver<T> {
        let (sender, receiver) = mpsc::channel();
        let log = Arc::clone(&self.log);
        thread::spawn(move || sender.send(work(&log)));
        receiver
    }

    fn values(&self) -> usize {
        let end = self.log.log_end_offset();
        let read = self.log.read(0, 1 << 20, true, ReadLimit::LogEnd).unwrap();
        let batches = crate::broker::batch::intact(read.records).unwrap();
        assert_eq!(batches.last().map(|batch| batch.header.next_offset()), Some(end));
        batches.len()
    }
}

fn client() -> By {
    let leave = Leave::Free;
    By::Client { epoch: 0, leave }
}

fn batch(value: &str) -> Bytes {
    let mut builder = BatchBuilder::default();
    builder.push(None, Some(value.as_bytes()));
    builder.build(BatchHeader::of_broker(NOW)).unwrap().bytes
}

fn told<T>(receiver: &mpsc::Receiver<T>) -> T {
    receiver.recv_timeout(LONGEST).unwrap()
}

#[test]
fn a_sync_that_stands_still_holds_up_nobody_who_reads_or_asks() {
    let bench = Bench::synced_after(1);
    let stall = bench.refuses(Refused::Stall);
    let appended = bench.beside(|log| log.append(batch("four"), client()).map(|done| done.base_offset));
    stall.is_met();
    let log = &bench.log;
    assert_eq!((log.log_end_offset(), log.written_end_offset()), (3, 4));
    assert_eq!(bench.values(), 3, "what is not on the disk is not seen");
    assert_eq!(log.high_watermark(), 3);
    assert_eq!(log.end_offset_for_epoch(0), (0, 3));
    assert_eq!(log.offset_for_timestamp(0).unwrap().unwrap().offset, 0);
    assert!(log.active_producers().is_empty() && !log.is_poisoned());
    let written = log.write(batch("five"), client()).unwrap();
    assert!(written.unsettled.is_some(), "it waits with the one before it");
    drop(stall);
    assert_eq!(told(&appended).unwrap(), 3);
    log.settle(&written).unwrap();
    assert_eq!((log.log_end_offset(), bench.values()), (5, 5));
    assert_eq!(log.recovery_point(), 5);
}

#[test]
fn what_asks_for_no_sync_itself_is_seen_behind_what_does() {
    let bench = Bench::synced_after(2);
    assert!(
        bench
            .log
            .write(batch("four"), client())
            .unwrap()
            .unsettled
            .is_none()
    );
    let stall = bench.refuses(Refused::Stall);
    let second = bench.beside(|log| log.append(batch("five"), client()).map(|done| done.base_offset));
    stall.is_met();
    let third = bench.log.write(batch("six"), client()).unwrap();
    assert_eq!(bench.log.log_end_offset(), 4);
    drop(stall);
    assert_eq!(told(&second).unwrap(), 4);
    bench.log.settle(&third).unwrap();
    assert_eq!(bench.values(), 6);
    assert!(!bench.log.owes());
}

#[test]
fn a_sync_that_fails_takes_back_all_that_waits_and_refuses_who_waits() {
    let bench = Bench::synced_after(1);
    let written: Vec<Appended> = ["four", "five"]
        .iter()
        .map(|value| bench.log.write(batch(value), client()).unwrap())
        .collect();
    let refusing = bench.refuses(Refused::Sync);
    assert!(matches!(
        bench.log.settle(&written[1]),
        Err(BrokerError::Io { .. })
    ));
    drop(refusing);
    let refused = bench.log.settle(&written[0]).unwrap_err();
    assert_eq!(refused.response_error(), ResponseError::KafkaStorageError);
    assert_eq!(
        (bench.log.log_end_offset(), bench.log.written_end_offset()),
        (3, 3)
    );
    assert!(bench.log.is_poisoned());
    assert!(bench.log.recover().unwrap());
    let again = bench.log.append(batch("again"), client()).unwrap();
    assert_eq!((again.base_offset, bench.values()), (3, 4));
    let gone = bench.log.settle(&written[0]).unwrap_err();
    assert_eq!(
        gone.response_error(),
        ResponseError::KafkaStorageError,
        "another record stands at its offset"
    );
}

#[test]
fn what_a_truncation_cuts_before_it_is_seen_is_never_seen() {
    let bench = Bench::synced_after(1);
    let written = bench.log.write(batch("four"), client()).unwrap();
    bench.log.truncate_to(2).unwrap();
    assert_eq!(
        (bench.log.log_end_offset(), bench.log.written_end_offset()),
        (2, 2)
    );
    let gone = bench.log.settle(&written).unwrap_err();
    assert_eq!(gone.response_error(), ResponseError::KafkaStorageError);
    bench.log.pay().unwrap();
    assert_eq!((bench.log.recovery_point(), bench.values()), (2, 2));
    assert_eq!(bench.log.append(batch("other"), client()).unwrap().base_offset, 2);
}

#[test]
fn deleting_records_waits_for_the_disk_and_nobody_for_that() {
    let bench = Bench::synced_after(i64::MAX);
    let stall = bench.refuses(Refused::Stall);
    let deleted = bench.beside(|log| log.delete_records(2));
    stall.is_met();
    assert_eq!(bench.log.log_start_offset(), 2);
    assert_eq!(bench.log.write(batch("four"), client()).unwrap().base_offset, 3);
    drop(stall);
    assert_eq!(told(&deleted).unwrap(), 2);
}

#[test]
fn retention_and_a_clean_stop_hold_up_nobody_either() {
    let bench = Bench::new(LogConfig {
        segment_bytes: 100,
        ..LogConfig::default()
    });
    for value in ["one", "two", "three"] {
        bench.log.append(batch(value), client()).unwrap();
    }
    let stall = bench.refuses(Refused::Stall);
    let tidied = bench.beside(PartitionLog::apply_retention);
    stall.is_met();
    assert_eq!(bench.log.write(batch("four"), client()).unwrap().base_offset, 3);
    assert_eq!(bench.log.log_end_offset(), 4);
    drop(stall);
    assert_eq!(told(&tidied).unwrap(), 0);
    let stall = bench.refuses(Refused::Stall);
    let closed = bench.beside(PartitionLog::close);
    stall.is_met();
    assert_eq!(bench.log.log_end_offset(), 4);
    assert!(bench.log.write(batch("late"), client()).is_err());
    drop(stall);
    told(&closed).unwrap();
}
