//! Several brokers: followers copy, the ISR says who has all, and a leader's death loses nothing acknowledged.

use super::{NOBODY, batch, batch_of, create_with, fetch_one, fetch_request, list_offset, produce, values};
use crate::support::broker::TestBroker;
use kafka_protocol::ResponseError;
use std::time::{Duration, Instant};

const FAST: &[(&str, &str)] = &[
    ("replica.lag.time.max.ms", "1000"),
    ("replica.fetch.backoff.ms", "50"),
    ("broker.heartbeat.interval.ms", "200"),
    ("broker.session.timeout.ms", "3000"),
];

async fn controller() -> TestBroker {
    TestBroker::with(FAST).await
}

/// A second broker, without a controller of its own.
async fn joining(controller: &TestBroker, id: &str) -> TestBroker {
    let address = controller.running().controller_address().unwrap().to_string();
    let mut settings = FAST.to_vec();
    settings.extend([
        ("node.id", id),
        ("process.roles", "broker"),
        ("controller.quorum.bootstrap.servers", address.as_str()),
    ]);
    TestBroker::with(&settings).await
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "never seen: {what}");
        tokio::task::yield_now().await;
    }
}

fn isr(broker: &TestBroker, topic: &str) -> Vec<i32> {
    let image = broker.running().node().metadata.load();
    let mut isr = image
        .partition(topic, 0)
        .map(|partition| partition.isr.clone())
        .unwrap_or_default();
    isr.sort_unstable();
    isr
}

fn leader(broker: &TestBroker, topic: &str) -> i32 {
    let image = broker.running().node().metadata.load();
    image.partition(topic, 0).map_or(-1, |partition| partition.leader)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acks_all_means_that_the_follower_has_it_and_the_isr_follows_its_death_and_return() {
    let first = controller().await;
    let mut second = joining(&first, "2").await;
    create_with(&first, "t", 1, 2, &[]).await;
    until("both in sync", async || {
        isr(&first, "t") == [1, 2] && isr(&second, "t") == [1, 2]
    })
    .await;
    let (ahead, behind) = if leader(&first, "t") == 1 {
        (&first, &second)
    } else {
        (&second, &first)
    };
    let answer = produce(ahead, "t", 0, batch(&["a", "b"])).await;
    assert_eq!((answer.error_code, answer.base_offset), (0, 0));
    let copy = behind.running().node().replicas.partition("t", 0).unwrap();
    assert_eq!(copy.log.log_end_offset(), 2, "acknowledged, so copied");
    let wrong = produce(behind, "t", 0, batch(&["x"])).await;
    assert_eq!(wrong.error_code, ResponseError::NotLeaderOrFollower.code());
    assert_eq!(wrong.current_leader.leader_id.0, leader(&first, "t"));

    second.kill().await;
    until("the dead one leaves the ISR", async || {
        isr(&first, "t") == [1] && leader(&first, "t") == 1
    })
    .await;
    let answer = produce(&first, "t", 0, batch(&["c"])).await;
    assert_eq!((answer.error_code, answer.base_offset), (0, 2));
    second.start_again().await;
    until("it comes back", async || isr(&first, "t") == [1, 2]).await;
    let copy = second.running().node().replicas.partition("t", 0).unwrap();
    assert_eq!(copy.log.log_end_offset(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_stop_hands_the_lead_over_and_consumers_read_on() {
    let first = controller().await;
    let mut second = joining(&first, "2").await;
    create_with(&first, "t", 6, 2, &[]).await;
    let led_by_second = async || {
        let image = first.running().node().metadata.load();
        (0..6).find(|index| {
            image
                .partition("t", *index)
                .is_some_and(|p| p.leader == 2 && p.isr.len() == 2)
        })
    };
    until("the second leads one", async || led_by_second().await.is_some()).await;
    let index = led_by_second().await.unwrap();
    let now = velodrome::clock::Clock::system().now_ms();
    until("it takes records", async || {
        produce(&second, "t", index, batch_of(NOBODY, now, &["a"]))
            .await
            .error_code
            == 0
    })
    .await;
    second.restart().await;
    until("the first leads", async || {
        first
            .running()
            .node()
            .replicas
            .partition("t", index)
            .is_some_and(|p| p.leader_epoch().is_some())
    })
    .await;
    let mut client = first.client().await;
    let data = fetch_one(
        &mut client,
        fetch_request("t", &[(index, 0)]).with_max_wait_ms(5000),
    )
    .await;
    assert_eq!(values(&data), [(0, "a".to_owned())]);
    assert_eq!(
        list_offset(&first, "nowhere", -1).await.error_code,
        ResponseError::UnknownTopicOrPartition.code()
    );
}
