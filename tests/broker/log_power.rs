//! What the loss of power leaves: nothing that was taken away comes back in the middle of what was written later.

use super::log_support::{NOW, Sent, read_all, values};
use bytes::{Bytes, BytesMut};
use std::path::Path;
use std::sync::Arc;
use velodrome::broker::log::{By, LogConfig, PartitionLog, ReadLimit};
use velodrome::broker::world::disk::MemoryDisk;
use velodrome::broker::world::{Dice, Disk, Jobs, Net, World};
use velodrome::clock::Clock;

const DIR: &str = "/data/topic-0";

/// A log on a disk that can lose its power.
struct Bench {
    memory: MemoryDisk,
    world: World,
    config: Arc<LogConfig>,
}

impl Bench {
    fn new(seed: u64, config: LogConfig) -> Self {
        let clock = Clock::manual(NOW);
        let memory = MemoryDisk::new(clock.clone(), Dice::seeded(seed));
        let disk = Disk::memory(&memory);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        Bench {
            world: World::new(clock, Net::default(), disk, Dice::seeded(2), Jobs::default()),
            memory,
            config: Arc::new(config),
        }
    }

    fn open(&self) -> PartitionLog {
        PartitionLog::open(Path::new(DIR), Arc::clone(&self.config), self.world.clone()).unwrap()
    }
}

/// Two batches of the tests fit into a segment.
fn two_a_segment() -> LogConfig {
    LogConfig {
        segment_bytes: 200,
        ..LogConfig::default()
    }
}

fn write(log: &PartitionLog, value: &str, epoch: i32) {
    let sent = Sent::values(NOW, &[value]).bytes();
    log.append_as_leader(sent, epoch).unwrap();
}

/// A batch as the leader of an epoch has it at an offset; all of the same size.
fn copied(offset: i64, epoch: i32) -> Bytes {
    let mut bytes = BytesMut::from(&Sent::values(NOW, &[format!("{epoch}:{offset:03}")]).bytes()[..]);
    bytes[..8].copy_from_slice(&offset.to_be_bytes());
    bytes[12..16].copy_from_slice(&epoch.to_be_bytes());
    bytes.freeze()
}

fn copy(log: &PartitionLog, offsets: std::ops::Range<i64>, epoch: i32) {
    for offset in offsets {
        log.append(copied(offset, epoch), By::Follower).unwrap();
    }
}

fn all(log: &PartitionLog) -> Vec<String> {
    log.set_high_watermark(log.log_end_offset());
    values(&read_all(log, log.log_start_offset(), 1 << 20))
}

/// What stands in a log: `old` up to the cut, then as much as has outlived of the new.
fn is_of_one_history(values: &[String], cut: usize) -> bool {
    let expected = |at: usize| format!("{}:{at:03}", if at < cut { 1 } else { 2 });
    values
        .iter()
        .enumerate()
        .all(|(at, value)| *value == expected(at))
}

#[test]
fn a_segment_goes_whose_predecessor_has_lost_its_end_with_the_power() {
    let bench = Bench::new(1, two_a_segment());
    let log = bench.open();
    write(&log, "one", 0);
    log.flush().unwrap();
    write(&log, "two", 0);
    // Begins a segment, and by its epoch brings the folder's entries to the disk.
    write(&log, "three", 1);
    assert_eq!(log.log_end_offset(), 3);
    drop(log);
    bench.memory.lose_power(false);
    let log = bench.open();
    assert_eq!(log.log_end_offset(), 1, "what follows a gap is gone with it");
    write(&log, "four", 2);
    assert_eq!(all(&log), ["one", "four"]);
}

#[test]
fn what_was_cut_off_does_not_come_back_beneath_what_was_written_in_its_place() {
    for (seed, small) in (0..40).map(|seed| (seed, seed % 2 == 0)) {
        let bench = Bench::new(
            seed,
            if small {
                two_a_segment()
            } else {
                LogConfig::default()
            },
        );
        let log = bench.open();
        copy(&log, 0..6, 1);
        log.flush().unwrap();
        log.truncate_to(3).unwrap();
        copy(&log, 3..10, 2);
        drop(log);
        bench.memory.lose_power(true);
        let values = all(&bench.open());
        assert!(
            values.len() >= 3 && is_of_one_history(&values, 3),
            "seed {seed}: {values:?}"
        );
    }
}

#[test]
fn a_log_that_was_begun_anew_does_not_get_its_old_segments_back() {
    for seed in 0..20 {
        let bench = Bench::new(seed, two_a_segment());
        let log = bench.open();
        copy(&log, 0..6, 1);
        log.flush().unwrap();
        log.truncate_fully_and_start_at(20).unwrap();
        copy(&log, 20..25, 2);
        drop(log);
        bench.memory.lose_power(true);
        let log = bench.open();
        assert_eq!(log.log_start_offset(), 20, "seed {seed}");
        let end = log.log_end_offset();
        let expected: Vec<String> = (20..end).map(|at| format!("2:{at:03}")).collect();
        assert_eq!(all(&log), expected, "seed {seed}");
    }
}

#[test]
fn a_cut_that_a_crash_broke_off_is_made_again() {
    // The process ends after each number of changes of the disk, and the power is lost later.
    for changes in 1..30 {
        let bench = Bench::new(u64::from(changes), two_a_segment());
        let log = bench.open();
        copy(&log, 0..6, 1);
        log.flush().unwrap();
        bench.memory.stop_after(changes);
        let cut = log.truncate_to(3);
        drop(log);
        bench.memory.serve_again();
        let log = bench.open();
        assert!(cut.is_err() || log.log_end_offset() == 3, "after {changes}");
        log.truncate_to(3).unwrap();
        copy(&log, 3..10, 2);
        drop(log);
        bench.memory.lose_power(true);
        let values = all(&bench.open());
        assert!(
            values.len() >= 3 && is_of_one_history(&values, 3),
            "after {changes}: {values:?}"
        );
    }
}

#[test]
fn what_a_failed_sync_dropped_is_written_anew_by_the_next_process_too() {
    let bench = Bench::new(1, LogConfig::default());
    let log = bench.open();
    copy(&log, 0..3, 1);
    bench.memory.fail_a_sync();
    log.flush().unwrap_err();
    // The process ends before it has recovered the log.
    drop(log);
    let log = bench.open();
    copy(&log, 3..5, 1);
    log.flush().unwrap();
    drop(log);
    bench.memory.lose_power(false);
    let log = bench.open();
    assert_eq!(
        log.log_end_offset(),
        5,
        "the next sync said that all is on the disk"
    );
    assert_eq!(all(&log).len(), 5);
    let read = log.read(0, 1 << 20, true, ReadLimit::LogEnd).unwrap();
    assert!(!read.records.is_empty());
}
