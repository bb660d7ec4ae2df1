//! Facts about where the copies of a topic's partitions are, and who leads them.

use super::{Have, Partition, Renames, Said};
use crate::course::look::Look;
use crate::failure::Outcome;
use serde::Deserialize;
use std::collections::BTreeSet;

/// What is asked of a topic's copies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReplicaFact {
    /// How many copies each partition has; of the one with the fewest.
    Replicas { topic: String },
    /// How many copies are in sync; of the partition with the fewest.
    InSync { topic: String },
    /// How many partitions have copies that are not in sync.
    UnderReplicated { topic: String },
    /// How many partitions nobody leads.
    Leaderless { topic: String },
    /// How many different brokers lead partitions.
    Leaders { topic: String },
    /// How many partitions are not led by their preferred leader, the first of their replicas.
    NotPreferred { topic: String },
    /// How many partitions a broker leads.
    Leads { topic: String, broker: i32 },
    /// How many partitions have a broker's copy in sync.
    InIsr { topic: String, broker: i32 },
}

impl ReplicaFact {
    pub(super) const NAMES: &[&str] = &[
        "replicas",
        "in-sync",
        "under-replicated",
        "leaderless",
        "leaders",
        "not-preferred",
        "leads",
        "in-isr",
    ];

    pub(super) fn topic(&self) -> &str {
        let (Self::Replicas { topic }
        | Self::InSync { topic }
        | Self::UnderReplicated { topic }
        | Self::Leaderless { topic }
        | Self::Leaders { topic }
        | Self::NotPreferred { topic }
        | Self::Leads { topic, .. }
        | Self::InIsr { topic, .. }) = self;
        topic
    }

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        if let Self::Leads { broker, .. } | Self::InIsr { broker, .. } = self {
            *broker = names.broker(*broker);
        }
        let (Self::Replicas { topic }
        | Self::InSync { topic }
        | Self::UnderReplicated { topic }
        | Self::Leaderless { topic }
        | Self::Leaders { topic }
        | Self::NotPreferred { topic }
        | Self::Leads { topic, .. }
        | Self::InIsr { topic, .. }) = self;
        *topic = names.name(topic);
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        let found = look.topic(self.topic())?;
        Ok(found.and_then(|partitions| self.of(&partitions)))
    }

    fn of(&self, partitions: &[Partition]) -> Option<Have> {
        let all = partitions.iter();
        let count = |is: &dyn Fn(&Partition) -> bool| {
            Have::count(partitions.iter().filter(|partition| is(partition)).count())
        };
        match self {
            Self::Replicas { .. } => Have::count(all.map(|at| at.replicas.len()).min()?),
            Self::InSync { .. } => Have::count(all.map(|at| at.isr.len()).min()?),
            Self::UnderReplicated { .. } => count(&|at| at.isr.len() < at.replicas.len()),
            Self::Leaderless { .. } => count(&|at| at.leader.is_none()),
            Self::Leaders { .. } => {
                let leaders: BTreeSet<i32> = all.filter_map(|at| at.leader).collect();
                Have::count(leaders.len())
            }
            Self::NotPreferred { .. } => count(&|at| at.leader != at.replicas.first().copied()),
            Self::Leads { broker, .. } => count(&|at| at.leader == Some(*broker)),
            Self::InIsr { broker, .. } => count(&|at| at.isr.contains(broker)),
        }
    }

    pub(super) fn said(&self) -> Said {
        let key = match self {
            Self::Replicas { .. } => "replicas",
            Self::InSync { .. } => "in-sync",
            Self::UnderReplicated { .. } => "under-replicated",
            Self::Leaderless { .. } => "leaderless",
            Self::Leaders { .. } => "leaders",
            Self::NotPreferred { .. } => "not-preferred",
            Self::Leads { .. } => "leads",
            Self::InIsr { .. } => "in-isr",
        };
        let said = Said::about_topic(key, self.topic());
        match self {
            Self::Leads { broker, .. } | Self::InIsr { broker, .. } => said.and("broker", broker),
            _ => said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::model::Wanted;

    #[test]
    fn leaders_and_copies_are_counted_over_partitions() {
        let partition = |leader, replicas: &[i32], isr: &[i32]| Partition {
            leader,
            replicas: replicas.to_vec(),
            isr: isr.to_vec(),
        };
        let partitions = [
            partition(Some(101), &[101, 102], &[101, 102]),
            partition(Some(103), &[102, 103], &[103]),
        ];
        let topic = || "t".to_owned();
        for (fact, number) in [
            (ReplicaFact::Replicas { topic: topic() }, 2),
            (ReplicaFact::InSync { topic: topic() }, 1),
            (ReplicaFact::UnderReplicated { topic: topic() }, 1),
            (ReplicaFact::Leaderless { topic: topic() }, 0),
            (ReplicaFact::Leaders { topic: topic() }, 2),
            (ReplicaFact::NotPreferred { topic: topic() }, 1),
            (
                ReplicaFact::Leads {
                    topic: topic(),
                    broker: 103,
                },
                1,
            ),
            (
                ReplicaFact::InIsr {
                    topic: topic(),
                    broker: 102,
                },
                1,
            ),
        ] {
            let have = fact.of(&partitions).map(|have| have.value);
            assert_eq!(have, Some(Wanted::Number(number)), "{fact:?}");
        }
    }
}
