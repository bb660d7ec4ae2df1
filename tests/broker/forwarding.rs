//! What clients ask of a broker that only the controller can do.

use crate::support::broker::TestBroker;
use crate::support::gate::Gate;
use crate::support::raw::{DEADLINE, RawClient, encode_request};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{
    BrokerHeartbeatRequest, CreateTopicsRequest, DeleteTopicsRequest, EnvelopeRequest, InitProducerIdRequest,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};

fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

fn creation(topic: &str) -> CreateTopicsRequest {
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(1)
        .with_replication_factor(1);
    CreateTopicsRequest::default().with_topics(vec![topic])
}

fn deletion(topic: &str, timeout_ms: i32) -> DeleteTopicsRequest {
    let topic = DeleteTopicState::default().with_name(Some(name(topic)));
    DeleteTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(timeout_ms)
}

async fn create(broker: &TestBroker, topic: &str) -> i16 {
    broker.ask(creation(topic), 7).await.topics[0].error_code
}

fn topics(controller: &TestBroker) -> Vec<String> {
    let controller = controller.running().node().controller.clone().unwrap();
    controller.image().topics.keys().cloned().collect()
}

/// A controller, which is a broker too, and a broker that has it behind a gate.
async fn apart() -> (TestBroker, Gate, TestBroker) {
    let controller = TestBroker::start().await;
    let gate = Gate::before(controller.running().controller_address().unwrap()).await;
    let broker = TestBroker::with(&[
        ("node.id", "2"),
        ("process.roles", "broker"),
        ("controller.quorum.bootstrap.servers", &gate.address().to_string()),
    ])
    .await;
    (controller, gate, broker)
}

async fn until(what: &str, mut fact: impl FnMut() -> bool) {
    let waiting = async {
        while !fact() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "{what}");
}

fn connections(broker: &TestBroker) -> BTreeSet<u64> {
    broker.running().node().connections.open().into_keys().collect()
}

#[tokio::test]
async fn a_slow_request_holds_up_no_other() {
    let (controller, gate, broker) = apart().await;
    gate.hold_back(b"slow");
    let mut waiting = broker.client().await;
    waiting.send(&creation("slow"), 7).await;
    gate.holds(1).await;
    assert_eq!(create(&broker, "quick").await, 0);
    let request = InitProducerIdRequest::default().with_transactional_id(None);
    assert_eq!(broker.ask(request, 4).await.error_code, 0);
    assert_eq!(topics(&controller), ["quick"]);
    gate.release();
    let answer = waiting.receive::<CreateTopicsRequest>(7).await;
    assert_eq!(answer.topics[0].error_code, 0);
    assert_eq!(topics(&controller), ["quick", "slow"]);
}

#[tokio::test]
async fn so_many_requests_are_on_their_way_at_once_and_the_others_wait_for_their_turn() {
    let (controller, gate, broker) = apart().await;
    gate.hold_back(b"many");
    let mut waiting = Vec::new();
    for number in 0..40 {
        let mut client = broker.client().await;
        client.send(&creation(&format!("many-{number}")), 7).await;
        waiting.push(client);
    }
    gate.holds(32).await;
    gate.release();
    for mut client in waiting {
        let answer = client.receive::<CreateTopicsRequest>(7).await;
        assert_eq!(answer.topics[0].error_code, 0);
    }
    assert_eq!(topics(&controller).len(), 40);
}

#[tokio::test]
async fn what_a_client_that_left_has_asked_for_is_not_carried_out_later() {
    let (controller, gate, broker) = apart().await;
    assert_eq!(create(&controller, "doomed").await, 0);
    gate.hold_back(b"doomed");
    let before = connections(&controller);
    let mut leaving = broker.client().await;
    leaving.send(&deletion("doomed", 60_000), 6).await;
    gate.holds(1).await;
    let added = || {
        connections(&controller)
            .difference(&before)
            .copied()
            .collect::<BTreeSet<u64>>()
    };
    until("the request is on its way", || !added().is_empty()).await;
    let carrying = added();
    drop(leaving);
    gate.left_by(1).await;
    // As a controller finds it that stood still: the request, and behind it the end of its connection.
    gate.release();
    until("the controller has come to it", || added().is_disjoint(&carrying)).await;
    assert_eq!(create(&broker, "after").await, 0);
    assert_eq!(topics(&controller), ["after", "doomed"]);
}

#[tokio::test]
async fn a_request_whose_time_is_over_is_withdrawn_and_its_client_told_so() {
    let (controller, gate, broker) = apart().await;
    assert_eq!(create(&controller, "doomed").await, 0);
    gate.hold_back(b"doomed");
    let answer = broker.ask(deletion("doomed", 1_000), 6).await;
    assert_eq!(
        answer.responses[0].error_code,
        ResponseError::RequestTimedOut.code()
    );
    gate.release();
    assert_eq!(create(&broker, "after").await, 0);
    assert_eq!(topics(&controller), ["after", "doomed"]);
}

/// Sends a frame and closes the connection before the node, whose only thread this is, can look at it: as it finds requests
/// that came while it stood still.
fn send_and_leave(address: SocketAddr, frame: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(frame).unwrap();
}

#[tokio::test]
async fn a_node_that_stood_still_does_not_do_for_clients_that_left_what_they_asked_for() {
    let controller = TestBroker::start().await;
    assert_eq!(create(&controller, "kept").await, 0);
    let own = connections(&controller);
    let frame = encode_request(&deletion("kept", 60_000), 6, 1);
    send_and_leave(controller.address(), &frame);
    // Two requests, one behind the other, and then the end.
    send_and_leave(controller.address(), &[frame.as_ref(), frame.as_ref()].concat());
    send_and_leave(
        controller.running().controller_address().unwrap(),
        &encode_request(&deletion("kept", 60_000), 6, 1),
    );
    assert_eq!(create(&controller, "after").await, 0);
    until("all have been looked at", || {
        connections(&controller).is_subset(&own)
    })
    .await;
    assert_eq!(topics(&controller), ["after", "kept"]);
}

#[tokio::test]
async fn a_controller_that_starts_again_elsewhere_is_found_by_the_next_request() {
    let (mut controller, gate, broker) = apart().await;
    assert_eq!(create(&broker, "before").await, 0);
    controller.restart().await;
    gate.move_before(controller.running().controller_address().unwrap());
    assert_eq!(create(&broker, "after").await, 0);
    assert_eq!(topics(&controller), ["after", "before"]);
}

#[tokio::test]
async fn only_a_controller_opens_envelopes_and_only_of_what_brokers_pass_on() {
    let controller = TestBroker::start().await;
    let mut broker = controller.client().await;
    broker.send(&EnvelopeRequest::default(), 0).await;
    broker.assert_closed().await;
    let mut client = RawClient::connect(controller.running().controller_address().unwrap()).await;
    let nobody = client.ask(EnvelopeRequest::default(), 0).await;
    assert_eq!(
        nobody.error_code,
        ResponseError::PrincipalDeserializationFailure.code()
    );
    let heartbeat = BrokerHeartbeatRequest::default();
    let heartbeat = encode_request(&heartbeat, 1, 1).slice(4..);
    let envelope = EnvelopeRequest::default()
        .with_request_data(heartbeat)
        .with_request_principal(Some(Bytes::from_static(b"\0\0\x05User\x06alice\0\0")))
        .with_client_host_address(Bytes::from_static(&[127, 0, 0, 1]));
    let refused = client.ask(envelope.clone(), 0).await;
    assert_eq!(refused.error_code, ResponseError::InvalidRequest.code());
    let newer = Bytes::from_static(&[0, 19, 0, 99, 0, 0, 0, 1, 0xff, 0xff, 0]);
    let refused = client.ask(envelope.with_request_data(newer), 0).await;
    assert_eq!(refused.error_code, ResponseError::UnsupportedVersion.code());
}
