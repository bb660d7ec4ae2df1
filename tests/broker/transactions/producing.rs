//! Records in a transaction, in both protocols.

use super::*;
use kafka_protocol::messages::ApiVersionsRequest;

const BOTH: [Protocol; 2] = [Protocol::Old, Protocol::New];

#[tokio::test]
async fn what_is_committed_is_read_and_what_is_aborted_is_named() {
    for protocol in BOTH {
        let broker = with_topic(1).await;
        let mut writer = Writer::at(&broker, "id", protocol).await;
        writer.write(&broker, ("t", 0), &["a", "b"]).await;
        assert_eq!(committed(&broker, "t", 0).await, (0, vec![], vec![]));
        assert_eq!(end_of(&broker, "t", 1).await, 0);
        assert_eq!(end_of(&broker, "t", 0).await, 2);
        writer.end(&broker, true).await;
        let read = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(committed(&broker, "t", 0).await, (3, read, vec![]));
        writer.write(&broker, ("t", 0), &["c"]).await;
        writer.end(&broker, false).await;
        let (stable, _, aborted) = committed(&broker, "t", 0).await;
        assert_eq!((stable, aborted), (5, vec![3]));
        assert_eq!(end_of(&broker, "t", 1).await, 5);
    }
}

#[tokio::test]
async fn a_partition_that_was_not_taken_in_takes_no_records() {
    let broker = with_topic(2).await;
    let mut writer = Writer::at(&broker, "id", Protocol::Old).await;
    assert_eq!(writer.add(&broker, "t", 0).await, None);
    let refused = writer.try_write(&broker, 10, ("t", 1), &["x"]).await;
    assert_eq!(refused, Some(ResponseError::InvalidTxnState));
    let refused = writer.try_write(&broker, 11, ("t", 1), &["x"]).await;
    assert_eq!(refused, Some(ResponseError::TransactionAbortable));
    assert_eq!(writer.try_write(&broker, 11, ("t", 0), &["x"]).await, None);
    // Nobody may write for a producer without naming its transactional id.
    let mut request = crate::broker::data::produce_request(
        "t",
        0,
        transactional((writer.producer_id, writer.epoch, 1), &["y"]),
        -1,
    );
    request.transactional_id = None;
    let answer = broker.ask(request, 11).await;
    let code = answer.responses[0].partition_responses[0].error_code;
    assert_eq!(
        error(code),
        Some(ResponseError::TransactionalIdAuthorizationFailed)
    );
}

#[tokio::test]
async fn where_the_check_is_off_nobody_is_asked() {
    let off = [("transaction.partition.verification.enable", "false")];
    let broker = TestBroker::with(&off).await;
    create_with(&broker, "t", 1, 1, &[]).await;
    let mut writer = Writer::at(&broker, "id", Protocol::Old).await;
    assert_eq!(writer.try_write(&broker, 11, ("t", 0), &["x"]).await, None);
}

#[tokio::test]
async fn of_a_topic_that_is_not_there_nothing_is_taken_in() {
    let broker = with_topic(1).await;
    let writer = Writer::at(&broker, "id", Protocol::Old).await;
    let topics = ["t", "none"].map(|name| {
        AddPartitionsToTxnTopic::default()
            .with_name(topic_name(name))
            .with_partitions(vec![0])
    });
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(transactional_id("id"))
        .with_v3_and_below_producer_id(writer.producer_id.into())
        .with_v3_and_below_producer_epoch(writer.epoch)
        .with_v3_and_below_topics(topics.to_vec());
    let answer = broker.ask(request, 3).await;
    let codes = answer
        .results_by_topic_v3_and_below
        .iter()
        .map(|topic| error(topic.results_by_partition[0].partition_error_code));
    let expected = [
        Some(ResponseError::OperationNotAttempted),
        Some(ResponseError::UnknownTopicOrPartition),
    ];
    assert_eq!(codes.collect::<Vec<_>>(), expected);
    assert_eq!(writer.state(&broker).await, "Empty");
}

#[tokio::test]
async fn a_zombie_is_fenced_where_it_writes_and_where_it_ends() {
    for protocol in BOTH {
        let broker = with_topic(1).await;
        let mut zombie = Writer::at(&broker, "id", protocol).await;
        zombie.write(&broker, ("t", 0), &["lost"]).await;
        let mut heir = Writer::at(&broker, "id", protocol).await;
        heir.write(&broker, ("t", 0), &["kept"]).await;
        heir.end(&broker, true).await;
        let version = if protocol == Protocol::New { 12 } else { 11 };
        let refused = zombie.try_write(&broker, version, ("t", 0), &["late"]).await;
        assert_eq!(refused, Some(ResponseError::InvalidProducerEpoch));
        let refused = zombie.try_end(&broker, true).await;
        assert_eq!(error(refused.error_code), Some(ResponseError::ProducerFenced));
        let (_, read, aborted) = committed(&broker, "t", 0).await;
        assert_eq!(read, ["lost", "kept"]);
        assert_eq!(aborted, [0]);
    }
}

#[tokio::test]
async fn a_transaction_that_was_open_at_a_crash_is_still_open_and_can_be_ended() {
    for protocol in BOTH {
        let mut broker = with_topic(1).await;
        let mut writer = Writer::at(&broker, "id", protocol).await;
        writer.write(&broker, ("t", 0), &["a"]).await;
        broker.kill().await;
        broker.start_again().await;
        eventually("the partition is served", async || {
            end_of(&broker, "t", 0).await == 1
        })
        .await;
        assert_eq!(committed(&broker, "t", 0).await, (0, vec![], vec![]));
        eventually("the transaction is known", async || {
            writer.state(&broker).await == "Ongoing"
        })
        .await;
        writer.write(&broker, ("t", 0), &["b"]).await;
        writer.end(&broker, true).await;
        let read = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(committed(&broker, "t", 0).await, (3, read, vec![]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_transaction_begins_while_the_last_one_is_still_being_ended() {
    let broker = with_topic(1).await;
    let mut writer = Writer::at(&broker, "id", Protocol::New).await;
    writer.write(&broker, ("t", 0), &["a"]).await;
    for _ in 0..100 {
        let answer = writer.try_end(&broker, true).await;
        assert_eq!(error(answer.error_code), None);
        (writer.epoch, writer.sequence) = (answer.producer_epoch, 0);
        // Its marker may come in the middle of this.
        while let Some(refused) = writer.try_write(&broker, 12, ("t", 0), &["a"]).await {
            assert_eq!(refused, ResponseError::ConcurrentTransactions);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_committed_records_is_woken_by_the_marker() {
    let broker = with_topic(1).await;
    let mut writer = Writer::at(&broker, "id", Protocol::New).await;
    let long = "x".repeat(2000);
    writer.write(&broker, ("t", 0), &[&long]).await;
    let mut reader = broker.client().await;
    // More bytes than the marker alone has, fewer than it frees.
    let request = fetch_request("t", &[(0, 0)])
        .with_isolation_level(1)
        .with_min_bytes(1000)
        .with_max_wait_ms(120_000);
    reader.send(&request, FETCH).await;
    writer.end(&broker, true).await;
    let answer = reader
        .receive::<kafka_protocol::messages::FetchRequest>(FETCH)
        .await;
    assert_eq!(values(&answer.responses[0].partitions[0])[0].1, long);
}

#[tokio::test]
async fn a_new_cluster_tells_that_it_speaks_the_new_protocol() {
    let broker = TestBroker::start().await;
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("test"))
        .with_client_software_version(text("1"));
    let told = broker.ask(request, 4).await;
    let finalized = told.finalized_features.iter();
    let level = finalized
        .filter(|feature| feature.name.as_str() == "transaction.version")
        .map(|feature| feature.max_version_level);
    assert_eq!(level.collect::<Vec<_>>(), [2]);
}
