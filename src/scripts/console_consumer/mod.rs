//! `kafka-console-consumer`: records become lines of standard output.

mod charset;
mod deserializers;
mod formatter;
mod options;
mod reading;

use super::{Ending, client_properties, out};
use crate::kafka::consumer::{Consumer, Membership};
use crate::ui::Interrupt;
use formatter::{DEFAULT_FORMATTER, Formatter};
use options::Wanted;
use reading::{Limits, Reading};
use std::time::Duration;

const NEW_PROTOCOL: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer \
                            to try it out. See https://kafka.apache.org/documentation/#consumer_rebalance_protocol";

/// Runs the script.
///
/// # Errors
/// Kafka's refusals of the command line, and a record that cannot be shown.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let (parsed, wanted) = options::read(arguments)?;
    let timeout = parsed.number::<i64>("timeout-ms")?;
    let class = parsed.value("formatter")?.unwrap_or(DEFAULT_FORMATTER);
    let formatter = Formatter::named(class, &wanted.formatter)?;
    let bootstrap = parsed.value("bootstrap-server")?.unwrap_or_default();
    let connection = client_properties::connection(bootstrap, wanted.properties.clone())?;
    let interrupt = Interrupt::watch()?;
    announce(&wanted);
    let membership = wanted.partition.is_none().then(|| Membership {
        group: wanted.group.clone(),
        reset: wanted.reset,
    });
    let consumer = Consumer::open(&connection, wanted.isolation, membership.as_ref())?;
    // Kafka's tool reads this one only when it begins to read records.
    let (count, ended) = match parsed.number::<i32>("max-messages") {
        Err(refusal) => (0, Err(refusal)),
        Ok(max) => {
            let limits = Limits {
                records: max
                    .filter(|max| *max != -1)
                    .map(|max| u64::try_from(max).unwrap_or(0)),
                silence: timeout
                    .and_then(|timeout| u64::try_from(timeout).ok())
                    .map(Duration::from_millis),
                skip_errors: parsed.has("skip-message-on-error"),
            };
            Reading::new(&connection, &wanted, &formatter, limits, interrupt, consumer).run()
        }
    };
    eprintln!("Processed a total of {count} messages");
    if parsed.has("enable-systest-events") {
        out("shutdown_complete");
    }
    ended.map(|()| 0)
}

/// Kafka's word to those who join a group the old way.
fn announce(wanted: &Wanted) {
    let protocol = wanted
        .properties
        .get("group.protocol")
        .map_or("classic", String::as_str);
    if wanted.partition.is_none() && protocol.eq_ignore_ascii_case("classic") {
        eprintln!("{NEW_PROTOCOL}");
    }
}
