//! The log of this process on stderr: for `-v`, and for a cluster in the foreground.

use std::io;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// What a cluster writes to its log.
const SERVICE: &str = "info";

/// With `-v`, our own log and librdkafka's warnings; with `-vv`, all that librdkafka says; without, nothing.
pub fn start(verbose: u8) {
    match verbose {
        0 => {}
        1 => write_to_stderr("velodrome=debug,librdkafka=warn"),
        _ => write_to_stderr("velodrome=trace,librdkafka=trace,rdkafka=debug"),
    }
}

/// The log of a cluster; one that `-v` has started already says more, and stays.
pub fn start_service() {
    write_to_stderr(SERVICE);
}

fn write_to_stderr(filter: &str) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        // Colours would need a feature of the crate's; without it, asking for them is a panic.
        .with_ansi(false)
        // A log on a full disk would be told of on stderr, which is that log: a panic.
        .log_internal_errors(false)
        .with_target(false);
    // The filters are ours and well formed; one that is not lets everything through.
    let targets = filter
        .parse::<Targets>()
        .unwrap_or_else(|_| Targets::new().with_default(tracing::Level::TRACE));
    if tracing_subscriber::registry()
        .with(lines)
        .with(targets)
        .try_init()
        .is_err()
    {
        tracing::trace!("the log was started before");
    }
}
