//! `velo produce`: write lines as records.

mod records;
mod run;
mod stall;
mod summary;
mod transaction;

use super::{Context, candidates};
use crate::failure::{Failure, Outcome};
use crate::kafka::producer::{Acks, Compression, Producer, Settings};
use crate::ui::lines::Source;
use clap::Args;
use records::Shape;
use std::path::PathBuf;
use transaction::Transaction;

/// Write lines as records to a topic
///
/// Reads standard input, or asks at a `>` prompt on a terminal, where Ctrl-D ends. Each line becomes the value of a
/// record. Ends with an error if any record was not written, and names its line.
#[derive(Debug, Args)]
pub struct ProduceCommand {
    /// The topic; it must exist
    #[arg(add = candidates::topics())]
    topic: String,
    /// Read lines from this file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Each line is a key, this separator, and a value: `velo produce T --key-separator :`
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["key", "jsonl"])]
    key_separator: Option<String>,
    /// The key of every record
    #[arg(long, value_name = "KEY", conflicts_with = "jsonl")]
    key: Option<String>,
    /// A header of every record; may be given again
    #[arg(
        short = 'H',
        long = "header",
        value_name = "NAME:VALUE",
        conflicts_with = "jsonl"
    )]
    headers: Vec<String>,
    /// The partition of every record [default: chosen by the key]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// Who must have a record before it counts as written [default: all]
    #[arg(long, value_enum)]
    acks: Option<Acks>,
    /// How to compress batches [default: none]
    #[arg(long, value_enum)]
    compression: Option<Compression>,
    /// A value or key that is exactly this means null
    #[arg(long, value_name = "TEXT", conflicts_with = "jsonl")]
    null_marker: Option<String>,
    /// Each line is a JSON object, as `velo consume --output jsonl` writes it; its key, value, headers and timestamp
    /// are written again, its topic, partition and offset are where it came from
    #[arg(long)]
    jsonl: bool,
    /// At most this many records a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Write all records in one transaction of this id: readers of committed records see all of them, or none
    #[arg(long, value_name = "ID", conflicts_with = "acks")]
    transactional_id: Option<String>,
    /// Abort the transaction at the end instead of committing it: `velo consume --isolation read_uncommitted` shows it
    #[arg(long, requires = "transactional_id")]
    abort: bool,
    /// Write the whole input this many times
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
}

impl ProduceCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When a record was not written, or a line is no record.
    pub fn run(self, context: &Context) -> Outcome {
        let job = run::Job {
            source: Source {
                file: self.file.clone(),
                repeat: self.repeat,
            },
            rate: self.rate,
            shape: self.shape()?,
        };
        let settings = Settings {
            acks: self.acks,
            compression: self.compression,
            partition: self.partition,
            create: false,
            transactional_id: self.transactional_id.as_deref(),
        };
        let waiting = context
            .ui
            .waiting_for(format!("an answer from {}", context.connection.bootstrap()));
        let producer = Producer::open(&context.connection, &self.topic, settings)?;
        let transaction = self.transactional_id.as_deref();
        let transaction = transaction
            .map(|id| Transaction::begin(&context.connection, &producer, id, self.abort))
            .transpose()?;
        drop(waiting);
        let written = run::run(context, &self.topic, &producer, &job);
        match transaction {
            Some(transaction) => transaction.end(context.ui, &self.topic, written),
            None => written,
        }
    }

    fn shape(&self) -> Outcome<Shape> {
        let bytes = |text: &Option<String>| text.clone().map(String::into_bytes);
        if self.key_separator.as_deref() == Some("") {
            return Err(Failure::usage("--key-separator is empty")
                .because("every line would have an empty key")
                .hint("velo produce TOPIC --key-separator :"));
        }
        Ok(Shape {
            jsonl: self.jsonl,
            key_separator: bytes(&self.key_separator),
            key: bytes(&self.key),
            null_marker: bytes(&self.null_marker),
            headers: self
                .headers
                .iter()
                .map(|text| header(text))
                .collect::<Outcome<_>>()?,
        })
    }
}

fn header(text: &str) -> Outcome<(String, Option<Vec<u8>>)> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), Some(value.as_bytes().to_vec()))),
        _ => Err(Failure::usage(format!("`{text}` is not a header"))
            .because("a header is a name, a colon and a value")
            .hint("velo produce TOPIC -H source:velib")),
    }
}
