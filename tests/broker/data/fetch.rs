use super::*;
use kafka_protocol::ResponseError;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_waiting_fetch_is_woken_by_the_append_it_waits_for() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 2, &[]).await;
    let mut client = broker.client().await;
    let waiting = fetch_request("t", &[(0, 0), (1, 0)]).with_max_wait_ms(60_000);
    client.send(&waiting, FETCH).await;
    let started = Instant::now();
    let answer = produce(&broker, "t", 1, batch(&["news"])).await;
    assert_eq!(answer.error_code, 0);
    let response = client.receive::<FetchRequest>(FETCH).await;
    assert!(started.elapsed() < Duration::from_secs(30));
    let partitions = &response.responses[0].partitions;
    assert_eq!(values(&partitions[1]), [(0, "news".to_owned())]);
}

#[tokio::test]
async fn a_peer_that_hangs_up_while_it_waits_is_forgotten_at_once() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let mut client = broker.client().await;
    fetch_one(&mut client, fetch_request("t", &[(0, 0)]).with_max_wait_ms(0)).await;
    let connections = &broker.running().node().connections;
    let newest = connections.open().into_keys().max().unwrap();
    let waiting = fetch_request("t", &[(0, 0)]).with_max_wait_ms(600_000);
    client.send(&waiting, FETCH).await;
    drop(client);
    let deadline = Instant::now() + Duration::from_secs(60);
    while connections.is_open(newest) {
        assert!(Instant::now() < deadline, "its connection is still open");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn min_bytes_are_waited_for_over_all_partitions() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 2, &[]).await;
    let one = batch(&["0123456789"]);
    let mut client = broker.client().await;
    let wanted = i32::try_from(one.len() * 3).unwrap();
    let waiting = fetch_request("t", &[(0, 0), (1, 0)])
        .with_max_wait_ms(60_000)
        .with_min_bytes(wanted);
    client.send(&waiting, FETCH).await;
    for partition in [0, 1, 0] {
        assert_eq!(produce(&broker, "t", partition, one.clone()).await.error_code, 0);
    }
    let response = client.receive::<FetchRequest>(FETCH).await;
    let counts: Vec<usize> = response.responses[0]
        .partitions
        .iter()
        .map(|data| values(data).len())
        .collect();
    assert_eq!(counts, [2, 1]);
}

#[tokio::test]
async fn too_few_bytes_are_answered_when_the_wait_is_over() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    write(&broker, "t", &["a"]).await;
    let mut client = broker.client().await;
    let started = Instant::now();
    let request = fetch_request("t", &[(0, 0)])
        .with_max_wait_ms(300)
        .with_min_bytes(1 << 20);
    let data = fetch_one(&mut client, request).await;
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(values(&data).len(), 1);
}

#[tokio::test]
async fn limits_hold_but_the_first_batch_always_comes() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 2, &[]).await;
    let one = batch(&[&"x".repeat(1000)]);
    for partition in [0, 1] {
        for _ in 0..5 {
            produce(&broker, "t", partition, one.clone()).await;
        }
    }
    let size = i32::try_from(one.len()).unwrap();
    let mut client = broker.client().await;
    let mut counts = async |max_bytes: i32, partition_max_bytes: i32| -> Vec<usize> {
        let mut request = fetch_request("t", &[(0, 0), (1, 0)]).with_max_bytes(max_bytes);
        for partition in &mut request.topics[0].partitions {
            partition.partition_max_bytes = partition_max_bytes;
        }
        let response = client.ask(request, FETCH).await;
        response.responses[0]
            .partitions
            .iter()
            .map(|data| values(data).len())
            .collect()
    };
    assert_eq!(counts(i32::MAX, 2 * size).await, [2, 2]);
    assert_eq!(counts(3 * size, 2 * size).await, [2, 1]);
    assert_eq!(counts(2 * size, i32::MAX).await, [2, 0]);
    assert_eq!(counts(1, i32::MAX).await, [1, 0]);
    assert_eq!(counts(i32::MAX, 1).await, [1, 0]);
    assert_eq!(counts(-1, -1).await, [1, 0]);
    assert_eq!(counts(0, i32::MIN).await, [1, 0]);
}

#[tokio::test]
async fn offsets_outside_of_the_log_are_told_with_its_bounds() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    write(&broker, "t", &["a", "b"]).await;
    let mut client = broker.client().await;
    for offset in [3, -1, i64::MAX, i64::MIN] {
        let data = fetch_one(
            &mut client,
            fetch_request("t", &[(0, offset)]).with_max_wait_ms(60_000),
        )
        .await;
        assert_eq!(data.error_code, ResponseError::OffsetOutOfRange.code());
        assert_eq!((data.log_start_offset, data.high_watermark), (0, 2));
    }
    let at_the_end = fetch_one(&mut client, fetch_request("t", &[(0, 2)])).await;
    assert_eq!((at_the_end.error_code, values(&at_the_end)), (0, vec![]));
}

#[tokio::test]
async fn leader_epochs_that_are_not_ours_are_refused_at_once() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let mut client = broker.client().await;
    for (epoch, error) in [
        (0, None),
        (-1, None),
        (1, Some(ResponseError::UnknownLeaderEpoch)),
    ] {
        let mut request = fetch_request("t", &[(0, 0)]);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        request.max_wait_ms = if error.is_some() { 60_000 } else { 0 };
        let data = fetch_one(&mut client, request).await;
        assert_eq!(ResponseError::try_from_code(data.error_code), error);
    }
}

#[tokio::test]
async fn unknown_topics_and_ids_are_told_for_each() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let data = fetch_one(
        &mut client,
        fetch_request("nowhere", &[(0, 0)]).with_max_wait_ms(60_000),
    )
    .await;
    assert_eq!(data.error_code, ResponseError::UnknownTopicOrPartition.code());
    let mut request = fetch_request("", &[(0, 0)]).with_max_wait_ms(60_000);
    request.topics[0].topic_id = uuid::Uuid::from_u128(5);
    let response = client.ask(request, 17).await;
    assert_eq!(
        response.responses[0].partitions[0].error_code,
        ResponseError::UnknownTopicId.code()
    );
}

#[tokio::test]
async fn every_version_reads_the_same() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    write(&broker, "t", &["a"]).await;
    let id = broker.running().node().metadata.load().topics["t"].id;
    let mut client = broker.client().await;
    for version in 4..=18 {
        let mut request = fetch_request("t", &[(0, 0)]);
        if version >= 13 {
            request.topics[0].topic_id = id;
        }
        let response = client.ask(request, version).await;
        assert_eq!(
            values(&response.responses[0].partitions[0]),
            [(0, "a".to_owned())],
            "version {version}"
        );
    }
}
