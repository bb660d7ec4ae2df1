//! Members that share a topic, over the wire and with librdkafka.

use super::*;
use crate::support::raw::DEADLINE;
use kafka_protocol::messages::{DescribeGroupsRequest, HeartbeatRequest};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::{Duration, Instant};

async fn state(broker: &TestBroker) -> String {
    let request = DescribeGroupsRequest::default().with_groups(vec![group("g")]);
    broker.ask(request, 5).await.groups[0].group_state.to_string()
}

async fn await_state(broker: &TestBroker, wanted: &str) {
    let deadline = Instant::now() + DEADLINE;
    while state(broker).await != wanted {
        assert!(Instant::now() < deadline, "the group never became {wanted}");
    }
}

#[tokio::test]
async fn a_second_member_is_let_in_when_the_first_joins_again() {
    let broker = broker_with_topic(&[QUICK]).await;
    let (mut first, mut second) = (broker.client().await, broker.client().await);
    let (first_id, generation) = lead_alone(&mut first).await;
    let second_id = second.ask(join_request(""), 4).await.member_id.to_string();
    second.send(&join_request(&second_id), 4).await;
    await_state(&broker, "PreparingRebalance").await;
    let heartbeat = HeartbeatRequest::default()
        .with_group_id(group("g"))
        .with_generation_id(generation)
        .with_member_id(text(&first_id));
    let told = first.ask(heartbeat, 3).await;
    assert_eq!(error(told.error_code), Some(ResponseError::RebalanceInProgress));
    let led = first.ask(join_request(&first_id), 4).await;
    let followed = second.receive::<JoinGroupRequest>(4).await;
    assert_eq!((led.members.len(), followed.members.len()), (2, 0));
    second
        .send(&sync_request(&second_id, led.generation_id, &[]), 3)
        .await;
    let assignments: [(&str, &'static [u8]); 2] = [(&first_id, b"left"), (&second_id, b"right")];
    let answer = first
        .ask(sync_request(&first_id, led.generation_id, &assignments), 3)
        .await;
    assert_eq!(&answer.assignment[..], b"left");
    assert_eq!(
        &second.receive::<SyncGroupRequest>(3).await.assignment[..],
        b"right"
    );
}

#[tokio::test]
async fn members_are_known_again_after_a_crash() {
    let mut broker = broker_with_topic(&[QUICK]).await;
    let (member_id, generation) = lead_alone(&mut broker.client().await).await;
    broker.kill().await;
    broker.start_again().await;
    await_state(&broker, "Stable").await;
    let heartbeat = HeartbeatRequest::default()
        .with_group_id(group("g"))
        .with_generation_id(generation)
        .with_member_id(text(&member_id));
    assert_eq!(broker.ask(heartbeat, 3).await.error_code, 0);
}

#[tokio::test]
async fn a_join_that_waits_does_not_keep_the_node_from_stopping() {
    let broker = broker_with_topic(&[("group.initial.rebalance.delay.ms", "60000")]).await;
    let mut client = broker.client().await;
    let member_id = client.ask(join_request(""), 4).await.member_id.to_string();
    client.send(&join_request(&member_id), 4).await;
    await_state(&broker, "PreparingRebalance").await;
    let mut broker = broker;
    tokio::time::timeout(DEADLINE, broker.restart())
        .await
        .expect("the stop waits for ever");
}

#[tokio::test]
async fn joins_that_wait_hold_no_memory_of_requests() {
    let budget: usize = 1 << 20;
    let settings = [
        ("group.initial.rebalance.delay.ms", "60000"),
        ("queued.max.request.bytes", &budget.to_string()),
        ("socket.request.max.bytes", &budget.to_string()),
    ];
    let broker = broker_with_topic(&settings).await;
    let mut parked = Vec::new();
    // Together they bring four times what requests may take at once.
    for _ in 0..16 {
        let mut client = broker.client().await;
        let mut request = join_request("");
        request.protocols[0].metadata = Bytes::from(vec![0; budget / 4]);
        let member_id = client.ask(request.clone(), 4).await.member_id;
        client.send(&request.with_member_id(member_id), 4).await;
        parked.push(client);
    }
    await_state(&broker, "PreparingRebalance").await;
    let all_free = || broker.running().node().request_memory.free_bytes() == budget;
    let deadline = Instant::now() + DEADLINE;
    while !all_free() {
        assert!(Instant::now() < deadline, "memory is held by joins that wait");
        tokio::task::yield_now().await;
    }
}

/// A librdkafka consumer of `t` in group `g`.
fn consumer(broker: &TestBroker, strategy: &str) -> BaseConsumer {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("group.id", "g")
        .set("partition.assignment.strategy", strategy)
        .set("heartbeat.interval.ms", "100")
        .set("session.timeout.ms", "6000")
        .create()
        .unwrap();
    consumer.subscribe(&["t"]).unwrap();
    consumer
}

/// Polls them in turn until they have so many partitions each, in rising order: it is up to the assignor who gets more.
fn await_assignment(consumers: &[&BaseConsumer], wanted: &[usize]) {
    let deadline = Instant::now() + DEADLINE;
    let counts = || -> Vec<usize> {
        let count = |consumer: &&BaseConsumer| consumer.assignment().unwrap().count();
        let mut counts: Vec<usize> = consumers.iter().map(count).collect();
        counts.sort_unstable();
        counts
    };
    while counts() != wanted {
        assert!(
            Instant::now() < deadline,
            "wanted {wanted:?} partitions, have {:?}",
            counts()
        );
        for consumer in consumers {
            if let Some(Err(error)) = consumer.poll(Duration::from_millis(20)) {
                panic!("{error}");
            }
        }
    }
}

async fn share_and_take_over(strategy: &'static str) {
    let broker = broker_with_topic(&[QUICK]).await;
    let check = move || {
        let first = consumer(&broker, strategy);
        await_assignment(&[&first], &[3]);
        let second = consumer(&broker, strategy);
        await_assignment(&[&first, &second], &[1, 2]);
        drop(second);
        await_assignment(&[&first], &[3]);
        broker
    };
    // librdkafka blocks; the broker needs this runtime meanwhile.
    let broker = tokio::task::spawn_blocking(check).await.unwrap();
    await_state(&broker, "Empty").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_librdkafka_consumers_share_a_topic_eagerly() {
    share_and_take_over("range").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_librdkafka_consumers_share_a_topic_cooperatively() {
    share_and_take_over("cooperative-sticky").await;
}
