//! Settings over the protocol: described with source and synonyms, set, added to, taken back, refused.

use crate::support::broker::TestBroker;
use crate::support::configs::{self, APPEND, BROKER, DELETE, SET, SUBTRACT, TOPIC, text};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};

async fn with_topic(settings: &[(&str, &str)]) -> TestBroker {
    let broker = TestBroker::with(settings).await;
    let topic = CreatableTopic::default()
        .with_name(TopicName(text("t")))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let made = broker
        .ask(CreateTopicsRequest::default().with_topics(vec![topic]), 7)
        .await;
    assert_eq!(made.topics[0].error_code, 0);
    broker
}

async fn described(
    broker: &TestBroker,
    kind: i8,
    resource: &str,
    key: &str,
) -> DescribeConfigsResourceResult {
    let request = configs::describe(kind, resource, key);
    broker.ask(request, 4).await.results.remove(0).configs.remove(0)
}

async fn value(broker: &TestBroker, key: &str) -> (String, i8) {
    let config = described(broker, TOPIC, "t", key).await;
    (config.value.unwrap().to_string(), config.config_source)
}

async fn alter(broker: &TestBroker, kind: i8, resource: &str, change: (i8, &str, &str)) -> (i16, String) {
    let request = configs::alter(kind, resource, change);
    let response = broker.ask(request, 1).await.responses.remove(0);
    let message = response.error_message.unwrap_or_default().to_string();
    (response.error_code, message)
}

#[tokio::test]
async fn a_bare_broker_shows_min_insync_replicas_and_segment_bytes_as_not_default() {
    let broker = with_topic(&[]).await;
    let default_of_all_brokers = 3;
    let from_the_file = 4;
    assert_eq!(
        value(&broker, "min.insync.replicas").await,
        ("1".to_owned(), default_of_all_brokers)
    );
    assert_eq!(
        value(&broker, "segment.bytes").await,
        ("1073741824".to_owned(), from_the_file)
    );
    assert_eq!(value(&broker, "retention.ms").await, ("604800000".to_owned(), 5));
}

#[tokio::test]
async fn a_setting_is_set_and_taken_back_and_outlives_a_restart() {
    let mut broker = with_topic(&[("log.retention.ms", "60000")]).await;
    assert_eq!(value(&broker, "retention.ms").await, ("60000".to_owned(), 4));
    assert_eq!(
        alter(&broker, TOPIC, "t", (SET, "retention.ms", "4000")).await.0,
        0
    );
    broker.restart().await;
    let config = described(&broker, TOPIC, "t", "retention.ms").await;
    let synonyms: Vec<(&str, i8)> = config
        .synonyms
        .iter()
        .map(|synonym| (synonym.value.as_ref().unwrap().as_str(), synonym.source))
        .collect();
    // As in Kafka with the hours of its shipped file.
    assert_eq!(synonyms, [("4000", 1), ("60000", 4), ("168", 4), ("168", 5)]);
    assert!(!config.documentation.unwrap().is_empty());
    assert_eq!(
        alter(&broker, TOPIC, "t", (DELETE, "retention.ms", "")).await.0,
        0
    );
    assert_eq!(value(&broker, "retention.ms").await, ("60000".to_owned(), 4));
}

#[tokio::test]
async fn lists_are_added_to_and_taken_from() {
    let broker = with_topic(&[]).await;
    assert_eq!(
        alter(&broker, TOPIC, "t", (APPEND, "cleanup.policy", "compact"))
            .await
            .0,
        0
    );
    assert_eq!(value(&broker, "cleanup.policy").await.0, "delete,compact");
    assert_eq!(
        alter(&broker, TOPIC, "t", (SUBTRACT, "cleanup.policy", "delete"))
            .await
            .0,
        0
    );
    assert_eq!(value(&broker, "cleanup.policy").await.0, "compact");
    let (code, why) = alter(&broker, TOPIC, "t", (APPEND, "retention.ms", "1")).await;
    assert_eq!(code, ResponseError::InvalidConfig.code());
    assert_eq!(
        why,
        "Can't APPEND to key retention.ms because its type is not LIST."
    );
}

#[tokio::test]
async fn wrong_names_values_and_resources_are_refused() {
    let broker = with_topic(&[]).await;
    let cases = [
        (TOPIC, "t", "retention.msx", "1", ResponseError::InvalidConfig),
        (
            TOPIC,
            "t",
            "cleanup.policy",
            "shred",
            ResponseError::InvalidConfig,
        ),
        (
            TOPIC,
            "t",
            "remote.storage.enable",
            "true",
            ResponseError::InvalidConfig,
        ),
        (
            TOPIC,
            "none",
            "retention.ms",
            "1",
            ResponseError::UnknownTopicOrPartition,
        ),
        (TOPIC, "", "retention.ms", "1", ResponseError::InvalidRequest),
        (BROKER, "1", "node.id", "7", ResponseError::InvalidRequest),
        (
            BROKER,
            "one",
            "message.max.bytes",
            "7",
            ResponseError::InvalidRequest,
        ),
        (99, "t", "retention.ms", "1", ResponseError::InvalidRequest),
    ];
    for (kind, resource, name, new, error) in cases {
        let (code, why) = alter(&broker, kind, resource, (SET, name, new)).await;
        assert_eq!(code, error.code(), "{resource} {name}={new}: {why}");
    }
}

#[tokio::test]
async fn a_broker_setting_changed_while_it_runs_counts_for_its_topics() {
    let broker = with_topic(&[]).await;
    assert_eq!(
        alter(&broker, BROKER, "", (SET, "message.max.bytes", "2000"))
            .await
            .0,
        0
    );
    assert_eq!(value(&broker, "max.message.bytes").await, ("2000".to_owned(), 3));
    assert_eq!(
        alter(&broker, BROKER, "1", (SET, "message.max.bytes", "3000"))
            .await
            .0,
        0
    );
    assert_eq!(value(&broker, "max.message.bytes").await, ("3000".to_owned(), 2));
    assert!(described(&broker, BROKER, "1", "node.id").await.read_only);
}

#[tokio::test]
async fn the_older_alter_configs_replaces_all_settings_of_a_resource() {
    let broker = with_topic(&[]).await;
    alter(&broker, TOPIC, "t", (SET, "retention.ms", "4000")).await;
    let request = configs::replace("t", "segment.ms", "2000");
    assert_eq!(broker.ask(request, 2).await.responses[0].error_code, 0);
    assert_eq!(value(&broker, "segment.ms").await.0, "2000");
    assert_eq!(value(&broker, "retention.ms").await.1, 5);
}
