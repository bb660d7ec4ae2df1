//! `kafka-reassign-partitions`: move replicas between brokers, and between the log directories of one.

mod cancel;
mod execute;
mod file;
mod generate;
mod moves;
mod options;
mod throttles;
mod verify;

use super::connecting::{self, Unanswered};
use super::options::Parsed;
use super::{Ending, out, partitions_file};
use crate::kafka::{Answer, KafkaError, TopicPartition, Wire};
use options::OPTIONS;
use std::collections::BTreeSet;

/// Runs the script.
///
/// # Errors
/// Usage mistakes on stderr, whatever goes wrong later on stdout; exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    let action = options::check(&parsed)?;
    let mut cluster = Cluster::connect(&parsed, action)?;
    match action {
        "generate" => generate::run(&mut cluster, &parsed)?,
        "execute" => execute::run(&mut cluster, &parsed)?,
        "verify" => verify::run(&mut cluster, &parsed)?,
        "cancel" => cancel::run(&mut cluster, &parsed)?,
        _ => list(&mut cluster)?,
    }
    Ok(0)
}

/// Kafka's tool tells of all its troubles on stdout.
fn error(message: impl std::fmt::Display) -> Ending {
    Ending::on_stdout(1, format!("Error: {message}"))
}

fn late(ending: Ending) -> Ending {
    error(ending.stderr)
}

/// Words that Kafka's tool shows alone.
fn terse(message: impl Into<String>) -> Ending {
    Ending::on_stdout(1, message)
}

/// The text of the file that an option names.
fn file_of(parsed: &Parsed, option: &str) -> Result<String, Ending> {
    let path = parsed.value(option).map_err(late)?.unwrap_or_default();
    partitions_file::read(path).map_err(error)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(",")
}

/// The cluster that is asked.
struct Cluster {
    wire: Wire,
}

impl Cluster {
    fn connect(parsed: &Parsed, action: &str) -> Result<Self, Ending> {
        for option in ["bootstrap-server", "bootstrap-controller"] {
            if parsed.has(option) && parsed.value(option).map_err(late)?.is_none() {
                return Err(error(format!("--{option} has no value")).hint(format!("--{option} HOST:PORT")));
            }
        }
        let first_call = match action {
            "generate" => "describeTopics",
            _ => "listPartitionReassignments",
        };
        let wire = connecting::wire(parsed, late, first_call, |told| error(&told.exception))?;
        Ok(Cluster { wire })
    }

    /// Asks; what goes wrong is told by Java's name of the call.
    fn ask<T>(&mut self, call: &str, ask: impl FnOnce(&mut Wire) -> Answer<T>) -> Result<T, Ending> {
        ask(&mut self.wire).map_err(|refusal| self.refused(call, &refusal))
    }

    fn refused(&self, call: &str, refusal: &KafkaError) -> Ending {
        Unanswered::of_error(refusal, call).ending(|told| error(&told.exception))
    }

    /// The ids of the brokers that are up.
    fn brokers(&mut self) -> Result<BTreeSet<i32>, Ending> {
        let nodes = self.ask("listNodes", Wire::nodes)?;
        Ok(nodes.into_iter().map(|node| node.id).collect())
    }

    /// The replicas of the topics, each of which must be there.
    fn replicas_of_topics(
        &mut self,
        topics: &BTreeSet<&str>,
    ) -> Result<Vec<(TopicPartition, Vec<i32>)>, Ending> {
        let names: Vec<&str> = topics.iter().copied().collect();
        let mut found = Vec::new();
        for (topic, answer) in self.ask("describeTopics", |wire| wire.replicas(&names))? {
            let partitions = match answer {
                Ok(partitions) => partitions,
                Err(refusal) if refusal.is_unknown_topic() => {
                    return Err(error(format!(
                        "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Topic {topic} not found."
                    )));
                }
                Err(refusal) => return Err(self.refused("describeTopics", &refusal)),
            };
            found.extend(
                partitions
                    .into_iter()
                    .map(|(index, replicas)| (TopicPartition::new(&topic, index), replicas)),
            );
        }
        Ok(found)
    }
}

fn list(cluster: &mut Cluster) -> Result<(), Ending> {
    let mut moves = cluster.ask("listPartitionReassignments", |wire| wire.list_reassignments(None))?;
    if moves.is_empty() {
        out("No partition reassignments found.");
        return Ok(());
    }
    moves.sort_by(|one, other| one.partition.cmp(&other.partition));
    out("Current partition reassignments:");
    for reassignment in moves {
        let part = |what: &str, brokers: &[i32]| match brokers {
            [] => String::new(),
            brokers => format!(" {what}: {}.", joined(brokers)),
        };
        out(&format!(
            "{}: replicas: {}.{}{}",
            reassignment.partition,
            joined(&reassignment.replicas),
            part("adding", &reassignment.adding),
            part("removing", &reassignment.removing)
        ));
    }
    Ok(())
}
