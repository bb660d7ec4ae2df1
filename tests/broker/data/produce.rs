use super::*;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::{DescribeProducersRequest, InitProducerIdRequest};

async fn error_of(broker: &TestBroker, records: Bytes) -> Option<ResponseError> {
    let answer = produce(broker, "t", 0, records).await;
    ResponseError::try_from_code(answer.error_code)
}

#[tokio::test]
async fn what_was_produced_is_read_back_with_its_offsets() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    assert_eq!(write(&broker, "t", &["a", "b"]).await, 0);
    assert_eq!(write(&broker, "t", &["c"]).await, 2);
    let all = [(0, "a".to_owned()), (1, "b".to_owned()), (2, "c".to_owned())];
    assert_eq!(read(&broker, "t", 0).await, all);
    assert_eq!(read(&broker, "t", 1).await, all[1..]);
}

#[tokio::test]
async fn topics_are_named_by_id_from_version_13_on() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let id = broker.running().node().metadata.load().topics["t"].id;
    let mut request = produce_request("", 0, batch(&["a"]), 1);
    request.topic_data[0].topic_id = id;
    let response = broker.ask(request.clone(), 13).await;
    assert_eq!(response.responses[0].topic_id, id);
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    request.topic_data[0].topic_id = uuid::Uuid::from_u128(1);
    let response = broker.ask(request, 13).await;
    let error = response.responses[0].partition_responses[0].error_code;
    assert_eq!(error, ResponseError::UnknownTopicId.code());
}

#[tokio::test]
async fn acks_0_is_never_answered_and_an_error_closes_the_connection() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let mut client = broker.client().await;
    client
        .send(&produce_request("t", 0, batch(&["a"]), 0), PRODUCE)
        .await;
    // The next answer on this connection is the fetch's.
    let data = fetch_one(&mut client, fetch_request("t", &[(0, 0)])).await;
    assert_eq!(values(&data), [(0, "a".to_owned())]);
    client
        .send(&produce_request("nowhere", 0, batch(&["a"]), 0), PRODUCE)
        .await;
    client.assert_closed().await;
}

#[tokio::test]
async fn one_bad_partition_does_not_spoil_the_others() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 2, &[]).await;
    let mut request = produce_request("t", 0, batch(&["a"]), -1);
    for index in [1, 2, -1, i32::MAX] {
        let data = PartitionProduceData::default()
            .with_index(index)
            .with_records(Some(batch(&["b"])));
        request.topic_data[0].partition_data.push(data);
    }
    let response = broker.ask(request, PRODUCE).await;
    let partitions = &response.responses[0].partition_responses;
    let errors: Vec<i16> = partitions.iter().map(|partition| partition.error_code).collect();
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(errors, [0, 0, unknown, unknown, unknown]);
}

#[tokio::test]
async fn broken_batches_get_kafkas_own_errors() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[("max.message.bytes", "2000")]).await;
    let good = batch(&["a"]);
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[at] ^= byte;
        Bytes::from(bytes)
    };
    assert_eq!(
        error_of(&broker, changed(good.len() - 1, 1)).await,
        Some(ResponseError::CorruptMessage)
    );
    assert_eq!(
        error_of(&broker, changed(16, 3)).await,
        Some(ResponseError::InvalidRecord),
        "magic 1"
    );
    assert_eq!(
        error_of(&broker, Bytes::new()).await,
        Some(ResponseError::InvalidRecord)
    );
    assert_eq!(
        error_of(&broker, good.slice(..40)).await,
        Some(ResponseError::CorruptMessage)
    );
    let two = Bytes::from([good.clone(), good.clone()].concat());
    assert_eq!(
        error_of(&broker, two).await,
        Some(ResponseError::InvalidRecord),
        "two batches"
    );
    for at in 8..12 {
        assert!(
            error_of(&broker, changed(at, 0xff)).await.is_some(),
            "a length that lies"
        );
    }
    let large = "x".repeat(3000);
    let answer = produce(&broker, "t", 0, batch(&[&large])).await;
    assert_eq!(answer.error_code, ResponseError::MessageTooLarge.code());
    assert!(answer.error_message.unwrap().contains("max.message.bytes=2000"));
    assert_eq!(
        error_of(&broker, good.clone()).await,
        None,
        "the log is as it was"
    );
    assert_eq!(read(&broker, "t", 0).await.len(), 1);
}

#[tokio::test]
async fn unknown_acks_and_internal_topics_are_refused() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    for acks in [2, -2, i16::MIN] {
        let response = broker
            .ask(produce_request("t", 0, batch(&["a"]), acks), PRODUCE)
            .await;
        let error = response.responses[0].partition_responses[0].error_code;
        assert_eq!(error, ResponseError::InvalidRequiredAcks.code());
    }
    let answer = broker
        .ask(
            produce_request("__consumer_offsets", 0, batch(&["a"]), 1),
            PRODUCE,
        )
        .await;
    assert_ne!(answer.responses[0].partition_responses[0].error_code, 0);
}

#[tokio::test]
async fn a_repeated_idempotent_batch_is_answered_but_not_written_again_even_after_a_restart() {
    let mut broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let now = velodrome::clock::Clock::system().now_ms();
    let first = batch_of((7, 0, 0), now, &["a", "b"]);
    let second = batch_of((7, 0, 2), now, &["c"]);
    assert_eq!(produce(&broker, "t", 0, first.clone()).await.base_offset, 0);
    assert_eq!(produce(&broker, "t", 0, second.clone()).await.base_offset, 2);
    for how in ["running", "restarted", "killed"] {
        match how {
            "restarted" => broker.restart().await,
            "killed" => {
                broker.kill().await;
                broker.start_again().await;
            }
            _ => {}
        }
        // Kafka's snapshots remember the last batch of each producer only.
        let remembered = if how == "running" { 2 } else { 1 };
        for (records, offset) in [(&second, 2), (&first, 0)].into_iter().take(remembered) {
            let answer = produce(&broker, "t", 0, records.clone()).await;
            assert_eq!((answer.error_code, answer.base_offset), (0, offset), "{how}");
        }
        let gap = batch_of((7, 0, 9), now, &["x"]);
        let wanted = Some(ResponseError::OutOfOrderSequenceNumber);
        assert_eq!(error_of(&broker, gap).await, wanted, "{how}");
        let fenced = batch_of((7, -1, 3), now, &["x"]);
        assert!(error_of(&broker, fenced).await.is_some(), "{how}");
        assert_eq!(read(&broker, "t", 0).await.len(), 3, "{how}");
    }
    let next_epoch = batch_of((7, 1, 0), now, &["d"]);
    assert_eq!(error_of(&broker, next_epoch).await, None);
    let old_epoch = batch_of((7, 0, 3), now, &["x"]);
    assert_eq!(
        error_of(&broker, old_epoch).await,
        Some(ResponseError::InvalidProducerEpoch)
    );
}

#[tokio::test]
async fn log_append_time_is_the_brokers_and_is_told() {
    let clock = velodrome::clock::Clock::manual(5_000_000);
    let broker = TestBroker::with_clock(&[], clock).await;
    create(&broker, "t", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let answer = produce(&broker, "t", 0, batch_of(NOBODY, 17, &["a"])).await;
    assert_eq!((answer.error_code, answer.log_append_time_ms), (0, 5_000_000));
    assert_eq!(list_offset(&broker, "t", -3).await.timestamp, 5_000_000);
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_a_crash() {
    let mut broker = TestBroker::with(&[("log.segment.bytes", "1048576")]).await;
    create(&broker, "t", 1, &[]).await;
    let mut acknowledged = 0;
    for round in 0..3 {
        for at in 0..50 {
            let value = format!("{round}-{at}-{}", "x".repeat(10_000));
            assert_eq!(write(&broker, "t", &[&value]).await, acknowledged);
            acknowledged += 1;
        }
        broker.kill().await;
        broker.start_again().await;
        let found = read(&broker, "t", 0).await;
        assert_eq!(found.len(), usize::try_from(acknowledged).unwrap());
        assert!(found.iter().zip(0..).all(|((offset, _), at)| *offset == at));
    }
}

#[tokio::test]
async fn producer_ids_are_never_given_twice_not_even_after_a_crash() {
    let mut broker = TestBroker::start().await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..2 {
        for _ in 0..3 {
            let answer = broker
                .ask(InitProducerIdRequest::default().with_transactional_id(None), 4)
                .await;
            assert_eq!((answer.error_code, answer.producer_epoch), (0, 0));
            assert!(seen.insert(answer.producer_id.0));
        }
        broker.kill().await;
        broker.start_again().await;
    }
}

#[tokio::test]
async fn producers_of_a_partition_are_described() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    produce(&broker, "t", 0, batch_of((9, 2, 0), 1_234, &["a", "b"])).await;
    produce(&broker, "t", 0, batch(&["no producer id"])).await;
    let topic = TopicRequest::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![0, 5]);
    let response = broker
        .ask(DescribeProducersRequest::default().with_topics(vec![topic]), 0)
        .await;
    let [known, unknown] = response.topics[0].partitions.as_slice() else {
        panic!("{response:?}")
    };
    let [producer] = known.active_producers.as_slice() else {
        panic!("{response:?}")
    };
    assert_eq!((producer.producer_id.0, producer.producer_epoch), (9, 2));
    assert_eq!((producer.last_sequence, producer.last_timestamp), (1, 1_234));
    assert_eq!(producer.current_txn_start_offset, -1);
    assert_eq!(unknown.error_code, ResponseError::UnknownTopicOrPartition.code());
}
