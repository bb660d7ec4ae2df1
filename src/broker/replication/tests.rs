mod isr;
mod offline;

use super::*;
use crate::broker::log::{Appended, Leave, LogConfig, ReadLimit};
use crate::broker::metadata::{MetadataImage, PartitionImage, TopicImage};
use crate::clock::Clock;
use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

fn manager(log_dir: &Path) -> ReplicaManager {
    ReplicaManager::new(ReplicaSettings {
        node_id: 1,
        log_dir: log_dir.to_owned(),
        retention_check_interval: Duration::from_secs(1),
        world: Clock::system().into(),
        topic_configs: Box::new(|_, topic| LogConfig {
            min_insync_replicas: if topic == "careful" { 2 } else { 1 },
            ..LogConfig::default()
        }),
    })
}

fn partition_image(replicas: &[i32], isr: &[i32], leader: i32, leader_epoch: i32) -> PartitionImage {
    PartitionImage {
        replicas: replicas.to_vec(),
        isr: isr.to_vec(),
        leader,
        leader_epoch,
        partition_epoch: leader_epoch,
        ..PartitionImage::default()
    }
}

fn image_of(topics: &[(&str, u128, PartitionImage)]) -> MetadataImage {
    let mut image = MetadataImage::default();
    for (name, id, partition) in topics {
        let topic = TopicImage {
            id: Uuid::from_u128(*id),
            name: (*name).to_owned(),
            partitions: vec![partition.clone()],
        };
        image.topic_names.insert(topic.id, topic.name.clone());
        image.topics.insert(topic.name.clone(), Arc::new(topic));
    }
    image
}

/// Writes as the leader, and waits until it is seen.
fn append(partition: &Partition, records: Bytes, acks: i16) -> crate::broker::Result<Appended> {
    let written = partition.write(records, acks, Leave::Free)?;
    partition.settle(&written).map(|()| written)
}

fn batch(value: &str) -> Bytes {
    let record = Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: TimestampType::Creation,
        offset: 0,
        sequence: -1,
        timestamp: Clock::system().now_ms(),
        key: None,
        value: Some(Bytes::from(value.to_owned())),
        headers: Default::default(),
    };
    let options = RecordEncodeOptions {
        version: 2,
        compression: Compression::None,
    };
    let mut bytes = BytesMut::new();
    RecordBatchEncoder::encode(&mut bytes, [&record], &options).unwrap();
    bytes.freeze()
}

fn refusal<T: std::fmt::Debug>(result: crate::broker::error::Result<T>) -> ResponseError {
    result.unwrap_err().response_error()
}

#[test]
fn logs_are_opened_for_what_is_assigned_here_and_deleted_with_their_topic() {
    let dir = TempDir::new().unwrap();
    let manager = manager(dir.path());
    let mine = partition_image(&[1], &[1], 1, 0);
    let elsewhere = partition_image(&[2], &[2], 2, 0);
    manager
        .apply(&image_of(&[("mine", 1, mine.clone()), ("theirs", 2, elsewhere)]))
        .unwrap();
    assert!(manager.partition("theirs", 0).is_none());
    let partition = manager.partition("mine", 0).unwrap();
    assert_eq!(partition.leader_epoch(), Some(0));
    assert_eq!(append(&partition, batch("a"), -1).unwrap().base_offset, 0);
    assert!(dir.path().join("mine-0").is_dir());

    manager.apply(&image_of(&[("mine", 3, mine)])).unwrap();
    assert_eq!(
        refusal(append(&partition, batch("b"), 1)),
        ResponseError::NotLeaderOrFollower
    );
    assert!(manager.partition_by_id(Uuid::from_u128(1), 0).is_none());
    assert_eq!(manager.partition("mine", 0).unwrap().log.log_end_offset(), 0);

    manager.apply(&image_of(&[])).unwrap();
    assert!(manager.partition("mine", 0).is_none());
    assert!(!dir.path().join("mine-0").exists());
}

#[test]
fn a_restart_keeps_records_removes_stale_folders_and_sets_unknown_ones_aside() {
    let dir = TempDir::new().unwrap();
    let here = partition_image(&[1], &[1], 1, 0);
    let image = image_of(&[
        ("kept", 1, here.clone()),
        ("stale", 2, here.clone()),
        ("lost", 3, here.clone()),
    ]);
    let before = manager(dir.path());
    before.apply(&image).unwrap();
    for partition in before.partitions() {
        append(&partition, batch("a"), 1).unwrap();
    }
    before.close(7).unwrap();
    assert!(dir.path().join(".kafka_cleanshutdown").exists());

    let after = manager(dir.path());
    after
        .apply(&image_of(&[("kept", 1, here.clone()), ("stale", 9, here)]))
        .unwrap();
    assert!(!dir.path().join(".kafka_cleanshutdown").exists());
    let end = |topic| after.partition(topic, 0).unwrap().log.log_end_offset();
    assert_eq!((end("kept"), end("stale")), (1, 0));
    let names = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let aside: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.ends_with("-stray"))
        .collect();
    assert_eq!(aside.len(), 1);
    assert!(aside[0].starts_with("lost-0."));
}

#[test]
fn many_logs_are_opened_side_by_side() {
    let dir = TempDir::new().unwrap();
    let names: Vec<String> = (0..40).map(|at| format!("t{at}")).collect();
    let here = partition_image(&[1], &[1], 1, 0);
    let topics: Vec<_> = names
        .iter()
        .zip(1..)
        .map(|(name, id)| (name.as_str(), id, here.clone()))
        .collect();
    let manager = manager(dir.path());
    manager.apply(&image_of(&topics)).unwrap();
    assert_eq!(manager.partitions().len(), 40);
}

#[tokio::test]
async fn the_high_watermark_is_where_every_in_sync_replica_is() {
    let dir = TempDir::new().unwrap();
    let manager = manager(dir.path());
    manager
        .apply(&image_of(&[("t", 1, partition_image(&[1, 2, 3], &[1, 2], 1, 4))]))
        .unwrap();
    let partition = manager.partition("t", 0).unwrap();
    append(&partition, batch("a"), 1).unwrap();
    append(&partition, batch("b"), -1).unwrap();
    assert_eq!(partition.log.high_watermark(), 0);
    let soon = Instant::now() + Duration::from_millis(20);
    assert!(!partition.await_replicated(1, soon).await);

    partition.follower_fetched(3, -1, 2, 0).unwrap();
    assert_eq!(partition.log.high_watermark(), 0, "replica 3 is not in sync");
    partition.follower_fetched(2, -1, 1, 0).unwrap();
    assert_eq!(partition.log.high_watermark(), 1);
    let waiting = tokio::spawn({
        let partition = Arc::clone(&partition);
        async move {
            partition
                .await_replicated(1, Instant::now() + Duration::from_secs(20))
                .await
        }
    });
    partition.follower_fetched(2, -1, 2, 0).unwrap();
    assert!(waiting.await.unwrap());
    assert_eq!(
        partition.follower_fetched(7, -1, 2, 0),
        Err(ResponseError::NotLeaderOrFollower)
    );

    // The follower drops out of the ISR: its lag holds nobody back any more.
    append(&partition, batch("c"), 1).unwrap();
    assert_eq!(partition.log.high_watermark(), 2);
    let mut shrunk = partition_image(&[1, 2, 3], &[1], 1, 4);
    shrunk.partition_epoch = 5;
    manager.apply(&image_of(&[("t", 1, shrunk)])).unwrap();
    assert_eq!(partition.log.high_watermark(), 3);
}

#[test]
fn acks_all_wants_min_insync_replicas_but_never_more_than_there_are() {
    let dir = TempDir::new().unwrap();
    let manager = manager(dir.path());
    manager
        .apply(&image_of(&[("careful", 1, partition_image(&[1, 2], &[1], 1, 0))]))
        .unwrap();
    let partition = manager.partition("careful", 0).unwrap();
    assert_eq!(
        refusal(append(&partition, batch("a"), -1)),
        ResponseError::NotEnoughReplicas
    );
    assert!(append(&partition, batch("a"), 1).is_ok());
    manager
        .apply(&image_of(&[("careful", 1, partition_image(&[1], &[1], 1, 1))]))
        .unwrap();
    assert!(append(&partition, batch("a"), -1).is_ok());
}

#[test]
fn the_high_watermark_stands_still_while_fewer_are_in_sync_than_must_be() {
    let dir = TempDir::new().unwrap();
    let manager = manager(dir.path());
    let in_sync = |isr: &[i32], partition_epoch| {
        let mut image = partition_image(&[1, 2], isr, 1, 0);
        image.partition_epoch = partition_epoch;
        manager.apply(&image_of(&[("careful", 1, image)])).unwrap();
    };
    in_sync(&[1, 2], 0);
    let partition = manager.partition("careful", 0).unwrap();
    let watermark = || partition.log.high_watermark();
    append(&partition, batch("a"), 1).unwrap();
    partition.follower_fetched(2, -1, 1, 0).unwrap();
    assert_eq!(watermark(), 1);
    in_sync(&[1], 1);
    append(&partition, batch("b"), 1).unwrap();
    partition.follower_fetched(2, -1, 2, 0).unwrap();
    assert_eq!(watermark(), 1, "replica 2 would lack nothing if it led");
    in_sync(&[1, 2], 2);
    assert_eq!(watermark(), 2);
    in_sync(&[1], 3);
    append(&partition, batch("c"), 1).unwrap();
    assert_eq!(watermark(), 2);
    partition.set_config(Arc::new(LogConfig::default()));
    assert_eq!(watermark(), 3, "one is enough now");
}

#[test]
fn a_leader_that_lost_its_lead_refuses_and_fences_by_epoch() {
    let dir = TempDir::new().unwrap();
    let manager = manager(dir.path());
    manager
        .apply(&image_of(&[("t", 1, partition_image(&[1, 2], &[1, 2], 1, 3))]))
        .unwrap();
    let partition = manager.partition("t", 0).unwrap();
    let leadership = partition.leadership().unwrap();
    assert_eq!(leadership.check_epoch(-1), Ok(()));
    assert_eq!(leadership.check_epoch(3), Ok(()));
    assert_eq!(leadership.check_epoch(2), Err(ResponseError::FencedLeaderEpoch));
    assert_eq!(leadership.check_epoch(4), Err(ResponseError::UnknownLeaderEpoch));
    manager
        .apply(&image_of(&[("t", 1, partition_image(&[1, 2], &[2], 2, 4))]))
        .unwrap();
    assert_eq!(
        refusal(append(&partition, batch("a"), 1)),
        ResponseError::NotLeaderOrFollower
    );
    assert_eq!(partition.leadership(), None);
}

#[tokio::test]
async fn waiters_are_woken_once_enough_bytes_came_and_when_the_leader_changes() {
    let dir = TempDir::new().unwrap();
    let manager = manager(dir.path());
    manager
        .apply(&image_of(&[("t", 1, partition_image(&[1], &[1], 1, 0))]))
        .unwrap();
    let partition = manager.partition("t", 0).unwrap();
    let one = batch("0123456789");
    // The first of an epoch waits for the disk, and wakes everybody when it is there.
    append(&partition, one.clone(), 1).unwrap();
    let waiter = FetchWaiter::new(2 * one.len() as i64, false);
    let waiting = Waiting::register(Arc::clone(&waiter), vec![Arc::clone(&partition)]);
    let woken = |wait: u64| tokio::time::timeout(Duration::from_millis(wait), waiter.woken());
    append(&partition, one.clone(), 1).unwrap();
    assert!(woken(20).await.is_err(), "one batch is not enough");
    append(&partition, one.clone(), 1).unwrap();
    assert!(woken(5000).await.is_ok());
    manager.apply(&image_of(&[])).unwrap();
    assert!(woken(5000).await.is_ok());
    drop(waiting);
    let read = partition
        .log
        .read(0, 1 << 20, true, ReadLimit::HighWatermark)
        .unwrap();
    assert_eq!(read.records.len(), 3 * one.len());
}

#[test]
fn earlier_epochs_have_ended_where_a_new_one_begins_also_before_its_first_record() {
    let folder = TempDir::new().unwrap();
    let replicas = manager(folder.path());
    let led = |epoch| image_of(&[("t", 1, partition_image(&[1, 2], &[1, 2], 1, epoch))]);
    replicas.apply(&led(3)).unwrap();
    let partition = replicas.partition("t", 0).unwrap();
    let ends = |epochs: &[i32]| {
        let leads = partition.leadership().unwrap();
        let ends = epochs
            .iter()
            .map(|epoch| partition.end_offset_for_epoch(leads, *epoch));
        ends.collect::<Vec<_>>()
    };
    assert_eq!(ends(&[2, 3, 4]), [(2, 0), (3, 0), (-1, -1)]);
    append(&partition, batch("one"), 1).unwrap();
    // Somebody else led in between, and this one has nothing of that.
    replicas.apply(&led(6)).unwrap();
    assert_eq!(ends(&[2, 3, 5, 6, 7]), [(2, 0), (3, 1), (3, 1), (6, 1), (-1, -1)]);
    append(&partition, batch("two"), 1).unwrap();
    assert_eq!(ends(&[3, 5, 6, 7]), [(3, 1), (3, 1), (6, 2), (-1, -1)]);
}
