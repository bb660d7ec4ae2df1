//! Facts about a group: its members, what each reads, and how far it is.

use super::{Group, Have, Member, PartitionOffsets, Renames, Said};
use crate::course::look::Look;
use crate::failure::Outcome;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The states, by Kafka's names, of a group that is only just sharing its partitions out: nobody can tell who has which.
const SHARING: [&str; 4] = [
    "PreparingRebalance",
    "CompletingRebalance",
    "Assigning",
    "Reconciling",
];

/// What is asked of a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GroupFact {
    /// Whether it exists: yes or no.
    GroupExists { group: String },
    /// Its state, by Kafka's name.
    GroupState { group: String },
    /// How many members it has, those without a partition too.
    InGroup { group: String },
    /// How many members own a partition of the topic.
    Members { topic: String, group: String },
    /// How many members own no partition at all.
    IdleMembers { group: String },
    /// How many members that own a partition of the topic were not there when the step began.
    TakenOver { topic: String, group: String },
    /// How many partitions of the topic the member with the fewest has.
    SmallestShare { topic: String, group: String },
    /// Up to where it has committed in the topic: the sum of its offsets.
    Committed { topic: String, group: String },
    /// The same for one partition.
    CommittedAt {
        topic: String,
        group: String,
        partition: i32,
    },
    /// How many records of the topic it has not read yet.
    Lag { topic: String, group: String },
    /// Up to where whichever group has read most of the topic has committed.
    ReadByAGroup { topic: String },
}

impl GroupFact {
    pub(super) const NAMES: &[&str] = &[
        "group-exists",
        "group-state",
        "in-group",
        "members",
        "idle-members",
        "taken-over",
        "smallest-share",
        "committed",
        "committed-at",
        "lag",
        "read-by-a-group",
    ];

    pub(super) fn topic(&self) -> Option<&str> {
        match self {
            Self::GroupExists { .. }
            | Self::GroupState { .. }
            | Self::InGroup { .. }
            | Self::IdleMembers { .. } => None,
            Self::Members { topic, .. }
            | Self::TakenOver { topic, .. }
            | Self::SmallestShare { topic, .. }
            | Self::Committed { topic, .. }
            | Self::CommittedAt { topic, .. }
            | Self::Lag { topic, .. }
            | Self::ReadByAGroup { topic } => Some(topic),
        }
    }

    pub(super) fn group(&self) -> Option<&str> {
        match self {
            Self::ReadByAGroup { .. } => None,
            Self::GroupExists { group }
            | Self::GroupState { group }
            | Self::InGroup { group }
            | Self::Members { group, .. }
            | Self::IdleMembers { group }
            | Self::TakenOver { group, .. }
            | Self::SmallestShare { group, .. }
            | Self::Committed { group, .. }
            | Self::CommittedAt { group, .. }
            | Self::Lag { group, .. } => Some(group),
        }
    }

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        match self {
            Self::GroupExists { group }
            | Self::GroupState { group }
            | Self::InGroup { group }
            | Self::IdleMembers { group } => *group = names.name(group),
            Self::Members { topic, group }
            | Self::TakenOver { topic, group }
            | Self::SmallestShare { topic, group }
            | Self::Committed { topic, group }
            | Self::CommittedAt { topic, group, .. }
            | Self::Lag { topic, group } => {
                *topic = names.name(topic);
                *group = names.name(group);
            }
            Self::ReadByAGroup { topic } => *topic = names.name(topic),
        }
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        let Some(name) = self.group() else {
            return read_by_a_group(look, self.topic().unwrap_or_default());
        };
        let found = look.group(name)?;
        if let Self::GroupExists { .. } = self {
            return Ok(Have::truth(found.is_some()));
        }
        let Some(group) = found.as_ref() else {
            return Ok(None);
        };
        if let Self::Lag { topic, .. } = self {
            let offsets = look.offsets(topic)?;
            let lag = offsets
                .as_ref()
                .as_ref()
                .map(|offsets| lag(group, topic, offsets));
            return Ok(lag.and_then(Have::number));
        }
        Ok(self.of(group, look.began()))
    }

    /// Whether it is about who has which partitions.
    fn is_about_shares(&self) -> bool {
        matches!(
            self,
            Self::Members { .. }
                | Self::IdleMembers { .. }
                | Self::TakenOver { .. }
                | Self::SmallestShare { .. }
        )
    }

    /// What the group alone tells.
    fn of(&self, group: &Group, began: &BTreeSet<String>) -> Option<Have> {
        if self.is_about_shares() && SHARING.contains(&group.state.as_str()) {
            return None;
        }
        let members = group.members.iter();
        let share = |member: &Member, topic: &str| member.owns.iter().filter(|(of, _)| of == topic).count();
        match self {
            Self::GroupState { .. } => Have::text(&group.state),
            Self::InGroup { .. } => Have::count(group.members.len()),
            Self::Members { topic, .. } => {
                Have::count(members.filter(|member| share(member, topic) > 0).count())
            }
            Self::IdleMembers { .. } => Have::count(members.filter(|member| member.owns.is_empty()).count()),
            // Who takes over from nobody has not taken over.
            Self::TakenOver { .. } if began.is_empty() => None,
            Self::TakenOver { topic, .. } => Have::count(
                members
                    .filter(|member| share(member, topic) > 0 && !began.contains(&member.id))
                    .count(),
            ),
            Self::SmallestShare { topic, .. } => {
                Have::count(members.map(|member| share(member, topic)).min()?)
            }
            Self::Committed { topic, .. } => Have::number(committed(group, topic)),
            Self::CommittedAt { topic, partition, .. } => {
                let at = (topic.clone(), *partition);
                group.committed.get(&at).copied().and_then(Have::number)
            }
            Self::GroupExists { .. } | Self::Lag { .. } | Self::ReadByAGroup { .. } => None,
        }
    }

    pub(super) fn said(&self) -> Said {
        let key = match self {
            Self::GroupExists { .. } => "group-exists",
            Self::GroupState { .. } => "group-state",
            Self::InGroup { .. } => "in-group",
            Self::Members { .. } => "members",
            Self::IdleMembers { .. } => "idle-members",
            Self::TakenOver { .. } => "taken-over",
            Self::SmallestShare { .. } => "smallest-share",
            Self::Committed { .. } => "committed",
            Self::CommittedAt { .. } => "committed-at",
            Self::Lag { .. } => "lag",
            Self::ReadByAGroup { .. } => "read-by-a-group",
        };
        let names = [("topic", self.topic()), ("group", self.group())];
        let names = names
            .into_iter()
            .filter_map(|(place, name)| Some((place, name?.to_owned())));
        let said = Said::new(key, names);
        match self {
            Self::CommittedAt { partition, .. } => said.and("partition", partition),
            _ => said,
        }
    }
}

fn committed(group: &Group, topic: &str) -> i64 {
    group
        .committed
        .iter()
        .filter(|((of, _), _)| of == topic)
        .map(|(_, offset)| offset)
        .sum()
}

/// What is behind the committed offset of each partition, and all of a partition without one.
fn lag(group: &Group, topic: &str, offsets: &[PartitionOffsets]) -> i64 {
    let behind = |at: &PartitionOffsets| {
        let committed = group.committed.get(&(topic.to_owned(), at.partition));
        at.end - committed.copied().unwrap_or(at.start).max(at.start)
    };
    offsets.iter().map(behind).sum()
}

fn read_by_a_group(look: &Look<'_>, topic: &str) -> Outcome<Option<Have>> {
    let mut most = 0;
    for name in look.groups()?.iter() {
        if let Some(group) = look.group(name)?.as_ref() {
            most = most.max(committed(group, topic));
        }
    }
    Ok(Have::number(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_committed_lags_from_its_first_record() {
        let mut group = Group::default();
        group.committed.insert(("t".to_owned(), 0), 3);
        let at = |partition, start, end| PartitionOffsets {
            partition,
            start,
            end,
        };
        assert_eq!(lag(&group, "t", &[at(0, 0, 5), at(1, 4, 10)]), 2 + 6);
        // What was deleted before it was read cannot be read any more.
        assert_eq!(lag(&group, "t", &[at(0, 4, 5)]), 1);
    }

    #[test]
    fn nobody_can_tell_who_has_what_while_it_is_shared_out() {
        let (topic, group) = (|| "t".to_owned(), || "g".to_owned());
        let shares = [
            GroupFact::IdleMembers { group: group() },
            GroupFact::Members {
                topic: topic(),
                group: group(),
            },
            GroupFact::SmallestShare {
                topic: topic(),
                group: group(),
            },
        ];
        let began = BTreeSet::new();
        let mut found = Group {
            members: vec![Member::default(); 4],
            ..Group::default()
        };
        for state in SHARING {
            state.clone_into(&mut found.state);
            for fact in &shares {
                assert_eq!(fact.of(&found, &began), None, "{fact:?} {state}");
            }
            // That they are there can be told.
            let there = GroupFact::InGroup { group: group() };
            assert_eq!(there.of(&found, &began), Have::count(4));
        }
        "Stable".clone_into(&mut found.state);
        assert_eq!(
            shares.map(|fact| fact.of(&found, &began)),
            [4, 0, 0].map(Have::count)
        );
    }
}
