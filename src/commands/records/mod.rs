//! `velo records`: delete old records.

mod delete;

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// What to do with records.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// Delete the oldest records of a topic, up to a place
    Delete(delete::DeleteArgs),
}

impl RecordsCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            RecordsCommand::Delete(args) => delete::run(&args, context),
        }
    }
}
