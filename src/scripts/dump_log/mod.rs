//! `kafka-dump-log`: shows what segments, indexes, producer snapshots and transaction indexes hold. Reads files, asks no
//! cluster.

mod decoders;
mod index;
mod log;

use super::Ending;
use super::options::{HELP, Opt, Options, Parsed, Takes, VERSION, flag, value};
use crate::broker::log::inspect::{self, InspectError};
use decoders::Decoders;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::Path;

const STRING_DECODER: &str = "org.apache.kafka.tools.api.StringDecoder";

const OPTIONS: Options = Options {
    about: "This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly \
            corrupt log segment.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        flag(
            &["print-data-log"],
            "Show keys and values too. Any decoder does so by itself.",
        ),
        flag(
            &["verify-index-only"],
            "Check the indexes against their segments without showing them.",
        ),
        flag(
            &["index-sanity-check"],
            "Only check what a broker checks at its start to tell whether an index must be built again.",
        ),
        value(
            &["files"],
            "String: file1, file2, ...",
            "REQUIRED: the files to show, separated by commas: .log, .index, .timeindex, .txnindex, .snapshot, \
             .checkpoint.",
        ),
        value(
            &["max-message-size"],
            "Integer: size",
            "Bytes of the largest batch that an index entry may point to. (default: 5242880)",
        ),
        value(
            &["max-bytes"],
            "Integer: size",
            "Bytes to read of each segment. (default: 2147483647)",
        ),
        flag(
            &["deep-iteration"],
            "Show the records, not only the batches they are in. --print-data-log does so by itself.",
        ),
        Opt {
            names: &["value-decoder-class"],
            takes: Takes::MaybeValue("String"),
            help: "How to read values: StringDecoder, IntegerDecoder, LongDecoder or DefaultDecoder of \
                   org.apache.kafka.tools.api. (default: org.apache.kafka.tools.api.StringDecoder)",
        },
        Opt {
            names: &["key-decoder-class"],
            takes: Takes::MaybeValue("String"),
            help: "The same for keys. (default: org.apache.kafka.tools.api.StringDecoder)",
        },
        flag(&["offsets-decoder"], "Read records of __consumer_offsets."),
        flag(
            &["transaction-log-decoder"],
            "Read records of __transaction_state.",
        ),
        flag(
            &["cluster-metadata-decoder"],
            "Read records of the cluster's metadata log.",
        ),
        flag(
            &["remote-log-metadata-decoder"],
            "Kafka's option for tiered storage, which is not read here.",
        ),
        flag(
            &["share-group-state-decoder"],
            "Read records of __share_group_state.",
        ),
        flag(
            &["skip-record-metadata"],
            "Show no offsets, timestamps and sizes of records, and no control records.",
        ),
    ],
};

/// What is to be shown, and where.
struct Dump {
    deep: bool,
    contents: bool,
    skip_metadata: bool,
    verify_only: bool,
    sanity_only: bool,
    max_bytes: i32,
    max_message_size: i32,
    decoders: Decoders,
    out: BufWriter<StdoutLock<'static>>,
    complaints: Complaints,
}

/// What is wrong with the files, told at the end: by file, in the order found.
#[derive(Default)]
struct Complaints {
    index_mismatches: Found,
    time_mismatches: Found,
    out_of_order: Found,
    not_found: Found,
    non_consecutive: Found,
}

/// Pairs of numbers by file.
type Found = BTreeMap<String, Vec<(i64, i64)>>;

/// Why the dump ends early.
enum Stop {
    /// Whoever read the output has gone.
    Unread(io::Error),
    /// The rest of the file cannot be shown.
    Broken(String),
}

/// `--max-message-size`, which Kafka's tool reads only for an index.
fn largest_message(parsed: &Parsed) -> Result<i32, Ending> {
    let of_index = parsed
        .value("files")?
        .is_some_and(|files| files.contains(".index"));
    let given = if of_index {
        parsed.number("max-message-size")?
    } else {
        None
    };
    Ok(given.unwrap_or(5 << 20))
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Unread(error)
    }
}

impl From<InspectError> for Stop {
    fn from(error: InspectError) -> Self {
        Stop::Broken(match error {
            InspectError::Io { path, source } if source.kind() == io::ErrorKind::NotFound => {
                format!("{} (No such file or directory)", path.display())
            }
            other => other.to_string(),
        })
    }
}

/// Runs the script.
///
/// # Errors
/// Usage mistakes, and files that cannot be read, on stderr; exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &["files"])?;
    let files = parsed.value("files")?.unwrap_or_default().to_owned();
    // Kafka reads these options when it has named the first file.
    let mut dump = Dump::new(&parsed).inspect_err(|_| {
        super::out(&format!(
            "Dumping {}",
            files.split(',').next().unwrap_or_default()
        ));
    })?;
    let mut ended = Ok(());
    for file in files.split(',').filter(|file| !file.is_empty()) {
        ended = dump.file(file);
        if ended.is_err() {
            break;
        }
    }
    match ended.and_then(|()| Ok(dump.out.flush()?)) {
        Ok(()) => {
            dump.complaints.print();
            Ok(0)
        }
        Err(Stop::Unread(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(Stop::Unread(error)) => Err(Ending::failure(format!("cannot write the output: {error}"))),
        Err(Stop::Broken(why)) => {
            // What was shown before the break is worth having.
            if let Err(error) = dump.out.flush()
                && error.kind() != io::ErrorKind::BrokenPipe
            {
                return Err(Ending::failure(format!(
                    "{why}\ncannot write the output: {error}"
                )));
            }
            Err(Ending::failure(why))
        }
    }
}

impl Dump {
    fn new(parsed: &Parsed) -> Result<Self, Ending> {
        let decoders = Decoders::chosen(parsed)?;
        let contents = parsed.has("print-data-log")
            || !decoders.is_plain()
            || parsed.has("value-decoder-class")
            || parsed.has("key-decoder-class");
        Ok(Dump {
            deep: contents || parsed.has("deep-iteration"),
            contents,
            skip_metadata: parsed.has("skip-record-metadata"),
            verify_only: parsed.has("verify-index-only"),
            sanity_only: parsed.has("index-sanity-check"),
            max_bytes: parsed.number("max-bytes")?.unwrap_or(i32::MAX),
            max_message_size: largest_message(parsed)?,
            decoders,
            out: BufWriter::with_capacity(1 << 16, io::stdout().lock()),
            complaints: Complaints::default(),
        })
    }

    fn file(&mut self, name: &str) -> Result<(), Stop> {
        self.line(format_args!("Dumping {name}"))?;
        let path = Path::new(name);
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("log" | "checkpoint") => self.log(path),
            Some("index") => self.offset_index(path),
            Some("timeindex") => self.time_index(path),
            Some("snapshot") => self.snapshot(path),
            Some("txnindex") => self.aborted(path),
            _ => {
                self.out.flush()?;
                eprintln!("Ignoring unknown file {name}");
                Ok(())
            }
        }
    }

    fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    fn snapshot(&mut self, path: &Path) -> Result<(), Stop> {
        let entries = match inspect::snapshot(path) {
            Ok(entries) => entries,
            Err(InspectError::Corrupt(why)) => {
                self.out.flush()?;
                eprintln!("{why}");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let mut text = format!(
                "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {}",
                entry.producer_id,
                entry.epoch,
                entry.coordinator_epoch,
                optional(Some(entry.transaction_start).filter(|start| *start >= 0)),
                entry.timestamp
            );
            if entry.last_offset >= 0 {
                let first = inspect::sequence_after(entry.last_sequence, -entry.offset_delta);
                text.push_str(&format!(
                    " firstSequence: {first} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
                    entry.last_sequence, entry.last_offset, entry.offset_delta, entry.timestamp
                ));
            }
            self.line(text)?;
        }
        Ok(())
    }

    fn aborted(&mut self, path: &Path) -> Result<(), Stop> {
        for aborted in inspect::aborted_transactions(path)? {
            self.line(format_args!(
                "version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}",
                aborted.producer_id, aborted.first_offset, aborted.last_offset, aborted.last_stable_offset
            ))?;
        }
        Ok(())
    }
}

/// Java's text of an `OptionalLong`.
fn optional(value: Option<i64>) -> String {
    value.map_or("OptionalLong.empty".to_owned(), |value| {
        format!("OptionalLong[{value}]")
    })
}

/// The base offset in a file's name.
fn base_offset(path: &Path) -> Result<i64, Stop> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let digits = name.split('.').next().unwrap_or_default();
    digits
        .parse()
        .map_err(|_| Stop::Broken(format!("For input string: \"{digits}\"")))
}

/// The path as Java's `getAbsolutePath` has it.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).map_or_else(|_| path.display().to_string(), |path| path.display().to_string())
}

impl Complaints {
    fn print(&self) {
        each(&self.index_mismatches, "Mismatches in :", |index, log| {
            format!("  Index offset: {index}, log offset: {log}")
        });
        each(
            &self.time_mismatches,
            "Found timestamp mismatch in :",
            |index, log| format!("  Index timestamp: {index}, log timestamp: {log}"),
        );
        each(
            &self.out_of_order,
            "Found out of order timestamp in :",
            |index, before| format!("  Index timestamp: {index}, Previously indexed timestamp: {before}"),
        );
        each(
            &self.not_found,
            "The following indexed offsets are not found in :",
            |index, log| format!("Indexed offset: {index}, found log offset: {log}"),
        );
        each(
            &self.non_consecutive,
            "Non-consecutive offsets in ",
            |first, second| format!("  {first} is followed by {second}"),
        );
    }
}

fn each(found: &Found, title: &str, line: impl Fn(i64, i64) -> String) {
    for (file, pairs) in found {
        eprintln!("{title}{file}");
        for (first, second) in pairs {
            eprintln!("{}", line(*first, *second));
        }
    }
}
