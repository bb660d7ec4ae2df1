//! What members say of themselves, and what leaders give them, is theirs: any protocol type, any bytes.

use crate::support::cluster::Cluster;
use crate::support::raw::{DEADLINE, RawClient};
use crate::support::velo::Home;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DescribeGroupsRequest, FindCoordinatorRequest, GroupId, JoinGroupRequest, LeaveGroupRequest,
    SyncGroupRequest,
};
use kafka_protocol::protocol::StrBytes;
use std::net::ToSocketAddrs;
use std::time::Instant;

/// Shapes that are no subscription, or one with more behind it.
const SHORT: [&[u8]; 4] = [
    &[],
    &[0],
    &[0, 0],
    &[0x7f, 0xff, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 0, 9, 9, 9],
];
/// Shapes whose lengths lie when they are read as a subscription.
const LYING: [&[u8]; 5] = [
    &[b'm'; 100],
    &[0, 0, 0x7f, 0xff, 0xff, 0xff],
    &[0, 3, 0xff, 0xff, 0xff, 0xff, 0, 0],
    &[0, 0, 0, 0, 0, 1, 0x7f, 0xff],
    b"{\"url\":\"http://worker:8083/\"}",
];

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// Makes sure that the group's coordinator has been found and serves.
async fn coordinator(bootstrap: &str, group: &str) -> RawClient {
    let mut addresses = bootstrap.to_socket_addrs().unwrap();
    let mut client = RawClient::connect(addresses.next().unwrap()).await;
    let deadline = Instant::now() + DEADLINE;
    loop {
        let request = FindCoordinatorRequest::default().with_key(text(group));
        let found = client.ask(request, 1).await;
        let described = client.ask(describe(group), 0).await;
        if (found.error_code, described.groups[0].error_code) == (0, 0) {
            return client;
        }
        assert!(Instant::now() < deadline, "no coordinator");
    }
}

fn describe(group: &str) -> DescribeGroupsRequest {
    DescribeGroupsRequest::default().with_groups(vec![GroupId(text(group))])
}

/// One member of `group` joins with `metadata`, and gives itself `assignment`; its id.
async fn join(
    client: &mut RawClient,
    group: &str,
    protocol_type: &str,
    metadata: &Bytes,
    assignment: &Bytes,
) -> StrBytes {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(metadata.clone());
    let join = JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(30_000)
        .with_protocol_type(text(protocol_type))
        .with_protocols(vec![protocol]);
    let joined = client.ask(join, 2).await;
    assert_eq!(
        ResponseError::try_from_code(joined.error_code),
        None,
        "{protocol_type} {metadata:?}"
    );
    assert_eq!(joined.members[0].metadata, *metadata);
    let given = SyncGroupRequestAssignment::default()
        .with_member_id(joined.member_id.clone())
        .with_assignment(assignment.clone());
    let sync = SyncGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(vec![given]);
    let synced = client.ask(sync, 1).await;
    assert_eq!(ResponseError::try_from_code(synced.error_code), None);
    assert_eq!(synced.assignment, *assignment);
    joined.member_id
}

/// A member whose metadata and assignment are these bytes is told them, and described by them.
async fn passes_through(bootstrap: String, group: String, protocol_type: &str, bytes: Bytes) {
    let mut client = coordinator(&bootstrap, &group).await;
    let member_id = join(&mut client, &group, protocol_type, &bytes, &bytes).await;
    let described = client.ask(describe(&group), 1).await;
    let member = &described.groups[0].members[0];
    assert_eq!(
        (&member.member_metadata, &member.member_assignment),
        (&bytes, &bytes)
    );
    let leave = LeaveGroupRequest::default()
        .with_group_id(GroupId(text(&group)))
        .with_member_id(member_id);
    assert_eq!(client.ask(leave, 1).await.error_code, 0);
}

/// All at once: each group's first rebalance waits for members to come.
fn all_pass_through(cluster: &Cluster, protocol_types: &[&'static str], shapes: &[&'static [u8]]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut groups = tokio::task::JoinSet::new();
        for protocol_type in protocol_types {
            for shape in shapes {
                let (bootstrap, group) = (cluster.bootstrap().to_owned(), cluster.name("shape"));
                groups.spawn(passes_through(
                    bootstrap,
                    group,
                    protocol_type,
                    Bytes::from_static(shape),
                ));
            }
        }
        while let Some(passed) = groups.join_next().await {
            passed.unwrap();
        }
    });
}

on_both_clusters! {
    fn a_member_s_metadata_passes_through_untouched(cluster) {
        all_pass_through(cluster, &["consumer", "connect", "of our own"], &SHORT);
        all_pass_through(cluster, &["connect", "of our own"], &LYING);
    }

    fn a_group_whose_assignment_lies_is_described_or_refused_in_words(cluster) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let group = cluster.name("lying");
        let home = Home::new();
        let at = ["--bootstrap-server", cluster.bootstrap()];
        let _member = runtime.block_on(async {
            let mut client = coordinator(cluster.bootstrap(), &group).await;
            let subscription = Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 0xff, 0xff, 0xff, 0xff]);
            join(&mut client, &group, "consumer", &subscription, &Bytes::from_static(LYING[0])).await;
            client
        });
        for command in [
            &["group", "describe", &group][..],
            &["group", "members", &group],
            &["kafka-consumer-groups", "--describe", "--members", "--verbose", "--group", &group],
        ] {
            let ended = home.velo(&[command, &at].concat());
            assert!([0, 1].contains(&ended.code), "{ended:?}");
            assert!(!ended.stderr.contains("a mistake of its own"), "{ended:?}");
        }
    }
}

/// Apache Kafka fails inside at these and never answers the member; here they are bytes like any other.
#[test]
fn a_consumer_s_metadata_whose_lengths_lie_passes_through_as_well() {
    all_pass_through(&Cluster::classroom(), &["consumer"], &LYING);
}
