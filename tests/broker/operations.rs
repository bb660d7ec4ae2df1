//! The operations that one is allowed, told of topics and of the cluster to who asks (KIP-430).

use crate::support::cluster::Cluster;
use crate::support::raw::ask_at;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    CreateTopicsRequest, DescribeClusterRequest, DescribeTopicPartitionsRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeSet;

/// Nobody asked, or the version has no room for it.
const NOT_TOLD: i32 = i32::MIN;
/// Read, write, create, delete, alter, describe, describe and alter settings.
const OF_TOPICS: i32 = 3576;
/// Create, alter, describe, cluster action, describe and alter settings, write idempotently.
const OF_THE_CLUSTER: i32 = 8096;

fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

fn topic(cluster: &Cluster) -> String {
    let topic = cluster.name("operations");
    let wanted = CreatableTopic::default()
        .with_name(name(&topic))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(30_000);
    assert_eq!(ask_at(cluster.bootstrap(), request, 7).topics[0].error_code, 0);
    topic
}

/// What Metadata tells of the topics and of the cluster. Fields that a version does not have cannot be asked for.
fn metadata(cluster: &Cluster, version: i16, topic: &str, asks: bool) -> (BTreeSet<i32>, i32) {
    let unknown = format!("{topic}-not");
    let topics =
        [topic, unknown.as_str()].map(|topic| MetadataRequestTopic::default().with_name(Some(name(topic))));
    let request = MetadataRequest::default()
        .with_topics(Some(topics.to_vec()))
        .with_allow_auto_topic_creation(version < 4)
        .with_include_topic_authorized_operations(asks && version >= 8)
        .with_include_cluster_authorized_operations(asks && (8..=10).contains(&version));
    let answer = ask_at(cluster.bootstrap(), request, version);
    assert_eq!(answer.topics.len(), 2);
    let told = answer
        .topics
        .iter()
        .map(|topic| topic.topic_authorized_operations);
    (told.collect(), answer.cluster_authorized_operations)
}

on_both_clusters! {
    fn metadata_tells_them_from_version_8_on_to_who_asks(cluster) {
        let topic = topic(cluster);
        for version in 4..=13 {
            let of_topics = if version >= 8 { OF_TOPICS } else { NOT_TOLD };
            let of_the_cluster = if (8..=10).contains(&version) { OF_THE_CLUSTER } else { NOT_TOLD };
            // Of a topic that is not there as well: whoever may create it may do all with it.
            assert_eq!(
                metadata(cluster, version, &topic, true),
                (BTreeSet::from([of_topics]), of_the_cluster),
                "Metadata {version}"
            );
            assert_eq!(
                metadata(cluster, version, &topic, false),
                (BTreeSet::from([NOT_TOLD]), NOT_TOLD),
                "Metadata {version}, not asked"
            );
        }
    }

    fn describe_cluster_tells_them_to_who_asks(cluster) {
        for version in 0..=2 {
            for (asks, told) in [(true, OF_THE_CLUSTER), (false, NOT_TOLD)] {
                let request = DescribeClusterRequest::default()
                    .with_endpoint_type(1)
                    .with_include_cluster_authorized_operations(asks);
                let answer = ask_at(cluster.bootstrap(), request, version);
                assert_eq!(answer.cluster_authorized_operations, told, "DescribeCluster {version}");
            }
        }
    }

    fn describe_topic_partitions_always_tells_them(cluster) {
        let topic = topic(cluster);
        let asked = [topic.clone(), format!("{topic}-not")];
        let asked = asked.map(|topic| TopicRequest::default().with_name(name(&topic)));
        let request = DescribeTopicPartitionsRequest::default()
            .with_topics(asked.to_vec())
            .with_response_partition_limit(10);
        let answer = ask_at(cluster.bootstrap(), request, 0);
        let told: Vec<i32> = answer.topics.iter().map(|topic| topic.topic_authorized_operations).collect();
        assert_eq!(told, [OF_TOPICS; 2]);
    }
}
