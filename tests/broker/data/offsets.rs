use super::*;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::OffsetForLeaderEpochRequest;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};

#[tokio::test]
async fn offsets_are_found_by_time() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let start = velodrome::clock::Clock::system().now_ms() - 100_000;
    for (at, value) in [(0, "a"), (2000, "b"), (1000, "late"), (3000, "c")] {
        produce(&broker, "t", 0, batch_of(NOBODY, start + at, &[value])).await;
    }
    let mut found = Vec::new();
    for at in [-50, 0, 1, 2000, 2001, 3001] {
        let answer = list_offset(&broker, "t", start + at).await;
        assert_eq!(answer.error_code, 0);
        found.push((
            answer.offset,
            if answer.timestamp < 0 {
                -1
            } else {
                answer.timestamp - start
            },
        ));
    }
    assert_eq!(found, [(0, 0), (0, 0), (1, 2000), (1, 2000), (3, 3000), (-1, -1)]);
}

#[tokio::test]
async fn the_special_times_mean_what_they_mean_without_remote_storage() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let empty = [(-1, 0), (-2, 0), (-3, -1), (-4, 0), (-5, -1)];
    for (timestamp, offset) in empty {
        let answer = list_offset(&broker, "t", timestamp).await;
        assert_eq!(
            (answer.error_code, answer.offset),
            (0, offset),
            "{timestamp} of an empty log"
        );
    }
    write(&broker, "t", &["a", "b", "c"]).await;
    for (timestamp, offset) in [(-1, 3), (-2, 0), (-4, 0), (-5, -1)] {
        let answer = list_offset(&broker, "t", timestamp).await;
        assert_eq!(
            (answer.error_code, answer.offset, answer.timestamp),
            (0, offset, -1),
            "{timestamp}"
        );
    }
    let newest = list_offset(&broker, "t", -3).await;
    assert!((0..3).contains(&newest.offset) && newest.timestamp > 0);
    for strange in [-6, -100, i64::MIN] {
        let answer = list_offset(&broker, "t", strange).await;
        assert_eq!(answer.error_code, ResponseError::UnsupportedVersion.code());
    }
}

#[tokio::test]
async fn an_epoch_ends_where_the_next_begins_or_the_log_ends() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    write(&broker, "t", &["a", "b"]).await;
    for (epoch, answer) in [(0, (0, 2)), (5, (-1, -1)), (-1, (-1, -1))] {
        let partition = OffsetForLeaderPartition::default().with_leader_epoch(epoch);
        let topic = OffsetForLeaderTopic::default()
            .with_topic(topic_name("t"))
            .with_partitions(vec![partition]);
        let request = OffsetForLeaderEpochRequest::default()
            .with_replica_id((-1).into())
            .with_topics(vec![topic]);
        let response = broker.ask(request, 4).await;
        let end = &response.topics[0].partitions[0];
        assert_eq!(
            (end.error_code, (end.leader_epoch, end.end_offset)),
            (0, answer),
            "epoch {epoch}"
        );
    }
}
