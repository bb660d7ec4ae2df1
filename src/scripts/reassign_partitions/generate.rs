//! `kafka-reassign-partitions --generate`

use super::execute::current_log_dirs;
use super::{Cluster, error, file, file_of, late};
use crate::kafka::{Broker, TopicPartition, Wire};
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn run(cluster: &mut Cluster, parsed: &Parsed) -> Result<(), Ending> {
    let text = file_of(parsed, "topics-to-move-json-file")?;
    let list = parsed.value("broker-list").map_err(late)?.unwrap_or_default();
    let ids = ids(list).map_err(error)?;
    let topics = file::topics(&text).map_err(error)?;
    let twice = repeated(&topics);
    if !twice.is_empty() {
        return Err(error(format!(
            "List of topics to reassign contains duplicate entries: [{}]",
            twice.join(", ")
        )));
    }
    let names: BTreeSet<&str> = topics.iter().map(String::as_str).collect();
    let current: BTreeMap<TopicPartition, Vec<i32>> =
        cluster.replicas_of_topics(&names)?.into_iter().collect();
    let brokers = brokers(cluster, &ids, !parsed.has("disable-rack-aware"))?;
    let proposed = spread(&current, &brokers).map_err(error)?;
    let log_dirs = current_log_dirs(cluster, &current)?;
    out(&format!(
        "Current partition replica assignment\n{}\n",
        file::json(&current, &log_dirs)
    ));
    out(&format!(
        "Proposed partition reassignment configuration\n{}",
        file::json(&proposed, &BTreeMap::new())
    ));
    Ok(())
}

fn ids(list: &str) -> Result<Vec<i32>, String> {
    let ids = list
        .split(',')
        .map(|id| id.parse().map_err(|_| format!("For input string: \"{id}\"")))
        .collect::<Result<Vec<i32>, String>>()?;
    let twice = repeated(&ids);
    if twice.is_empty() {
        return Ok(ids);
    }
    Err(format!(
        "Broker list contains duplicate entries: [{}]",
        twice.join(", ")
    ))
}

fn repeated<T: Ord + ToString>(items: &[T]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&T> = items.iter().filter(|item| !seen.insert(*item)).collect();
    twice.into_iter().map(ToString::to_string).collect()
}

/// The brokers of the list that are up; without their racks if those are not to be minded.
fn brokers(cluster: &mut Cluster, ids: &[i32], with_racks: bool) -> Result<Vec<Broker>, Ending> {
    let mut brokers = cluster.ask("listNodes", Wire::nodes)?;
    brokers.retain(|broker| ids.contains(&broker.id));
    brokers.sort_by_key(|broker| broker.id);
    if !with_racks {
        brokers.iter_mut().for_each(|broker| broker.rack = None);
    }
    let rackless = brokers.iter().filter(|broker| broker.rack.is_none()).count();
    if rackless != 0 && rackless != brokers.len() {
        return Err(error(
            "Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment \
             without rack information.",
        ));
    }
    Ok(brokers)
}

/// As many replicas as before, leaders and followers spread evenly, in different racks as far as there are any.
fn spread(
    current: &BTreeMap<TopicPartition, Vec<i32>>,
    brokers: &[Broker],
) -> Result<BTreeMap<TopicPartition, Vec<i32>>, String> {
    if brokers.is_empty() {
        return Err(
            "All brokers are currently fenced, or have all their log directories cordoned.".to_owned(),
        );
    }
    let ring = alternating(brokers);
    let mut proposed = BTreeMap::new();
    let mut start = 0;
    let mut topic = "";
    let mut count = 0;
    for (index, (partition, replicas)) in current.iter().enumerate() {
        if partition.topic != topic {
            // Each topic begins elsewhere, so that many small topics spread too.
            topic = &partition.topic;
            count = replicas.len();
            start = rand::random_range(0..ring.len());
        }
        if count > ring.len() {
            return Err(format!(
                "The target replication factor of {count} cannot be reached because only {} broker(s) are registered.",
                ring.len()
            ));
        }
        // A shift that grows with each round lets other brokers follow the same leader.
        let shift = index / ring.len();
        proposed.insert(
            partition.clone(),
            replicas_from(&ring, start + index, shift, count),
        );
    }
    Ok(proposed)
}

/// The brokers so that neighbours are in different racks where that is possible.
fn alternating(brokers: &[Broker]) -> Vec<&Broker> {
    let mut racks: BTreeMap<Option<&str>, Vec<&Broker>> = BTreeMap::new();
    for broker in brokers {
        racks.entry(broker.rack.as_deref()).or_default().push(broker);
    }
    let longest = racks.values().map(Vec::len).max().unwrap_or_default();
    (0..longest)
        .flat_map(|place| racks.values().filter_map(move |rack| rack.get(place).copied()))
        .collect()
}

fn replicas_from(ring: &[&Broker], first: usize, shift: usize, count: usize) -> Vec<i32> {
    let leader = ring[first % ring.len()];
    let others = ring.len() - 1;
    let mut candidates: Vec<&Broker> = (0..others)
        .map(|place| ring[(first + 1 + (shift + place) % others) % ring.len()])
        .collect();
    let mut racks = BTreeSet::from([leader.rack.as_deref()]);
    let mut replicas = vec![leader.id];
    while replicas.len() < count && !candidates.is_empty() {
        // A rack without a replica first; when all have one, whoever is next.
        let next = candidates
            .iter()
            .position(|broker| !racks.contains(&broker.rack.as_deref()))
            .unwrap_or_default();
        let broker = candidates.remove(next);
        racks.insert(broker.rack.as_deref());
        replicas.push(broker.id);
    }
    replicas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(id: i32, rack: Option<&str>) -> Broker {
        Broker {
            id,
            host: "h".to_owned(),
            port: 9092,
            rack: rack.map(str::to_owned),
        }
    }

    #[test]
    fn leaders_are_spread_and_replicas_lie_in_different_racks() {
        let brokers = [
            broker(1, Some("a")),
            broker(2, Some("a")),
            broker(3, Some("b")),
            broker(4, Some("b")),
        ];
        let current = (0..8)
            .map(|index| (TopicPartition::new("t", index), vec![1, 2]))
            .collect();
        let proposed = spread(&current, &brokers).unwrap();
        let mut led = BTreeMap::new();
        for replicas in proposed.values() {
            *led.entry(replicas[0]).or_insert(0) += 1;
            let rack = |id: i32| (id - 1) / 2;
            assert_ne!(rack(replicas[0]), rack(replicas[1]), "{replicas:?}");
        }
        assert_eq!(led, BTreeMap::from([(1, 2), (2, 2), (3, 2), (4, 2)]));
        assert!(
            spread(&current, &brokers[..1])
                .unwrap_err()
                .contains("only 1 broker(s)")
        );
    }
}
