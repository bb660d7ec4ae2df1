//! `velo topic`: create, list, describe, alter and delete topics, elect leaders.

mod alter;
mod create;
mod delete;
mod describe;
mod elect;
pub(super) mod health;
mod list;

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// What to do with topics.
#[derive(Debug, Subcommand)]
pub enum TopicCommand {
    /// Create topics
    Create(create::CreateArgs),
    /// List topics
    List(list::ListArgs),
    /// Show partitions, leaders, replicas and how it is with them, offsets, sizes and settings
    Describe(describe::DescribeArgs),
    /// Add partitions, change settings
    Alter(alter::AlterArgs),
    /// Delete topics and all their records
    Delete(delete::DeleteArgs),
    /// Give the lead of partitions back to their preferred replicas
    Elect(elect::ElectArgs),
}

impl TopicCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            TopicCommand::Create(args) => create::run(&args, context),
            TopicCommand::List(args) => list::run(&args, context),
            TopicCommand::Describe(args) => describe::run(&args, context),
            TopicCommand::Alter(args) => alter::run(&args, context),
            TopicCommand::Delete(args) => delete::run(&args, context),
            TopicCommand::Elect(args) => elect::run(&args, context),
        }
    }
}
