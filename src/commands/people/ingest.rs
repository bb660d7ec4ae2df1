//! `velo people ingest`: the course's consumer, from `iabd-python-topic` into the collection `kafka_personas`.

use crate::commands::mongo::ingest::IngestOptions;
use crate::commands::{Context, candidates};
use crate::failure::Outcome;
use clap::Args;

/// Options of `velo people ingest`.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Topic of the people
    #[arg(long, default_value = "iabd-python-topic", add = candidates::topics())]
    topic: String,
    /// Database to write to
    #[arg(long, default_value = "iabd", conflicts_with = "to")]
    database: String,
    /// Collection to write to
    #[arg(long, default_value = "kafka_personas", conflicts_with = "to")]
    collection: String,
    #[command(flatten)]
    how: IngestOptions,
}

/// Runs it.
pub(super) fn run(args: IngestArgs, context: &Context) -> Outcome {
    args.how.run(context, args.topic, args.database, args.collection)
}
