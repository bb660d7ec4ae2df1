//! Markers that others than the coordinator write, and what is told of transactions.

use super::*;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{DescribeProducersRequest, ListTransactionsRequest, WriteTxnMarkersRequest};

async fn abort(
    broker: &TestBroker,
    producer: (i64, i16),
    coordinator_epoch: i32,
    partition: i32,
) -> Option<ResponseError> {
    let topic = WritableTxnMarkerTopic::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![partition]);
    let marker = WritableTxnMarker::default()
        .with_producer_id(producer.0.into())
        .with_producer_epoch(producer.1)
        .with_coordinator_epoch(coordinator_epoch)
        .with_topics(vec![topic]);
    let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
    let answer = broker.ask(request, 1).await;
    error(answer.markers[0].topics[0].partitions[0].error_code)
}

/// Coordinator epoch and start of the open transaction of the one producer of `t`-0.
async fn producer_of(broker: &TestBroker) -> (i32, i64) {
    let topic = TopicRequest::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![0]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let answer = broker.ask(request, 0).await;
    let producer = &answer.topics[0].partitions[0].active_producers[0];
    (producer.coordinator_epoch, producer.current_txn_start_offset)
}

#[tokio::test]
async fn an_operator_ends_what_hangs_in_a_partition() {
    let mut broker = with_topic(1).await;
    let mut writer = Writer::at(&broker, "id", Protocol::New).await;
    writer.write(&broker, ("t", 0), &["hangs"]).await;
    assert_eq!(producer_of(&broker).await, (-1, 0));
    let producer = (writer.producer_id, writer.epoch);
    assert_eq!(abort(&broker, producer, 7, 0).await, None);
    let (stable, _, aborted) = committed(&broker, "t", 0).await;
    assert_eq!((stable, aborted), (2, vec![0]));
    assert_eq!(producer_of(&broker).await, (7, -1));
    // Of two coordinators the later is right, also after a restart.
    let fenced = Some(ResponseError::TransactionCoordinatorFenced);
    assert_eq!(abort(&broker, producer, 6, 0).await, fenced);
    broker.restart().await;
    assert_eq!(abort(&broker, producer, 6, 0).await, fenced);
    assert_eq!(abort(&broker, producer, 7, 0).await, None);
    let earlier = (producer.0, producer.1 - 1);
    let refused = abort(&broker, earlier, 7, 0).await;
    assert_eq!(refused, Some(ResponseError::InvalidProducerEpoch));
    let unknown = abort(&broker, producer, 7, 5).await;
    assert_eq!(unknown, Some(ResponseError::UnknownTopicOrPartition));
}

#[tokio::test]
async fn a_listing_is_filtered_by_state_producer_age_and_pattern() {
    let broker = with_topic(1).await;
    let mut open = Writer::at(&broker, "open", Protocol::New).await;
    open.write(&broker, ("t", 0), &["a"]).await;
    let idle = Writer::at(&broker, "idle", Protocol::New).await;
    let list = async |request: ListTransactionsRequest| {
        let answer = broker.ask(request, 2).await;
        assert_eq!(error(answer.error_code), None);
        let ids = answer
            .transaction_states
            .iter()
            .map(|state| state.transactional_id.to_string());
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        (ids, answer.unknown_state_filters.len())
    };
    let all = || ListTransactionsRequest::default().with_duration_filter(-1);
    let both = vec!["idle".to_owned(), "open".to_owned()];
    assert_eq!(list(all()).await, (both, 0));
    let only = |id: &str| (vec![id.to_owned()], 0);
    let in_state = |names: &[&str]| all().with_state_filters(names.iter().map(|name| text(name)).collect());
    assert_eq!(list(in_state(&["Ongoing", "Dead"])).await, only("open"));
    assert_eq!(list(in_state(&["Dead"])).await, (vec![], 0));
    assert_eq!(list(in_state(&["Nowhere"])).await, (vec![], 1));
    let of = all().with_producer_id_filters(vec![idle.producer_id.into()]);
    assert_eq!(list(of).await, only("idle"));
    let old = all().with_duration_filter(3_600_000);
    // One that never began is as old as time.
    assert_eq!(list(old).await, only("idle"));
    let named = all().with_transactional_id_pattern(Some(text("o.*")));
    assert_eq!(list(named).await, only("open"));
    let bad = all().with_transactional_id_pattern(Some(text("[")));
    let answer = broker.ask(bad, 2).await;
    assert_eq!(
        error(answer.error_code),
        Some(ResponseError::InvalidRegularExpression)
    );
}
