//! `velo mongo`: topics into MongoDB.

pub mod ingest;

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// What to do with MongoDB.
#[derive(Debug, Subcommand)]
pub enum MongoCommand {
    /// Write a topic of JSON records into a collection, nothing lost and nothing twice
    Ingest(ingest::MongoIngestArgs),
}

impl MongoCommand {
    /// Runs it.
    ///
    /// # Errors
    /// As the command says.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            MongoCommand::Ingest(args) => args.run(context),
        }
    }
}
