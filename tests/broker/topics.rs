//! Topics over the protocol: made, described, grown, deleted, refused; kept over a restart and a crash.

use crate::support::broker::TestBroker;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_topic_partitions_request::Cursor;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeTopicPartitionsRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use velodrome::broker::NodeConfig;

fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

fn topic(text: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(name(text))
        .with_num_partitions(partitions)
        .with_replication_factor(-1)
}

fn with_config(topic: CreatableTopic, key: &str, value: &str) -> CreatableTopic {
    let config = CreatableTopicConfig::default()
        .with_name(StrBytes::from_string(key.to_owned()))
        .with_value(Some(StrBytes::from_string(value.to_owned())));
    topic.with_configs(vec![config])
}

async fn create(broker: &TestBroker, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    broker.ask(request, 7).await.topics.remove(0)
}

async fn assert_refused(broker: &TestBroker, topic: CreatableTopic, error: ResponseError, why: &str) {
    let result = create(broker, topic).await;
    assert_eq!(result.error_code, error.code(), "{why}");
    assert_eq!(
        result.error_message.as_ref().map(StrBytes::as_str),
        Some(why),
        "the text Kafka gives"
    );
}

async fn metadata(broker: &TestBroker, topic: &str, auto_create: bool) -> MetadataResponseTopic {
    let wanted = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![wanted]))
        .with_allow_auto_topic_creation(auto_create);
    broker.ask(request, 12).await.topics.remove(0)
}

async fn names(broker: &TestBroker) -> Vec<String> {
    let answer = broker.ask(MetadataRequest::default().with_topics(None), 12).await;
    let topics = answer.topics.into_iter();
    topics.map(|topic| topic.name.unwrap().to_string()).collect()
}

#[tokio::test]
async fn a_topic_is_made_seen_grown_and_deleted() {
    let broker = TestBroker::start().await;
    let made = create(&broker, topic("velib", 3)).await;
    assert_eq!(
        (made.error_code, made.num_partitions, made.replication_factor),
        (0, 3, 1)
    );
    let seen = metadata(&broker, "velib", false).await;
    assert_eq!((seen.topic_id, seen.partitions.len()), (made.topic_id, 3));
    assert!(
        seen.partitions
            .iter()
            .all(|partition| partition.leader_id == BrokerId(1))
    );

    let more = CreatePartitionsTopic::default()
        .with_name(name("velib"))
        .with_count(10)
        .with_assignments(None);
    let grown = broker
        .ask(CreatePartitionsRequest::default().with_topics(vec![more]), 3)
        .await;
    assert_eq!(grown.results[0].error_code, 0);
    assert_eq!(metadata(&broker, "velib", false).await.partitions.len(), 10);

    let gone = DeleteTopicState::default().with_name(Some(name("velib")));
    let deleted = broker
        .ask(DeleteTopicsRequest::default().with_topics(vec![gone]), 6)
        .await;
    assert_eq!(
        (deleted.responses[0].error_code, deleted.responses[0].topic_id),
        (0, made.topic_id)
    );
    assert_eq!(names(&broker).await, [""; 0]);
}

#[tokio::test]
async fn a_topic_is_deleted_by_id_too() {
    let broker = TestBroker::start().await;
    let made = create(&broker, topic("t", 1)).await;
    let by_id = DeleteTopicState::default()
        .with_name(None)
        .with_topic_id(made.topic_id);
    let request = DeleteTopicsRequest::default().with_topics(vec![by_id]);
    let answer = broker.ask(request.clone(), 6).await;
    assert_eq!(answer.responses[0].error_code, 0);
    let again = broker.ask(request, 6).await;
    assert_eq!(
        again.responses[0].error_code,
        ResponseError::UnknownTopicId.code()
    );
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_in_kafkas_words() {
    let broker = TestBroker::start().await;
    create(&broker, topic("a.b", 1)).await;
    let cases = [
        (
            topic("a.b", 1),
            ResponseError::TopicAlreadyExists,
            "Topic 'a.b' already exists.",
        ),
        (
            topic("a_b", 1),
            ResponseError::InvalidTopicException,
            "Topic 'a_b' collides with existing topic: a.b",
        ),
        (
            topic("../../etc/passwd", 1),
            ResponseError::InvalidTopicException,
            "Topic name is invalid: '../../etc/passwd' contains one or more characters other than ASCII \
             alphanumerics, '.', '_' and '-'",
        ),
        (
            topic("..", 1),
            ResponseError::InvalidTopicException,
            "Topic name is invalid: '..' is not allowed",
        ),
        (
            topic("t", 0),
            ResponseError::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        ),
        (
            topic("t", 1).with_replication_factor(3),
            ResponseError::InvalidReplicationFactor,
            "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached \
             because only 1 broker(s) are registered or some brokers have all their log directories cordoned.",
        ),
        (
            with_config(topic("t", 1), "retention.msx", "1"),
            ResponseError::InvalidConfig,
            "Unknown topic config name: retention.msx",
        ),
        (
            with_config(topic("t", 1), "retention.ms", "soon"),
            ResponseError::InvalidConfig,
            "Invalid value soon for configuration retention.ms: Not a number of type LONG",
        ),
    ];
    for (topic, error, why) in cases {
        assert_refused(&broker, topic, error, why).await;
    }
    assert_eq!(names(&broker).await, ["a.b"]);
}

#[tokio::test]
async fn replicas_can_be_given_by_hand() {
    let broker = TestBroker::start().await;
    let assigned = |partition, id| {
        CreatableReplicaAssignment::default()
            .with_partition_index(partition)
            .with_broker_ids(vec![BrokerId(id)])
    };
    let by_hand = topic("t", -1).with_assignments(vec![assigned(0, 1), assigned(1, 1)]);
    assert_eq!(create(&broker, by_hand).await.num_partitions, 2);
    let unknown = topic("u", -1).with_assignments(vec![assigned(0, 7)]);
    assert_refused(
        &broker,
        unknown,
        ResponseError::InvalidReplicaAssignment,
        "The manual partition assignment includes broker 7, but no such broker is registered.",
    )
    .await;
}

#[tokio::test]
async fn validate_only_makes_nothing() {
    let broker = TestBroker::start().await;
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic("t", 2)])
        .with_validate_only(true);
    assert_eq!(broker.ask(request, 7).await.topics[0].error_code, 0);
    assert_eq!(names(&broker).await, [""; 0]);
}

#[tokio::test]
async fn a_topic_is_made_on_first_use_with_num_partitions_but_only_when_that_is_allowed() {
    let broker = TestBroker::with(&[("num.partitions", "4")]).await;
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(metadata(&broker, "first", false).await.error_code, unknown);
    assert_eq!(metadata(&broker, "first", true).await.partitions.len(), 4);
    let bad = metadata(&broker, "../evil", true).await;
    assert_eq!(bad.error_code, ResponseError::InvalidTopicException.code());

    let strict = TestBroker::with(&[("auto.create.topics.enable", "false")]).await;
    assert_eq!(metadata(&strict, "first", true).await.error_code, unknown);
}

#[tokio::test]
async fn topics_outlive_a_restart_and_a_crash() {
    let mut broker = TestBroker::start().await;
    let made = create(&broker, topic("kept", 2)).await;
    broker.restart().await;
    assert_eq!(metadata(&broker, "kept", false).await.topic_id, made.topic_id);
    let made = create(&broker, topic("later", 1)).await;
    broker.kill().await;
    broker.start_again().await;
    let seen = metadata(&broker, "later", false).await;
    assert_eq!(seen.topic_id, made.topic_id);
    assert_eq!(seen.partitions[0].leader_id, BrokerId(1));
}

#[tokio::test]
async fn a_folder_serves_one_node_at_a_time() {
    let broker = TestBroker::start().await;
    let config = NodeConfig::clone(&broker.running().node().config);
    let second = velodrome::broker::Node::start(config, velodrome::clock::Clock::system()).await;
    let error = second.err().unwrap().to_string();
    assert!(error.ends_with("is in use by another process"), "{error}");
}

#[tokio::test]
async fn many_partitions_are_described_page_by_page() {
    let broker = TestBroker::start().await;
    for topic_name in ["a", "b"] {
        create(&broker, topic(topic_name, 3)).await;
    }
    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let request = DescribeTopicPartitionsRequest::default()
            .with_response_partition_limit(2)
            .with_cursor(cursor);
        let page = broker.ask(request, 0).await;
        let topics = page.topics.iter();
        pages.push(
            topics
                .map(|topic| (topic.name.clone().unwrap().to_string(), topic.partitions.len()))
                .collect::<Vec<_>>(),
        );
        let Some(next) = page.next_cursor else { break };
        cursor = Some(
            Cursor::default()
                .with_topic_name(next.topic_name)
                .with_partition_index(next.partition_index),
        );
    }
    let page = |topics: &[(&str, usize)]| -> Vec<(String, usize)> {
        topics
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    };
    assert_eq!(
        pages,
        [page(&[("a", 2)]), page(&[("a", 1), ("b", 1)]), page(&[("b", 2)])]
    );
}

#[tokio::test]
async fn topics_outlive_restarts_and_crashes_when_snapshots_replace_the_log() {
    let mut broker = TestBroker::with(&[("metadata.log.max.record.bytes.between.snapshots", "1500")]).await;
    let mut ids = Vec::new();
    for round in 0..3 {
        for at in 0..10 {
            let wanted = with_config(topic(&format!("t-{round}-{at}"), 2), "retention.ms", "4000");
            ids.push(create(&broker, wanted).await.topic_id);
        }
        if round == 1 {
            broker.kill().await;
            broker.start_again().await;
        } else {
            broker.restart().await;
        }
    }
    let answer = broker.ask(MetadataRequest::default().with_topics(None), 12).await;
    let kept: Vec<_> = answer.topics.iter().map(|topic| topic.topic_id).collect();
    assert_eq!(kept.len(), 30);
    assert!(ids.iter().all(|id| kept.contains(id)));
    assert!(
        answer
            .topics
            .iter()
            .all(|topic| topic.partitions[1].leader_id == BrokerId(1))
    );
    let folder = broker.log_dir().join("__cluster_metadata-0");
    let snapshots = std::fs::read_dir(folder).unwrap().filter(|entry| {
        let path = entry.as_ref().unwrap().path();
        path.extension()
            .is_some_and(|extension| extension == "checkpoint")
    });
    assert_eq!(snapshots.count(), 1);
    let settings = &broker.running().node().metadata.load().configs;
    assert_eq!(settings.len(), 31, "those of the topics and of all brokers");
}
