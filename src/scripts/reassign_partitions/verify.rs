//! `kafka-reassign-partitions --verify`

use super::{Cluster, error, file, file_of, joined, moves, throttles};
use crate::kafka::TopicPartition;
use crate::kafka::wire::Reassignment;
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};
use std::collections::BTreeMap;

pub(super) fn run(cluster: &mut Cluster, parsed: &Parsed) -> Result<(), Ending> {
    let text = file_of(parsed, "reassignment-json-file")?;
    let wanted = file::wanted(&text).map_err(error)?;
    let under_way = cluster.ask("listPartitionReassignments", |wire| wire.list_reassignments(None))?;
    let current = current(cluster, &wanted.partitions, &under_way)?;
    out("Status of partition reassignment:");
    let targets: BTreeMap<&TopicPartition, &Vec<i32>> = wanted
        .partitions
        .iter()
        .map(|(partition, replicas)| (partition, replicas))
        .collect();
    for (partition, target) in targets {
        let moving = under_way.iter().any(|going| going.partition == *partition);
        let now = current.get(partition).map_or(&[][..], Vec::as_slice);
        out(&status(partition, moving, now, target));
    }
    let progress = moves::progress(cluster, &wanted.log_dirs)?;
    let lines: Vec<String> = progress
        .iter()
        .map(|(replica, target, progress)| progress.told(replica, target))
        .collect();
    out(&lines.join("\n"));
    let all_over = progress.iter().all(|(_, _, progress)| progress.is_over());
    if under_way.is_empty() && all_over && !parsed.has("preserve-throttles") {
        throttles::clear(cluster, &wanted.partitions)?;
    }
    Ok(())
}

fn status(partition: &TopicPartition, moving: bool, now: &[i32], target: &[i32]) -> String {
    if moving {
        format!("Reassignment of partition {partition} is still in progress.")
    } else if now == target {
        format!("Reassignment of partition {partition} is completed.")
    } else {
        format!(
            "There is no active reassignment of partition {partition}, but replica set is {} rather than {}.",
            joined(now),
            joined(target)
        )
    }
}

/// The replicas of the partitions that are not being moved; those of a topic that is not there are left out.
fn current(
    cluster: &mut Cluster,
    wanted: &[(TopicPartition, Vec<i32>)],
    under_way: &[Reassignment],
) -> Result<BTreeMap<TopicPartition, Vec<i32>>, Ending> {
    let moving = |partition: &TopicPartition| under_way.iter().any(|going| going.partition == *partition);
    let mut topics: Vec<&str> = wanted
        .iter()
        .filter(|(partition, _)| !moving(partition))
        .map(|(partition, _)| partition.topic.as_str())
        .collect();
    topics.sort_unstable();
    topics.dedup();
    let mut current = BTreeMap::new();
    for (topic, answer) in cluster.ask("describeTopics", |wire| wire.replicas(&topics))? {
        match answer {
            Ok(partitions) => current.extend(
                partitions
                    .into_iter()
                    .map(|(index, replicas)| (TopicPartition::new(&topic, index), replicas)),
            ),
            Err(refusal) if refusal.is_unknown_topic() => {}
            Err(refusal) => return Err(cluster.refused("describeTopics", &refusal)),
        }
    }
    Ok(current)
}
