//! `kafka-reassign-partitions --execute`

use super::file::{self, Replica};
use super::{Cluster, error, file_of, joined, late, moves, plural, terse, throttles};
use crate::kafka::TopicPartition;
use crate::scripts::java_order::hash_map_order;
use crate::scripts::java_words::java_message;
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out, partitions_file};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const UNDER_WAY: &str = "Cannot execute because there is an existing partition assignment.  Use --additional to override \
                         this and create a new partition assignment in addition to the existing one. The --additional \
                         flag can also be used to change the throttle by resubmitting the current reassignment.";

type Assignment = BTreeMap<TopicPartition, Vec<i32>>;

pub(super) fn run(cluster: &mut Cluster, parsed: &Parsed) -> Result<(), Ending> {
    let text = file_of(parsed, "reassignment-json-file")?;
    let throttle = |option: &str| parsed.number::<i64>(option).map_err(late);
    let rate = throttle("throttle")?.unwrap_or(-1);
    let log_dirs_rate = throttle("replica-alter-log-dirs-throttle")?.unwrap_or(-1);
    let patience = patience(parsed)?;
    let wanted = file::wanted(&text).map_err(error)?;
    let proposed = proposed(wanted.partitions).map_err(error)?;
    let under_way = cluster.ask("listPartitionReassignments", |wire| wire.list_reassignments(None))?;
    if !parsed.has("additional") && !under_way.is_empty() {
        return Err(terse(UNDER_WAY));
    }
    check_brokers(cluster, &proposed)?;
    let current = current(cluster, &proposed)?;
    show(cluster, &current)?;
    if rate >= 0 || log_dirs_rate >= 0 {
        out(
            "Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is \
             removed.",
        );
    }
    if rate >= 0 {
        throttles::between_brokers(cluster, &under_way, &proposed, &current, rate)?;
    }
    if log_dirs_rate >= 0 {
        let brokers = wanted.log_dirs.keys().map(|(_, broker)| *broker).collect();
        throttles::within_brokers(cluster, brokers, log_dirs_rate)?;
    }
    start(
        cluster,
        &proposed,
        !parsed.has("disallow-replication-factor-change"),
    )?;
    moves::start(cluster, &wanted.log_dirs, patience)
}

/// `--timeout`
pub(super) fn patience(parsed: &Parsed) -> Result<Duration, Ending> {
    let millis = parsed.number::<i64>("timeout").map_err(late)?.unwrap_or(10_000);
    Ok(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
}

/// The assignment that the file proposes, if it makes sense.
fn proposed(partitions: Vec<(TopicPartition, Vec<i32>)>) -> Result<Assignment, String> {
    if partitions.is_empty() {
        return Err("Partition reassignment list cannot be empty".to_owned());
    }
    if partitions.iter().any(|(_, replicas)| replicas.is_empty()) {
        return Err("Partition replica list cannot be empty".to_owned());
    }
    let twice = partitions_file::duplicates(partitions.iter().map(|(partition, _)| partition));
    if !twice.is_empty() {
        return Err(format!(
            "Partition reassignment contains duplicate topic partitions: {}",
            joined(&twice)
        ));
    }
    let repeated = partitions.iter().filter_map(|(partition, replicas)| {
        let mut seen = BTreeSet::new();
        let twice: BTreeSet<i32> = replicas.iter().copied().filter(|id| !seen.insert(*id)).collect();
        (!twice.is_empty()).then(|| format!("{partition} contains multiple entries for {}", joined(&twice)))
    });
    let repeated: Vec<String> = repeated.collect();
    if !repeated.is_empty() {
        return Err(format!(
            "Partition replica lists may not contain duplicate entries: {}",
            repeated.join(". ")
        ));
    }
    Ok(partitions.into_iter().collect())
}

fn check_brokers(cluster: &mut Cluster, proposed: &Assignment) -> Result<(), Ending> {
    let up = cluster.brokers()?;
    let named: BTreeSet<i32> = proposed.values().flatten().copied().collect();
    let mut named: Vec<i32> = named.into_iter().collect();
    hash_map_order(&mut named, |id| id);
    match named.iter().find(|id| !up.contains(id)) {
        Some(unknown) => Err(error(format!("Unknown broker id {unknown}"))),
        None => Ok(()),
    }
}

/// The replicas that the proposed partitions have now.
fn current(cluster: &mut Cluster, proposed: &Assignment) -> Result<Assignment, Ending> {
    let topics = proposed
        .keys()
        .map(|partition| partition.topic.as_str())
        .collect();
    let current: Assignment = cluster
        .replicas_of_topics(&topics)?
        .into_iter()
        .filter(|(partition, _)| proposed.contains_key(partition))
        .collect();
    let mut missing: Vec<&TopicPartition> = proposed
        .keys()
        .filter(|partition| !current.contains_key(partition))
        .collect();
    if missing.is_empty() {
        return Ok(current);
    }
    hash_map_order(&mut missing, |partition| *partition);
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    Err(error(format!(
        "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Unable to find partition: {}",
        missing.join(", ")
    )))
}

fn show(cluster: &mut Cluster, current: &Assignment) -> Result<(), Ending> {
    let log_dirs = current_log_dirs(cluster, current)?;
    out(&format!(
        "Current partition replica assignment\n\n{}\n\nSave this to use as the --reassignment-json-file option during \
         rollback",
        file::json(current, &log_dirs)
    ));
    Ok(())
}

/// The log directories in which the replicas of an assignment lie.
pub(super) fn current_log_dirs(
    cluster: &mut Cluster,
    assignment: &Assignment,
) -> Result<BTreeMap<Replica, String>, Ending> {
    let replicas: Vec<Replica> = assignment
        .iter()
        .flat_map(|(partition, brokers)| brokers.iter().map(|broker| (partition.clone(), *broker)))
        .collect();
    let places = moves::places(cluster, replicas.iter())?;
    Ok(places
        .into_iter()
        .filter_map(|(replica, place)| Some((replica, place.current?)))
        .collect())
}

fn start(cluster: &mut Cluster, proposed: &Assignment, allow_other_count: bool) -> Result<(), Ending> {
    let wanted: Vec<_> = proposed
        .iter()
        .map(|(partition, replicas)| (partition.clone(), Some(replicas.clone())))
        .collect();
    let answers = cluster.ask("alterPartitionReassignments", |wire| {
        wire.alter_reassignments(&wanted, allow_other_count)
    })?;
    let mut refusals: Vec<(TopicPartition, String)> = answers
        .into_iter()
        .filter_map(|(partition, answer)| Some((partition, java_message(&answer.err()?))))
        .collect();
    if !refusals.is_empty() {
        refusals.sort();
        let lines: Vec<String> = refusals
            .iter()
            .map(|(partition, why)| format!("{partition}: {why}"))
            .collect();
        return Err(terse(format!(
            "Error reassigning partition(s):\n{}",
            lines.join("\n")
        )));
    }
    out(&format!(
        "Successfully started partition reassignment{} for {}",
        plural(proposed.len()),
        joined(proposed.keys())
    ));
    Ok(())
}
