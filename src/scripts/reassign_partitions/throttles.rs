//! Holding moves back: how fast, set on brokers, and which replicas, set on topics (KIP-73, KIP-113).

use super::{Cluster, joined, plural};
use crate::kafka::wire::{ConfigKind, Reassignment};
use crate::kafka::{ConfigChange, TopicPartition};
use crate::scripts::java_order::hash_map_order;
use crate::scripts::{Ending, out};
use std::collections::{BTreeMap, BTreeSet};

const LEADER_RATE: &str = "leader.replication.throttled.rate";
const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";
const LOG_DIRS_RATE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";
const LEADER_REPLICAS: &str = "leader.replication.throttled.replicas";
const FOLLOWER_REPLICAS: &str = "follower.replication.throttled.replicas";

/// From which brokers a partition goes to which.
struct Move {
    sources: BTreeSet<i32>,
    destinations: BTreeSet<i32>,
}

/// Sets the throttle of moves between brokers: those under way and those that will be.
pub(super) fn between_brokers(
    cluster: &mut Cluster,
    under_way: &[Reassignment],
    proposed: &BTreeMap<TopicPartition, Vec<i32>>,
    current: &BTreeMap<TopicPartition, Vec<i32>>,
    rate: i64,
) -> Result<(), Ending> {
    let moves = moves(under_way, proposed, current);
    let topics: BTreeSet<&str> = moves.keys().map(|partition| partition.topic.as_str()).collect();
    for topic in topics {
        let of_topic = moves.iter().filter(|(partition, _)| partition.topic == topic);
        let mut leaders = BTreeSet::new();
        let mut followers = BTreeSet::new();
        for (partition, going) in of_topic {
            let named = |broker: &i32| format!("{}:{broker}", partition.partition);
            leaders.extend(going.sources.iter().map(named));
            followers.extend(going.destinations.difference(&going.sources).map(named));
        }
        let changes = [
            ConfigChange::Set(LEADER_REPLICAS.to_owned(), joined(leaders)),
            ConfigChange::Set(FOLLOWER_REPLICAS.to_owned(), joined(followers)),
        ];
        alter(cluster, ConfigKind::Topic, topic, &changes)?;
    }
    let brokers: BTreeSet<i32> = moves
        .values()
        .flat_map(|going| going.sources.union(&going.destinations).copied())
        .collect();
    for broker in brokers {
        let changes =
            [LEADER_RATE, FOLLOWER_RATE].map(|name| ConfigChange::Set(name.to_owned(), rate.to_string()));
        alter(cluster, ConfigKind::Broker, &broker.to_string(), &changes)?;
    }
    out(&format!("The inter-broker throttle limit was set to {rate} B/s"));
    Ok(())
}

fn moves(
    under_way: &[Reassignment],
    proposed: &BTreeMap<TopicPartition, Vec<i32>>,
    current: &BTreeMap<TopicPartition, Vec<i32>>,
) -> BTreeMap<TopicPartition, Move> {
    let mut moves: BTreeMap<TopicPartition, Move> = BTreeMap::new();
    for reassignment in under_way {
        let new: BTreeSet<i32> = reassignment.adding.iter().copied().collect();
        let sources = reassignment
            .replicas
            .iter()
            .copied()
            .filter(|id| !new.contains(id));
        let going = Move {
            sources: sources.collect(),
            destinations: new,
        };
        moves.insert(reassignment.partition.clone(), going);
    }
    for (partition, replicas) in proposed {
        let sources: BTreeSet<i32> = match moves.remove(partition) {
            Some(going) => going.sources,
            None => current.get(partition).into_iter().flatten().copied().collect(),
        };
        let destinations = replicas
            .iter()
            .copied()
            .filter(|id| !sources.contains(id))
            .collect();
        moves.insert(
            partition.clone(),
            Move {
                sources,
                destinations,
            },
        );
    }
    moves
}

/// Sets the throttle of moves between the log directories of brokers.
pub(super) fn within_brokers(cluster: &mut Cluster, brokers: BTreeSet<i32>, rate: i64) -> Result<(), Ending> {
    for broker in brokers {
        let change = ConfigChange::Set(LOG_DIRS_RATE.to_owned(), rate.to_string());
        alter(cluster, ConfigKind::Broker, &broker.to_string(), &[change])?;
    }
    out(&format!(
        "The replica-alter-dir throttle limit was set to {rate} B/s"
    ));
    Ok(())
}

/// Lifts the throttles of all brokers, and of the topics of these partitions.
pub(super) fn clear(cluster: &mut Cluster, partitions: &[(TopicPartition, Vec<i32>)]) -> Result<(), Ending> {
    let mut brokers = cluster.brokers()?;
    brokers.extend(partitions.iter().flat_map(|(_, replicas)| replicas));
    let mut brokers: Vec<i32> = brokers.into_iter().collect();
    hash_map_order(&mut brokers, |id| id);
    out(&format!(
        "Clearing broker-level throttles on broker{} {}",
        plural(brokers.len()),
        joined(&brokers)
    ));
    let delete = |name: &str| ConfigChange::Delete(name.to_owned());
    let changes = [LEADER_RATE, FOLLOWER_RATE, LOG_DIRS_RATE].map(delete);
    for broker in &brokers {
        alter(cluster, ConfigKind::Broker, &broker.to_string(), &changes)?;
    }
    let topics: BTreeSet<String> = partitions
        .iter()
        .map(|(partition, _)| partition.topic.clone())
        .collect();
    let mut topics: Vec<String> = topics.into_iter().collect();
    hash_map_order(&mut topics, |topic| topic.as_str());
    out(&format!(
        "Clearing topic-level throttles on topic{} {}",
        plural(topics.len()),
        joined(&topics)
    ));
    let changes = [LEADER_REPLICAS, FOLLOWER_REPLICAS].map(delete);
    for topic in &topics {
        alter(cluster, ConfigKind::Topic, topic, &changes)?;
    }
    Ok(())
}

fn alter(
    cluster: &mut Cluster,
    kind: ConfigKind,
    name: &str,
    changes: &[ConfigChange],
) -> Result<(), Ending> {
    cluster.ask("incrementalAlterConfigs", |wire| {
        wire.alter_configs(kind, name, changes)
    })
}
