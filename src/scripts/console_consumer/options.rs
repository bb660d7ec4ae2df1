//! The options of kafka-console-consumer, and what they come to.

use super::formatter::{self, DEFAULT_FORMATTER};
use crate::kafka::consumer::{Isolation, Reset};
use crate::scripts::Ending;
use crate::scripts::client_properties::{Properties, in_file, in_pairs, reset_policy};
use crate::scripts::connecting::bootstrap_server;
use crate::scripts::options::{HELP, Options, Parsed, VERSION, flag, value};
use crate::scripts::out;
use std::collections::BTreeSet;

/// Kafka's options and defaults, our words.
pub const OPTIONS: Options = Options {
    about: "This tool helps to read data from Kafka topics and outputs it to standard output.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        value(&["topic"], "String: topic", "The topic to read."),
        value(
            &["include"],
            "String: Java regex (String)",
            "A regular expression; all topics whose whole name it matches are read.",
        ),
        value(
            &["partition"],
            "Integer: partition",
            "Read this partition alone, without a group; from its end unless --offset or --from-beginning is given.",
        ),
        value(
            &["offset"],
            "String: consume offset",
            "Where to start in --partition: an offset, 'earliest' or 'latest'. (default: latest)",
        ),
        bootstrap_server("String: server to connect to"),
        flag(
            &["from-beginning"],
            "Start at the first record where the group has committed no offset, else at the end.",
        ),
        value(
            &["group"],
            "String: consumer group id",
            "The group to join; a new one for this run without it.",
        ),
        value(
            &["max-messages"],
            "Integer: num_messages",
            "End after so many records; without it reading goes on.",
        ),
        value(
            &["timeout-ms"],
            "Long: timeout_ms",
            "End when no record has come for so long.",
        ),
        value(
            &["isolation-level"],
            "String",
            "read_committed leaves out the records of transactions that are not committed; read_uncommitted shows \
             all. (default: read_uncommitted)",
        ),
        flag(
            &["skip-message-on-error"],
            "Go on after a record that cannot be shown.",
        ),
        value(
            &["formatter"],
            "String: class",
            "What shows records; of org.apache.kafka.tools.consumer: DefaultMessageFormatter, \
             LoggingMessageFormatter, NoOpMessageFormatter, OffsetsMessageFormatter, \
             GroupMetadataMessageFormatter, TransactionLogMessageFormatter. (default: \
             org.apache.kafka.tools.consumer.DefaultMessageFormatter)",
        ),
        value(
            &["formatter-property"],
            "String: prop",
            "How records look, as name=value; may be repeated: print.timestamp, print.key, print.offset, \
             print.epoch, print.partition, print.headers, print.delivery and print.value are true or false; \
             key.separator, line.separator, headers.separator, null.literal; key.deserializer, value.deserializer \
             and headers.deserializer name a Java class, key.deserializer.deserializer.encoding and so on its charset.",
        ),
        value(
            &["property"],
            "String: prop",
            "(DEPRECATED) The old name of --formatter-property.",
        ),
        value(
            &["formatter-config"],
            "String: config file",
            "File of formatter properties; --formatter-property wins over it.",
        ),
        value(
            &["key-deserializer"],
            "String: deserializer for keys",
            "The Java class that reads keys, such as org.apache.kafka.common.serialization.LongDeserializer.",
        ),
        value(
            &["value-deserializer"],
            "String: deserializer for values",
            "The Java class that reads values.",
        ),
        value(
            &["command-property"],
            "String: consumer_prop",
            "A property of the consumer, as name=value; may be repeated.",
        ),
        value(
            &["consumer-property"],
            "String: consumer_prop",
            "(DEPRECATED) The old name of --command-property.",
        ),
        value(
            &["command-config"],
            "String: config file",
            "File of consumer properties; --command-property wins over it.",
        ),
        value(
            &["consumer.config"],
            "String: config file",
            "(DEPRECATED) The old name of --command-config.",
        ),
        flag(
            &["enable-systest-events"],
            "Say on stdout when the consumer has ended.",
        ),
    ],
};

/// Where to start in the partition that `--partition` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the first record.
    Earliest,
    /// After the last.
    Latest,
    /// At an offset.
    Offset(i64),
}

/// What to read, and how.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// `--topic`
    pub topic: Option<String>,
    /// `--include`
    pub include: Option<String>,
    /// `--partition`, and where to start in it.
    pub partition: Option<(i32, Place)>,
    /// `group.id`
    pub group: String,
    /// `auto.offset.reset`
    pub reset: Reset,
    /// `isolation.level`
    pub isolation: Isolation,
    /// Whether positions are committed.
    pub commits: bool,
    /// The consumer's properties but those above.
    pub properties: Properties,
    /// The formatter's properties.
    pub formatter: Properties,
}

/// Reads and checks the command line; says which options are deprecated.
///
/// # Errors
/// Kafka's refusals.
pub fn read(arguments: &[String]) -> Result<(Parsed, Wanted), Ending> {
    let parsed = OPTIONS
        .parse(arguments)
        .map_err(|refusal| OPTIONS.misuse(refusal.stderr))?;
    OPTIONS.help_or_version(&parsed)?;
    exclusive(&parsed, "consumer-property", "command-property")?;
    exclusive(&parsed, "consumer.config", "command-config")?;
    let partition = partition(&parsed)?;
    OPTIONS.require(&parsed, &["bootstrap-server"])?;
    deprecated(&parsed, "consumer-property", "command-property");
    deprecated(&parsed, "consumer.config", "command-config");
    let in_file = in_file(&parsed, &["command-config", "consumer.config"])?;
    let in_pairs = in_pairs(&parsed, &["command-property", "consumer-property"]);
    let group = group(&parsed, &in_file, &in_pairs)?;
    let mut properties = in_file;
    properties.extend(in_pairs);
    properties.remove("group.id");
    let reset = reset(&parsed, &mut properties)?;
    let isolation_level = isolation_level(&parsed, &mut properties)?;
    properties
        .entry("client.id".to_owned())
        .or_insert_with(|| "console-consumer".to_owned());
    // As Java's consumer: a topic that is not there is made, if the cluster does so.
    properties
        .entry("allow.auto.create.topics".to_owned())
        .or_insert_with(|| "true".to_owned());
    if group.is_none() {
        properties
            .entry("enable.auto.commit".to_owned())
            .or_insert_with(|| "false".to_owned());
    }
    let formatter = formatter(&parsed)?;
    let wanted = Wanted {
        topic: parsed.value("topic")?.map(str::to_owned),
        include: parsed.value("include")?.map(str::to_owned),
        partition,
        commits: properties
            .get("enable.auto.commit")
            .is_none_or(|text| text.trim().eq_ignore_ascii_case("true")),
        group: group
            .unwrap_or_else(|| format!("console-consumer-{}", uuid::Uuid::new_v4().as_u128() % 100_000)),
        reset,
        isolation: isolation(&isolation_level)?,
        properties,
        formatter,
    };
    Ok((parsed, wanted))
}

fn exclusive(parsed: &Parsed, one: &str, other: &str) -> Result<(), Ending> {
    if parsed.has(one) && parsed.has(other) {
        return Err(OPTIONS.misuse(format!(
            "Options --{one} and --{other} cannot be specified together."
        )));
    }
    Ok(())
}

fn deprecated(parsed: &Parsed, old: &str, new: &str) {
    if parsed.has(old) {
        out(&format!(
            "Option --{old} is deprecated and will be removed in a future version. Use --{new} instead."
        ));
    }
}

fn partition(parsed: &Parsed) -> Result<Option<(i32, Place)>, Ending> {
    if parsed.has("topic") == parsed.has("include") {
        return Err(OPTIONS.misuse("Exactly one of the following arguments is required: [topic], [include]"));
    }
    let Some(partition) = parsed.number::<i32>("partition")? else {
        if parsed.has("offset") {
            return Err(OPTIONS.misuse("The partition is required when offset is specified."));
        }
        return Ok(None);
    };
    if !parsed.has("topic") {
        return Err(OPTIONS.misuse("The topic is required when partition is specified."));
    }
    if parsed.has("from-beginning") && parsed.has("offset") {
        return Err(OPTIONS.misuse("Options from-beginning and offset cannot be specified together."));
    }
    Ok(Some((partition, place(parsed)?)))
}

fn place(parsed: &Parsed) -> Result<Place, Ending> {
    let Some(text) = parsed.value("offset")? else {
        return Ok(if parsed.has("from-beginning") {
            Place::Earliest
        } else {
            Place::Latest
        });
    };
    match (text.to_lowercase().as_str(), text.parse::<i64>()) {
        ("earliest", _) => Ok(Place::Earliest),
        ("latest", _) => Ok(Place::Latest),
        (_, Ok(offset)) if offset >= 0 => Ok(Place::Offset(offset)),
        _ => Err(OPTIONS.misuse(format!(
            "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a \
             non-negative long."
        ))),
    }
}

/// The group that was named in any place; they must agree.
fn group(parsed: &Parsed, in_file: &Properties, in_pairs: &Properties) -> Result<Option<String>, Ending> {
    let named: BTreeSet<&str> = [
        parsed.value("group")?,
        in_file.get("group.id").map(String::as_str),
        in_pairs.get("group.id").map(String::as_str),
    ]
    .into_iter()
    .flatten()
    .collect();
    if named.len() > 1 {
        let named: Vec<String> = named.iter().map(|group| format!("'{group}'")).collect();
        return Err(OPTIONS.misuse(format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via \
             '--consumer.config') do not match. Detected group ids: {}",
            named.join(", ")
        )));
    }
    if !named.is_empty() && parsed.has("partition") {
        return Err(OPTIONS.misuse("Options group and partition cannot be specified together."));
    }
    Ok(named.first().map(|group| (*group).to_owned()))
}

fn reset(parsed: &Parsed, properties: &mut Properties) -> Result<Reset, Ending> {
    let from_beginning = parsed.has("from-beginning");
    match properties.remove("auto.offset.reset") {
        None if from_beginning => Ok(Reset::Earliest),
        None => Ok(Reset::Latest),
        Some(given) if from_beginning && given != "earliest" => Err(Ending::failure(format!(
            "Can't simultaneously specify --from-beginning and 'auto.offset.reset={given}', please remove one option"
        ))),
        Some(given) => reset_policy(&given),
    }
}

fn isolation_level(parsed: &Parsed, properties: &mut Properties) -> Result<String, Ending> {
    let in_properties = properties.remove("isolation.level");
    let given = parsed.value("isolation-level")?.map(str::to_owned);
    Ok(given
        .or(in_properties)
        .unwrap_or_else(|| "read_uncommitted".to_owned()))
}

/// Java's consumer looks at it when it is made, behind everything else.
fn isolation(level: &str) -> Result<Isolation, Ending> {
    match level {
        "read_uncommitted" => Ok(Isolation::ReadUncommitted),
        "read_committed" => Ok(Isolation::ReadCommitted),
        _ => Err(Ending::failure(format!(
            "org.apache.kafka.common.config.ConfigException: Invalid value {level} for configuration isolation.level: \
             String must be one of: read_committed, read_uncommitted"
        ))),
    }
}

fn formatter(parsed: &Parsed) -> Result<Properties, Ending> {
    formatter::check(parsed.value("formatter")?.unwrap_or(DEFAULT_FORMATTER))?;
    exclusive(parsed, "property", "formatter-property")?;
    deprecated(parsed, "property", "formatter-property");
    let mut properties =
        in_file(parsed, &["formatter-config"]).map_err(|unread| OPTIONS.misuse(unread.stderr))?;
    for (option, name) in [
        ("key-deserializer", "key.deserializer"),
        ("value-deserializer", "value.deserializer"),
    ] {
        if let Some(class) = parsed.value(option)?.filter(|class| !class.is_empty()) {
            properties.insert(name.to_owned(), class.to_owned());
        }
    }
    properties.extend(in_pairs(parsed, &["formatter-property", "property"]));
    Ok(properties)
}
