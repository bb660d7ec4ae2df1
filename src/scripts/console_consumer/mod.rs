//! `kafka-console-consumer`: records become lines of standard output.

mod charset;
mod deserializers;
mod formatter;
mod options;
mod reading;

use super::{Ending, client_properties, out};
use crate::failure::Kind;
use crate::kafka::Connection;
use crate::kafka::consumer::{Consumer, Membership};
use crate::ui::Interrupt;
use formatter::{DEFAULT_FORMATTER, Formatter};
use options::Wanted;
use reading::{Limits, Reading};
use std::time::{Duration, Instant};

const NEW_PROTOCOL: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer \
                            to try it out. See https://kafka.apache.org/documentation/#consumer_rebalance_protocol";

/// How soon a broker that does not answer is tried again.
const AGAIN: Duration = Duration::from_millis(250);

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
    let silence = timeout
        .and_then(|timeout| u64::try_from(timeout).ok())
        .map(Duration::from_millis);
    if !answers_in_time(&connection, silence, interrupt)? {
        eprintln!("Processed a total of 0 messages");
        return Ok(0);
    }
    let consumer = Consumer::open(&connection, wanted.isolation, membership.as_ref())?;
    // Kafka's tool reads this one only when it begins to read records.
    let (count, ended) = match parsed.number::<i32>("max-messages") {
        Err(refusal) => (0, Err(refusal)),
        Ok(max) => {
            let limits = Limits {
                records: max
                    .filter(|max| *max != -1)
                    .map(|max| u64::try_from(max).unwrap_or(0)),
                silence,
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

/// Whether a broker answers before the time is up in which a record must have come. Without such a limit it is not waited
/// for: Kafka's tool then goes on for ever without a word.
fn answers_in_time(
    connection: &Connection,
    silence: Option<Duration>,
    interrupt: Interrupt,
) -> Result<bool, Ending> {
    let Some(silence) = silence else {
        return Ok(true);
    };
    let begun = Instant::now();
    let mut told = false;
    loop {
        let Err(failure) = connection.reach() else {
            return Ok(true);
        };
        if failure.kind() != Kind::Unreachable {
            return Err(failure.into());
        }
        if !told {
            eprintln!("{}; trying again", failure.in_a_line());
            told = true;
        }
        let left = silence.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(false);
        }
        interrupt.sleep_until(Instant::now() + left.min(AGAIN))?;
    }
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
