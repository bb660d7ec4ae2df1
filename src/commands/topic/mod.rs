//! `velo topic`: create, list, describe, alter and delete topics.

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// What to do with topics.
#[derive(Debug, Subcommand)]
pub enum TopicCommand {
    /// List topics
    List,
}

impl TopicCommand {
    /// Runs it.
    pub fn run(self, _context: &Context) -> Outcome {
        match self {
            TopicCommand::List => Ok(()),
        }
    }
}
