//! How it is with the replicas of a partition: in words, and as options that choose partitions by it.

use crate::kafka::PartitionDescription;
use clap::Args;

/// Which partitions are shown.
#[derive(Debug, Clone, Copy, Args)]
pub struct HealthArgs {
    /// Only partitions with replicas that are not in sync
    #[arg(long)]
    pub under_replicated: bool,
    /// Only partitions that no broker serves: none has a replica that may lead
    #[arg(long)]
    pub offline: bool,
}

impl HealthArgs {
    /// Whether only some partitions are wanted.
    pub fn choose(self) -> bool {
        self.under_replicated || self.offline
    }

    /// Whether a partition is wanted: one that any of the options is about.
    pub fn want(self, partition: &PartitionDescription) -> bool {
        let behind = partition.isr.len() < partition.replicas.len();
        !self.choose() || self.under_replicated && behind || self.offline && partition.leader.is_none()
    }

    /// What is said where no partition is so.
    pub fn none(self) -> &'static str {
        match (self.under_replicated, self.offline) {
            (_, false) => "No partition is under-replicated.",
            (false, true) => "No partition is offline.",
            (true, true) => "No partition is under-replicated or offline.",
        }
    }
}

/// How it is with a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// No broker serves it.
    pub offline: bool,
    /// Replicas that are not in sync, on brokers that run.
    pub lagging: Vec<i32>,
    /// Replicas that nobody can read, on brokers that do not run.
    pub gone: Vec<i32>,
    /// It has a leader that does not answer: one that has just died, or stands still.
    pub silent: bool,
}

impl Health {
    /// Of a partition, in a cluster where the brokers `alive` run; its leader was asked for its offsets and `told` them or not.
    pub fn of(partition: &PartitionDescription, alive: &[i32], told: bool) -> Self {
        let offline = partition.leader.is_none();
        let behind = |id: &i32| !partition.isr.contains(id);
        // Where no replica is eligible to lead (KIP-966), the last in sync stays so when its broker goes, and the partition with it.
        let gone = |id: &i32| !alive.contains(id) && (offline || behind(id));
        let replicas = || partition.replicas.iter().copied();
        Health {
            offline,
            lagging: replicas().filter(|id| alive.contains(id) && behind(id)).collect(),
            gone: replicas().filter(gone).collect(),
            silent: !offline && !told,
        }
    }

    /// In words; `ok` where nothing is wrong.
    pub fn words(&self) -> String {
        let ids = |ids: &[i32], how: &str| {
            let words: Vec<String> = ids.iter().map(i32::to_string).collect();
            (!ids.is_empty()).then(|| format!("{} {how}", words.join(",")))
        };
        let mut all = Vec::new();
        all.extend(self.offline.then(|| "OFFLINE".to_owned()));
        all.extend(self.silent.then(|| "leader does not answer".to_owned()));
        all.extend(ids(&self.gone, "down"));
        all.extend(ids(&self.lagging, "lagging"));
        match all.is_empty() {
            true => "ok".to_owned(),
            false => all.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(leader: Option<i32>, isr: &[i32]) -> PartitionDescription {
        PartitionDescription {
            partition: 0,
            leader,
            replicas: vec![1, 2, 3],
            isr: isr.to_vec(),
        }
    }

    #[test]
    fn lagging_replicas_and_those_of_brokers_that_are_down_are_told_apart() {
        let words =
            |leader, isr: &[i32], alive: &[i32]| Health::of(&partition(leader, isr), alive, true).words();
        assert_eq!(words(Some(1), &[1, 2, 3], &[1, 2, 3]), "ok");
        assert_eq!(words(Some(1), &[1], &[1, 2]), "3 down; 2 lagging");
        assert_eq!(words(None, &[3], &[1, 2]), "OFFLINE; 3 down; 1,2 lagging");
        assert_eq!(words(None, &[3], &[]), "OFFLINE; 1,2,3 down");
        let asked = |leader, told| Health::of(&partition(leader, &[1, 2, 3]), &[1, 2, 3], told).words();
        assert_eq!(asked(Some(1), true), "ok");
        assert_eq!(asked(Some(1), false), "leader does not answer");
        assert_eq!(asked(None, false), "OFFLINE");
    }

    #[test]
    fn filters_add_up() {
        let args = |under_replicated, offline| HealthArgs {
            under_replicated,
            offline,
        };
        let (whole, behind, offline) = (
            partition(Some(1), &[1, 2, 3]),
            partition(Some(1), &[1]),
            partition(None, &[1, 2, 3]),
        );
        assert!(args(false, false).want(&whole) && !args(true, true).want(&whole));
        assert!(args(true, false).want(&behind) && !args(false, true).want(&behind));
        assert!(args(false, true).want(&offline) && args(true, true).want(&behind));
    }
}
