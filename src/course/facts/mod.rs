//! Facts: what can be read from a cluster. Each family of facts stands in a file of its own, with how each is read and
//! the words that tell it.

pub mod source;

mod cluster;
mod delivery;
mod group;
mod keys;
mod replicas;
mod streams;
mod things;
mod topic;

pub use source::{ClusterFacts, ClusterView, Group, Member, Partition, PartitionOffsets, Seen};

use super::look::Look;
use super::model::Wanted;
use crate::failure::Outcome;
use crate::nearest::nearest;
use cluster::ClusterFact;
use delivery::DeliveryFact;
use group::GroupFact;
use keys::KeyFact;
use replicas::ReplicaFact;
use serde::de::DeserializeOwned;
use streams::StreamFact;
use things::ThingFact;
use topic::TopicFact;

/// A fact about a cluster, as a check of `lesson.toml` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// About a topic, its settings and offsets.
    Topic(TopicFact),
    /// About where the copies of a topic's partitions are.
    Replicas(ReplicaFact),
    /// About the brokers.
    Cluster(ClusterFact),
    /// About a group.
    Group(GroupFact),
    /// About the keys and values of records.
    Keys(KeyFact),
    /// About the things that records describe as JSON.
    Things(ThingFact),
    /// About what became of records: seen, repeated, lost.
    Delivery(DeliveryFact),
    /// About what stream programs have made of a topic.
    Streams(StreamFact),
}

/// The words that tell a fact: a key of `lessons/ui/*.toml`, and what is put into them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The key, without its section.
    pub key: &'static str,
    /// Names and values of the places to fill.
    pub places: Vec<(&'static str, String)>,
}

/// A value read from the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// The value that is compared.
    pub value: Wanted,
    /// Where it comes from, when that says more: (changes reported, changes that really were).
    pub counted: Option<(i64, i64)>,
}

/// Who gives a lesson's names and broker ids those of a learner.
pub trait Renames {
    /// The learner's name for a topic or group.
    fn name(&self, name: &str) -> String;
    /// The cluster's id for a broker of the lesson.
    fn broker(&self, id: i32) -> i32;
}

impl Fact {
    /// The names of all facts, as `lesson.toml` has them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [
            TopicFact::NAMES,
            ReplicaFact::NAMES,
            ClusterFact::NAMES,
            GroupFact::NAMES,
            KeyFact::NAMES,
            ThingFact::NAMES,
            DeliveryFact::NAMES,
            StreamFact::NAMES,
        ]
        .into_iter()
        .flatten()
        .copied()
    }

    /// The fact of a check: its name under `fact`, and what it needs.
    ///
    /// # Errors
    /// When there is no such fact, or it needs something else; in words.
    pub fn of(table: toml::Table) -> Result<Self, String> {
        let name = match table.get("fact") {
            Some(toml::Value::String(name)) => name.clone(),
            _ => return Err("it has no `fact`".to_owned()),
        };
        let among = |names: &[&str]| names.contains(&name.as_str());
        if among(TopicFact::NAMES) {
            read_as(table).map(Fact::Topic)
        } else if among(ReplicaFact::NAMES) {
            read_as(table).map(Fact::Replicas)
        } else if among(ClusterFact::NAMES) {
            read_as(table).map(Fact::Cluster)
        } else if among(GroupFact::NAMES) {
            read_as(table).map(Fact::Group)
        } else if among(KeyFact::NAMES) {
            read_as(table).map(Fact::Keys)
        } else if among(ThingFact::NAMES) {
            read_as(table).map(Fact::Things)
        } else if among(DeliveryFact::NAMES) {
            read_as(table).map(Fact::Delivery)
        } else if among(StreamFact::NAMES) {
            read_as(table).map(Fact::Streams)
        } else {
            Err(match nearest(&name, Self::names()) {
                Some(near) => format!("there is no fact `{name}`; did you mean `{near}`?"),
                None => format!("there is no fact `{name}`"),
            })
        }
    }

    /// Reads it. `None`: what it is about is not there, or cannot be told now.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        if let Some(topic) = self.topic()
            && !self.is_existence()
        {
            let Some(partitions) = look.topic(topic)? else {
                return Ok(None);
            };
            // Nobody can read a partition without a leader.
            if self.reads_records() && partitions.iter().any(|partition| partition.leader.is_none()) {
                return Ok(None);
            }
        }
        match self {
            Fact::Topic(fact) => fact.read(look),
            Fact::Replicas(fact) => fact.read(look),
            Fact::Cluster(fact) => fact.read(look),
            Fact::Group(fact) => fact.read(look),
            Fact::Keys(fact) => fact.read(look),
            Fact::Things(fact) => fact.read(look),
            Fact::Delivery(fact) => fact.read(look),
            Fact::Streams(fact) => fact.read(look),
        }
    }

    /// The words that tell it.
    pub fn said(&self) -> Said {
        match self {
            Fact::Topic(fact) => fact.said(),
            Fact::Replicas(fact) => fact.said(),
            Fact::Cluster(fact) => fact.said(),
            Fact::Group(fact) => fact.said(),
            Fact::Keys(fact) => fact.said(),
            Fact::Things(fact) => fact.said(),
            Fact::Delivery(fact) => fact.said(),
            Fact::Streams(fact) => fact.said(),
        }
    }

    /// The topic that it is about.
    pub fn topic(&self) -> Option<&str> {
        match self {
            Fact::Topic(fact) => Some(fact.topic()),
            Fact::Replicas(fact) => Some(fact.topic()),
            Fact::Cluster(_) => None,
            Fact::Group(fact) => fact.topic(),
            Fact::Keys(fact) => Some(fact.topic()),
            Fact::Things(fact) => Some(fact.topic()),
            Fact::Delivery(fact) => Some(fact.topic()),
            Fact::Streams(fact) => Some(fact.topic()),
        }
    }

    /// The group that it is about.
    pub fn group(&self) -> Option<&str> {
        match self {
            Fact::Group(fact) => fact.group(),
            Fact::Things(fact) => fact.group(),
            Fact::Topic(_)
            | Fact::Replicas(_)
            | Fact::Cluster(_)
            | Fact::Keys(_)
            | Fact::Delivery(_)
            | Fact::Streams(_) => None,
        }
    }

    /// The setting that it is about.
    pub fn config(&self) -> Option<&str> {
        match self {
            Fact::Topic(fact) => fact.config(),
            Fact::Cluster(fact) => fact.config(),
            Fact::Replicas(_)
            | Fact::Group(_)
            | Fact::Keys(_)
            | Fact::Things(_)
            | Fact::Delivery(_)
            | Fact::Streams(_) => None,
        }
    }

    /// The setting of a topic that it is about.
    pub fn topic_config(&self) -> Option<&str> {
        self.topic().and(self.config())
    }

    /// Whether it says how many partitions a topic has.
    pub fn counts_partitions(&self) -> bool {
        matches!(self, Fact::Topic(TopicFact::Partitions { .. }))
    }

    /// Whether it says that something is there at all, which what is not there answers too.
    pub fn is_existence(&self) -> bool {
        matches!(self, Fact::Topic(TopicFact::TopicExists { .. }))
    }

    fn reads_records(&self) -> bool {
        matches!(
            self,
            Fact::Keys(_) | Fact::Things(_) | Fact::Delivery(_) | Fact::Streams(_)
        )
    }

    /// The group whose members of before it leaves out.
    pub fn since_the_start(&self) -> Option<&str> {
        match self {
            Fact::Group(GroupFact::TakenOver { group, .. }) => Some(group),
            _ => None,
        }
    }

    /// Whether it is about the members of a group, who are missed some time after they have gone.
    pub fn is_of_members(&self) -> bool {
        matches!(
            self,
            Fact::Group(
                GroupFact::InGroup { .. }
                    | GroupFact::Members { .. }
                    | GroupFact::IdleMembers { .. }
                    | GroupFact::TakenOver { .. }
                    | GroupFact::SmallestShare { .. }
            )
        )
    }

    /// The same about a learner's names and brokers.
    #[must_use]
    pub fn renamed(mut self, names: &dyn Renames) -> Self {
        match &mut self {
            Fact::Topic(fact) => fact.rename(names),
            Fact::Replicas(fact) => fact.rename(names),
            Fact::Cluster(fact) => fact.rename(names),
            Fact::Group(fact) => fact.rename(names),
            Fact::Keys(fact) => fact.rename(names),
            Fact::Things(fact) => fact.rename(names),
            Fact::Delivery(fact) => fact.rename(names),
            Fact::Streams(fact) => fact.rename(names),
        }
        self
    }

    /// Whether a broker serves clients.
    pub fn serves(broker: i32) -> Self {
        Fact::Cluster(ClusterFact::Serves { broker })
    }
}

fn read_as<T: DeserializeOwned>(table: toml::Table) -> Result<T, String> {
    let read: Result<T, toml::de::Error> = table.try_into();
    read.map_err(|error| error.message().to_owned())
}

impl Said {
    fn new(key: &'static str, places: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Said {
            key,
            places: places.into_iter().collect(),
        }
    }

    fn about_topic(key: &'static str, topic: &str) -> Self {
        Self::new(key, [("topic", topic.to_owned())])
    }

    fn and(mut self, name: &'static str, value: impl ToString) -> Self {
        self.places.push((name, value.to_string()));
        self
    }
}

impl Have {
    fn number(number: i64) -> Option<Self> {
        Some(Have {
            value: Wanted::Number(number),
            counted: None,
        })
    }

    fn count(number: usize) -> Option<Self> {
        Self::number(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn truth(is: bool) -> Option<Self> {
        Some(Have {
            value: Wanted::Bool(is),
            counted: None,
        })
    }

    /// A setting: a number where it is one.
    fn text(text: &str) -> Option<Self> {
        Some(Have {
            value: text
                .parse()
                .map_or_else(|_| Wanted::Text(text.to_owned()), Wanted::Number),
            counted: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_there_is_not_is_told_with_the_nearest() {
        for (text, told) in [
            ("fact = \"writen\"\ntopic = \"t\"", "did you mean `written`?"),
            ("topic = \"t\"", "it has no `fact`"),
            ("fact = \"written\"", "missing field `topic`"),
            (
                "fact = \"written\"\ntopic = \"t\"\ngroup = \"g\"",
                "unknown field `group`",
            ),
        ] {
            let said = Fact::of(text.parse().unwrap()).unwrap_err();
            assert!(said.contains(told), "{said}");
        }
    }
}
