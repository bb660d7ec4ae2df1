//! `velo group`: list, describe, reset and delete consumer groups.

mod delete;
mod describe;
mod list;
mod members;
mod reset;
mod reset_plan;

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// What to do with consumer groups.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups
    List(list::ListArgs),
    /// Show committed offsets and lag, per partition and in total
    Describe(describe::DescribeArgs),
    /// Show members and the partitions each reads
    Members(members::MembersArgs),
    /// Move committed offsets; shows what it would do unless --execute is given
    Reset(reset::ResetArgs),
    /// Delete groups and their committed offsets
    Delete(delete::DeleteArgs),
}

impl GroupCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            GroupCommand::List(args) => list::run(&args, context),
            GroupCommand::Describe(args) => describe::run(&args, context),
            GroupCommand::Members(args) => members::run(&args, context),
            GroupCommand::Reset(args) => reset::run(&args, context),
            GroupCommand::Delete(args) => delete::run(&args, context),
        }
    }
}
