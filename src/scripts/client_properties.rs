//! The client properties that a console tool is given: a Java property file, `name=value` pairs, and the old and new
//! names of the options that hold them.

use super::Ending;
use super::options::Parsed;
use crate::failure::{Failure, Outcome};
use crate::kafka::{Connection, properties};
use regex::Regex;
use std::collections::BTreeMap;

/// Properties by Java's names.
pub type Properties = BTreeMap<String, String>;

/// What Java's console tools set themselves, whatever was given.
const SET_BY_THE_TOOL: [&str; 5] = [
    "bootstrap.servers",
    "key.serializer",
    "value.serializer",
    "key.deserializer",
    "value.deserializer",
];

/// The properties in the file that one of `options` names.
///
/// # Errors
/// When the file cannot be read, or an option was given twice.
pub fn in_file(parsed: &Parsed, options: &[&str]) -> Result<Properties, Ending> {
    let mut all = Properties::new();
    for option in options {
        if let Some(path) = parsed.value(option)? {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Ending::failure(format!("cannot read {path}: {error}")))?;
            all.extend(properties::parse(&text));
        }
    }
    Ok(all)
}

/// The `name=value` pairs of `options`; a name alone has an empty value.
pub fn in_pairs(parsed: &Parsed, options: &[&str]) -> Properties {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text.clone(), String::new()),
    };
    options
        .iter()
        .flat_map(|option| parsed.values(option))
        .map(pair)
        .collect()
}

/// The connection of a Java client with these properties. What no client here knows is named on stderr, as Java's
/// clients do in their log.
///
/// # Errors
/// When a property's value cannot be used.
pub fn connection(bootstrap: &str, given: Properties) -> Result<Connection, Ending> {
    if let Some(why) = without_port(bootstrap) {
        return Err(Ending::failure(why));
    }
    Ok(of_java(bootstrap, given)?)
}

fn of_java(bootstrap: &str, mut given: Properties) -> Outcome<Connection> {
    for name in SET_BY_THE_TOOL {
        given.remove(name);
    }
    let (connection, unknown) = Connection::of_java_client(bootstrap, given)?;
    if !unknown.is_empty() {
        eprintln!(
            "These configurations '[{}]' were supplied but are not used yet.",
            unknown.join(", ")
        );
    }
    Ok(connection)
}

/// The connection of a Java client with the properties of a `--command-config` file, if one is named. What no client here
/// knows is named on stderr.
///
/// # Errors
/// When the file cannot be read, or a property's value cannot be used.
pub fn connection_by(bootstrap: &str, file: Option<&str>) -> Outcome<Connection> {
    let Some(path) = file else {
        return of_java(bootstrap, Properties::new());
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {path}: {error}")))?;
    of_java(bootstrap, properties::parse(&text))
        .map_err(|failure| failure.hint(format!("correct or remove that line of {path}")))
}

/// What Java says when a client cannot even be made.
pub struct Unmade {
    /// The exception's own words.
    pub message: String,
    /// The exception whole, with its class.
    pub exception: String,
    /// What is behind it, in one line.
    pub why: String,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Unmade {
    /// The words, and what is behind them, on stderr.
    pub fn on_stderr(self) -> Ending {
        Ending {
            hints: self.hints,
            ..Ending::failure(format!("{}\n{}", self.message, self.why).trim_end())
        }
    }
}

/// The connection of a Java administrator with the properties of a `--command-config` file.
///
/// # Errors
/// When the file cannot be read, or no client can be made of it and `bootstrap`.
pub fn admin_connection(bootstrap: &str, config: Option<&str>) -> Result<Connection, Unmade> {
    if let Some(path) = config
        && let Err(error) = std::fs::metadata(path)
    {
        return Err(Unmade {
            message: path.to_owned(),
            exception: format!("java.nio.file.NoSuchFileException: {path}"),
            why: format!("cannot read the settings file {path}: {error}"),
            hints: Vec::new(),
        });
    }
    let unmade = |why: String, hints: Vec<String>| {
        let message = "Failed to create new KafkaAdminClient".to_owned();
        Unmade {
            exception: format!("org.apache.kafka.common.KafkaException: {message}"),
            message,
            why,
            hints,
        }
    };
    if let Some(why) = without_port(bootstrap) {
        return Err(unmade(why, Vec::new()));
    }
    if let Some(message) = config.and_then(wrong_number) {
        return Err(Unmade {
            exception: format!("org.apache.kafka.common.config.ConfigException: {message}"),
            why: String::new(),
            hints: Vec::new(),
            message,
        });
    }
    connection_by(bootstrap, config).map_err(|failure| unmade(failure.in_a_line(), failure.hints().to_vec()))
}

/// Properties of an administrator that are whole numbers, and their types.
const NUMBERS: [(&str, &str); 10] = [
    ("connections.max.idle.ms", "LONG"),
    ("default.api.timeout.ms", "INT"),
    ("metadata.max.age.ms", "LONG"),
    ("receive.buffer.bytes", "INT"),
    ("reconnect.backoff.max.ms", "LONG"),
    ("reconnect.backoff.ms", "LONG"),
    ("request.timeout.ms", "INT"),
    ("retries", "INT"),
    ("retry.backoff.ms", "LONG"),
    ("send.buffer.bytes", "INT"),
];

/// Java's words about a number in a file of properties that is none.
fn wrong_number(path: &str) -> Option<String> {
    let given = properties::parse(&std::fs::read_to_string(path).ok()?);
    NUMBERS.iter().find_map(|(name, kind)| {
        let value = given.get(*name)?;
        value
            .trim()
            .parse::<i64>()
            .is_err()
            .then(|| format!("Invalid value {value} for configuration {name}: Not a number of type {kind}"))
    })
}

/// Java's words about a server that is named without its port.
fn without_port(bootstrap: &str) -> Option<String> {
    let server = bootstrap.split(',').find(|server| !server.contains(':'))?;
    Some(format!("Invalid url in bootstrap.servers: {server}"))
}

/// Gives a producer's properties Java's limit of a request, without which the broker's would decide, and checks the values
/// that Java checks before it connects.
///
/// # Errors
/// Java's refusal of a value.
pub fn producer_defaults(properties: &mut Properties) -> Result<(), Ending> {
    properties
        .entry("max.request.size".to_owned())
        .or_insert_with(|| "1048576".to_owned());
    // Each record for itself: Java's word for it is 0, librdkafka's 1.
    if let Some(size) = properties.get_mut("batch.size").filter(|size| *size == "0") {
        *size = "1".to_owned();
    }
    among(properties, "acks", &["all", "-1", "0", "1"])?;
    among(
        properties,
        "compression.type",
        &["none", "gzip", "snappy", "lz4", "zstd"],
    )
}

fn among(properties: &Properties, name: &str, values: &[&str]) -> Result<(), Ending> {
    match properties.get(name) {
        Some(given) if !values.contains(&given.as_str()) => Err(Ending::failure(format!(
            "org.apache.kafka.common.config.ConfigException: Invalid value {given} for configuration {name}: String \
             must be one of: {}",
            values.join(", ")
        ))),
        _ => Ok(()),
    }
}

/// Kafka's check of a bootstrap list; the message when it is wrong.
pub fn wrong_bootstrap(servers: &str) -> Option<&'static str> {
    if servers.trim().is_empty() {
        return Some("Error while validating the bootstrap address\n");
    }
    let address = Regex::new(r"^(?:[0-9a-zA-Z\-%._]*://)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$").ok()?;
    let valid = servers.split(',').all(|server| address.is_match(server));
    (!valid).then_some("Please provide valid host:port like host1:9091,host2:9092\n")
}
