//! `kafka-topics --describe`

use super::{existing, failed, late, refused, refused_by_cluster};
use crate::kafka::{
    Admin, ConfigEntry, ConfigResource, EligibleReplicas, PartitionDescription, TopicDescription,
    TopicPartition,
};
use crate::scripts::java_order::hash_map_order;
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};
use std::collections::{BTreeMap, BTreeSet};

/// `--partition-size-limit-per-response` unless it is given.
const PARTITIONS_PER_RESPONSE: i32 = 2000;

/// Which of the topics and partitions are shown.
struct Selection<'a> {
    parsed: &'a Parsed,
    /// Eligible leader replicas (KIP-966), where the cluster tells them.
    eligible: BTreeMap<TopicPartition, EligibleReplicas>,
    live_brokers: BTreeSet<i32>,
}

pub(super) fn run(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let limit = parsed
        .number::<i32>("partition-size-limit-per-response")
        .map_err(late)?;
    let id = asked_id(parsed)?;
    let described = described(admin, parsed, id)?;
    let eligible = match id {
        // The API by which Java's tool asks by id does not tell them.
        Some(_) => BTreeMap::new(),
        None => {
            let names: Vec<String> = described.iter().map(|topic| topic.name.clone()).collect();
            admin
                .eligible_replicas(&names, limit.unwrap_or(PARTITIONS_PER_RESPONSE))
                .map_err(failed("describeTopics"))?
        }
    };
    let cluster = admin.describe_cluster().map_err(failed("describeCluster"))?;
    let selection = Selection {
        parsed,
        eligible,
        live_brokers: cluster.brokers.iter().map(|broker| broker.id).collect(),
    };
    for topic in described {
        let configs = admin
            .try_describe_configs(&ConfigResource::Topic(topic.name.clone()))
            .map_err(refused_by_cluster)?;
        selection.print(&topic, &configs);
    }
    Ok(())
}

/// `--topic-id`; the id of nothing is as good as none.
fn asked_id(parsed: &Parsed) -> Result<Option<&str>, Ending> {
    let id = parsed
        .value("topic-id")
        .map_err(late)?
        .map(checked_id)
        .transpose()?;
    Ok(id.filter(|id| !is_zero(id)))
}

fn described(admin: &Admin, parsed: &Parsed, id: Option<&str>) -> Result<Vec<TopicDescription>, Ending> {
    let names = match id {
        Some(_) => admin
            .metadata()
            .map_err(failed("listTopics"))?
            .topics
            .into_iter()
            .map(|topic| topic.name)
            .collect(),
        None => existing(admin, parsed)?,
    };
    let mut topics = Vec::new();
    for (_, answer) in admin.describe_topics(&names).map_err(failed("describeTopics"))? {
        topics.push(answer.map_err(refused_by_cluster)?);
    }
    hash_map_order(&mut topics, |topic| &topic.name);
    let Some(id) = id else { return Ok(topics) };
    topics.retain(|topic| topic.id == id);
    if topics.is_empty() && !parsed.has("if-exists") {
        return Err(refused(format!("TopicId '{id}' does not exist as expected")));
    }
    Ok(topics)
}

/// Kafka's ids are 16 bytes in the URL alphabet of base64, without padding.
fn checked_id(id: &str) -> Result<&str, Ending> {
    let bytes = id.trim_end_matches('=').len() * 3 / 4;
    if id.len() > 24 {
        return Err(refused(format!(
            "Input string with prefix `{}` is too long to be decoded as a base64 UUID",
            &id.chars().take(24).collect::<String>()
        )));
    }
    if bytes != 16 {
        return Err(refused(format!(
            "Input string `{id}` decoded as {bytes} bytes, which is not equal to the expected 16 bytes of a \
             base64-encoded UUID"
        )));
    }
    Ok(id)
}

fn is_zero(id: &str) -> bool {
    id.chars().all(|character| character == 'A')
}

impl Selection<'_> {
    fn print(&self, topic: &TopicDescription, configs: &[ConfigEntry]) {
        let reports = super::REPORTS.iter().any(|report| self.parsed.has(report));
        let overrides = self.parsed.has("topics-with-overrides");
        let mut all: Vec<&ConfigEntry> = configs.iter().collect();
        hash_map_order(&mut all, |config| &config.name);
        let own: Vec<String> = all
            .into_iter()
            .filter(|config| !config.is_default)
            .map(|config| format!("{}={}", config.name, config.value.as_deref().unwrap_or("null")))
            .collect();
        if !reports && (!overrides || !own.is_empty()) {
            print_topic(topic, &own);
        }
        if overrides {
            return;
        }
        let min_isr = configs
            .iter()
            .find(|config| config.name == "min.insync.replicas")
            .and_then(|config| config.value.as_ref()?.parse().ok())
            .unwrap_or(1);
        for partition in &topic.partitions {
            if !reports || self.is_reported(partition, min_isr) {
                let place = TopicPartition::new(&topic.name, partition.partition);
                print_partition(&topic.name, partition, self.eligible.get(&place));
            }
        }
    }

    fn is_reported(&self, partition: &PartitionDescription, min_isr: usize) -> bool {
        let in_sync = partition.isr.len();
        let served = partition
            .leader
            .is_some_and(|leader| self.live_brokers.contains(&leader));
        self.parsed.has("under-replicated-partitions") && in_sync < partition.replicas.len()
            || self.parsed.has("unavailable-partitions") && !served
            || self.parsed.has("under-min-isr-partitions")
                && (partition.leader.is_none() || in_sync < min_isr)
            || self.parsed.has("at-min-isr-partitions") && in_sync == min_isr
    }
}

fn print_topic(topic: &TopicDescription, own: &[String]) {
    let factor = topic
        .partitions
        .first()
        .map_or(0, |partition| partition.replicas.len());
    out(&format!(
        "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {factor}\tConfigs: {}",
        topic.name,
        topic.id,
        topic.partitions.len(),
        own.join(",")
    ));
}

fn print_partition(topic: &str, partition: &PartitionDescription, eligible: Option<&EligibleReplicas>) {
    let joined = |ids: &[i32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let told = |ids: Option<&Vec<i32>>| ids.map_or_else(|| "N/A".to_owned(), |ids| joined(ids));
    let leader = partition
        .leader
        .map_or_else(|| "none".to_owned(), |leader| leader.to_string());
    out(&format!(
        "\tTopic: {topic}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}",
        partition.partition,
        joined(&partition.replicas),
        joined(&partition.isr),
        told(eligible.and_then(|eligible| eligible.now.as_ref())),
        told(eligible.and_then(|eligible| eligible.last_known.as_ref()))
    ));
}
