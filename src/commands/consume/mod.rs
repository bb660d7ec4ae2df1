//! `velo consume`: read records.

mod decode;
mod format;
mod output;
mod plan;
mod run;
mod silence;
mod tail;

use super::{Context, candidates};
use crate::failure::Outcome;
use crate::kafka::consumer::Isolation;
use clap::Args;
pub use decode::message_names;
use std::path::PathBuf;

/// Read records of topics
///
/// Without more it starts at the end and shows what arrives from now on, until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_long_help = format::HELP)]
pub struct ConsumeCommand {
    /// The topics
    #[arg(required = true, add = candidates::topics())]
    topics: Vec<String>,
    /// Start at the first record there is (in a group: where it has committed nothing)
    #[arg(long, conflicts_with_all = ["offset", "from", "tail"])]
    from_beginning: bool,
    /// Start at this offset of each partition; -N is N before its end
    #[arg(long, value_name = "N|-N|beginning|end", allow_hyphen_values = true, conflicts_with_all = ["from", "tail", "group"])]
    offset: Option<String>,
    /// Start at this time: `@-1h`, `@2026-01-31T10:00`, `@1769853600` (seconds or milliseconds)
    #[arg(long, value_name = "@TIME", allow_hyphen_values = true, conflicts_with_all = ["tail", "group"])]
    from: Option<String>,
    /// Leave out records of this time or later, and end when all earlier ones are read
    #[arg(long, value_name = "@TIME", allow_hyphen_values = true, conflicts_with_all = ["tail", "group"])]
    until: Option<String>,
    /// Show the last N records, all partitions together, by time, and end
    #[arg(long, value_name = "N", conflicts_with_all = ["group", "count"])]
    tail: Option<usize>,
    /// End after N records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End when all records that are there are read
    #[arg(long)]
    exit_at_end: bool,
    /// Read this partition only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), conflicts_with = "group")]
    partition: Option<i32>,
    /// Join this group: read its share, go on where it stopped, commit what was shown
    #[arg(long, value_name = "GROUP", add = candidates::groups())]
    group: Option<String>,
    /// Which records of transactions to show
    #[arg(long, value_enum, default_value = "read_committed")]
    isolation: Isolation,
    /// Print records by this pattern, such as '%k: %v' (see below)
    #[arg(long, value_name = "PATTERN", conflicts_with = "key_separator")]
    format: Option<String>,
    /// Print the key and this separator before the value
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// Show only records whose key or value matches this regular expression
    #[arg(long, value_name = "REGEX")]
    grep: Option<String>,
    /// Show values as JSON, read as this; a value that is none is passed over, counted, and named the first time
    #[arg(long, value_enum, value_name = "FORM", requires_all = ["proto", "message"])]
    decode: Option<decode::Form>,
    /// The .proto file of --decode protobuf
    #[arg(long, value_name = "FILE", requires = "decode")]
    proto: Option<PathBuf>,
    /// The message in that file, with or without its package
    #[arg(long, value_name = "NAME", requires = "decode", add = candidates::messages())]
    message: Option<String>,
}

impl ConsumeCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When a topic cannot be read, the options contradict each other, or Ctrl-C was pressed.
    pub fn run(self, context: &Context) -> Outcome {
        let plan = plan::of(self, context.output)?;
        match plan.tail {
            Some(count) => tail::run(context, &plan, count),
            None => run::run(context, &plan),
        }
    }
}
