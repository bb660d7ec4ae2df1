//! Consumer groups: members, committed offsets, lag.

use super::Admin;
use crate::failure::{Failure, Kind, Outcome};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::settling::{all_settled, is_settling, settled};
use crate::kafka::types::{
    CommittedOffset, GroupDescription, GroupListing, GroupState, GroupType, ListedOffset, MemberDescription,
    OffsetSpec, TopicPartition,
};
use crate::kafka::wire::{GroupEpochs, Wire};
use crate::nearest::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// How far a group is behind in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionLag {
    /// The partition.
    pub partition: TopicPartition,
    /// The next offset the group reads; `None` when it has never committed here.
    pub committed: Option<i64>,
    /// The first offset that can be read; `None` when the partition is gone or has no leader.
    pub start: Option<i64>,
    /// The offset the next record gets; `None` likewise.
    pub end: Option<i64>,
    /// Offsets that the group has not read and can read; `None` when one of the three is missing.
    pub lag: Option<i64>,
    /// Offsets that were deleted before the group had read them; `None` likewise.
    pub deleted: Option<i64>,
    /// The member that reads the partition now.
    pub member: Option<MemberDescription>,
}

impl Admin {
    /// All groups, and what went wrong with single brokers.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn list_groups(&self) -> Outcome<(Vec<GroupListing>, Vec<KafkaError>)> {
        let (mut groups, errors) = self.outcome("cannot list groups", self.client.list_groups(self.ask()))?;
        let unnamed = |group: &GroupListing| group.state == GroupState::Unknown;
        if groups.iter().any(unnamed)
            && let Some(mut wire) = self.wire()?
        {
            let told = self.outcome("cannot list groups", wire.list_groups())?;
            for group in groups.iter_mut().filter(|group| unnamed(group)) {
                let found = told.iter().find(|told| told.id == group.group_id);
                group.state = found.map_or(GroupState::Dead, |told| GroupState::named(&told.state));
            }
        }
        Ok((groups, errors))
    }

    /// Describes groups by id, each with its own answer.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn describe_groups(&self, groups: &[String]) -> Outcome<Vec<(String, Answer<GroupDescription>)>> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let mut answers = self.outcome(
            "cannot describe groups",
            all_settled(|| self.client.describe_groups(groups, self.ask())),
        )?;
        for group in answers.iter_mut().filter_map(|(_, answer)| answer.as_mut().ok()) {
            if group.state == GroupState::Unknown
                && let Some(epochs) = self.group_epochs(group)?
            {
                group.state = GroupState::named(&epochs.state);
            }
        }
        Ok(answers)
    }

    /// The epochs of a group and its members, which librdkafka does not tell; `None` for a group that has none, for it is
    /// classic or gone, and when the connection is secured in a way that only librdkafka knows.
    ///
    /// # Errors
    /// When the coordinator does not answer, or refuses.
    pub fn group_epochs(&self, group: &GroupDescription) -> Outcome<Option<GroupEpochs>> {
        let (GroupType::Consumer | GroupType::Unknown, Some(coordinator)) =
            (group.group_type, &group.coordinator)
        else {
            return Ok(None);
        };
        let Some(mut wire) = self.wire()? else {
            return Ok(None);
        };
        match wire.group_epochs(coordinator.id, &group.group_id) {
            Err(error) if error.code() == ErrorCode::GroupIdNotFound => Ok(None),
            answer => {
                let what = format!("cannot describe group `{}`", group.group_id);
                self.outcome(&what, answer).map(Some)
            }
        }
    }

    /// A client of our own; `None` when the connection is secured in a way that only librdkafka knows.
    pub(super) fn wire(&self) -> Outcome<Option<Wire>> {
        match Wire::connect(&self.connection) {
            Ok(wire) => Ok(Some(wire)),
            Err(failure) if failure.kind() == Kind::Usage => {
                tracing::warn!("some requests cannot be sent: {failure}");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Describes one group; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the cluster could not be asked, or refuses.
    pub fn find_group(&self, group: &str) -> Outcome<Option<GroupDescription>> {
        match self.describe_groups(&[group.to_owned()])?.pop() {
            None => Ok(None),
            Some((_, Err(error))) if error.code() == ErrorCode::GroupIdNotFound => Ok(None),
            Some((_, answer)) => {
                let found = self.outcome(&format!("cannot describe group `{group}`"), answer)?;
                Ok(found.exists().then_some(found))
            }
        }
    }

    /// Describes one group that should be there.
    ///
    /// # Errors
    /// When it is not, with the nearest name that is.
    pub fn describe_group(&self, group: &str) -> Outcome<GroupDescription> {
        self.find_group(group)?.ok_or_else(|| self.unknown_group(group))
    }

    /// What to say when there is no group `group`.
    pub fn unknown_group(&self, group: &str) -> Failure {
        let groups = match self.list_groups() {
            Ok((groups, _)) => groups,
            // The cluster has gone since: that is the news.
            Err(unreachable) => return unreachable,
        };
        let failure = Failure::request(format!("group `{group}` does not exist"))
            .because("a group comes to be when a first consumer joins it, and none has");
        match nearest(group, groups.iter().map(|listing| listing.group_id.as_str())) {
            Some(near) => failure.hint(format!("did you mean `{near}`? `velo group list` shows all")),
            None => failure.hint("velo group list"),
        }
    }

    /// Deletes groups, each with its own answer; a group with members is refused.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn delete_groups(&self, groups: &[String]) -> Outcome<Vec<(String, Answer)>> {
        self.outcome(
            "cannot delete groups",
            all_settled(|| self.client.delete_groups(groups, self.ask())),
        )
    }

    /// A group's committed offsets, of every partition it has committed.
    ///
    /// # Errors
    /// When the cluster could not be asked, or a partition's offset cannot be told.
    pub fn committed_offsets(&self, group: &str) -> Outcome<BTreeMap<TopicPartition, CommittedOffset>> {
        let what = format!("cannot read the offsets of group `{group}`");
        let told = match self.wire()? {
            Some(mut wire) => settled(|| wire.group_offsets(group)),
            None => self
                .await_coordinator(group)
                .and_then(|()| settled(|| self.client.list_group_offsets(group, None, self.ask()))),
        };
        let entries = match told {
            Err(error) if error.code() == ErrorCode::GroupIdNotFound => return Ok(BTreeMap::new()),
            answer => self.outcome(&what, answer)?,
        };
        let mut offsets = BTreeMap::new();
        for (partition, answer) in entries {
            if let Some(committed) = self.outcome(&what, answer)? {
                offsets.insert(partition, committed);
            }
        }
        Ok(offsets)
    }

    /// Asks who coordinates a group for its members, until it says that it does. Asked for offsets by a client that is no
    /// consumer, a broker that says it does not makes librdkafka look for the consumer's coordinator (in
    /// `rd_kafka_handle_OffsetFetch`), which is not there: the process ends by a segmentation fault.
    fn await_coordinator(&self, group: &str) -> Answer {
        let groups = [group.to_owned()];
        let told = all_settled(|| self.client.describe_groups(&groups, self.ask()))?.pop();
        match told {
            Some((_, Err(error))) if is_settling(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Sets committed offsets, each with its own answer; the group must have no active members.
    ///
    /// # Errors
    /// When the cluster refuses them all.
    pub fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &[(TopicPartition, i64)],
    ) -> Outcome<Vec<(TopicPartition, Answer)>> {
        self.outcome(
            &format!("cannot set the offsets of group `{group}`"),
            self.try_alter_group_offsets(group, offsets),
        )
    }

    /// The same, with the cluster's own answer.
    ///
    /// # Errors
    /// What the cluster refused.
    pub fn try_alter_group_offsets(
        &self,
        group: &str,
        offsets: &[(TopicPartition, i64)],
    ) -> Answer<Vec<(TopicPartition, Answer)>> {
        all_settled(|| self.client.alter_group_offsets(group, offsets, self.ask()))
    }

    /// Forgets committed offsets, each with its own answer.
    ///
    /// # Errors
    /// When the cluster refuses them all.
    pub fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Outcome<Vec<(TopicPartition, Answer)>> {
        self.outcome(
            &format!("cannot forget the offsets of group `{group}`"),
            self.try_delete_group_offsets(group, partitions),
        )
    }

    /// The same, with the cluster's own answer.
    ///
    /// # Errors
    /// What the cluster refused.
    pub fn try_delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Answer<Vec<(TopicPartition, Answer)>> {
        all_settled(|| self.client.delete_group_offsets(group, partitions, self.ask()))
    }

    /// How far a group is behind: every partition it has committed or reads now.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn group_lag(&self, group: &GroupDescription) -> Outcome<Vec<PartitionLag>> {
        let committed = self.committed_offsets(&group.group_id)?;
        let assigned = group.members.iter().flat_map(|member| member.assignment.iter());
        let partitions: Vec<TopicPartition> = committed
            .keys()
            .chain(assigned)
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let starts = self.list_offsets(&partitions, OffsetSpec::Earliest)?;
        let ends = self.list_offsets(&partitions, OffsetSpec::Latest)?;
        Ok(partitions
            .into_iter()
            .map(|partition| {
                let committed = committed.get(&partition).map(|committed| committed.offset);
                let (start, end) = (told(&starts, &partition), told(&ends, &partition));
                let (lag, deleted) = match (committed, start, end) {
                    (Some(committed), Some(start), Some(end)) => (
                        Some(readable(committed, start, end)),
                        Some((start - committed).max(0)),
                    ),
                    _ => (None, None),
                };
                PartitionLag {
                    committed,
                    start,
                    end,
                    lag,
                    deleted,
                    member: group
                        .members
                        .iter()
                        .find(|member| member.assignment.contains(&partition))
                        .cloned(),
                    partition,
                }
            })
            .collect())
    }
}

/// The offset listed for a partition, if it was told.
fn told(listed: &BTreeMap<TopicPartition, Answer<ListedOffset>>, partition: &TopicPartition) -> Option<i64> {
    match listed.get(partition) {
        Some(Ok(listed)) => listed.offset,
        Some(Err(_)) | None => None,
    }
}

/// How many offsets from `committed` on can be read, where the log begins at `start` and ends before `end`.
fn readable(committed: i64, start: i64, end: i64) -> i64 {
    (end - committed.max(start)).max(0)
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn lag_counts_what_can_be_read() {
        assert_eq!(readable(10, 0, 100), 90);
        assert_eq!(readable(10, 40, 100), 60);
        assert_eq!(readable(10, 100, 100), 0);
        // The topic was deleted and made again.
        assert_eq!(readable(100, 0, 10), 0);
    }
}
