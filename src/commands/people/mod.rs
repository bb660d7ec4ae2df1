//! `velo people`: made-up people for a database.

mod ingest;
mod produce;

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// `velo people`
#[derive(Debug, Subcommand)]
pub enum PeopleCommand {
    /// Make people up and write them to a topic, a batch every ten seconds
    Produce(produce::ProduceArgs),
    /// Write the people into MongoDB, or a file, nothing lost and nothing twice
    Ingest(ingest::IngestArgs),
}

impl PeopleCommand {
    /// Runs it.
    ///
    /// # Errors
    /// As each verb says.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            PeopleCommand::Produce(args) => produce::run(args, context),
            PeopleCommand::Ingest(args) => ingest::run(args, context),
        }
    }
}
