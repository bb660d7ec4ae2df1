use super::*;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::{DeleteRecordsRequest, DescribeLogDirsRequest};
use std::time::Duration;
use velodrome::clock::Clock;

async fn delete_before(broker: &TestBroker, topic: &str, offset: i64) -> (i16, i64) {
    let topic = DeleteRecordsTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(vec![DeleteRecordsPartition::default().with_offset(offset)]);
    let response = broker
        .ask(DeleteRecordsRequest::default().with_topics(vec![topic]), 2)
        .await;
    let partition = &response.topics[0].partitions[0];
    (partition.error_code, partition.low_watermark)
}

#[tokio::test]
async fn deleted_records_stay_deleted_over_a_restart() {
    let mut broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    write(&broker, "t", &["a", "b", "c", "d"]).await;
    let out_of_range = ResponseError::OffsetOutOfRange.code();
    assert_eq!(delete_before(&broker, "t", 5).await.0, out_of_range);
    assert_eq!(delete_before(&broker, "t", -2).await.0, out_of_range);
    assert_eq!(delete_before(&broker, "t", 2).await, (0, 2));
    assert_eq!(delete_before(&broker, "t", 1).await, (0, 2), "nothing comes back");
    assert_eq!(list_offset(&broker, "t", -2).await.offset, 2);
    assert_eq!(read(&broker, "t", 2).await.len(), 2);
    broker.restart().await;
    assert_eq!(list_offset(&broker, "t", -2).await.offset, 2);
    assert_eq!(delete_before(&broker, "t", -1).await, (0, 4));
    assert_eq!(read(&broker, "t", 4).await, []);
    assert_eq!(write(&broker, "t", &["e"]).await, 4);
}

#[tokio::test]
async fn a_topic_that_is_only_compacted_keeps_its_records() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[("cleanup.policy", "compact")]).await;
    assert_eq!(
        delete_before(&broker, "t", 0).await.0,
        ResponseError::PolicyViolation.code()
    );
}

/// Moves the clock on, second by second, until the log starts at `offset`.
async fn advance_until_log_starts_at(broker: &TestBroker, clock: &Clock, offset: i64) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while list_offset(broker, "t", -2).await.offset != offset {
        assert!(
            std::time::Instant::now() < deadline,
            "the log start never came to {offset}"
        );
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn retention_by_time_moves_the_log_start() {
    let clock = Clock::manual(1_700_000_000_000);
    // The clock runs ahead of the heartbeats.
    let patient = [("broker.session.timeout.ms", "86400000")];
    let broker = TestBroker::with_clock(&patient, clock.clone()).await;
    create(
        &broker,
        "t",
        1,
        &[("retention.ms", "4000"), ("segment.ms", "1000")],
    )
    .await;
    for value in ["a", "b"] {
        produce(&broker, "t", 0, batch_of(NOBODY, clock.now_ms(), &[value])).await;
    }
    assert_eq!(read(&broker, "t", 0).await.len(), 2);
    advance_until_log_starts_at(&broker, &clock, 2).await;
    let answer = produce(&broker, "t", 0, batch_of(NOBODY, clock.now_ms(), &["c"])).await;
    assert_eq!((answer.base_offset, answer.log_start_offset), (2, 2));
}

#[tokio::test]
async fn log_directories_are_described_with_the_size_of_each_partition() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 2, &[]).await;
    let records = batch(&["a"]);
    produce(&broker, "t", 1, records.clone()).await;
    let response = broker
        .ask(DescribeLogDirsRequest::default().with_topics(None), 4)
        .await;
    let [dir] = response.results.as_slice() else {
        panic!("{response:?}")
    };
    assert_eq!(dir.log_dir.as_str(), broker.log_dir().display().to_string());
    let topic = dir
        .topics
        .iter()
        .find(|topic| topic.name.as_str() == "t")
        .unwrap();
    let sizes: Vec<i64> = topic
        .partitions
        .iter()
        .map(|partition| partition.partition_size)
        .collect();
    assert_eq!(sizes, [0, i64::try_from(records.len()).unwrap()]);
}

#[tokio::test]
async fn a_topic_made_again_under_the_same_name_starts_empty_even_if_its_old_folder_was_left_behind() {
    let mut broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    write(&broker, "t", &["old"]).await;
    broker.kill().await;
    // What a crash in the middle of a deletion leaves: a folder that says it belongs to another topic.
    let folder = broker.folder().join("data").join("t-0");
    std::fs::write(
        folder.join("partition.metadata"),
        "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAABw\n",
    )
    .unwrap();
    broker.start_again().await;
    assert_eq!(read(&broker, "t", 0).await, []);
    assert_eq!(write(&broker, "t", &["new"]).await, 0);
}
