//! The options of kafka-console-producer, and the producer's properties that they are.

use crate::scripts::Ending;
use crate::scripts::client_properties::{Properties, in_file, in_pairs, producer_defaults, wrong_bootstrap};
use crate::scripts::options::{HELP, Opt, Options, Parsed, Takes, VERSION, flag, value};
use crate::scripts::out;

/// The only class that turns lines into records here.
pub const LINE_READER: &str = "org.apache.kafka.tools.LineMessageReader";

/// Kafka's options and defaults, our words.
pub const OPTIONS: Options = Options {
    about: "This tool helps to read data from standard input and publish it to Kafka.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        value(&["topic"], "String: topic", "REQUIRED: the topic to write to."),
        value(
            &["bootstrap-server"],
            "String: server to connect to",
            "REQUIRED: the brokers to ask first, as HOST1:PORT1,HOST2:PORT2.",
        ),
        flag(
            &["sync"],
            "Wait for the answer to each record before the next is sent.",
        ),
        Opt {
            names: &["compression-codec"],
            takes: Takes::MaybeValue("String: compression-codec"),
            help: "How batches are compressed: none, gzip, snappy, lz4 or zstd; gzip when no codec is named.",
        },
        value(
            &["batch-size"],
            "Integer: size",
            "batch.size: how many bytes of a partition's records are sent together at most. (default: 16384)",
        ),
        value(
            &["message-send-max-retries"],
            "Integer",
            "retries: how often a record is sent again before it is given up. (default: 3)",
        ),
        value(
            &["retry-backoff-ms"],
            "Long",
            "retry.backoff.ms: the pause before a record is sent again. (default: 100)",
        ),
        value(
            &["timeout"],
            "Long: timeout_ms",
            "linger.ms: how long a record waits for others to be sent with. (default: 1000)",
        ),
        value(
            &["request-required-acks"],
            "String: request required acks",
            "acks: who must have a record before it counts as written: all (or -1), 1 or 0. (default: -1)",
        ),
        value(
            &["request-timeout-ms"],
            "Integer: request timeout ms",
            "request.timeout.ms: how long a broker may take to answer. (default: 1500)",
        ),
        value(
            &["metadata-expiry-ms"],
            "Long: metadata expiration interval",
            "metadata.max.age.ms: how long what is known of the topic's leaders is believed. (default: 300000)",
        ),
        value(
            &["max-block-ms"],
            "Long: max block on send",
            "max.block.ms: how long a record may wait for room or for the topic. (default: 60000)",
        ),
        value(
            &["max-memory-bytes"],
            "Long: total memory in bytes",
            "buffer.memory: how many bytes may wait to be sent. (default: 33554432)",
        ),
        value(
            &["max-partition-memory-bytes"],
            "Integer: memory in bytes per partition",
            "(Deprecated) The old name of --batch-size; it wins over it. (default: 16384)",
        ),
        value(
            &["line-reader"],
            "String: reader_class",
            "The class that turns lines into records. (default: org.apache.kafka.tools.LineMessageReader)",
        ),
        value(
            &["socket-buffer-size"],
            "Integer: size",
            "send.buffer.bytes: the size of the socket's buffer. (default: 102400)",
        ),
        value(
            &["reader-property"],
            "String: prop",
            "How lines become records, as name=value; may be repeated: parse.key=false, parse.headers=false, \
             ignore.error=false, key.separator=\\t, headers.delimiter=\\t, headers.separator=, \
             headers.key.separator=: and null.marker, which is unset. With parse.headers and parse.key a line is \
             \"h1:v1,h2:v2...\\tkey\\tvalue\".",
        ),
        value(
            &["property"],
            "String: prop",
            "(DEPRECATED) The old name of --reader-property.",
        ),
        value(
            &["reader-config"],
            "String: config file",
            "File of reader properties; --reader-property wins over it.",
        ),
        value(
            &["command-property"],
            "String: producer_prop",
            "A property of the producer, as name=value; may be repeated.",
        ),
        value(
            &["producer-property"],
            "String: producer_prop",
            "(DEPRECATED) The old name of --command-property.",
        ),
        value(
            &["command-config"],
            "String: config file",
            "File of producer properties; --command-property wins over it.",
        ),
        value(
            &["producer.config"],
            "String: config file",
            "(DEPRECATED) The old name of --command-config.",
        ),
    ],
};

const EXCLUSIVE: [(&str, &str); 3] = [
    ("command-config", "producer.config"),
    ("command-property", "producer-property"),
    ("reader-property", "property"),
];

const DEPRECATED: [(&str, &str, &str); 4] = [
    ("producer-property", "a future version", "command-property"),
    ("producer.config", "a future version", "command-config"),
    ("property", "a future version", "reader-property"),
    ("max-partition-memory-bytes", "Apache Kafka 5.0", "batch-size"),
];

/// A property, the option that sets it, and what it is when neither does. In Kafka's order: the later wins.
const MERGED: [(&str, &str, &str); 11] = [
    ("linger.ms", "timeout", "1000"),
    ("acks", "request-required-acks", "-1"),
    ("request.timeout.ms", "request-timeout-ms", "1500"),
    ("retries", "message-send-max-retries", "3"),
    ("retry.backoff.ms", "retry-backoff-ms", "100"),
    ("send.buffer.bytes", "socket-buffer-size", "102400"),
    ("buffer.memory", "max-memory-bytes", "33554432"),
    ("batch.size", "batch-size", "16384"),
    ("batch.size", "max-partition-memory-bytes", "16384"),
    ("metadata.max.age.ms", "metadata-expiry-ms", "300000"),
    ("max.block.ms", "max-block-ms", "60000"),
];

const LONGS: [&str; 5] = [
    "timeout",
    "retry-backoff-ms",
    "max-memory-bytes",
    "metadata-expiry-ms",
    "max-block-ms",
];

/// Reads and checks the command line; says which options are deprecated.
///
/// # Errors
/// Kafka's refusals.
pub fn read(arguments: &[String]) -> Result<Parsed, Ending> {
    let parsed = OPTIONS
        .parse(arguments)
        .map_err(|refusal| OPTIONS.misuse(refusal.stderr))?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &["topic"])?;
    for (new, old) in EXCLUSIVE {
        if parsed.has(new) && parsed.has(old) {
            return Err(OPTIONS.misuse(format!(
                "Options --{new} and --{old} cannot be specified together."
            )));
        }
    }
    for (old, removal, new) in DEPRECATED {
        if parsed.has(old) {
            out(&format!(
                "Warning: --{old} is deprecated and will be removed in {removal}. Use --{new} instead."
            ));
        }
    }
    match wrong_bootstrap(parsed.value("bootstrap-server")?.unwrap_or_default()) {
        Some(why) => Err(OPTIONS.misuse(why)),
        None => Ok(parsed),
    }
}

/// The properties of the reader.
///
/// # Errors
/// When their file cannot be read.
pub fn reader(parsed: &Parsed) -> Result<Properties, Ending> {
    let mut properties = in_file(parsed, &["reader-config"])?;
    properties.extend(in_pairs(parsed, &["reader-property", "property"]));
    Ok(properties)
}

/// The properties of the producer, by Java's names.
///
/// # Errors
/// When their file cannot be read, or a value is not one that Kafka takes.
pub fn producer(parsed: &Parsed) -> Result<Properties, Ending> {
    let mut properties = in_file(parsed, &["command-config", "producer.config"])?;
    properties.extend(in_pairs(parsed, &["command-property", "producer-property"]));
    let codec = match parsed.value("compression-codec")? {
        _ if !parsed.has("compression-codec") => "none",
        Some(codec) if !codec.is_empty() => codec,
        _ => "gzip",
    };
    properties.insert("compression.type".to_owned(), codec.to_owned());
    properties
        .entry("client.id".to_owned())
        .or_insert_with(|| "console-producer".to_owned());
    for (name, option, default) in MERGED {
        let given = match option {
            "request-required-acks" => parsed.value(option)?.map(str::to_owned),
            _ if LONGS.contains(&option) => parsed.number::<i64>(option)?.map(|number| number.to_string()),
            _ => parsed.number::<i32>(option)?.map(|number| number.to_string()),
        };
        match given {
            Some(given) => {
                properties.insert(name.to_owned(), given);
            }
            None => {
                properties
                    .entry(name.to_owned())
                    .or_insert_with(|| default.to_owned());
            }
        }
    }
    producer_defaults(&mut properties)?;
    Ok(properties)
}
