//! The client properties that a console tool is given: a Java property file, `name=value` pairs, and the old and new
//! names of the options that hold them.

use super::Ending;
use super::consumer_groups::duration_ms;
use super::options::Parsed;
use crate::failure::Outcome;
use crate::kafka::consumer::Reset;
use crate::kafka::{Connection, properties};
use std::collections::BTreeMap;
use std::io::ErrorKind;

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
            all.extend(read(path).map_err(Unmade::hinted)?);
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
    if bootstrap.trim().is_empty() {
        return Err(Ending::failure(
            "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value",
        ));
    }
    if let Some(why) = empty_server(bootstrap).or_else(|| wrong_server(bootstrap)) {
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

    /// The words on stderr, and what is behind them as a hint.
    pub fn hinted(self) -> Ending {
        let ending = Ending::failure(self.message);
        match self.why.is_empty() {
            true => ending,
            false => ending.hint(self.why),
        }
    }
}

/// The connection of a Java administrator with the properties of a `--command-config` file.
///
/// # Errors
/// When the file cannot be read, or no client can be made of it and `bootstrap`.
pub fn admin_connection(bootstrap: &str, config: Option<&str>) -> Result<Connection, Unmade> {
    let given = config.map(read).transpose()?.unwrap_or_default();
    let unmade = |why: String, hints: Vec<String>| {
        let message = "Failed to create new KafkaAdminClient".to_owned();
        Unmade {
            exception: format!("org.apache.kafka.common.KafkaException: {message}"),
            message,
            why,
            hints,
        }
    };
    if let Some(message) = empty_server(bootstrap).or_else(|| wrong_number(&given)) {
        return Err(Unmade {
            exception: format!("org.apache.kafka.common.config.ConfigException: {message}"),
            why: String::new(),
            hints: Vec::new(),
            message,
        });
    }
    if let Some(why) = wrong_server(bootstrap) {
        return Err(unmade(why, Vec::new()));
    }
    of_java(bootstrap, given).map_err(|mut failure| {
        if let Some(path) = config {
            failure = failure.hint(format!("correct or remove that line of {path}"));
        }
        unmade(failure.in_a_line(), failure.hints().to_vec())
    })
}

/// The properties in a file; to Java an empty path is the folder it runs in.
///
/// # Errors
/// Java's words about one that cannot be read.
pub fn read(path: &str) -> Result<Properties, Unmade> {
    let file = if path.is_empty() { "." } else { path };
    let error = match std::fs::read_to_string(file) {
        Ok(text) => return Ok(properties::parse(&text)),
        Err(error) => error,
    };
    let (exception, message) = match error.kind() {
        ErrorKind::IsADirectory => ("java.io.IOException", "Is a directory"),
        ErrorKind::PermissionDenied => ("java.nio.file.AccessDeniedException", path),
        _ => ("java.nio.file.NoSuchFileException", path),
    };
    Err(Unmade {
        exception: format!("{exception}: {message}"),
        message: message.to_owned(),
        why: format!("cannot read the settings file {file}: {error}"),
        hints: Vec::new(),
    })
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
fn wrong_number(given: &Properties) -> Option<String> {
    NUMBERS.iter().find_map(|(name, kind)| {
        // What a config provider holds is not known yet.
        let value = given.get(*name).filter(|value| !value.contains("${"))?;
        value
            .trim()
            .parse::<i64>()
            .is_err()
            .then(|| format!("Invalid value {value} for configuration {name}: Not a number of type {kind}"))
    })
}

/// Java's words about a list with nothing between two commas.
fn empty_server(bootstrap: &str) -> Option<String> {
    let empty = !bootstrap.trim().is_empty() && bootstrap.split(',').any(|server| server.trim().is_empty());
    empty.then(|| "Configuration 'bootstrap.servers' values must not be empty.".to_owned())
}

/// Java's words about a server that is none, such as one without a port.
fn wrong_server(bootstrap: &str) -> Option<String> {
    let server = bootstrap
        .split(',')
        .map(str::trim)
        .find(|server| !is_address(server))?;
    Some(format!("Invalid url in bootstrap.servers: {server}"))
}

/// Whether Java's clients read this as a host and a port.
fn is_address(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-%._".contains(&byte);
    let address = match text.split_once("://") {
        Some((protocol, address)) if protocol.bytes().all(plain) => address,
        _ => text,
    };
    let Some((host, port)) = address.rsplit_once(':') else {
        return false;
    };
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    digits && host.bytes().all(|byte| plain(byte) || byte == b':')
}

/// How long a Java producer's transactions may last, if nothing is said of it (`transaction.timeout.ms`).
const TRANSACTION_TIMEOUT_MS: i64 = 60_000;
/// How long a Java producer's records may take, if nothing is said of it (`delivery.timeout.ms`).
const DELIVERY_TIMEOUT_MS: i64 = 120_000;

/// Gives a producer's properties Java's limits of a request and of a record's time, without which the broker's and ours would
/// decide, and checks the values that Java checks before it connects.
///
/// # Errors
/// Java's refusal of a value.
pub fn producer_defaults(properties: &mut Properties) -> Result<(), Ending> {
    properties
        .entry("max.request.size".to_owned())
        .or_insert_with(|| "1048576".to_owned());
    delivery_timeout(properties)?;
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

/// A record's time holds one request at least, and the time that it waits for others to be sent with.
fn delivery_timeout(properties: &mut Properties) -> Result<(), Ending> {
    const NAME: &str = "delivery.timeout.ms";
    let number = |name: &str, default| match properties.get(name).map(|text| text.trim().parse::<i64>()) {
        None => Some(default),
        Some(number) => number.ok(),
    };
    // What is no number is refused by its name later.
    let (Some(linger), Some(request), Some(given)) = (
        number("linger.ms", 0),
        number("request.timeout.ms", 30_000),
        number(NAME, DELIVERY_TIMEOUT_MS),
    ) else {
        return Ok(());
    };
    let least = linger.saturating_add(request).min(i64::from(i32::MAX));
    if given < least && properties.contains_key(NAME) {
        return Err(Ending::failure(format!(
            "org.apache.kafka.common.config.ConfigException: {NAME} should be equal to or larger than linger.ms + \
             request.timeout.ms"
        )));
    }
    let longest = match properties.contains_key("transactional.id") {
        // A record that waits longer than its transaction lasts is aborted with it, and librdkafka refuses the two so.
        true => number("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS).unwrap_or(TRANSACTION_TIMEOUT_MS),
        false => i64::MAX,
    };
    properties.insert(NAME.to_owned(), given.max(least).min(longest).to_string());
    Ok(())
}

/// The value of `auto.offset.reset`.
///
/// # Errors
/// Java's refusal of one that is none; ours of a duration (KIP-1106).
pub fn reset_policy(given: &str) -> Result<Reset, Ending> {
    let refused =
        "Exception in thread \"main\" org.apache.kafka.common.config.ConfigException: Invalid value";
    let ago = given.strip_prefix("by_duration:");
    match (given, ago.and_then(duration_ms)) {
        ("earliest", _) => Ok(Reset::Earliest),
        ("latest", _) => Ok(Reset::Latest),
        ("none", _) => Ok(Reset::Refuse),
        (_, Some(0..)) => Err(Ending::failure(format!(
            "auto.offset.reset={given} is not known here; earliest, latest and none are"
        ))
        .hint(format!(
            "kafka-consumer-groups --reset-offsets --by-duration {} --execute --group GROUP --topic TOPIC, and then \
             read in that group",
            ago.unwrap_or_default()
        ))),
        _ => Err(Ending::failure(format!(
            "{refused} {given} for configuration auto.offset.reset: Invalid value `{given}` for configuration \
             auto.offset.reset. The value must be either 'earliest', 'latest', 'none' or of the format \
             'by_duration:<PnDTnHnMn.nS.>'."
        ))),
    }
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
    // Java's own `split` leaves out what is empty at the end.
    let mut all = servers.trim_end_matches(',').split(',');
    let valid = all.all(is_address);
    (!valid).then_some("Please provide valid host:port like host1:9091,host2:9092\n")
}
