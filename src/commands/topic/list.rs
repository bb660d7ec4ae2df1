//! `velo topic list`

use super::health::HealthArgs;
use crate::commands::{Context, candidates, select};
use crate::failure::Outcome;
use crate::kafka::{Admin, TopicMetadata};
use crate::ui::table::{Grid, number, text};
use clap::Args;
use serde_json::json;

/// Options of `velo topic list`; of the partitions that are chosen, their topics are listed.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only these names; globs such as 'velib-*' work
    #[arg(value_name = "NAME", add = candidates::topics())]
    names: Vec<String>,
    /// Kafka's own topics too
    #[arg(short, long)]
    internal: bool,
    #[command(flatten)]
    health: HealthArgs,
}

/// Lists topics.
///
/// # Errors
/// When the cluster does not answer, or a pattern is malformed.
pub fn run(args: &ListArgs, context: &Context) -> Outcome {
    let patterns = args
        .names
        .iter()
        .map(|name| select::matcher(name).map(|glob| (name, glob)))
        .collect::<Outcome<Vec<_>>>()?;
    let wanted = |topic: &TopicMetadata| {
        let named = patterns.iter().any(|(_, glob)| glob.is_match(&topic.name));
        let chosen = topic
            .partitions
            .iter()
            .any(|partition| args.health.want(partition));
        (patterns.is_empty() || named)
            && (args.internal || !topic.is_internal())
            && (chosen || !args.health.choose())
    };
    let metadata = Admin::connect(&context.connection)?.metadata()?;
    let topics: Vec<&TopicMetadata> = metadata.topics.iter().filter(|topic| wanted(topic)).collect();
    if topics.is_empty() && args.health.choose() {
        context.ui.say(args.health.none());
    } else if topics.is_empty() && patterns.is_empty() {
        context
            .ui
            .say("There are no topics yet.\nhint: velo topic create NAME");
    } else if topics.is_empty() {
        context.ui.say("No topic matches.\nhint: velo topic list");
    }
    let value: Vec<_> = topics
        .iter()
        .map(|topic| {
            json!({
                "topic": topic.name,
                "partitions": topic.partitions.len(),
                "replication_factor": topic.replication_factor(),
                "internal": topic.is_internal(),
            })
        })
        .collect();
    context.ui.show(&value, || {
        let mut grid = Grid::new([text("TOPIC"), number("PARTITIONS"), number("REPLICAS")]);
        for topic in &topics {
            grid.row([
                topic.name.clone(),
                topic.partitions.len().to_string(),
                topic.replication_factor().to_string(),
            ]);
        }
        grid
    })
}
