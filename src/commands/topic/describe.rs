//! `velo topic describe`

use super::health::{Health, HealthArgs};
use crate::commands::{Context, candidates, select, settings};
use crate::failure::Outcome;
use crate::kafka::{
    Admin, Answer, ConfigEntry, ConfigResource, ListedOffset, OffsetSpec, PartitionDescription,
    TopicDescription, TopicPartition,
};
use crate::ui::table::{Grid, number, text};
use crate::ui::units;
use crate::ui::units::count;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Options of `velo topic describe`.
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// Names of the topics; globs such as 'velib-*' work; all, if partitions are chosen by an option below
    #[arg(
        required_unless_present_any = ["under_replicated", "offline"],
        value_name = "NAME",
        add = candidates::topics()
    )]
    names: Vec<String>,
    #[command(flatten)]
    health: HealthArgs,
}

/// A topic with all that is known of it.
struct Described {
    /// With the partitions that are wanted.
    topic: TopicDescription,
    /// How many partitions it has.
    total: usize,
    configs: Vec<ConfigEntry>,
    partitions: Vec<DescribedPartition>,
}

struct DescribedPartition {
    layout: PartitionDescription,
    health: Health,
    earliest: Option<i64>,
    latest: Option<i64>,
    size: Option<i64>,
}

/// Describes topics.
///
/// # Errors
/// When one is not there, or the cluster does not answer.
pub fn run(args: &DescribeArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    let metadata = admin.metadata()?;
    let alive: Vec<i32> = metadata.brokers.iter().map(|broker| broker.id).collect();
    let names = if args.names.is_empty() {
        metadata.topics.into_iter().map(|topic| topic.name).collect()
    } else if args.names.iter().any(|name| select::is_glob(name)) {
        select::topics(&admin, &args.names)?
    } else {
        args.names.clone()
    };
    let mut described = Vec::new();
    for (name, answer) in admin.describe_topics(&names)? {
        match answer {
            Ok(mut topic) => {
                let total = topic.partitions.len();
                topic.partitions.retain(|partition| args.health.want(partition));
                if !args.health.choose() || !topic.partitions.is_empty() {
                    described.push(describe(&admin, (topic, total), &alive)?);
                }
            }
            Err(error) if error.is_unknown_topic() => return Err(admin.unknown_topic(&name)),
            Err(error) => return Err(error.into_failure(format!("cannot describe topic `{name}`"))),
        }
    }
    if described.is_empty() {
        context.ui.say(args.health.none());
    }
    let value: Vec<Value> = described.iter().map(to_json).collect();
    context.ui.show_titled(&value, || {
        described
            .iter()
            .map(|one| (Some(title(one)), to_grid(one, context)))
            .collect()
    })
}

fn describe(admin: &Admin, (topic, total): (TopicDescription, usize), alive: &[i32]) -> Outcome<Described> {
    let mut configs = admin.describe_configs(&ConfigResource::Topic(topic.name.clone()))?;
    configs.retain(|entry| !entry.is_default);
    // Partitions without a leader have no offsets to tell, and asking for them would wait in vain.
    let led: Vec<TopicPartition> = topic
        .partitions
        .iter()
        .filter(|partition| partition.leader.is_some())
        .map(|partition| TopicPartition::new(&topic.name, partition.partition))
        .collect();
    let earliest = admin.list_offsets(&led, OffsetSpec::Earliest)?;
    let latest = admin.list_offsets(&led, OffsetSpec::Latest)?;
    let sizes = admin.log_sizes(std::slice::from_ref(&topic))?;
    let partitions = topic
        .partitions
        .iter()
        .map(|layout| {
            let partition = TopicPartition::new(&topic.name, layout.partition);
            let latest = told(&latest, &partition);
            DescribedPartition {
                layout: layout.clone(),
                health: Health::of(layout, alive, latest.is_some()),
                earliest: told(&earliest, &partition),
                latest,
                size: sizes.as_ref().and_then(|sizes| sizes.get(&partition).copied()),
            }
        })
        .collect();
    Ok(Described {
        topic,
        total,
        configs,
        partitions,
    })
}

fn told(offsets: &BTreeMap<TopicPartition, Answer<ListedOffset>>, partition: &TopicPartition) -> Option<i64> {
    offsets.get(partition)?.as_ref().ok()?.offset
}

fn to_json(one: &Described) -> Value {
    let partitions: Vec<Value> = one
        .partitions
        .iter()
        .map(|partition| {
            json!({
                "partition": partition.layout.partition,
                "leader": partition.layout.leader,
                "replicas": partition.layout.replicas,
                "isr": partition.layout.isr,
                "offline": partition.health.offline,
                "leader_silent": partition.health.silent,
                "lagging": partition.health.lagging,
                "down": partition.health.gone,
                "earliest": partition.earliest,
                "latest": partition.latest,
                "size_bytes": partition.size,
            })
        })
        .collect();
    let configs: Vec<Value> = one
        .configs
        .iter()
        .map(|entry| json!({"name": entry.name, "value": entry.value, "source": entry.source.kafka_name()}))
        .collect();
    json!({
        "topic": one.topic.name,
        "id": one.topic.id,
        "internal": one.topic.internal,
        "partitions": partitions,
        "settings": configs,
    })
}

fn title(one: &Described) -> String {
    let factor = one
        .topic
        .partitions
        .first()
        .map_or(0, |partition| partition.replicas.len());
    let mut title = format!(
        "{}: {}, replication factor {factor}, id {}",
        one.topic.name,
        count(one.total, "partition"),
        one.topic.id
    );
    for entry in &one.configs {
        let value = entry.value.as_deref().unwrap_or("[hidden]");
        title.push_str(&format!(
            "\n  {}={} from {}",
            entry.name,
            settings::shown(&entry.name, value),
            entry.source.words()
        ));
    }
    title
}

fn to_grid(one: &Described, context: &Context) -> Grid {
    let mut grid = Grid::new([
        text("TOPIC"),
        number("PARTITION"),
        number("LEADER"),
        text("REPLICAS"),
        text("ISR"),
        number("START"),
        number("END"),
        number("SIZE"),
        text("STATE"),
    ]);
    let raw = context.ui.format == crate::ui::OutputFormat::Plain;
    for partition in &one.partitions {
        let size = partition
            .size
            .map(|size| if raw { size.to_string() } else { units::bytes(size) });
        grid.row([
            one.topic.name.clone(),
            partition.layout.partition.to_string(),
            or_none(partition.layout.leader),
            ids(&partition.layout.replicas),
            ids(&partition.layout.isr),
            or_none(partition.earliest),
            or_none(partition.latest),
            or_none(size),
            partition.health.words(),
        ]);
    }
    grid
}

fn ids(brokers: &[i32]) -> String {
    let ids: Vec<String> = brokers.iter().map(ToString::to_string).collect();
    ids.join(",")
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
