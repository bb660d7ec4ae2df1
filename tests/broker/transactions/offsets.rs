//! Offsets of groups that are committed in a transaction.

use super::*;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{AddOffsetsToTxnRequest, GroupId, OffsetFetchRequest, TxnOffsetCommitRequest};

const GROUP: &str = "g";

fn group_id() -> GroupId {
    text(GROUP).into()
}

async fn add_offsets(broker: &TestBroker, writer: &Writer) -> Option<ResponseError> {
    let request = AddOffsetsToTxnRequest::default()
        .with_transactional_id(transactional_id(&writer.id))
        .with_producer_id(writer.producer_id.into())
        .with_producer_epoch(writer.epoch)
        .with_group_id(group_id());
    error(broker.ask(request, 3).await.error_code)
}

async fn commit(broker: &TestBroker, writer: &Writer, version: i16, offset: i64) -> Option<ResponseError> {
    let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic = TxnOffsetCommitRequestTopic::default()
        .with_name(topic_name("t"))
        .with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(transactional_id(&writer.id))
        .with_group_id(group_id())
        .with_producer_id(writer.producer_id.into())
        .with_producer_epoch(writer.epoch)
        .with_topics(vec![topic]);
    let answer = broker.ask(request, version).await;
    error(answer.topics[0].partitions[0].error_code)
}

/// The group's offset, or why it is not told.
async fn offset(broker: &TestBroker, stable: bool) -> Result<i64, ResponseError> {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![0]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(group_id())
        .with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default()
        .with_groups(vec![group])
        .with_require_stable(stable);
    let answer = broker.ask(request, 8).await;
    let told = &answer.groups[0].topics[0].partitions[0];
    match error(told.error_code) {
        None => Ok(told.committed_offset),
        Some(error) => Err(error),
    }
}

async fn with_group() -> TestBroker {
    let broker = with_topic(1).await;
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![text(GROUP)]);
    broker.ask(find, 4).await;
    broker
}

#[tokio::test]
async fn they_count_with_the_commit_and_never_with_an_abort() {
    for (protocol, version) in [(Protocol::Old, 3), (Protocol::New, 5)] {
        let broker = with_group().await;
        let mut writer = Writer::at(&broker, "id", protocol).await;
        for (commits, seen, then) in [(true, -1, 7), (false, 7, 7), (true, 7, 9)] {
            if protocol == Protocol::Old {
                assert_eq!(add_offsets(&broker, &writer).await, None);
            }
            let at = if commits { then } else { 8 };
            assert_eq!(commit(&broker, &writer, version, at).await, None);
            assert_eq!(offset(&broker, false).await, Ok(seen));
            let unstable = offset(&broker, true).await;
            assert_eq!(unstable, Err(ResponseError::UnstableOffsetCommit));
            writer.end(&broker, commits).await;
            assert_eq!(offset(&broker, true).await, Ok(then));
        }
    }
}

#[tokio::test]
async fn a_group_that_was_not_taken_in_keeps_no_offsets() {
    let broker = with_group().await;
    let writer = Writer::at(&broker, "id", Protocol::Old).await;
    assert_eq!(writer.add(&broker, "t", 0).await, None);
    let refused = commit(&broker, &writer, 3, 5).await;
    assert_eq!(refused, Some(ResponseError::InvalidTxnState));
    let refused = commit(&broker, &writer, 4, 5).await;
    assert_eq!(refused, Some(ResponseError::TransactionAbortable));
    let stranger = Writer {
        epoch: writer.epoch + 1,
        ..Writer::at(&broker, "other", Protocol::Old).await
    };
    let refused = commit(&broker, &stranger, 4, 5).await;
    assert_eq!(refused, Some(ResponseError::InvalidProducerEpoch));
}

#[tokio::test]
async fn the_first_group_of_a_cluster_may_be_taken_in_before_anybody_asked_for_it() {
    let broker = with_topic(1).await;
    let mut writer = Writer::at(&broker, "id", Protocol::Old).await;
    eventually("the group's partition is taken in", async || {
        add_offsets(&broker, &writer).await.is_none()
    })
    .await;
    writer.end(&broker, true).await;
    assert_eq!(offset(&broker, true).await, Ok(-1));
}
