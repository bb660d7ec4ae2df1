//! The JSON files of `kafka-reassign-partitions`, read and written.

use crate::kafka::TopicPartition;
use crate::scripts::partitions_file::{expected, field, object, objects, partition};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The log directory of a replica that may lie in any.
const ANY_LOG_DIR: &str = "any";

/// A replica: a partition, on a broker.
pub(super) type Replica = (TopicPartition, i32);

/// What a file wants.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The brokers of each partition, in the file's order; a partition may be named twice.
    pub partitions: Vec<(TopicPartition, Vec<i32>)>,
    /// The log directories of the replicas that name one.
    pub log_dirs: BTreeMap<Replica, String>,
}

/// As Java's `TopicPartitionReplica` prints itself.
pub(super) fn shown(replica: &Replica) -> String {
    format!("{}-{}", replica.0, replica.1)
}

/// A replica's place in what is printed: by broker, then by partition.
pub(super) fn by_broker(replica: &Replica) -> (i32, TopicPartition) {
    (replica.1, replica.0.clone())
}

/// Reads `--reassignment-json-file`.
pub(super) fn wanted(text: &str) -> Result<Wanted, String> {
    let file: Value = serde_json::from_str(text).map_err(|_| no_json(text))?;
    check_version(&file)?;
    let mut wanted = Wanted::default();
    for entry in objects(&file, "partitions")?.unwrap_or_default() {
        let partition = partition(entry)?;
        let replicas = list(entry, "replicas", integer)?;
        let log_dirs = match entry.get("log_dirs") {
            Some(_) => list(entry, "log_dirs", string)?,
            None => vec![ANY_LOG_DIR.to_owned(); replicas.len()],
        };
        if replicas.len() != log_dirs.len() {
            return Err(format!(
                "Size of replicas list {replicas:?} is different from size of log dirs list [{}] for partition {partition}",
                log_dirs.join(", ")
            ));
        }
        for (broker, log_dir) in replicas.iter().zip(log_dirs) {
            if log_dir != ANY_LOG_DIR {
                wanted.log_dirs.insert((partition.clone(), *broker), log_dir);
            }
        }
        wanted.partitions.push((partition, replicas));
    }
    Ok(wanted)
}

/// Reads `--topics-to-move-json-file`.
pub(super) fn topics(text: &str) -> Result<Vec<String>, String> {
    let file: Value = serde_json::from_str(text).map_err(|_| "The input string is not a valid JSON")?;
    check_version(&file)?;
    objects(&file, "topics")?
        .unwrap_or_default()
        .into_iter()
        .map(|entry| string(field(entry, "topic")?))
        .collect()
}

/// Java repeats its JSON parser's words, which name the token that it stumbled over.
fn no_json(text: &str) -> String {
    if text.is_empty() {
        return "The input string shouldn't be empty".to_owned();
    }
    let token: String = text
        .trim_start()
        .chars()
        .take_while(|character| character.is_alphanumeric())
        .collect();
    if token.is_empty() {
        return "The input string is not a valid JSON".to_owned();
    }
    format!(
        "Unrecognized token '{token}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    )
}

fn check_version(file: &Value) -> Result<(), String> {
    match object(file)?
        .get("version")
        .map(|version| (version, version.as_i64()))
    {
        None | Some((_, Some(1))) => Ok(()),
        Some((_, Some(other))) => Err(format!("Not supported version field value {other}")),
        Some((version, None)) => Err(expected("Integer", version)),
    }
}

fn list<T>(
    entry: &Map<String, Value>,
    name: &str,
    item: impl Fn(&Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let list = field(entry, name)?;
    let items = list
        .as_array()
        .ok_or_else(|| format!("Expected JSON array, received {list}"))?;
    items.iter().map(item).collect()
}

fn integer(value: &Value) -> Result<i32, String> {
    value
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| expected("Integer", value))
}

fn string(value: &Value) -> Result<String, String> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| expected("String", value))
}

/// An assignment as such a file; replicas whose directory is not known may lie in any.
pub(super) fn json(
    partitions: &BTreeMap<TopicPartition, Vec<i32>>,
    log_dirs: &BTreeMap<Replica, String>,
) -> String {
    let entries = partitions.iter().map(|(partition, replicas)| {
        let directory = |broker: &i32| {
            let known = log_dirs.get(&(partition.clone(), *broker));
            known.map_or(ANY_LOG_DIR, String::as_str)
        };
        let directories: Vec<&str> = replicas.iter().map(directory).collect();
        serde_json::json!({
            "topic": partition.topic,
            "partition": partition.partition,
            "replicas": replicas,
            "log_dirs": directories,
        })
    });
    let entries: Vec<Value> = entries.collect();
    serde_json::json!({"version": 1, "partitions": entries}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_one_that_is_wrong_is_told_in_kafkas_words() {
        let text = r#"{"partitions":[{"topic":"a","partition":1,"replicas":[3,4],"log_dirs":["any","/d"]}]}"#;
        let read = wanted(text).unwrap();
        let partition = TopicPartition::new("a", 1);
        assert_eq!(read.partitions, [(partition.clone(), vec![3, 4])]);
        assert_eq!(read.log_dirs[&(partition.clone(), 4)], "/d");
        assert_eq!(
            json(&read.partitions.into_iter().collect(), &read.log_dirs),
            r#"{"version":1,"partitions":[{"topic":"a","partition":1,"replicas":[3,4],"log_dirs":["any","/d"]}]}"#
        );
        let told = |text: &str| wanted(text).unwrap_err();
        assert!(told("foo").starts_with("Unrecognized token 'foo': was expecting"));
        assert_eq!(told(r#"{"version":2}"#), "Not supported version field value 2");
        assert_eq!(
            told(r#"{"partitions":[{"topic":"a","partition":1,"replicas":[3,4],"log_dirs":["any"]}]}"#),
            "Size of replicas list [3, 4] is different from size of log dirs list [any] for partition a-1"
        );
        assert_eq!(
            topics(r#"{"topics":[{"topic":"a"},{"topic":"b"}]}"#).unwrap(),
            ["a", "b"]
        );
    }
}
