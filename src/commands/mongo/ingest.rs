//! `velo mongo ingest`, and what `velo people ingest` shares with it.

use crate::commands::{Context, candidates};
use crate::exercises::ingest::{Identity, Json, Place, Plan, ingest};
use crate::failure::{Failure, Outcome};
use crate::ui::Interrupt;
use crate::ui::units::positive_duration;
use clap::Args;
use clap::builder::NonEmptyStringValueParser as NonEmpty;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `velo mongo ingest`.
#[derive(Debug, Args)]
pub struct MongoIngestArgs {
    /// Topic of JSON objects, one a record
    #[arg(long, value_parser = NonEmpty::new(), add = candidates::topics())]
    topic: String,
    /// Database to write to
    #[arg(long, default_value = "test", conflicts_with = "to")]
    database: String,
    /// Collection to write to [default: the topic's name]
    #[arg(long, conflicts_with = "to")]
    collection: Option<String>,
    #[command(flatten)]
    how: IngestOptions,
}

/// How to ingest, whatever the topic.
#[derive(Debug, Args)]
pub struct IngestOptions {
    /// MongoDB to write to, as mongodb://[USER:PASSWORD@]HOST:PORT or mongodb+srv://…
    #[arg(long, value_name = "URI")]
    mongodb: Option<String>,
    /// Write to this file instead, one document a line
    #[arg(long, value_name = "FILE.jsonl", conflicts_with = "mongodb")]
    to: Option<PathBuf>,
    /// Group that shares the work [default: ingest- and the collection or file]
    #[arg(long, value_parser = NonEmpty::new(), add = candidates::groups())]
    group: Option<String>,
    /// Where a document's _id comes from: `record`, `key`, or a field's name; by key or field the last record wins
    #[arg(long, default_value = "record", value_name = "record|key|FIELD", value_parser = NonEmpty::new())]
    id: String,
    /// Read MongoDB's extended JSON ({"$oid": …}, {"$date": …}), as mongoexport writes it, as what it stands for
    #[arg(long)]
    extended_json: bool,
    /// Most records written at once
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// How long to collect records that keep coming before they are written
    #[arg(long, default_value = "1s", value_name = "DURATION", value_parser = positive_duration)]
    max_wait: Duration,
    /// How long written batches may wait for their commit; what a killed ingest had not committed is read again
    /// [default: each batch is committed at once]
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    commit_every: Option<Duration>,
    /// Topic of the records that cannot be written [default: the topic's name and -dead-letter]
    #[arg(long, value_name = "TOPIC", value_parser = NonEmpty::new(), add = candidates::topics())]
    dead_letter: Option<String>,
    /// End once all records that were there at the start are dealt with
    #[arg(long)]
    exit_at_end: bool,
}

impl MongoIngestArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As the ingest says.
    pub fn run(self, context: &Context) -> Outcome {
        let collection = self.collection.unwrap_or_else(|| self.topic.clone());
        self.how.run(context, self.topic, self.database, collection)
    }
}

impl IngestOptions {
    /// Ingests `topic` into that collection, or into the file of `--to`.
    ///
    /// # Errors
    /// When options contradict each other, and as the ingest says.
    pub fn run(self, context: &Context, topic: String, database: String, collection: String) -> Outcome {
        let identity = match self.id.as_str() {
            "record" => Identity::Record,
            "key" => Identity::Key,
            field => Identity::Field(field.to_owned()),
        };
        if self.to.is_some() && identity != Identity::Record {
            return Err(Failure::usage("--to takes no --id but `record`")
                .because("nothing is replaced or deleted in a file: each record is a line")
                .hint("--mongodb mongodb://localhost:27017 in place of --to"));
        }
        let dead_letter = self.dead_letter.unwrap_or_else(|| format!("{topic}-dead-letter"));
        if dead_letter == topic {
            return Err(Failure::usage("--dead-letter names the topic that is read")
                .because("what cannot be written would be read again for ever")
                .hint(format!("--dead-letter {topic}-dead-letter")));
        }
        let name = match &self.to {
            Some(path) => path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            None => format!("{database}.{collection}"),
        };
        let to = match (self.to, self.mongodb) {
            (Some(path), _) => Place::File(path),
            (None, Some(uri)) => {
                check_names(&database, &collection)?;
                Place::MongoDb {
                    uri,
                    database,
                    collection,
                }
            }
            (None, None) => {
                return Err(
                    Failure::usage("neither --mongodb nor --to says where the documents go")
                        .hint("--mongodb mongodb://localhost:27017")
                        .hint("--to FILE.jsonl needs no MongoDB"),
                );
            }
        };
        let plan = Plan {
            topic,
            group: self.group.unwrap_or_else(|| format!("ingest-{name}")),
            to,
            identity,
            json: if self.extended_json {
                Json::Extended
            } else {
                Json::Plain
            },
            batch: self.batch as usize,
            max_wait: self.max_wait,
            commit_every: self.commit_every.unwrap_or_default(),
            dead_letter,
            exit_at_end: self.exit_at_end,
        };
        let interrupt = Interrupt::watch()?;
        ingest(&context.connection, &plan, context.ui, interrupt)
    }
}

/// Refuses what MongoDB takes for no name, before anything is read.
fn check_names(database: &str, collection: &str) -> Outcome {
    let forbidden = [' ', '.', '/', '\\', '"', '$', '*', '<', '>', ':', '|', '?'];
    if database.is_empty() || database.len() > 63 || database.contains(forbidden) {
        return Err(
            Failure::usage(format!("--database `{database}` is no name of a database"))
                .because("1 to 63 bytes, without space and without any of . / \\ \" $ * < > : | ?")
                .hint("--database iabd"),
        );
    }
    if collection.is_empty() || collection.contains('$') || collection.starts_with("system.") {
        return Err(
            Failure::usage(format!("--collection `{collection}` is no name of a collection"))
                .because("not empty, without $, and not one of MongoDB's own, which begin with system.")
                .hint("--collection kafka_personas"),
        );
    }
    Ok(())
}
