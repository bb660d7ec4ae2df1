//! JSON files that name partitions, of `kafka-delete-records`, `kafka-leader-election` and
//! `kafka-reassign-partitions`.

use crate::kafka::TopicPartition;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;

/// The text of a file.
///
/// # Errors
/// Kafka's words for one that cannot be read.
pub fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|_| format!("Unable to read file {path}"))
}

/// The objects of the `partitions` array; `None` when there is none.
///
/// # Errors
/// Jackson's words for something that is not an array of objects.
pub fn partitions(file: &Value) -> Result<Option<Vec<&Map<String, Value>>>, String> {
    objects(file, "partitions")
}

/// The objects of the array of that name; `None` when there is none.
///
/// # Errors
/// Jackson's words for something that is not an array of objects.
pub fn objects<'a>(file: &'a Value, name: &str) -> Result<Option<Vec<&'a Map<String, Value>>>, String> {
    let Some(list) = object(file)?.get(name) else {
        return Ok(None);
    };
    let list = list
        .as_array()
        .ok_or_else(|| format!("Expected JSON array, received {list}"))?;
    list.iter()
        .map(object)
        .collect::<Result<Vec<_>, String>>()
        .map(Some)
}

/// A value that must be an object.
///
/// # Errors
/// Jackson's words for one that is not.
pub fn object(value: &Value) -> Result<&Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("Expected JSON object, received {value}"))
}

/// The partition that an object names.
///
/// # Errors
/// Kafka's words for a field that is missing or of another type.
pub fn partition(object: &Map<String, Value>) -> Result<TopicPartition, String> {
    let topic = field(object, "topic")?;
    let topic = topic.as_str().ok_or_else(|| expected("String", topic))?;
    let number = field(object, "partition")?;
    let partition = number
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| expected("Integer", number))?;
    Ok(TopicPartition::new(topic, partition))
}

/// A whole number of 64 bits.
///
/// # Errors
/// As [`partition`].
pub fn long(object: &Map<String, Value>, name: &str) -> Result<i64, String> {
    let number = field(object, name)?;
    number.as_i64().ok_or_else(|| expected("Long", number))
}

/// A field that must be there.
///
/// # Errors
/// Kafka's words for one that is not.
pub fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a Value, String> {
    object
        .get(name)
        .ok_or_else(|| format!("No such field exists: `{name}`"))
}

/// What Kafka says of a field of another type.
pub fn expected(kind: &str, value: &Value) -> String {
    format!("Expected `{kind}` value, received {value}")
}

/// The partitions that are named more than once.
pub fn duplicates<'a>(partitions: impl Iterator<Item = &'a TopicPartition>) -> BTreeSet<TopicPartition> {
    let mut seen = BTreeSet::new();
    partitions
        .filter(|partition| !seen.insert(*partition))
        .cloned()
        .collect()
}
