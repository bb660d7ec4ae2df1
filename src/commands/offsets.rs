//! `velo offsets`: where each partition begins and ends.

use super::position::{self, Position};
use super::{Context, candidates, select};
use crate::failure::Outcome;
use crate::kafka::admin::PartitionOffsets;
use crate::kafka::types::ConfigResource;
use crate::kafka::{Admin, TopicPartition};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, number, text};
use clap::Args;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Options of `velo offsets`.
#[derive(Debug, Args)]
pub struct OffsetsArgs {
    /// Names of the topics; globs such as 'velib-*' work
    #[arg(required = true, value_name = "TOPIC", add = candidates::topics())]
    topics: Vec<String>,
    /// Only these partitions
    #[arg(long, value_name = "N", value_delimiter = ',')]
    partition: Vec<i32>,
    /// Also the offset of a place: a moment such as @-1h finds the first record since then
    #[arg(long, value_name = "WHERE")]
    at: Option<Position>,
}

/// Shows the offsets of topics.
///
/// # Errors
/// When a topic or partition is not there, or the cluster does not answer.
pub fn run(args: &OffsetsArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    let mut partitions = Vec::new();
    for topic in select::topics(&admin, &args.topics)? {
        let all = admin.partitions_of(&topic)?;
        partitions.extend(position::some_of(&all, &topic, &args.partition)?);
    }
    let ranges = admin.offset_range(&partitions)?;
    let places = args
        .at
        .map(|place| place.resolve(&admin, &partitions))
        .transpose()?;
    let value: Vec<Value> = ranges
        .iter()
        .map(|(partition, range)| to_json(partition, *range, places.as_ref()))
        .collect();
    context.ui.show(&value, || to_grid(&ranges, places.as_ref()))?;
    if context.ui.format == OutputFormat::Table {
        explain(&admin, &ranges, context)?;
    }
    Ok(())
}

/// What the offsets add up to, and where that is no count of records.
fn explain(admin: &Admin, ranges: &BTreeMap<TopicPartition, PartitionOffsets>, context: &Context) -> Outcome {
    if ranges.len() > 1 {
        let total: i64 = ranges.values().map(|range| range.span()).sum();
        context.ui.say(format!("END-START over all partitions: {total}."));
    }
    let topics: BTreeSet<&str> = ranges.keys().map(|partition| partition.topic.as_str()).collect();
    for topic in topics {
        if is_compacted(admin, topic)? {
            context.ui.say(format!(
                "`{topic}` is compacted (cleanup.policy): END-START is no count of its records; older ones of the same key \
                 are gone, or will be."
            ));
        }
    }
    Ok(())
}

fn is_compacted(admin: &Admin, topic: &str) -> Outcome<bool> {
    let settings = admin.describe_configs(&ConfigResource::Topic(topic.to_owned()))?;
    Ok(settings.iter().any(|setting| {
        setting.name == "cleanup.policy"
            && setting
                .value
                .as_deref()
                .is_some_and(|policy| policy.contains("compact"))
    }))
}

type Places = BTreeMap<TopicPartition, i64>;

fn to_json(partition: &TopicPartition, range: PartitionOffsets, places: Option<&Places>) -> Value {
    let mut value = json!({
        "topic": partition.topic,
        "partition": partition.partition,
        "earliest": range.earliest,
        "latest": range.latest,
        "span": range.span(),
    });
    if let (Some(places), Some(object)) = (places, value.as_object_mut()) {
        object.insert("at".to_owned(), json!(places.get(partition)));
    }
    value
}

fn to_grid(ranges: &BTreeMap<TopicPartition, PartitionOffsets>, places: Option<&Places>) -> Grid {
    let columns = [
        text("TOPIC"),
        number("PARTITION"),
        number("START"),
        number("END"),
        number("END-START"),
    ];
    let mut grid = Grid::new(columns.into_iter().chain(places.map(|_| number("AT"))));
    for (partition, range) in ranges {
        let place = places.map(|places| {
            places
                .get(partition)
                .map_or_else(|| "-".to_owned(), ToString::to_string)
        });
        let cells = [
            partition.topic.clone(),
            partition.partition.to_string(),
            range.earliest.to_string(),
            range.latest.to_string(),
            range.span().to_string(),
        ];
        grid.row(cells.into_iter().chain(place));
    }
    grid
}
