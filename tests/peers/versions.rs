//! Every API of the table at every version that a node tells, asked and read by Apache Kafka's own classes: of a broker
//! that is the controller, of one that forwards, and of the controller.

use super::*;
use crate::support::broker::TestBroker;
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::{BrokerId, CreateTopicsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use velodrome::broker::api::APIS;
use velodrome::broker::config::ListenerKind;

/// The broker that only forwards; it leads topic "t".
const FORWARDING: i32 = 2;
/// Codes by which a broker says that it could not do what its table promises: `UNKNOWN_SERVER_ERROR`,
/// `UNSUPPORTED_VERSION`, `NOT_CONTROLLER`.
const BROKEN: [&str; 3] = ["-1", "35", "41"];

async fn forwarding_to(controller: &TestBroker) -> TestBroker {
    let address = controller.running().controller_address().unwrap().to_string();
    TestBroker::with(&[
        ("node.id", &FORWARDING.to_string()),
        ("process.roles", "broker"),
        ("controller.quorum.bootstrap.servers", &address),
        ("offsets.topic.replication.factor", "1"),
        ("group.initial.rebalance.delay.ms", "0"),
    ])
    .await
}

async fn create_topic(controller: &TestBroker, forwarding: &TestBroker) {
    let assignment = CreatableReplicaAssignment::default().with_broker_ids(vec![BrokerId(FORWARDING)]);
    let topic = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_static_str("t")))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments(vec![assignment]);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    assert_eq!(controller.ask(request, 7).await.topics[0].error_code, 0);
    let made = controller.running().node().metadata.load().offset;
    forwarding.running().node().metadata.reaches(made).await;
}

/// What Java says of each API and version of a node.
fn asked(address: SocketAddr, forwarding: &TestBroker, listener: ListenerKind) -> Vec<String> {
    let node = forwarding.running().node();
    let topic_id = node.metadata.load().topics["t"].id;
    let source = program("AskEverything.java").display().to_string();
    let mut command = java(&source);
    command.args([
        address.to_string(),
        velodrome::broker::storage::uuid_text(topic_id),
        FORWARDING.to_string(),
        node.cluster_id.clone(),
        node.broker_epoch.load(Ordering::Acquire).to_string(),
    ]);
    if listener == ListenerKind::Controller {
        command.arg("controller");
    }
    run(&mut command, "").lines()
}

fn assert_all_answered(lines: &[String], listener: ListenerKind) {
    let served = APIS.iter().filter(|api| api.listeners.contains(&listener));
    let versions: usize = served
        .map(|api| usize::try_from(api.max - api.min).unwrap() + 1)
        .sum();
    assert_eq!(lines.len(), versions, "{lines:#?}");
    let is_broken = |line: &&String| match line.split_once(": ok [") {
        Some((_, codes)) => {
            let mut codes = codes.trim_end_matches(']').split(", ");
            codes.any(|code| BROKEN.contains(&code))
        }
        None => true,
    };
    let broken: Vec<&String> = lines.iter().filter(is_broken).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's classes are not here: scripts/dev/test fetches them"
)]
async fn every_api_is_answered_at_every_version_by_every_node() {
    let quick = [
        ("offsets.topic.replication.factor", "1"),
        ("group.initial.rebalance.delay.ms", "0"),
    ];
    let first = TestBroker::with(&quick).await;
    let second = forwarding_to(&first).await;
    create_topic(&first, &second).await;
    let controller = first.running().controller_address().unwrap();
    let nodes = [
        // It registers a broker that never comes, and is fenced when the others tell of it.
        (controller, ListenerKind::Controller),
        (second.address(), ListenerKind::Broker),
        (first.address(), ListenerKind::Broker),
    ];
    for (address, listener) in nodes {
        let lines = tokio::task::block_in_place(|| asked(address, &second, listener));
        assert_all_answered(&lines, listener);
    }
    for broker in [&first, &second] {
        assert_eq!(broker.running().failed_requests(), 0, "a handler panicked");
    }
}
