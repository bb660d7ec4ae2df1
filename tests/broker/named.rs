//! Topics named by id, by name, by both, by neither and twice, in every request that can.

use crate::support::cluster::Cluster;
use crate::support::raw::ask_at;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteTopicsRequest, DescribeTopicPartitionsRequest, FetchRequest,
    MetadataRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::time::{Duration, Instant};
use uuid::Uuid;

const INVALID_REQUEST: i16 = 42;
const UNKNOWN_TOPIC_ID: i16 = 100;
/// An id that no topic has.
const NOBODYS: Uuid = Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef);

fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

fn create(cluster: &Cluster, topic: &str) -> Uuid {
    let wanted = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(30_000);
    let made = ask_at(cluster.bootstrap(), request, 7).topics.remove(0);
    assert_eq!(made.error_code, 0);
    // Apache Kafka's controller answers before its brokers have heard of it.
    let begun = Instant::now();
    while metadata(cluster, 12, &[(Some(topic), Uuid::nil())])[0].0 != 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{topic} is not there");
    }
    made.topic_id
}

/// Error, name and id of each topic in the answer.
type Answers = Vec<(i16, Option<String>, Uuid)>;

fn metadata(cluster: &Cluster, version: i16, topics: &[(Option<&str>, Uuid)]) -> Answers {
    let topics = topics.iter().map(|(topic, id)| {
        MetadataRequestTopic::default()
            .with_name(topic.map(name))
            .with_topic_id(*id)
    });
    let request = MetadataRequest::default()
        .with_topics(Some(topics.collect()))
        .with_allow_auto_topic_creation(true);
    let answer = ask_at(cluster.bootstrap(), request, version);
    if version >= 13 {
        let refused = answer
            .topics
            .iter()
            .any(|topic| topic.error_code == INVALID_REQUEST);
        assert_eq!(answer.error_code == INVALID_REQUEST, refused);
    }
    let mut answers: Answers = answer
        .topics
        .into_iter()
        .map(|topic| {
            (
                topic.error_code,
                topic.name.map(|name| name.to_string()),
                topic.topic_id,
            )
        })
        .collect();
    answers.sort();
    answers
}

fn delete(cluster: &Cluster, topics: &[(Option<&str>, Uuid)]) -> Vec<(i16, Option<String>, Uuid, String)> {
    let topics = topics.iter().map(|(topic, id)| {
        DeleteTopicState::default()
            .with_name(topic.map(name))
            .with_topic_id(*id)
    });
    let request = DeleteTopicsRequest::default()
        .with_topics(topics.collect())
        .with_timeout_ms(30_000);
    let mut answers: Vec<_> = ask_at(cluster.bootstrap(), request, 6)
        .responses
        .into_iter()
        .map(|topic| {
            let message = topic
                .error_message
                .map(|text| text.to_string())
                .unwrap_or_default();
            (
                topic.error_code,
                topic.name.map(|name| name.to_string()),
                topic.topic_id,
                message,
            )
        })
        .collect();
    answers.sort();
    answers
}

on_both_clusters! {
    fn an_id_decides_whatever_name_comes_with_it(cluster) {
        let (one, other) = (cluster.name("one"), cluster.name("other"));
        let (id, other_id) = (create(cluster, &one), create(cluster, &other));
        let this = || vec![(0, Some(one.clone()), id)];
        for version in [12, 13] {
            for given in [None, Some(""), Some(one.as_str()), Some(other.as_str()), Some("not/a name")] {
                assert_eq!(metadata(cluster, version, &[(given, id)]), this(), "{given:?}");
                assert_eq!(
                    metadata(cluster, version, &[(given, NOBODYS)]),
                    [(UNKNOWN_TOPIC_ID, None, NOBODYS)],
                    "{given:?}"
                );
            }
            // One id is enough for the names to count for nothing.
            assert_eq!(metadata(cluster, version, &[(Some(&other), Uuid::nil()), (None, id)]), this());
            assert_eq!(metadata(cluster, version, &[(None, id), (Some(""), id)]), this());
            let mut both = vec![(0, Some(one.clone()), id), (0, Some(other.clone()), other_id)];
            both.sort();
            assert_eq!(metadata(cluster, version, &[(None, id), (None, other_id)]), both);
            both.push((UNKNOWN_TOPIC_ID, None, NOBODYS));
            assert_eq!(metadata(cluster, version, &[(None, NOBODYS), (None, id), (None, other_id)]), both);
        }
    }

    fn before_version_12_metadata_takes_names_only(cluster) {
        let topic = cluster.name("t");
        let id = create(cluster, &topic);
        for version in [10, 11] {
            assert_eq!(
                metadata(cluster, version, &[(Some(&topic), Uuid::nil())]),
                [(0, Some(topic.clone()), id)]
            );
            for asked in [(None, id), (Some(topic.as_str()), id), (None, Uuid::nil())] {
                let answered = asked.0.unwrap_or_default().to_owned();
                assert_eq!(
                    metadata(cluster, version, &[asked]),
                    [(INVALID_REQUEST, Some(answered), asked.1)],
                    "{asked:?}"
                );
            }
        }
    }

    fn a_name_given_twice_is_answered_once(cluster) {
        let topic = cluster.name("t");
        let id = create(cluster, &topic);
        let asked = (Some(topic.as_str()), Uuid::nil());
        assert_eq!(metadata(cluster, 9, &[asked, asked]), [(0, Some(topic.clone()), Uuid::nil())]);
        assert_eq!(metadata(cluster, 12, &[asked, asked]), [(0, Some(topic.clone()), id)]);
    }

    fn nothing_is_deleted_that_is_not_named_once_and_in_one_way(cluster) {
        let topic = cluster.name("t");
        let id = create(cluster, &topic);
        let by_name = (Some(topic.as_str()), Uuid::nil());
        let refused = |name: Option<&str>, id, why: &str| {
            (INVALID_REQUEST, name.map(str::to_owned), id, why.to_owned())
        };
        let nil = Uuid::nil();
        let named = Some(topic.as_str());
        for (asked, answer) in [
            (vec![(named, id)], refused(named, id, "You may not specify both topic name and topic id.")),
            (vec![(Some(""), id)], refused(Some(""), id, "You may not specify both topic name and topic id.")),
            (vec![(None, nil)], refused(None, nil, "Neither topic name nor id were specified.")),
            (vec![by_name; 2], refused(named, nil, "Duplicate topic name.")),
            (vec![by_name; 3], refused(named, nil, "Duplicate topic name.")),
            (vec![(None, id); 2], refused(None, id, "Duplicate topic id.")),
            (
                vec![by_name, (None, id)],
                refused(named, id, "The provided topic name maps to an ID that was already supplied."),
            ),
            (
                vec![(None, NOBODYS)],
                (UNKNOWN_TOPIC_ID, None, NOBODYS, "This server does not host this topic ID.".to_owned()),
            ),
        ] {
            assert_eq!(delete(cluster, &asked), [answer], "{asked:?}");
        }
        assert_eq!(metadata(cluster, 12, &[(None, id)]), [(0, Some(topic.clone()), id)], "it is still there");
        assert_eq!(delete(cluster, &[(None, id)]), [(0, Some(topic.clone()), id, String::new())]);
    }

    fn a_page_begins_in_a_topic_that_was_asked_for(cluster) {
        let (first, second) = (cluster.name("a"), cluster.name("b"));
        create(cluster, &first);
        create(cluster, &second);
        let errors = |from: &str, partition: i32| -> Vec<(String, i16)> {
            let asked = [&first, &second].map(|topic| TopicRequest::default().with_name(name(topic)));
            let cursor = Cursor::default().with_topic_name(name(from)).with_partition_index(partition);
            let request = DescribeTopicPartitionsRequest::default()
                .with_topics(asked.to_vec())
                .with_response_partition_limit(2)
                .with_cursor(Some(cursor));
            let answer = ask_at(cluster.bootstrap(), request, 0);
            let topics = answer.topics.into_iter();
            topics.map(|topic| (topic.name.unwrap().to_string(), topic.error_code)).collect()
        };
        assert_eq!(errors(&second, 0), [(second.clone(), 0)]);
        let refused = [(first.clone(), INVALID_REQUEST), (second.clone(), INVALID_REQUEST)];
        assert_eq!(errors("0", 0), refused);
        assert_eq!(errors(&first, -1), refused);
    }

    fn records_are_read_and_written_by_the_id_alone(cluster) {
        for (id, error) in [(NOBODYS, UNKNOWN_TOPIC_ID), (Uuid::nil(), UNKNOWN_TOPIC_ID)] {
            for version in 13..=17 {
                let partition = FetchPartition::default().with_partition_max_bytes(1);
                let topic = FetchTopic::default().with_topic_id(id).with_partitions(vec![partition]);
                let request = FetchRequest::default()
                    .with_replica_id(BrokerId(-1))
                    .with_max_bytes(1)
                    .with_topics(vec![topic]);
                let answer = ask_at(cluster.bootstrap(), request, version);
                assert_eq!(answer.error_code, 0);
                assert_eq!(answer.responses[0].topic_id, id);
                assert_eq!(answer.responses[0].partitions[0].error_code, error, "Fetch {version}");
            }
            let data = PartitionProduceData::default().with_records(Some(Default::default()));
            let topic = TopicProduceData::default().with_topic_id(id).with_partition_data(vec![data]);
            let request = ProduceRequest::default().with_acks(1).with_topic_data(vec![topic]).with_timeout_ms(1_000);
            let answer = ask_at(cluster.bootstrap(), request, 13);
            assert_eq!(answer.responses[0].topic_id, id);
            assert_eq!(answer.responses[0].partition_responses[0].error_code, error, "Produce");
        }
    }
}
