//! `kafka-get-offsets`: offsets of partitions.

use super::client_properties::{admin_connection, wrong_bootstrap};
use super::connecting::{bootstrap_server, command_config};
use super::java_words::{failure_exception, java_exception};
use super::options::{HELP, Options, Parsed, VERSION, flag, value};
use super::{Ending, out};
use crate::failure::{Failure, Kind};
use crate::kafka::{Admin, OffsetSpec, TopicMetadata, TopicPartition, is_internal};
use crate::scripts::way_out::nobody;
use regex::Regex;

const OPTIONS: Options = Options {
    about: "An interactive shell for getting topic-partition offsets.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: HOST1:PORT1,...,HOST3:PORT3"),
        command_config("String: config file"),
        value(
            &["topic"],
            "String: topic",
            "The topic; a regular expression too. All without it. Not with --topic-partitions.",
        ),
        value(
            &["partitions"],
            "String: partition ids",
            "Only these partitions, as 0,1,2. Not with --topic-partitions.",
        ),
        value(
            &["topic-partitions"],
            "String: topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3",
            "Patterns of partitions: a regular expression of topics (all when left out), then after a colon one partition, \
             a range FROM-TO without TO, FROM- or -TO, or nothing for all.",
        ),
        value(
            &["time"],
            "String: <timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or \
             latest-tiered / -6 or earliest-pending-upload",
            "Which offset: the one the next record gets, the first, that of the latest timestamp, or of the first record at \
             or after a moment in ms. (default: latest)",
        ),
        flag(&["exclude-internal-topics"], "Leave out Kafka's own topics."),
    ],
};

/// What `--time` may say beside a moment, in Kafka's numbers.
const TIMES: [(&str, i64); 6] = [
    ("latest", -1),
    ("earliest", -2),
    ("max-timestamp", -3),
    ("earliest-local", -4),
    ("latest-tiered", -5),
    ("earliest-pending-upload", -6),
];

/// Runs the script.
///
/// # Errors
/// `Error occurred: …` on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments).map_err(occurred_in)?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &["bootstrap-server"])?;
    let servers = parsed.value("bootstrap-server").map_err(occurred_in)?;
    if let Some(why) = wrong_bootstrap(servers.unwrap_or_default()) {
        return Err(OPTIONS.misuse(why));
    }
    if parsed.has("topic-partitions") && (parsed.has("topic") || parsed.has("partitions")) {
        return Err(occurred(
            "--topic-partitions cannot be used with --topic or --partitions",
        ));
    }
    let time = time(parsed.value("time").map_err(occurred_in)?.unwrap_or("latest"))?;
    let rules = rules(&parsed)?;
    let admin = connect(&parsed)?;
    let partitions = matching(&admin, &rules, parsed.has("exclude-internal-topics"))?;
    if partitions.is_empty() {
        return Err(occurred(
            "Could not match any topic-partitions with the specified filters",
        ));
    }
    print(&admin, &partitions, time)?;
    Ok(0)
}

fn occurred(message: impl std::fmt::Display) -> Ending {
    Ending::failure(format!("Error occurred: {message}"))
}

fn occurred_in(ending: Ending) -> Ending {
    occurred(ending.stderr)
}

fn failed(call: &'static str) -> impl Fn(Failure) -> Ending {
    move |failure| {
        match failure.kind() {
        Kind::Unreachable => occurred(format!(
            "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: {call}"
        ))
        .hint(nobody(failure.what())),
        _ => occurred(failure_exception(&failure)).hints_of(&failure),
    }
    }
}

fn connect(parsed: &Parsed) -> Result<Admin, Ending> {
    let bootstrap = parsed
        .value("bootstrap-server")
        .map_err(occurred_in)?
        .unwrap_or_default();
    let config = parsed.value("command-config").map_err(occurred_in)?;
    let connection = admin_connection(bootstrap, config).map_err(|unmade| Ending {
        hints: unmade.hints,
        ..Ending::failure(format!("Error occurred: {}\n{}", unmade.message, unmade.why).trim_end())
    })?;
    Admin::connect(&connection).map_err(failed("listTopics"))
}

/// Which offset to ask for; `None` for one that no partition without tiered storage has.
fn time(text: &str) -> Result<Option<OffsetSpec>, Ending> {
    let known = TIMES
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, number)| *number);
    let number = match known {
        Some(number) => number,
        None => text.parse::<i64>().map_err(|_| {
            let all: Vec<String> = TIMES
                .iter()
                .map(|(name, number)| format!("{number} or {name}"))
                .collect();
            occurred(format!(
                "Malformed time argument {text}. Please use {}, or a specified long format timestamp",
                all.join(" / ")
            ))
        })?,
    };
    Ok(match number {
        -1 => Some(OffsetSpec::Latest),
        // Without tiered storage all of a log is local.
        -2 | -4 => Some(OffsetSpec::Earliest),
        -3 => Some(OffsetSpec::MaxTimestamp),
        -5 | -6 => None,
        number => Some(OffsetSpec::Timestamp(number)),
    })
}

/// Topics, and which of their partitions.
struct Rule {
    topics: Regex,
    partitions: Wanted,
}

enum Wanted {
    All,
    These(Vec<i32>),
    /// From the first to before the second.
    Range(i32, i32),
}

impl Rule {
    fn allows(&self, partition: &TopicPartition) -> bool {
        self.topics.is_match(&partition.topic)
            && match &self.partitions {
                Wanted::All => true,
                Wanted::These(numbers) => numbers.contains(&partition.partition),
                Wanted::Range(from, to) => (*from..*to).contains(&partition.partition),
            }
    }
}

fn rules(parsed: &Parsed) -> Result<Vec<Rule>, Ending> {
    if let Some(text) = parsed.value("topic-partitions").map_err(occurred_in)? {
        return text.split(',').map(rule).collect();
    }
    let topics = include_list(parsed.value("topic").map_err(occurred_in)?.unwrap_or(".*"))?;
    let text = parsed
        .value("partitions")
        .map_err(occurred_in)?
        .unwrap_or_default();
    let partitions = if text.is_empty() {
        Wanted::All
    } else {
        let numbers = text
            .trim_end_matches(',')
            .split(',')
            .map(str::parse)
            .collect::<Result<Vec<i32>, _>>();
        Wanted::These(numbers.map_err(|_| {
            occurred(format!(
                "--partitions expects a comma separated list of numeric partition ids, but received: {text}"
            ))
        })?)
    };
    Ok(vec![Rule { topics, partitions }])
}

/// `topic:1`, `topic:0-3`, `topic:5-`, `topic:-3`, `topic`, `:1`
fn rule(text: &str) -> Result<Rule, Ending> {
    let bad = || {
        occurred(format!(
            "org.apache.kafka.tools.TerseException: Invalid rule specification: {text}"
        ))
    };
    let (topic, numbers) = text.split_once(':').unwrap_or((text, ""));
    let number = |text: &str, missing: i32| {
        if text.is_empty() {
            return Ok(missing);
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or_else(bad)
    };
    let partitions = match numbers.split_once('-') {
        Some((from, to)) => Wanted::Range(number(from, 0)?, number(to, i32::MAX)?),
        None if numbers.is_empty() => Wanted::All,
        None => Wanted::These(vec![number(numbers, 0)?]),
    };
    Ok(Rule {
        topics: include_list(if topic.is_empty() { ".*" } else { topic })?,
        partitions,
    })
}

/// Kafka's include list: a regular expression of whole names, in which a comma means "or".
fn include_list(text: &str) -> Result<Regex, Ending> {
    let text = text.trim().replace(',', "|").replace(' ', "");
    let text = text.trim_matches(['"', '\'']);
    Regex::new(&format!("^(?:{text})$")).map_err(|_| occurred(format!("{text} is an invalid regex.")))
}

fn matching(admin: &Admin, rules: &[Rule], without_internal: bool) -> Result<Vec<TopicPartition>, Ending> {
    let metadata = admin.metadata().map_err(failed("listTopics"))?;
    Ok(metadata
        .topics
        .iter()
        .filter(|topic| !(without_internal && is_internal(&topic.name)))
        .flat_map(TopicMetadata::topic_partitions)
        .filter(|partition| rules.iter().any(|rule| rule.allows(partition)))
        .collect())
}

/// Partitions without an answer are left out, an error is told on stderr.
fn print(admin: &Admin, partitions: &[TopicPartition], time: Option<OffsetSpec>) -> Result<(), Ending> {
    let Some(time) = time else {
        return Ok(());
    };
    if let OffsetSpec::Timestamp(..0) = time {
        for partition in partitions {
            eprintln!(
                "Skip getting offsets for topic-partition {partition} due to error: \
                 org.apache.kafka.common.errors.UnsupportedVersionException: The version of API is not supported."
            );
        }
        return Ok(());
    }
    let answers = admin
        .list_offsets(partitions, time)
        .map_err(failed("listOffsets"))?;
    let mut lines: Vec<(String, String)> = Vec::new();
    for (partition, answer) in answers {
        match answer {
            Ok(listed) => lines.extend(listed.offset.map(|offset| {
                let line = format!("{}:{}:{offset}", partition.topic, partition.partition);
                (partition.to_string(), line)
            })),
            Err(refusal) => eprintln!(
                "Skip getting offsets for topic-partition {partition} due to error: {}",
                java_exception(&refusal)
            ),
        }
    }
    // As Kafka's tool sorts: by the text `TOPIC-PARTITION`, so that 10 comes before 2.
    lines.sort();
    for (_, line) in lines {
        out(&line);
    }
    Ok(())
}
