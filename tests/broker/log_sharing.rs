//! One log in many hands, and the files beside its folder.

use super::log_support::{Bench, NOW, Sent, append, read_all, values};
use std::fs;
use std::thread;
use uuid::Uuid;
use velodrome::broker::log::checkpoint::{self, Lines, Offsets};
use velodrome::broker::log::{CleanupPolicy, LogConfig, topic_id};
use velodrome::broker::world::Disk;

#[test]
fn readers_beside_the_writer_see_every_record_once_and_in_order() {
    let bench = Bench::new(LogConfig {
        segment_bytes: 5_000,
        index_interval_bytes: 200,
        ..LogConfig::default()
    });
    let log = bench.open();
    let all: Vec<String> = (0..2_000).map(|n| format!("value {n}")).collect();
    thread::scope(|scope| {
        for max_bytes in [1, 700, 1 << 20] {
            let (log, all) = (&log, &all);
            scope.spawn(move || {
                let mut seen = Vec::new();
                while seen.len() < all.len() {
                    let from = i64::try_from(seen.len()).unwrap();
                    seen.extend(values(&read_all(log, from, max_bytes)));
                }
                assert_eq!(seen, *all);
            });
        }
        for value in &all {
            append(&log, &Sent::values(NOW, &[value]));
        }
    });
}

#[test]
fn readers_beside_compaction_and_retention_get_records_or_a_kafka_error() {
    let bench = Bench::new(LogConfig {
        segment_bytes: 1_000,
        index_interval_bytes: 100,
        file_delete_delay_ms: 0,
        min_cleanable_dirty_ratio: 0.01,
        cleanup_policy: CleanupPolicy {
            delete: true,
            compact: true,
        },
        ..LogConfig::default()
    });
    let log = bench.open();
    thread::scope(|scope| {
        scope.spawn(|| {
            while log.log_end_offset() < 2_000 {
                for (_, _, key, value) in read_all(&log, log.log_start_offset(), 700) {
                    assert_eq!(key.unwrap()[..3], value.unwrap()[..3]);
                }
            }
        });
        scope.spawn(|| {
            while log.log_end_offset() < 2_000 {
                log.compact().unwrap();
                log.apply_retention().unwrap();
            }
        });
        for n in 0..2_000 {
            append(
                &log,
                &Sent::keyed(NOW, &format!("key {}", n % 20), Some("key's value")),
            );
        }
    });
}

#[test]
fn whoever_waits_hears_of_appends_and_of_the_high_watermark() {
    let bench = Bench::new(LogConfig::default());
    let log = bench.open();
    let mut changes = log.changes();
    log.append_as_leader(Sent::values(NOW, &["x"]).bytes(), 0)
        .unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    log.set_high_watermark(1);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    log.set_high_watermark(1);
    assert!(!changes.has_changed().unwrap());
    log.delete_records(1).unwrap();
    assert!(changes.has_changed().unwrap());
}

#[test]
fn checkpoints_are_kafkas_text_and_a_damaged_one_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let write = |changes: &[(&str, Option<i64>)]| {
        let mut lines = Lines::default();
        for (partition, offset) in changes {
            lines.set(
                checkpoint::HIGH_WATERMARKS,
                &folder.path().join(partition),
                *offset,
            );
        }
        lines.write(&Disk::files(), folder.path()).unwrap();
    };
    write(&[("my-topic-3", Some(42)), ("other-0", Some(7))]);
    let path = folder.path().join("replication-offset-checkpoint");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "0\n2\nmy-topic 3 42\nother 0 7\n"
    );
    write(&[("other-0", None), ("my-topic-3", Some(43))]);
    let known = checkpoint::read(&Disk::files(), folder.path(), checkpoint::HIGH_WATERMARKS).unwrap();
    assert_eq!(known, Offsets::from([(("my-topic".to_owned(), 3), 43)]));
    fs::write(&path, "0\n2\nmy-topic 3 4").unwrap();
    assert!(
        checkpoint::read(&Disk::files(), folder.path(), checkpoint::HIGH_WATERMARKS)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn partition_metadata_holds_the_topic_id_in_kafkas_base_64() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        topic_id::read_topic_id(&Disk::files(), folder.path()).unwrap(),
        None
    );
    let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    topic_id::write_topic_id(&Disk::files(), folder.path(), id).unwrap();
    let text = fs::read_to_string(folder.path().join("partition.metadata")).unwrap();
    assert_eq!(text, "version: 0\ntopic_id: ASNFZ4mrze8BI0VniavN7w\n");
    assert_eq!(
        topic_id::read_topic_id(&Disk::files(), folder.path()).unwrap(),
        Some(id)
    );
}
