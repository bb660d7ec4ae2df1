//! CreateTopics (KIP-4, KIP-525).

use crate::broker::api::on_controller::{CATCH_UP, OnController};
use crate::broker::api::parts::Config;
use crate::broker::api::{Refuse, RequestContext, message, text};
use crate::broker::config::{NodeConfig, Settings, topic as topic_settings};
use crate::broker::controller::{ApiError, Controller, CreatedTopic, NewTopic};
use crate::broker::error::Result;
use crate::broker::metadata::{AppliedMetadata, ConfigResource, MetadataImage};
use crate::broker::wanted::Wanted;
use crate::broker::world::time::timeout;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Creates topics.
pub async fn handle(
    (controller, config): (OnController, Config),
    ctx: RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    create(&controller, &config, &ctx, request).await
}

async fn create(
    controller: &OnController,
    config: &NodeConfig,
    ctx: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let timeout_ms = Some(request.timeout_ms);
    let local = |controller, request, wanted| create_on(controller, config, request, wanted);
    controller.answer(ctx, request, timeout_ms, local).await
}

/// Makes topics that the broker itself needs, or that are made on first use.
pub struct TopicMaker {
    controller: OnController,
    metadata: Arc<AppliedMetadata>,
    config: Arc<NodeConfig>,
}

impl TopicMaker {
    /// Has them made by the controller.
    pub fn new(controller: OnController, metadata: Arc<AppliedMetadata>, config: Arc<NodeConfig>) -> Self {
        TopicMaker {
            controller,
            metadata,
            config,
        }
    }

    /// Makes one of the topics that coordinators keep their state in, if it is not there yet.
    pub async fn make_internal(&self, ctx: &RequestContext, name: &str) {
        if !self.metadata.load().topics.contains_key(name) {
            self.make(ctx, vec![self.internal(name)]).await;
        }
    }

    /// One of the broker's own topics, as its settings want it.
    pub fn internal(&self, name: &str) -> NewTopic {
        internal_topic(&self.config, name)
    }

    /// Creates topics on the broker's own account; what cannot be made is left out and logged.
    pub async fn make(&self, ctx: &RequestContext, topics: Vec<NewTopic>) {
        let creatable = topics.into_iter().map(|topic| {
            let configs = topic.configs.into_iter().map(|(name, value)| {
                CreatableTopicConfig::default()
                    .with_name(text(name))
                    .with_value(value.map(text))
            });
            CreatableTopic::default()
                .with_name(TopicName(text(topic.name)))
                .with_num_partitions(topic.partitions)
                .with_replication_factor(topic.replication_factor)
                .with_configs(configs.collect())
        });
        let request = CreateTopicsRequest::default().with_topics(creatable.collect());
        let ctx = RequestContext {
            api_version: 7,
            ..ctx.clone()
        };
        let response = create(&self.controller, &self.config, &ctx, request).await;
        let exists = ResponseError::TopicAlreadyExists.code();
        let mut made = Vec::new();
        for topic in response.topics {
            if topic.error_code != 0 && topic.error_code != exists {
                let why = topic.error_message.unwrap_or_default();
                tracing::warn!(topic = %topic.name.0, code = topic.error_code, "cannot make the topic: {why}");
            } else {
                made.push(topic.name);
            }
        }
        // Another node's controller made them: it will be a moment until this broker hears of it.
        let known = |_: &i64| {
            let image = self.metadata.load();
            made.iter().all(|name| image.topics.contains_key(name.as_str()))
        };
        let mut applied = self.metadata.applied();
        if timeout(CATCH_UP, applied.wait_for(known)).await.is_err() {
            tracing::warn!("this broker does not hear of the topics that were made for it");
        }
    }
}

/// One of the broker's own topics, as its settings want it.
fn internal_topic(config: &NodeConfig, name: &str) -> NewTopic {
    let prefix = if name == "__transaction_state" {
        "transaction.state.log"
    } else {
        "offsets.topic"
    };
    let number = |suffix: &str| config.int(&format!("{prefix}.{suffix}"));
    let mut configs = vec![
        ("cleanup.policy".to_owned(), Some("compact".to_owned())),
        ("compression.type".to_owned(), Some("producer".to_owned())),
        (
            "segment.bytes".to_owned(),
            Some(number("segment.bytes").to_string()),
        ),
    ];
    if prefix == "transaction.state.log" {
        configs.push((
            "min.insync.replicas".to_owned(),
            Some(number("min.isr").to_string()),
        ));
    }
    NewTopic {
        name: name.to_owned(),
        partitions: i32::try_from(number("num.partitions")).unwrap_or(50),
        replication_factor: i16::try_from(number("replication.factor")).unwrap_or(1),
        assignments: Vec::new(),
        configs,
    }
}

async fn create_on(
    controller: Arc<Controller>,
    config: &NodeConfig,
    request: CreateTopicsRequest,
    wanted: Wanted,
) -> Result<CreateTopicsResponse> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in &request.topics {
        *count.entry(topic.name.as_str()).or_default() += 1;
    }
    let single: Vec<NewTopic> = request
        .topics
        .iter()
        .filter(|topic| count.get(topic.name.as_str()) == Some(&1))
        .map(new_topic)
        .collect();
    let results = controller
        .create_topics(single.clone(), request.validate_only, wanted)
        .await?;
    let image = controller.image();
    let mut topics = Vec::new();
    for (name, count) in count.iter().map(|(name, count)| (*name, *count)) {
        if count > 1 {
            topics.push(refused(
                name,
                &ApiError::new(ResponseError::InvalidRequest, "Duplicate topic name."),
            ));
        }
    }
    for (topic, result) in single.iter().zip(results) {
        topics.push(match result {
            Ok(created) => made(&image, config, topic, &created),
            Err(error) => refused(&topic.name, &error),
        });
    }
    Ok(CreateTopicsResponse::default().with_topics(topics))
}

fn new_topic(topic: &CreatableTopic) -> NewTopic {
    let assignment = |assignment: &CreatableReplicaAssignment| {
        let brokers = assignment.broker_ids.iter().map(|id| id.0).collect();
        (assignment.partition_index, brokers)
    };
    let config = |config: &CreatableTopicConfig| {
        let value = config.value.as_ref().map(ToString::to_string);
        (config.name.to_string(), value)
    };
    NewTopic {
        name: topic.name.to_string(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic.assignments.iter().map(assignment).collect(),
        configs: topic.configs.iter().map(config).collect(),
    }
}

fn refused(name: &str, error: &ApiError) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(TopicName(text(name)))
        .with_error_code(error.error.code())
        .with_error_message(message(error.message.as_str()))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_configs(Some(Vec::new()))
}

/// KIP-525: the answer shows partitions, replicas and settings of the new topic.
fn made(
    image: &MetadataImage,
    node: &NodeConfig,
    topic: &NewTopic,
    created: &CreatedTopic,
) -> CreatableTopicResult {
    let mut image = image.clone();
    let own = topic.configs.iter();
    let own = own.filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    let own: BTreeMap<String, String> = own.collect();
    // Also of a topic that was only checked.
    image
        .configs
        .insert(ConfigResource::Topic(topic.name.clone()), own.clone());
    let settings = Settings { image: &image, node };
    let configs = topic_settings::TOPIC_SETTINGS.iter().map(|definition| {
        let effective = settings.topic(&topic.name, definition);
        CreatableTopicConfigs::default()
            .with_name(text(definition.name))
            // What was given is told as it was given, as Kafka does.
            .with_value(own.get(definition.name).cloned().or(effective.value).map(text))
            .with_config_source(effective.source as i8)
    });
    let replicas = created.replicas.first().map_or(0, Vec::len);
    CreatableTopicResult::default()
        .with_name(TopicName(text(topic.name.as_str())))
        .with_topic_id(created.id)
        .with_num_partitions(i32::try_from(created.replicas.len()).unwrap_or(i32::MAX))
        .with_replication_factor(i16::try_from(replicas).unwrap_or(i16::MAX))
        .with_configs(Some(configs.collect()))
}

impl Refuse for CreateTopicsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> CreateTopicsResponse {
        let topics = self.topics.iter().map(|topic| {
            CreatableTopicResult::default()
                .with_name(topic.name.clone())
                .with_error_code(error.code())
        });
        CreateTopicsResponse::default().with_topics(topics.collect())
    }
}
