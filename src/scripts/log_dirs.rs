//! `kafka-log-dirs`: what is in the brokers' log directories, and how large it is.

use super::connecting::{self, Unanswered, bootstrap_server, command_config};
use super::java_order::hash_map_order;
use super::java_words::java_class;
use super::options::{HELP, Options, Parsed, VERSION, flag, value};
use super::{Ending, out};
use crate::kafka::wire::{LogDir, LogDirReplica};
use crate::kafka::{KafkaError, Wire};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OPTIONS: Options = Options {
    about: "This tool helps to query log directory usage on the specified brokers.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: The server(s) to use for bootstrapping"),
        command_config("String: Admin client property file"),
        flag(&["describe"], "REQUIRED: show the log directories."),
        value(
            &["topic-list"],
            "String: Topic list",
            "Only replicas of these topics, as topic1,topic2. All without it.",
        ),
        value(
            &["broker-list"],
            "String: Broker list",
            "Only these brokers, as 0,1,2. All without it.",
        ),
    ],
};

/// Runs the script.
///
/// # Errors
/// A mistake, or what a broker refuses, on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &["bootstrap-server", "describe"])?;
    let mut wire = connecting::wire(
        &parsed,
        |ending| ending,
        "listNodes",
        |told| Ending::failure(&told.exception),
    )?;
    let topics: BTreeSet<&str> = pieces(&parsed, "topic-list")?.collect();
    let brokers = brokers(&mut wire, &parsed)?;
    out("Querying brokers for log directories information");
    let described = brokers
        .iter()
        .map(|id| Ok((*id, wire.describe_log_dirs(*id, None)?)))
        .collect::<Result<Vec<_>, KafkaError>>()
        .map_err(|error| failed(&error, "describeLogDirs"))?;
    out(&format!(
        "Received log directory information from brokers {}",
        joined(&brokers)
    ));
    let brokers: Vec<Value> = described
        .into_iter()
        .map(|(id, dirs)| json!({"broker": id, "logDirs": log_dirs(dirs, &topics)}))
        .collect();
    out(&json!({"brokers": brokers, "version": 1}).to_string());
    Ok(0)
}

fn failed(error: &KafkaError, call: &str) -> Ending {
    Unanswered::of_error(error, call).ending(|told| Ending::failure(&told.exception))
}

fn pieces<'a>(parsed: &'a Parsed, option: &str) -> Result<impl Iterator<Item = &'a str>, Ending> {
    let list = parsed.value(option)?.unwrap_or_default();
    Ok(list.split(',').filter(|piece| !piece.is_empty()))
}

fn in_javas_order(ids: &mut Vec<i32>) {
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    hash_map_order(ids, |id| id);
}

fn joined(ids: &[i32]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(",")
}

/// The brokers to ask: those wanted, which must be there, or all.
fn brokers(wire: &mut Wire, parsed: &Parsed) -> Result<Vec<i32>, Ending> {
    let nodes = wire.nodes().map_err(|error| failed(&error, "listNodes"))?;
    let mut existing: Vec<i32> = nodes.iter().map(|node| node.id).collect();
    in_javas_order(&mut existing);
    let number = |id: &str| {
        let bad = |_| Ending::failure(format!("For input string: \"{id}\""));
        id.parse().map_err(bad)
    };
    let mut wanted = pieces(parsed, "broker-list")?
        .map(number)
        .collect::<Result<Vec<i32>, Ending>>()?;
    in_javas_order(&mut wanted);
    if wanted.is_empty() {
        return Ok(existing);
    }
    let missing: Vec<i32> = wanted
        .iter()
        .copied()
        .filter(|id| !existing.contains(id))
        .collect();
    if missing.is_empty() {
        return Ok(wanted);
    }
    Err(Ending::failure(format!(
        "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
        joined(&missing),
        joined(&existing)
    )))
}

fn log_dirs(mut dirs: Vec<LogDir>, topics: &BTreeSet<&str>) -> Vec<Value> {
    hash_map_order(&mut dirs, |dir| dir.path.as_str());
    let value = |dir: LogDir| {
        let error = dir.state.err().map(|error| java_class(error.code()));
        json!({"partitions": replicas(dir.replicas, topics), "error": error, "logDir": dir.path})
    };
    dirs.into_iter().map(value).collect()
}

/// Java puts them into one map, and those that it prints from there into another.
fn replicas(mut replicas: Vec<LogDirReplica>, topics: &BTreeSet<&str>) -> Vec<Value> {
    hash_map_order(&mut replicas, |replica| &replica.partition);
    replicas.retain(|replica| topics.is_empty() || topics.contains(replica.partition.topic.as_str()));
    hash_map_order(&mut replicas, |replica| &replica.partition);
    let value = |replica: &LogDirReplica| {
        json!({
            "partition": replica.partition.to_string(),
            "size": replica.size,
            "offsetLag": replica.offset_lag,
            "isFuture": replica.is_future,
        })
    };
    replicas.iter().map(value).collect()
}
