//! The options of `kafka-producer-perf-test`, and what follows from them.

use crate::scripts::argparse::{Arg, Group, Manners, Parsed, Parser, Takes, Type};
use crate::scripts::client_properties::{self, Properties};
use crate::scripts::{Ending, out};
use std::path::Path;

const PAYLOAD: &str = "payload";
const DURATION_MS: i64 = 3000;

/// The command line.
pub const PARSER: Parser = Parser {
    prog: "kafka-producer-perf-test",
    about: "Measures how fast records can be written. With a transactional id (--transactional-id, or transactional.id \
            among the properties) or --transaction-duration-ms, they are written in transactions.",
    commands: &[],
    groups: &[Group {
        name: PAYLOAD,
        title: "",
        about: "What the records hold; exactly one of these:",
        required: true,
    }],
    args: &[
        Arg::new(
            &["--bootstrap-server"],
            Takes::One(Type::Text),
            "BOOTSTRAP-SERVER",
            "The brokers to ask first; wins over bootstrap.servers among the properties.",
        ),
        Arg::new(
            &["--record-size"],
            Takes::One(Type::Int),
            "RECORD-SIZE",
            "Random letters, so many bytes.",
        )
        .of(PAYLOAD),
        Arg::new(
            &["--payload-file"],
            Takes::One(Type::Text),
            "PAYLOAD-FILE",
            "The parts of this UTF-8 file, chosen at random.",
        )
        .of(PAYLOAD),
        Arg::flag(&["--payload-monotonic"], "Numbers from 0 upwards.").of(PAYLOAD),
        Arg::new(
            &["--topic"],
            Takes::One(Type::Text),
            "TOPIC",
            "The topic to write to.",
        )
        .required(),
        Arg::new(
            &["--num-records"],
            Takes::One(Type::Long),
            "NUM-RECORDS",
            "How many records to write.",
        )
        .required(),
        Arg::new(
            &["--payload-delimiter"],
            Takes::One(Type::Text),
            "PAYLOAD-DELIMITER",
            "What separates the parts of --payload-file, a regular expression.",
        )
        .or("\\n"),
        Arg::new(
            &["--throughput"],
            Takes::One(Type::Double),
            "THROUGHPUT",
            "About how many records to write per second; -1 for as many as possible.",
        )
        .required(),
        Arg::new(
            &["--producer-props"],
            Takes::Many(Type::Text),
            "PROP-NAME=PROP-VALUE",
            "(DEPRECATED) The old name of --command-property.",
        ),
        Arg::new(
            &["--command-property"],
            Takes::Many(Type::Text),
            "PROP-NAME=PROP-VALUE",
            "Properties of the producer, such as linger.ms=10 batch.size=32768; they win over the file's.",
        ),
        Arg::old_command_config(&["--producer.config"]),
        Arg::new(
            &["--command-config"],
            Takes::One(Type::Text),
            "CONFIG-FILE",
            "File of properties of the producer.",
        ),
        Arg::flag(&["--print-metrics"], "Print the producer's counters at the end."),
        Arg::new(
            &["--transactional-id"],
            Takes::One(Type::Text),
            "TRANSACTIONAL-ID",
            "The transactional id, which wins over the properties; when only --transaction-duration-ms is given it is \
             performance-producer- and a random part.",
        ),
        Arg::new(
            &["--transaction-duration-ms"],
            Takes::One(Type::Long),
            "TRANSACTION-DURATION",
            "How long a transaction lasts before it is committed; 3000 when only a transactional id is given.",
        ),
        Arg::new(
            &["--warmup-records"],
            Takes::One(Type::Long),
            "WARMUP-RECORDS",
            "So many records at the beginning are left out of a second summary, the steady state's.",
        )
        .or("0"),
        Arg::new(
            &["--reporting-interval"],
            Takes::One(Type::Long),
            "INTERVAL-MS",
            "The time between two lines on the way, in ms.",
        )
        .or("5000"),
        Arg::new(
            &["--record-key-range"],
            Takes::One(Type::Int),
            "KEY-RANGE",
            "Keys are whole numbers below this; with the key distributions range and random.",
        ),
        Arg::new(
            &["--key-distribution"],
            Takes::One(Type::Among(&["none", "range", "random"])),
            "KEY-DISTRIBUTION",
            "Which keys the records have: none, one after the other (range), or random.",
        )
        .or("none"),
        Arg::new(
            &["--random-seed"],
            Takes::One(Type::Long),
            "RANDOM-SEED",
            "Another seed gives other random keys and payloads; the same one the same.",
        )
        .or("0"),
    ],
    command_metavar: "",
    manners: Manners::OrFail,
};

/// What the records hold.
pub enum Payload {
    /// Random letters, so many.
    Random(usize),
    /// One of these.
    Among(Vec<Vec<u8>>),
    /// Their number.
    Monotonic,
}

/// Which keys the records have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// None.
    None,
    /// 0, 1, 2 and so on below this, and again from 0.
    Range(u64),
    /// Random numbers below this.
    Random(u64),
}

/// What is to be done.
pub struct Work {
    /// `--topic`
    pub topic: String,
    /// `--num-records`
    pub records: u64,
    /// `--warmup-records`
    pub warmup: u64,
    /// What the records hold.
    pub payload: Payload,
    /// Which keys the records have.
    pub keys: Keys,
    /// `--random-seed`
    pub seed: i64,
    /// `--throughput`
    pub throughput: f64,
    /// `--print-metrics`
    pub metrics: bool,
    /// `--reporting-interval`, in ms.
    pub interval: i64,
    /// How long a transaction lasts, in ms, when there are any.
    pub transaction: Option<i64>,
    /// `client.id`
    pub client: String,
    /// The producer's properties, by Java's names.
    pub properties: Properties,
}

/// Reads the command line; says which options are deprecated.
///
/// # Errors
/// The help, argparse4j's and the tool's refusals.
pub fn read(arguments: &[String]) -> Result<Work, Ending> {
    let parsed = PARSER.parse_some(arguments)?;
    check(&parsed).map_err(|why| PARSER.error(why))?;
    let payload = payload(&parsed)?;
    for (old, new) in [
        ("producer-props", "command-property"),
        ("producer.config", "command-config"),
    ] {
        if parsed.has(old) {
            out(&format!(
                "Option --{old} has been deprecated and will be removed in a future version. Use --{new} instead."
            ));
        }
    }
    let mut properties = properties(&parsed)?;
    let transaction = transaction(&parsed, &mut properties);
    Ok(Work {
        topic: parsed.value("topic").unwrap_or_default().to_owned(),
        records: parsed.number("num-records").unwrap_or(0),
        warmup: parsed
            .number::<i64>("warmup-records")
            .map_or(0, |count| u64::try_from(count).unwrap_or(0)),
        payload,
        keys: keys(&parsed),
        seed: parsed.number("random-seed").unwrap_or(0),
        throughput: parsed.number("throughput").unwrap_or(-1.0),
        metrics: parsed.has("print-metrics"),
        interval: parsed.number("reporting-interval").unwrap_or(5000),
        transaction,
        client: properties.get("client.id").cloned().unwrap_or_default(),
        properties,
    })
}

/// The tool's own rules, in its order.
fn check(parsed: &Parsed) -> Result<(), &'static str> {
    let number = |name| parsed.number::<i64>(name);
    let has_keys = parsed
        .value("key-distribution")
        .is_some_and(|keys| keys != "none");
    let any = [
        "bootstrap-server",
        "command-property",
        "producer-props",
        "producer.config",
        "command-config",
    ];
    let rules = [
        (
            number("num-records").is_some_and(|count| count <= 0),
            "--num-records should be greater than zero.",
        ),
        (
            number("warmup-records").unwrap_or(0).max(0) >= number("num-records").unwrap_or(1),
            "The value for --warmup-records must be strictly fewer than the number of records in the test, --num-records.",
        ),
        (
            number("record-size").is_some_and(|size| size <= 0),
            "--record-size should be greater than zero.",
        ),
        (
            !any.iter().any(|name| parsed.has(name)),
            "At least one of --bootstrap-server, --command-property, --producer-props, --producer.config or \
             --command-config must be specified.",
        ),
        (
            parsed.has("command-property") && parsed.has("producer-props"),
            "--command-property and --producer-props cannot be specified together.",
        ),
        (
            parsed.has("command-config") && parsed.has("producer.config"),
            "--command-config and --producer.config cannot be specified together.",
        ),
        (
            number("transaction-duration-ms").is_some_and(|duration| duration <= 0),
            "--transaction-duration-ms should be greater than zero.",
        ),
        (
            number("reporting-interval").is_some_and(|interval| interval <= 0),
            "--reporting-interval should be greater than zero.",
        ),
        (
            number("record-key-range").is_some_and(|range| range <= 0),
            "--record-key-range should be greater than zero.",
        ),
        (
            has_keys && !parsed.has("record-key-range"),
            "--record-key-range is required when --key-distribution is 'range' or 'random'.",
        ),
        (
            !has_keys && parsed.has("record-key-range"),
            "--key-distribution must be 'range' or 'random' when --record-key-range is specified.",
        ),
    ];
    match rules.iter().find(|(broken, _)| *broken) {
        Some((_, why)) => Err(why),
        None => Ok(()),
    }
}

/// Java's report of an exception that the tool does not catch.
pub fn uncaught(class: &str, message: &str) -> Ending {
    Ending::failure(format!(
        "Exception in thread \"main\" java.lang.{class}: {message}"
    ))
}

fn keys(parsed: &Parsed) -> Keys {
    let range = parsed.number("record-key-range").unwrap_or(1);
    match parsed.value("key-distribution") {
        Some("range") => Keys::Range(range),
        Some("random") => Keys::Random(range),
        _ => Keys::None,
    }
}

fn payload(parsed: &Parsed) -> Result<Payload, Ending> {
    let Some(path) = parsed.value("payload-file") else {
        return Ok(match parsed.number("record-size") {
            Some(size) => Payload::Random(size),
            None => Payload::Monotonic,
        });
    };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_owned());
    out(&format!("Reading payloads from: {}", absolute.display()));
    let refused = |why: &str| uncaught("IllegalArgumentException", why);
    let text = match std::fs::read(path) {
        Ok(text) if text.is_empty() => return Err(refused("File does not exist or empty file provided.")),
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refused("File does not exist or empty file provided."));
        }
        Err(error) => return Err(Ending::failure(format!("cannot read {path}: {error}"))),
    };
    let delimiter = match parsed.value("payload-delimiter").unwrap_or("\\n") {
        "\\n" => "\n",
        given => given,
    };
    let delimiter = regex::Regex::new(delimiter)
        .map_err(|_| Ending::failure(format!("`{delimiter}` is no regular expression")))?;
    let parts = parts(&delimiter, &text);
    out(&format!("Number of records read: {}", parts.len()));
    if parts.is_empty() {
        return Err(refused(
            "No payload file, record size or payload-monotonic option provided.",
        ));
    }
    Ok(Payload::Among(parts))
}

/// As Java's `Scanner` cuts: a delimiter at the beginning or the end makes no empty part.
fn parts(delimiter: &regex::Regex, text: &str) -> Vec<Vec<u8>> {
    let mut parts: Vec<&str> = delimiter.split(text).collect();
    if parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    if parts.first().is_some_and(|first| first.is_empty()) {
        parts.remove(0);
    }
    parts.into_iter().map(|part| part.as_bytes().to_vec()).collect()
}

fn properties(parsed: &Parsed) -> Result<Properties, Ending> {
    let file = parsed.value("producer.config").or(parsed.value("command-config"));
    let mut all = match file {
        Some(path) => client_properties::read(path).map_err(|unread| {
            Ending::failure(format!("Exception in thread \"main\" {}", unread.exception))
        })?,
        None => Properties::new(),
    };
    let given = match parsed.values("producer-props") {
        [] => parsed.values("command-property"),
        old => old,
    };
    for pair in given {
        let pieces: Vec<&str> = pair.trim_end_matches('=').split('=').collect();
        let [name, value] = pieces.as_slice() else {
            return Err(uncaught(
                "IllegalArgumentException",
                &format!("Invalid property: {pair}"),
            ));
        };
        all.insert((*name).to_owned(), (*value).to_owned());
    }
    all.entry("client.id".to_owned())
        .or_insert_with(|| "perf-producer-client".to_owned());
    if let Some(servers) = parsed.value("bootstrap-server") {
        all.insert("bootstrap.servers".to_owned(), servers.to_owned());
    }
    Ok(all)
}

/// Puts the transactional id among the properties, and says how long transactions last, if there are to be any.
fn transaction(parsed: &Parsed, properties: &mut Properties) -> Option<i64> {
    let given = parsed.number::<i64>("transaction-duration-ms");
    let id = parsed.value("transactional-id").map(str::to_owned);
    let id = id.or_else(|| properties.get("transactional.id").cloned());
    if given.is_none() && id.is_none() {
        return None;
    }
    let id = id.unwrap_or_else(|| format!("performance-producer-{}", uuid::Uuid::new_v4().simple()));
    properties.insert("transactional.id".to_owned(), id);
    Some(given.unwrap_or(DURATION_MS))
}
