//! `velo offsets`: where each partition begins and ends.

use super::position::{self, Position};
use super::{Context, candidates, select};
use crate::failure::Outcome;
use crate::kafka::admin::PartitionOffsets;
use crate::kafka::{Admin, TopicPartition};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, number, text};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
    if context.ui.format == OutputFormat::Table && ranges.len() > 1 {
        let total: i64 = ranges.values().map(|range| range.count()).sum();
        context.ui.say(format!("{total} records in all."));
    }
    Ok(())
}

type Places = BTreeMap<TopicPartition, i64>;

fn to_json(partition: &TopicPartition, range: PartitionOffsets, places: Option<&Places>) -> Value {
    let mut value = json!({
        "topic": partition.topic,
        "partition": partition.partition,
        "earliest": range.earliest,
        "latest": range.latest,
        "count": range.count(),
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
        number("RECORDS"),
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
            range.count().to_string(),
        ];
        grid.row(cells.into_iter().chain(place));
    }
    grid
}
