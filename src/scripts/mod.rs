//! The Kafka shell scripts' own face: their options, words, streams and exit codes, over the same client core as the
//! friendly face. One file per script; `docs/parity.md` has every deliberate difference.

pub mod acls;
pub mod argparse;
pub mod broker_api_versions;
pub mod client_properties;
pub mod cluster;
pub mod completeness;
pub mod configs;
pub mod connecting;
pub mod console_consumer;
pub mod console_producer;
pub mod consumer_groups;
pub mod consumer_perf;
pub mod delete_records;
pub mod dump_log;
pub mod e2e_latency;
pub mod ending;
pub mod features;
mod fill;
pub mod get_offsets;
pub mod groups;
mod include;
pub mod install;
mod java_errors;
pub mod java_format;
pub mod java_order;
pub mod java_words;
pub mod kafka_records;
pub mod leader_election;
pub mod log_dirs;
pub mod metadata_quorum;
pub mod old_scripts;
pub mod old_ways;
pub mod options;
pub mod partitions_file;
pub mod producer_perf;
pub mod reassign_partitions;
pub mod server;
pub mod shims;
pub mod table;
mod throttle;
pub mod topics;
pub mod transactions;
pub mod verifiable_consumer;
pub mod verifiable_producer;
pub mod way_out;
mod wire_tool;

pub use ending::Ending;
pub use table::{SCRIPTS, Script, find};

use std::io::Write;

/// The Apache Kafka whose words and options these scripts speak.
pub const KAFKA_VERSION: &str = "4.4.0";
/// The commit of that version, which some tools name beside it.
pub const KAFKA_COMMIT: &str = "1156b2752aaa28ea";

/// Prints a line on stdout. A reader that has gone away ends the process with success, as `head` expects.
pub fn out(line: &str) {
    out_now(&format!("{line}\n"));
}

/// As [`out`], without the line's end, and at once.
pub fn out_now(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    if let Err(error) = written {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("cannot write the output: {error}");
        std::process::exit(1);
    }
}

/// Runs the script that a program's name or a first word means; `None` where it means none of Kafka's. One that is not
/// here is answered with what to do instead.
pub fn run_named(name: &str, arguments: &[String]) -> Option<u8> {
    match find(name) {
        Some(script) => Some(run(script, arguments)),
        None => completeness::answer(name, arguments).map(|ending| ending.print()),
    }
}

/// Runs a script by its table entry; returns the exit code.
pub fn run(script: &Script, arguments: &[String]) -> u8 {
    match (script.run)(arguments) {
        Ok(code) => code,
        Err(ending) => old_ways::teach(script.name, arguments, ending).print(),
    }
}
