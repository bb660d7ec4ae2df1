//! Committed offsets: what is refused, what outlives a stop, what goes with its topic.

use super::*;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{DeleteTopicsRequest, OffsetDeleteRequest, OffsetFetchRequest};
use std::time::Duration;
use velodrome::clock::Clock;

async fn committed(broker: &TestBroker, partition: i32) -> i64 {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![partition]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(group("g"))
        .with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![group]);
    let answer = broker.ask(request, 9).await.groups.remove(0);
    if answer.error_code == ResponseError::CoordinatorLoadInProgress.code() {
        // Just started: ask again, as clients do.
        tokio::task::yield_now().await;
        return Box::pin(committed(broker, partition)).await;
    }
    assert_eq!(answer.error_code, 0);
    answer.topics[0].partitions[0].committed_offset
}

async fn commit(broker: &TestBroker, partition: i32, offset: i64) -> Option<ResponseError> {
    let answer = broker.ask(commit_request("", -1, partition, offset), 9).await;
    error(answer.topics[0].partitions[0].error_code)
}

#[tokio::test]
async fn an_acknowledged_commit_outlives_a_crash() {
    let mut broker = broker_with_topic(&[]).await;
    assert_eq!(commit(&broker, 0, 41).await, None);
    assert_eq!(commit(&broker, 0, 42).await, None);
    broker.kill().await;
    broker.start_again().await;
    assert_eq!(committed(&broker, 0).await, 42);
    broker.restart().await;
    assert_eq!(committed(&broker, 0).await, 42);
}

#[tokio::test]
async fn a_group_whose_partition_could_not_be_opened_is_served_once_it_can_be() {
    let broker = TestBroker::with(&[("offsets.topic.num.partitions", "1")]).await;
    let in_the_way = broker.log_dir().join("__consumer_offsets-0");
    std::fs::write(&in_the_way, "").unwrap();
    make_topic(&broker).await;
    find_coordinator(&broker).await;
    assert_eq!(commit(&broker, 0, 41).await, Some(ResponseError::NotCoordinator));
    std::fs::remove_file(&in_the_way).unwrap();
    let served = async {
        while commit(&broker, 0, 42).await.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), served)
        .await
        .expect("nobody opened the partition again");
    assert_eq!(committed(&broker, 0).await, 42);
}

#[tokio::test]
async fn commits_that_make_no_sense_are_refused_one_by_one() {
    let broker = broker_with_topic(&[]).await;
    assert_eq!(
        commit(&broker, 99, 1).await,
        Some(ResponseError::UnknownTopicOrPartition)
    );
    let mut long = commit_request("", -1, 0, 1);
    long.topics[0].partitions[0].committed_metadata = Some(text(&"x".repeat(4097)));
    let answer = broker.ask(long, 9).await;
    let refused = error(answer.topics[0].partitions[0].error_code);
    assert_eq!(refused, Some(ResponseError::OffsetMetadataTooLarge));
    let answer = broker.ask(commit_request("m", 1, 0, 1), 9).await;
    let refused = error(answer.topics[0].partitions[0].error_code);
    assert_eq!(refused, Some(ResponseError::GroupIdNotFound));
    let answer = broker.ask(commit_request("m", 1, 0, 1), 8).await;
    let refused = error(answer.topics[0].partitions[0].error_code);
    assert_eq!(refused, Some(ResponseError::IllegalGeneration));
    assert_eq!(committed(&broker, 0).await, -1);
}

#[tokio::test]
async fn a_topic_made_again_starts_without_the_old_offsets() {
    let broker = broker_with_topic(&[]).await;
    assert_eq!(commit(&broker, 0, 42).await, None);
    let request = DeleteTopicsRequest::default()
        .with_topics(vec![DeleteTopicState::default().with_name(Some(topic_name("t")))])
        .with_timeout_ms(10_000);
    assert_eq!(broker.ask(request, 6).await.responses[0].error_code, 0);
    let topic = CreatableTopic::default()
        .with_name(topic_name("t"))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    assert_eq!(broker.ask(request, 7).await.topics[0].error_code, 0);
    assert_eq!(committed(&broker, 0).await, -1);
}

#[tokio::test]
async fn offsets_are_deleted_unless_a_member_reads_the_topic() {
    let broker = broker_with_topic(&[QUICK]).await;
    let delete = |partitions: &[i32]| {
        let partitions = partitions
            .iter()
            .map(|index| OffsetDeleteRequestPartition::default().with_partition_index(*index));
        let topic = OffsetDeleteRequestTopic::default()
            .with_name(topic_name("t"))
            .with_partitions(partitions.collect());
        OffsetDeleteRequest::default()
            .with_group_id(group("g"))
            .with_topics(vec![topic])
    };
    let missing = broker.ask(delete(&[0]), 0).await;
    assert_eq!(error(missing.error_code), Some(ResponseError::GroupIdNotFound));
    assert_eq!(commit(&broker, 0, 42).await, None);
    let answer = broker.ask(delete(&[99, 0]), 0).await;
    let codes: Vec<i16> = answer.topics[0]
        .partitions
        .iter()
        .map(|partition| partition.error_code)
        .collect();
    assert_eq!(codes, [ResponseError::UnknownTopicOrPartition.code(), 0]);
    assert_eq!(committed(&broker, 0).await, -1);
    let mut client = broker.client().await;
    lead_alone(&mut client).await;
    let answer = broker.ask(delete(&[0]), 0).await;
    let refused = error(answer.topics[0].partitions[0].error_code);
    assert_eq!(refused, Some(ResponseError::GroupSubscribedToTopic));
}

#[tokio::test]
async fn offsets_expire_a_week_after_the_group_became_empty() {
    let clock = Clock::manual(1_700_000_000_000);
    let broker = TestBroker::with_clock(&[], clock.clone()).await;
    let topic = CreatableTopic::default()
        .with_name(topic_name("t"))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    assert_eq!(broker.ask(request, 7).await.topics[0].error_code, 0);
    find_coordinator(&broker).await;
    assert_eq!(commit(&broker, 0, 42).await, None);
    clock.advance(Duration::from_secs(7 * 24 * 3600 - 1));
    assert_eq!(committed(&broker, 0).await, 42);
    clock.advance(Duration::from_secs(600));
    while committed(&broker, 0).await != -1 {
        tokio::task::yield_now().await;
    }
}
