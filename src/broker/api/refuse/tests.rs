use super::*;
use crate::broker::api::APIS;
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Encodable, StrBytes};

/// An error that no handler gives by itself.
const DENIED: ResponseError = ResponseError::ClusterAuthorizationFailed;

/// The refusals of a request, one for each version of the table that can say it.
fn refusals<Q: Refuse>(request: &Q) -> Vec<(i16, Bytes)> {
    let apis = APIS.iter().filter(|api| api.key as i16 == Q::KEY);
    let versions = apis.flat_map(|api| api.min..=api.max);
    let refused = versions.map(|version| {
        let mut bytes = BytesMut::new();
        request
            .refused(version, DENIED)
            .encode(&mut bytes, version)
            .unwrap_or_else(|error| panic!("{} {version}: {error}", Q::KEY));
        (version, bytes.freeze())
    });
    refused.collect()
}

#[test]
fn every_api_has_a_refusal_that_each_of_its_versions_can_say() {
    let mut keys = Vec::new();
    macro_rules! refuse {
        ($($request:ident),* $(,)?) => {$(
            assert!(!refusals(&$request::default()).is_empty(), stringify!($request));
            keys.push($request::KEY);
        )*};
    }
    refuse!(
        ProduceRequest,
        FetchRequest,
        ListOffsetsRequest,
        MetadataRequest,
        OffsetCommitRequest,
        OffsetFetchRequest,
        FindCoordinatorRequest,
        JoinGroupRequest,
        HeartbeatRequest,
        LeaveGroupRequest,
        SyncGroupRequest,
        DescribeGroupsRequest,
        ListGroupsRequest,
        ApiVersionsRequest,
        CreateTopicsRequest,
        DeleteTopicsRequest,
        DeleteRecordsRequest,
        InitProducerIdRequest,
        OffsetForLeaderEpochRequest,
        DescribeAclsRequest,
        CreateAclsRequest,
        DeleteAclsRequest,
        DescribeConfigsRequest,
        AlterConfigsRequest,
        AlterReplicaLogDirsRequest,
        DescribeLogDirsRequest,
        CreatePartitionsRequest,
        DeleteGroupsRequest,
        ElectLeadersRequest,
        IncrementalAlterConfigsRequest,
        AlterPartitionReassignmentsRequest,
        ListPartitionReassignmentsRequest,
        OffsetDeleteRequest,
        DescribeQuorumRequest,
        AlterPartitionRequest,
        EnvelopeRequest,
        FetchSnapshotRequest,
        UpdateFeaturesRequest,
        DescribeClusterRequest,
        DescribeProducersRequest,
        BrokerRegistrationRequest,
        BrokerHeartbeatRequest,
        UnregisterBrokerRequest,
        AllocateProducerIdsRequest,
        ListConfigResourcesRequest,
        AddPartitionsToTxnRequest,
        AddOffsetsToTxnRequest,
        EndTxnRequest,
        WriteTxnMarkersRequest,
        TxnOffsetCommitRequest,
        DescribeTransactionsRequest,
        ListTransactionsRequest,
        DescribeTopicPartitionsRequest,
    );
    let missing = APIS.iter().filter(|api| !keys.contains(&(api.key as i16)));
    assert_eq!(missing.map(|api| api.key).collect::<Vec<_>>(), []);
}

fn topic() -> TopicName {
    TopicName(StrBytes::from_static_str("t"))
}

/// Whether the error stands somewhere in each refusal.
fn all_tell<Q: Refuse>(request: &Q) {
    for (version, bytes) in refusals(request) {
        let code = DENIED.code().to_be_bytes();
        let tells = bytes.windows(code.len()).any(|two| two == code);
        assert!(tells, "{} {version}: {bytes:?}", Q::KEY);
    }
}

#[test]
fn the_error_stands_where_each_version_has_a_place_for_it() {
    let produced = TopicProduceData::default().with_partition_data(vec![PartitionProduceData::default()]);
    all_tell(&ProduceRequest::default().with_topic_data(vec![produced]));
    let fetched = FetchTopic::default().with_partitions(vec![FetchPartition::default()]);
    all_tell(&FetchRequest::default().with_topics(vec![fetched]));
    let named = MetadataRequestTopic::default().with_name(Some(topic()));
    all_tell(&MetadataRequest::default().with_topics(Some(vec![named])));
    let read = OffsetFetchRequestTopic::default()
        .with_name(topic())
        .with_partition_indexes(vec![0]);
    all_tell(
        &OffsetFetchRequest::default()
            .with_topics(Some(vec![read]))
            .with_groups(vec![OffsetFetchRequestGroup::default()]),
    );
    all_tell(&FindCoordinatorRequest::default().with_coordinator_keys(vec![StrBytes::default()]));
    let elected = TopicPartitions::default()
        .with_topic(topic())
        .with_partitions(vec![0]);
    all_tell(&ElectLeadersRequest::default().with_topic_partitions(Some(vec![elected])));
    all_tell(&CreateTopicsRequest::default().with_topics(vec![CreatableTopic::default().with_name(topic())]));
    all_tell(&DeleteTopicsRequest::default().with_topic_names(vec![topic()]));
    let by_id = DeleteTopicState::default().with_name(Some(topic()));
    all_tell(&DeleteTopicsRequest::default().with_topics(vec![by_id]));
}

#[test]
fn a_producer_that_waits_for_no_answer_gets_none() {
    assert!(!ProduceRequest::default().with_acks(0).wants_answer());
    assert!(ProduceRequest::default().with_acks(1).wants_answer());
}
