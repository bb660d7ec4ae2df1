//! Consumer groups over the wire: every version answered, offsets that outlive a crash, two members at a time.

mod members;
mod metadata;
mod offsets;
mod versions;

use crate::support::broker::TestBroker;
use crate::support::raw::RawClient;
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    CreateTopicsRequest, FindCoordinatorRequest, GroupId, JoinGroupRequest, OffsetCommitRequest,
    SyncGroupRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

/// Rebalances that don't wait for latecomers.
const QUICK: (&str, &str) = ("group.initial.rebalance.delay.ms", "0");

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

fn group(id: &str) -> GroupId {
    GroupId(text(id))
}

fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

fn error(code: i16) -> Option<ResponseError> {
    ResponseError::try_from_code(code)
}

/// A broker with topic `t` of three partitions, and `__consumer_offsets`.
async fn broker_with_topic(settings: &[(&str, &str)]) -> TestBroker {
    let broker = TestBroker::with(settings).await;
    make_topic(&broker).await;
    find_coordinator(&broker).await;
    broker
}

async fn make_topic(broker: &TestBroker) {
    let topic = CreatableTopic::default()
        .with_name(topic_name("t"))
        .with_num_partitions(3)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    assert_eq!(broker.ask(request, 7).await.topics[0].error_code, 0);
}

async fn find_coordinator(broker: &TestBroker) {
    let request = FindCoordinatorRequest::default().with_key(text("g"));
    assert_eq!(broker.ask(request, 3).await.error_code, 0);
}

/// A consumer's subscription to `t`, version 0.
fn subscription() -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(0);
    out.put_i32(1);
    out.put_i16(1);
    out.put_slice(b"t");
    out.put_i32(-1);
    out.freeze()
}

fn join_request(member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest::default()
        .with_group_id(group("g"))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(30_000)
        .with_member_id(text(member_id))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![
            JoinGroupRequestProtocol::default()
                .with_name(text("range"))
                .with_metadata(subscription()),
        ])
}

fn sync_request(member_id: &str, generation: i32, assignments: &[(&str, &'static [u8])]) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member_id, bytes)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(member_id))
            .with_assignment(Bytes::from_static(bytes))
    });
    SyncGroupRequest::default()
        .with_group_id(group("g"))
        .with_generation_id(generation)
        .with_member_id(text(member_id))
        .with_assignments(assignments.collect())
}

/// Joins as the only member and takes an assignment; returns member id and generation.
async fn lead_alone(client: &mut RawClient) -> (String, i32) {
    let named = client.ask(join_request(""), 4).await;
    assert_eq!(error(named.error_code), Some(ResponseError::MemberIdRequired));
    let member_id = named.member_id.to_string();
    let joined = client.ask(join_request(&member_id), 4).await;
    assert_eq!(joined.error_code, 0);
    let request = sync_request(&member_id, joined.generation_id, &[(&member_id, b"all")]);
    assert_eq!(
        client.ask(request, 3).await.assignment,
        Bytes::from_static(b"all")
    );
    (member_id, joined.generation_id)
}

/// A commit to one partition of `t`; without membership when the generation is -1.
fn commit_request(member_id: &str, generation: i32, partition: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text("note")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_name("t"))
        .with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(group("g"))
        .with_member_id(text(member_id))
        .with_generation_id_or_member_epoch(generation)
        .with_topics(vec![topic])
}
