//! The options of `kafka-consumer-perf-test`, and what follows from them.

use crate::kafka::consumer::{Isolation, Reset};
use crate::scripts::client_properties::{Properties, in_file, in_pairs};
use crate::scripts::connecting::bootstrap_server;
use crate::scripts::java_format::DateFormat;
use crate::scripts::options::{HELP, Options, Parsed, Takes, VERSION, flag, value};
use crate::scripts::{Ending, out};
use std::time::Duration;

/// The command line.
pub const OPTIONS: Options = Options {
    about: "This tool is used to verify the consumer performance.",
    abbreviations: true,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: server to connect to"),
        value(
            &["topic"],
            "String: topic",
            "The topic to read. Not with --include.",
        ),
        value(
            &["include"],
            "String: Java regex (String)",
            "A regular expression of the topics to read. Not with --topic.",
        ),
        value(
            &["group"],
            "String: gid",
            "The group to read in. (default: perf-consumer- and a number)",
        ),
        value(
            &["fetch-size"],
            "Integer: size",
            "max.partition.fetch.bytes: how much of a partition one answer may hold. (default: 1048576)",
        ),
        value(
            &["command-property"],
            "String: prop1=val1",
            "A property of the consumer, as name=value; may be repeated, and wins over the file's.",
        ),
        flag(
            &["from-latest"],
            "Where the group has committed nothing, begin after the last record instead of at the first.",
        ),
        value(
            &["socket-buffer-size"],
            "Integer: size",
            "receive.buffer.bytes: the size of the socket's buffer. (default: 2097152)",
        ),
        value(
            &["consumer.config"],
            "String: config file",
            "(DEPRECATED) The old name of --command-config.",
        ),
        value(
            &["command-config"],
            "String: config file",
            "File of properties of the consumer.",
        ),
        flag(&["print-metrics"], "Print the consumer's counters at the end."),
        flag(
            &["show-detailed-stats"],
            "Print a line for each --reporting-interval instead of one for all.",
        ),
        crate::scripts::options::Opt {
            names: &["timeout"],
            takes: Takes::MaybeValue("Long: milliseconds"),
            help: "How long to wait for the next record, in ms. (default: 10000)",
        },
        value(
            &["messages"],
            "Long: count",
            "(DEPRECATED) The old name of --num-records.",
        ),
        value(
            &["num-records"],
            "Long: count",
            "REQUIRED: how many records to read.",
        ),
        value(
            &["reporting-interval"],
            "Long: interval_ms",
            "The time between two lines of --show-detailed-stats, in ms. (default: 5000)",
        ),
        value(
            &["date-format"],
            "String: date format",
            "How moments are written, a pattern of Java's SimpleDateFormat. (default: yyyy-MM-dd HH:mm:ss:SSS)",
        ),
        flag(&["hide-header"], "Print no header."),
    ],
};

/// How many records a Java consumer hands out at once (`max.poll.records`).
const MAX_POLL: u64 = 500;

/// What is to be done.
pub struct Work {
    /// `--topic`
    pub topic: Option<String>,
    /// `--include`
    pub include: Option<String>,
    /// `--group`
    pub group: String,
    /// Where a group begins that has committed nothing.
    pub reset: Reset,
    /// `--num-records`
    pub records: u64,
    /// `--timeout`
    pub timeout: Duration,
    /// `--reporting-interval`, in ms.
    pub interval: i64,
    /// `--show-detailed-stats`
    pub detailed: bool,
    /// `--print-metrics`
    pub metrics: bool,
    /// `--date-format`
    pub dates: DateFormat,
    /// `isolation.level`
    pub isolation: Isolation,
    /// `max.poll.records`
    pub max_poll: u64,
    /// `client.id`
    pub client: String,
    /// The consumer's properties but those above.
    pub properties: Properties,
}

/// Reads and checks the command line; says which options are deprecated.
///
/// # Errors
/// Kafka's refusals.
pub fn read(arguments: &[String]) -> Result<Parsed, Ending> {
    let parsed = OPTIONS
        .parse(arguments)
        .map_err(|refusal| OPTIONS.misuse(refusal.stderr))?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &["bootstrap-server"])?;
    for (one, other) in [("topic", "include"), ("messages", "num-records")] {
        if parsed.has(one) == parsed.has(other) {
            return Err(OPTIONS.misuse(format!(
                "Exactly one of the following arguments is required: [{one}], [{other}]"
            )));
        }
    }
    OPTIONS.forbid(&parsed, "consumer.config", &["command-config"])?;
    for (old, new) in [("messages", "num-records"), ("consumer.config", "command-config")] {
        if parsed.has(old) {
            out(&format!("Warning: --{old} is deprecated. Use --{new} instead."));
        }
    }
    Ok(parsed)
}

/// What the command line asks for. Kafka's tool converts most values only after it has printed its header.
///
/// # Errors
/// A value that cannot be used, or a file that cannot be read.
pub fn work(parsed: &Parsed) -> Result<Work, Ending> {
    let mut properties = in_file(parsed, &["command-config", "consumer.config"])?;
    properties.extend(in_pairs(parsed, &["command-property"]));
    let number = |name: &str, default: i32| Ok::<i32, Ending>(parsed.number::<i32>(name)?.unwrap_or(default));
    for (name, option, default) in [
        ("receive.buffer.bytes", "socket-buffer-size", 2 * 1024 * 1024),
        ("max.partition.fetch.bytes", "fetch-size", 1024 * 1024),
    ] {
        properties.insert(name.to_owned(), number(option, default)?.to_string());
    }
    for (name, default) in [
        ("client.id", "perf-consumer-client"),
        ("allow.auto.create.topics", "true"),
    ] {
        properties
            .entry(name.to_owned())
            .or_insert_with(|| default.to_owned());
    }
    let wanted = match parsed.number::<i64>("messages")? {
        Some(wanted) => wanted,
        None => parsed.number::<i64>("num-records")?.unwrap_or(0),
    };
    let timeout = parsed.number::<i64>("timeout")?.unwrap_or(10_000);
    let max_poll = properties.remove("max.poll.records");
    Ok(Work {
        topic: parsed.value("topic")?.map(str::to_owned),
        include: parsed.value("include")?.map(str::to_owned),
        group: parsed.value("group")?.map_or_else(
            || format!("perf-consumer-{}", uuid::Uuid::new_v4().as_u128() % 100_000),
            str::to_owned,
        ),
        reset: match parsed.has("from-latest") {
            true => Reset::Latest,
            false => Reset::Earliest,
        },
        records: u64::try_from(wanted).unwrap_or(0),
        timeout: Duration::from_millis(u64::try_from(timeout).unwrap_or(0)),
        interval: interval(parsed)?,
        detailed: parsed.has("show-detailed-stats"),
        metrics: parsed.has("print-metrics"),
        dates: DateFormat::new(parsed.value("date-format")?.unwrap_or("yyyy-MM-dd HH:mm:ss:SSS"))
            .map_err(Ending::failure)?,
        isolation: isolation(&mut properties)?,
        max_poll: max_poll
            .and_then(|text| text.parse().ok())
            .filter(|count| *count > 0)
            .unwrap_or(MAX_POLL),
        client: properties.get("client.id").cloned().unwrap_or_default(),
        properties: without_the_tools_own(properties),
    })
}

/// What the tool sets itself, whatever was given.
fn without_the_tools_own(mut properties: Properties) -> Properties {
    for name in ["group.id", "auto.offset.reset", "check.crcs"] {
        properties.remove(name);
    }
    properties
}

fn interval(parsed: &Parsed) -> Result<i64, Ending> {
    match parsed.number::<i64>("reporting-interval")?.unwrap_or(5000) {
        interval if interval > 0 => Ok(interval),
        _ => Err(Ending::failure("Reporting interval must be greater than 0.")),
    }
}

fn isolation(properties: &mut Properties) -> Result<Isolation, Ending> {
    let level = properties.remove("isolation.level");
    match level.as_deref().map(str::to_lowercase).as_deref() {
        None | Some("read_uncommitted") => Ok(Isolation::ReadUncommitted),
        Some("read_committed") => Ok(Isolation::ReadCommitted),
        Some(_) => Err(Ending::failure(format!(
            "Invalid value {} for configuration isolation.level: String must be one of: read_committed, read_uncommitted",
            level.unwrap_or_default()
        ))),
    }
}
