//! `velo cluster logs`

use super::folder::ClusterFolder;
use super::shape::{FIRST_PORT, Shape};
use super::{BrokersArgs, DataArgs};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use clap::Args;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a followed log is looked at.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// Options of `velo cluster logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    #[command(flatten)]
    pub brokers: BrokersArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// How many lines from the end
    #[arg(long, short = 'n', default_value_t = 50, value_name = "N")]
    pub lines: usize,
    /// Go on printing what is added
    #[arg(long, short)]
    pub follow: bool,
}

/// The log of one node.
struct Log {
    name: String,
    path: PathBuf,
    reader: BufReader<File>,
}

/// Prints the end of the log of each node.
///
/// # Errors
/// When there is no log.
pub fn run(args: &LogsArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(&args.data, context)?;
    let shape = folder.shape()?.unwrap_or_else(|| Shape::lone(FIRST_PORT));
    let ids = args.brokers.of(&shape, &folder)?;
    let mut logs = Vec::new();
    for id in &ids {
        let path = folder.node(*id).log_file();
        match Log::open(shape.name(*id), path.clone()) {
            Ok(log) => logs.push(log),
            // Of several, one may never have run in the background.
            Err(error) if error.kind() == io::ErrorKind::NotFound && ids.len() > 1 => {}
            Err(error) => return Err(no_log(&path, &folder, error)),
        }
    }
    if logs.is_empty() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        return Err(no_log(folder.root(), &folder, error));
    }
    // Whose words follow is said as often as it changes.
    let mut speaker = (ids.len() == 1).then_some(0);
    for (number, log) in logs.iter_mut().enumerate() {
        let path = log.path.clone();
        let lines = last_lines(&mut log.reader, args.lines).map_err(|error| no_log(&path, &folder, error))?;
        announce(&mut speaker, number, log, context)?;
        for line in lines {
            context.ui.line(line)?;
        }
    }
    if !args.follow {
        return Ok(());
    }
    loop {
        if !print_added(&mut logs, &mut speaker, &folder, context)? {
            std::thread::sleep(FOLLOW_EVERY);
        }
    }
}

fn no_log(path: &Path, folder: &ClusterFolder, error: io::Error) -> Failure {
    Failure::request(format!("no log at {}", path.display()))
        .because(error)
        .hint(format!("velo cluster start{}", folder.data_option()))
}

impl Log {
    fn open(name: String, path: PathBuf) -> io::Result<Self> {
        let reader = BufReader::new(File::open(&path)?);
        Ok(Log { name, path, reader })
    }
}

/// Prints what has been added to the logs; whether that was anything.
fn print_added(
    logs: &mut [Log],
    speaker: &mut Option<usize>,
    folder: &ClusterFolder,
    context: &Context,
) -> Outcome<bool> {
    let mut any = false;
    for (number, log) in logs.iter_mut().enumerate() {
        let mut added = Vec::new();
        let read = log.reader.read_to_end(&mut added);
        read.map_err(|error| no_log(&log.path, folder, error))?;
        if !added.is_empty() {
            any = true;
            announce(speaker, number, log, context)?;
            context.ui.bytes(&added)?;
        }
    }
    Ok(any)
}

fn announce(speaker: &mut Option<usize>, number: usize, log: &Log, context: &Context) -> Outcome {
    if *speaker == Some(number) {
        return Ok(());
    }
    *speaker = Some(number);
    context
        .ui
        .line(format!("==> {} ({})", log.name, log.path.display()))
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
