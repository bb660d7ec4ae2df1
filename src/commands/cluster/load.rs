//! What each broker of a cluster has: partitions it leads, replicas, and how far those are behind.

use crate::kafka::{ClusterMetadata, Connection, TopicPartition, Wire};
use std::collections::BTreeMap;

/// What a broker has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Partitions that it leads.
    pub leaders: usize,
    /// Replicas that it keeps.
    pub replicas: usize,
    /// Those of them that are not in sync.
    pub behind: usize,
    /// Bytes that its replicas lack of their leaders'; none where it does not answer.
    pub behind_bytes: Option<i64>,
}

/// The bytes of replicas, as each broker tells them of its own.
type Sizes = BTreeMap<i32, BTreeMap<TopicPartition, i64>>;

/// What each of the brokers `ids` has, as those that are `answering` tell, at their `HOST:PORT`; empty where none does.
pub fn of_brokers(answering: &BTreeMap<i32, String>, ids: &[i32]) -> BTreeMap<i32, Load> {
    // Who looks at a cluster that is in trouble wants to see the rest of it all the same.
    ask(answering, ids).unwrap_or_else(|| {
        tracing::warn!("no broker tells what it has");
        BTreeMap::new()
    })
}

fn ask(answering: &BTreeMap<i32, String>, ids: &[i32]) -> Option<BTreeMap<i32, Load>> {
    if answering.is_empty() {
        return None;
    }
    let servers: Vec<&str> = answering.values().map(String::as_str).collect();
    let connection = Connection::new(&servers.join(","), None).ok()?;
    let mut wire = Wire::connect(&connection).ok()?;
    let metadata = wire.metadata().ok()?;
    let mut sizes = Sizes::new();
    for broker in &metadata.brokers {
        // One that stands still is not asked: it would not answer, and the others need not wait for that.
        if answering.contains_key(&broker.id)
            && let Ok(folders) = wire.describe_log_dirs(broker.id, None)
        {
            let replicas = folders.into_iter().flat_map(|folder| folder.replicas);
            let sizes_of = replicas.filter(|replica| !replica.is_future);
            sizes.insert(
                broker.id,
                sizes_of
                    .map(|replica| (replica.partition, replica.size))
                    .collect(),
            );
        }
    }
    Some(ids.iter().map(|id| (*id, load(*id, &metadata, &sizes))).collect())
}

fn load(id: i32, metadata: &ClusterMetadata, sizes: &Sizes) -> Load {
    let own = sizes.get(&id);
    let mut load = Load {
        behind_bytes: own.map(|_| 0),
        ..Load::default()
    };
    for topic in &metadata.topics {
        for partition in topic.partitions.iter().filter(|one| one.replicas.contains(&id)) {
            load.replicas += 1;
            load.behind += usize::from(!partition.isr.contains(&id));
            load.leaders += usize::from(partition.leader == Some(id));
            let name = TopicPartition::new(&topic.name, partition.partition);
            let size = |sizes: &BTreeMap<TopicPartition, i64>| sizes.get(&name).copied();
            let led = partition
                .leader
                .and_then(|leader| sizes.get(&leader))
                .and_then(size);
            if let (Some(led), Some(own)) = (led, own.and_then(size)) {
                load.behind_bytes = load.behind_bytes.map(|bytes| bytes + (led - own).max(0));
            }
        }
    }
    load
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{PartitionDescription, TopicMetadata};

    #[test]
    fn replicas_out_of_sync_and_bytes_that_lack_are_behind() {
        let partition = |partition, leader, isr: &[i32]| PartitionDescription {
            partition,
            leader,
            replicas: vec![1, 2],
            isr: isr.to_vec(),
        };
        let metadata = ClusterMetadata {
            brokers: Vec::new(),
            topics: vec![TopicMetadata {
                name: "t".to_owned(),
                partitions: vec![partition(0, Some(1), &[1]), partition(1, None, &[2])],
            }],
        };
        let size = |bytes: i64| BTreeMap::from([(TopicPartition::new("t", 0), bytes)]);
        let sizes = Sizes::from([(1, size(100)), (2, size(70))]);
        let load = |id, sizes: &Sizes| load(id, &metadata, sizes);
        let first = Load {
            leaders: 1,
            replicas: 2,
            behind: 1,
            behind_bytes: Some(0),
        };
        assert_eq!(load(1, &sizes), first);
        let second = Load {
            leaders: 0,
            behind_bytes: Some(30),
            ..first
        };
        assert_eq!(load(2, &sizes), second);
        assert_eq!(load(2, &Sizes::new()).behind_bytes, None);
        assert_eq!(load(3, &sizes), Load::default());
    }
}
