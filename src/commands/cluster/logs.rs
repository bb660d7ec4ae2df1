//! `velo cluster logs`

use super::DataArgs;
use super::folder::ClusterFolder;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use clap::Args;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::time::Duration;

/// How often a followed log is looked at.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// Options of `velo cluster logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// How many lines from the end
    #[arg(long, short = 'n', default_value_t = 50, value_name = "N")]
    pub lines: usize,
    /// Go on printing what is added
    #[arg(long, short)]
    pub follow: bool,
}

/// Prints the end of the cluster's log.
///
/// # Errors
/// When there is no log.
pub fn run(args: &LogsArgs, context: &Context) -> Outcome {
    let path = ClusterFolder::meant(&args.data, context)?.log_file();
    let no_log = |error: io::Error| {
        Failure::request(format!("no log at {}", path.display()))
            .because(error)
            .hint("velo cluster start")
    };
    let mut reader = BufReader::new(File::open(&path).map_err(no_log)?);
    for line in last_lines(&mut reader, args.lines).map_err(no_log)? {
        context.ui.line(line)?;
    }
    if !args.follow {
        return Ok(());
    }
    loop {
        let mut added = Vec::new();
        reader.read_to_end(&mut added).map_err(no_log)?;
        if added.is_empty() {
            std::thread::sleep(FOLLOW_EVERY);
        } else {
            context.ui.bytes(&added)?;
        }
    }
}

fn last_lines(reader: &mut impl BufRead, count: usize) -> io::Result<std::collections::VecDeque<String>> {
    let mut kept = std::collections::VecDeque::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        if kept.len() > count {
            kept.pop_front();
        }
        line.clear();
    }
    Ok(kept)
}
