//! `kafka-delete-records`: delete the records of partitions before an offset.

use super::client_properties::{Unmade, admin_connection};
use super::connecting::{Unanswered, bootstrap_server, command_config};
use super::java_order::hash_map_order;
use super::java_words::java_exception;
use super::options::{HELP, Options, VERSION, value};
use super::{Ending, out, partitions_file};
use crate::failure::{Failure, Kind};
use crate::kafka::{Admin, Answer, Connection, ErrorCode, KafkaError, TopicPartition};
use serde_json::Value;
use std::collections::BTreeSet;

const OPTIONS: Options = Options {
    about: "This tool helps to delete records of the given partitions down to the specified offset.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: server(s) to use for bootstrapping"),
        value(
            &["offset-json-file"],
            "String: Offset json file path",
            "REQUIRED: the file that says which records, such as {\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \
             \"offset\": 1}], \"version\": 1}. Offset -1 means all.",
        ),
        command_config("String: command config property file path"),
    ],
};

/// Runs the script.
///
/// # Errors
/// A file that is wrong, on stderr, exit code 1. What the cluster refuses is told by partition on stdout, exit code 0.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &["bootstrap-server", "offset-json-file"])?;
    let bootstrap = parsed.value("bootstrap-server")?.unwrap_or_default();
    let connection =
        admin_connection(bootstrap, parsed.value("command-config")?).map_err(Unmade::on_stderr)?;
    let path = parsed.value("offset-json-file")?.unwrap_or_default();
    let text = partitions_file::read(path).map_err(Ending::failure)?;
    let offsets = offsets(&text).map_err(Ending::failure)?;
    let admin = connect(&connection, &offsets)?;
    out("Executing records delete operation");
    let mut answers = delete(&admin, &offsets)?;
    hash_map_order(&mut answers, |(partition, _)| partition);
    out("Records delete operation completed:");
    for (partition, answer) in answers {
        match answer {
            Ok(first) => out(&format!("partition: {partition}\tlow_watermark: {first}")),
            Err(refusal) => out(&format!(
                "partition: {partition}\terror: {}",
                java_exception(&refusal)
            )),
        }
    }
    Ok(0)
}

/// Connects; a cluster that is not there is told for each partition, with success, as the tool reports every refusal.
fn connect(connection: &Connection, offsets: &[(TopicPartition, i64)]) -> Result<Admin, Ending> {
    Admin::connect(connection).map_err(|failure| {
        let ending = failed(&failure);
        if failure.kind() != Kind::Unreachable {
            return ending;
        }
        let mut partitions: Vec<&TopicPartition> = offsets.iter().map(|(partition, _)| partition).collect();
        hash_map_order(&mut partitions, |partition| *partition);
        let told = partitions
            .iter()
            .map(|partition| format!("\npartition: {partition}\terror: {}", ending.stderr));
        let stdout = "Executing records delete operation\nRecords delete operation completed:".to_owned();
        Ending {
            hints: ending.hints.clone(),
            ..Ending::success(stdout + &told.collect::<String>())
        }
    })
}

fn failed(failure: &Failure) -> Ending {
    Unanswered::of_failure(failure, "deleteRecords(api=METADATA)")
        .ending(|told| Ending::failure(&told.exception))
}

/// What the file asks for.
fn offsets(text: &str) -> Result<Vec<(TopicPartition, i64)>, String> {
    let file: Value = serde_json::from_str(text).map_err(|_| "The input string is not a valid JSON")?;
    if let Some(version) = file.get("version") {
        match version.as_i64() {
            Some(1) => {}
            Some(other) => return Err(format!("Not supported version field value {other}")),
            None => return Err(partitions_file::expected("Integer", version)),
        }
    }
    let objects = partitions_file::partitions(&file)?.ok_or("Missing partitions field")?;
    let offsets = objects
        .into_iter()
        .map(|object| {
            Ok((
                partitions_file::partition(object)?,
                partitions_file::long(object, "offset")?,
            ))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let twice = partitions_file::duplicates(offsets.iter().map(|(partition, _)| partition));
    if twice.is_empty() {
        return Ok(offsets);
    }
    let twice: Vec<String> = twice.iter().map(ToString::to_string).collect();
    Err(format!(
        "Offset json file contains duplicate topic partitions: {}",
        twice.join(",")
    ))
}

/// Asks for those that are there. The others would be waited for: Kafka's tool does, for a minute.
fn delete(
    admin: &Admin,
    offsets: &[(TopicPartition, i64)],
) -> Result<Vec<(TopicPartition, Answer<i64>)>, Ending> {
    let metadata = admin.metadata().map_err(|failure| failed(&failure))?;
    let known: BTreeSet<TopicPartition> = metadata.partitions().collect();
    let (there, missing): (Vec<_>, Vec<_>) = offsets
        .iter()
        .cloned()
        .partition(|(partition, _)| known.contains(partition));
    let mut answers = if there.is_empty() {
        Vec::new()
    } else {
        admin.delete_records(&there).map_err(|failure| failed(&failure))?
    };
    answers.extend(missing.into_iter().map(|(partition, _)| {
        let refusal = KafkaError::new(ErrorCode::UnknownTopicOrPartition, "");
        (partition, Err(refusal))
    }));
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_wrong_is_told_in_kafkas_words() {
        let told = |text: &str| offsets(text).unwrap_err();
        assert_eq!(told("foo"), "The input string is not a valid JSON");
        assert_eq!(told("{}"), "Missing partitions field");
        assert_eq!(told("{\"version\":2}"), "Not supported version field value 2");
        assert_eq!(
            told("{\"partitions\":[{\"topic\":\"a\",\"partition\":0}]}"),
            "No such field exists: `offset`"
        );
        assert_eq!(
            told("{\"partitions\":[{\"topic\":\"a\",\"partition\":0,\"offset\":\"a\"}]}"),
            "Expected `Long` value, received \"a\""
        );
        let twice = "{\"topic\":\"a\",\"partition\":0,\"offset\":1}";
        assert_eq!(
            told(&format!("{{\"partitions\":[{twice},{twice}]}}")),
            "Offset json file contains duplicate topic partitions: a-0"
        );
    }
}
