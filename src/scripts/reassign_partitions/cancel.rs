//! `kafka-reassign-partitions --cancel`

use super::execute::patience;
use super::file::Replica;
use super::{Cluster, error, file, file_of, joined, moves, plural, terse, throttles};
use crate::kafka::TopicPartition;
use crate::scripts::java_words::java_message;
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out, out_now};
use moves::Progress;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn run(cluster: &mut Cluster, parsed: &Parsed) -> Result<(), Ending> {
    let text = file_of(parsed, "reassignment-json-file")?;
    let patience = patience(parsed)?;
    let wanted = file::wanted(&text).map_err(error)?;
    let named: BTreeSet<TopicPartition> = wanted
        .partitions
        .iter()
        .map(|(partition, _)| partition.clone())
        .collect();
    let named: Vec<TopicPartition> = named.into_iter().collect();
    let under_way = cluster.ask("listPartitionReassignments", |wire| {
        wire.list_reassignments(Some(&named))
    })?;
    let mut moving: Vec<TopicPartition> = under_way
        .into_iter()
        // As Kafka's tool has it: one that only adds replicas goes on.
        .filter(|going| going.adding.is_empty() || !going.removing.is_empty())
        .map(|going| going.partition)
        .collect();
    moving.sort();
    stop(cluster, &moving)?;
    let back: BTreeMap<Replica, String> = moves::progress(cluster, &wanted.log_dirs)?
        .into_iter()
        .filter_map(|(replica, _, progress)| match progress {
            Progress::Active(current, _) => Some((replica, current)),
            _ => None,
        })
        .collect();
    if back.is_empty() {
        // Kafka's tool ends no line here.
        out_now("None of the specified partition moves are active.");
    } else {
        moves::start(cluster, &back, patience)?;
    }
    if !parsed.has("preserve-throttles") {
        throttles::clear(cluster, &wanted.partitions)?;
    }
    Ok(())
}

fn stop(cluster: &mut Cluster, moving: &[TopicPartition]) -> Result<(), Ending> {
    if moving.is_empty() {
        out("None of the specified partition reassignments are active.");
        return Ok(());
    }
    let wanted: Vec<_> = moving.iter().map(|partition| (partition.clone(), None)).collect();
    let answers = cluster.ask("alterPartitionReassignments", |wire| {
        wire.alter_reassignments(&wanted, true)
    })?;
    let mut refusals: Vec<(TopicPartition, String)> = answers
        .into_iter()
        .filter_map(|(partition, answer)| Some((partition, java_message(&answer.err()?))))
        .collect();
    if refusals.is_empty() {
        out(&format!(
            "Successfully cancelled partition reassignment{} for: {}",
            plural(moving.len()),
            joined(moving)
        ));
        return Ok(());
    }
    refusals.sort();
    let lines: Vec<String> = refusals
        .iter()
        .map(|(partition, why)| format!("{partition}: {why}"))
        .collect();
    Err(terse(format!(
        "Error cancelling partition reassignment{} for:\n{}",
        plural(lines.len()),
        lines.join("\n")
    )))
}
