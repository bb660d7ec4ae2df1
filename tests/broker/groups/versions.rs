//! Every version of every group API gets a sound answer.

use super::*;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, HeartbeatRequest, LeaveGroupRequest, ListGroupsRequest,
    OffsetFetchRequest,
};

#[tokio::test]
async fn the_coordinator_is_found_by_one_key_or_by_several() {
    let broker = TestBroker::start().await;
    for version in 0..=3 {
        let request = FindCoordinatorRequest::default().with_key(text("g"));
        let found = broker.ask(request, version).await;
        assert_eq!((found.error_code, found.node_id.0), (0, 1), "version {version}");
        assert_eq!(found.port, i32::from(broker.address().port()));
    }
    for version in 4..=6 {
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g"), text("h")]);
        let found = broker.ask(request, version).await;
        let keys: Vec<&str> = found
            .coordinators
            .iter()
            .map(|found| found.key.as_str())
            .collect();
        assert_eq!(keys, ["g", "h"], "version {version}");
        assert!(found.coordinators.iter().all(|found| found.error_code == 0));
    }
}

#[tokio::test]
async fn a_transactional_id_finds_its_coordinator_and_the_first_makes_the_topic() {
    let broker = TestBroker::start().await;
    let request = FindCoordinatorRequest::default()
        .with_key_type(1)
        .with_coordinator_keys(vec![text("tx")]);
    let found = broker.ask(request, 4).await.coordinators.remove(0);
    assert_eq!((found.error_code, found.node_id.0), (0, 1));
    let image = broker.running().node().metadata.load();
    assert_eq!(image.topics["__transaction_state"].partitions.len(), 50);
}

#[tokio::test]
async fn a_member_lives_its_life_in_every_version() {
    let broker = broker_with_topic(&[QUICK]).await;
    for version in 0..=9 {
        let mut client = broker.client().await;
        let mut joined = client.ask(join_of(version, ""), version).await;
        if version >= 4 {
            assert_eq!(error(joined.error_code), Some(ResponseError::MemberIdRequired));
            joined = client.ask(join_of(version, &joined.member_id), version).await;
        }
        assert_eq!(joined.error_code, 0, "version {version}");
        assert_eq!(
            (joined.members.len(), joined.protocol_name.as_deref()),
            (1, Some("range"))
        );
        let (member_id, generation) = (joined.member_id.as_str(), joined.generation_id);

        let sync_version = version.min(5);
        let mut request = sync_request(member_id, generation, &[(member_id, b"mine")]);
        if sync_version >= 5 {
            request.protocol_type = Some(text("consumer"));
            request.protocol_name = Some(text("range"));
        }
        let synced = client.ask(request, sync_version).await;
        assert_eq!(&synced.assignment[..], b"mine", "version {sync_version}");

        let heartbeat = HeartbeatRequest::default()
            .with_group_id(group("g"))
            .with_generation_id(generation)
            .with_member_id(text(member_id));
        assert_eq!(client.ask(heartbeat, version.min(4)).await.error_code, 0);

        let left = client
            .ask(leave_of(version.min(5), member_id), version.min(5))
            .await;
        assert_eq!(left.error_code, 0);
        assert!(left.members.iter().all(|member| member.error_code == 0));
    }
}

fn join_of(version: i16, member_id: &str) -> JoinGroupRequest {
    let request = join_request(member_id);
    // Version 0 has no such field.
    if version == 0 {
        request.with_rebalance_timeout_ms(-1)
    } else {
        request
    }
}

fn leave_of(version: i16, member_id: &str) -> LeaveGroupRequest {
    let request = LeaveGroupRequest::default().with_group_id(group("g"));
    if version < 3 {
        return request.with_member_id(text(member_id));
    }
    request.with_members(vec![MemberIdentity::default().with_member_id(text(member_id))])
}

#[tokio::test]
async fn offsets_are_committed_and_fetched_in_every_version() {
    let broker = broker_with_topic(&[]).await;
    for version in 2..=9 {
        let request = commit_request("", -1, 1, 100 + i64::from(version));
        let answer = broker.ask(request, version).await;
        assert_eq!(answer.topics[0].partitions[0].error_code, 0, "version {version}");
    }
    for version in 1..=7 {
        let topic = OffsetFetchRequestTopic::default()
            .with_name(topic_name("t"))
            .with_partition_indexes(vec![1, 2]);
        let request = OffsetFetchRequest::default()
            .with_group_id(group("g"))
            .with_topics(Some(vec![topic]));
        let answer = broker.ask(request, version).await;
        let partitions = &answer.topics[0].partitions;
        let offsets: Vec<i64> = partitions
            .iter()
            .map(|partition| partition.committed_offset)
            .collect();
        assert_eq!(offsets, [109, -1], "version {version}");
        assert_eq!(partitions[0].metadata.as_deref(), Some("note"));
    }
    for version in 8..=9 {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(topic_name("t"))
            .with_partition_indexes(vec![1]);
        let groups = vec![
            OffsetFetchRequestGroup::default()
                .with_group_id(group("g"))
                .with_topics(Some(vec![topic])),
            OffsetFetchRequestGroup::default()
                .with_group_id(group("nobody"))
                .with_topics(None),
        ];
        let answer = broker
            .ask(OffsetFetchRequest::default().with_groups(groups), version)
            .await;
        assert_eq!(answer.groups[0].topics[0].partitions[0].committed_offset, 109);
        assert_eq!(
            (answer.groups[1].error_code, answer.groups[1].topics.len()),
            (0, 0)
        );
    }
}

#[tokio::test]
async fn groups_are_listed_described_and_deleted_in_every_version() {
    let broker = broker_with_topic(&[]).await;
    for version in 0..=2 {
        broker.ask(commit_request("", -1, 0, 1), 9).await;
        for version in 0..=5 {
            let listed = broker.ask(ListGroupsRequest::default(), version).await;
            assert_eq!(
                (listed.error_code, listed.groups.len()),
                (0, 1),
                "version {version}"
            );
            let state = if version >= 4 { "Empty" } else { "" };
            assert_eq!(listed.groups[0].group_state.as_str(), state);
        }
        for version in 0..=6 {
            let request = DescribeGroupsRequest::default().with_groups(vec![group("g"), group("nobody")]);
            let described = broker.ask(request, version).await.groups;
            let states: Vec<&str> = described.iter().map(|group| group.group_state.as_str()).collect();
            assert_eq!(states, ["Empty", "Dead"], "version {version}");
            let missing = if version >= 6 { 69 } else { 0 };
            assert_eq!(
                described[1].error_code, missing,
                "GROUP_ID_NOT_FOUND since version 6"
            );
        }
        let request = DeleteGroupsRequest::default().with_groups_names(vec![group("g"), group("nobody")]);
        let deleted = broker.ask(request, version).await.results;
        let codes: Vec<i16> = deleted.iter().map(|result| result.error_code).collect();
        assert_eq!(codes, [0, 69], "version {version}");
    }
}
