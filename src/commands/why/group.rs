//! Why nothing arrives in a group.

use super::finding::Finding;
use crate::commands::Context;
use crate::commands::select::typed;
use crate::failure::Outcome;
use crate::kafka::admin::PartitionLag;
use crate::kafka::{Admin, GroupDescription, GroupState, TopicPartition, topic_reader};
use std::collections::{BTreeMap, BTreeSet};

/// So few offsets that are left to read may all be markers of transactions: those are looked at.
const FEW: i64 = 10;

/// Looks at a group, as `velo group describe` does, and says what is odd.
///
/// # Errors
/// When there is no such group, or the cluster does not answer.
pub(super) fn look(context: &Context, name: &str) -> Outcome<Vec<Finding>> {
    let admin = Admin::connect(&context.connection)?;
    admin.ensure_coordinators()?;
    let group = admin.describe_group(name)?;
    let lags = admin.group_lag(&group)?;
    let markers = markers(&admin, &lags)?;
    let scene = Scene {
        group: &group,
        lags: &lags,
        markers: &markers,
    };
    Ok(scene.findings())
}

/// The partitions in which what is left to read holds no record that anybody would be shown.
fn markers(admin: &Admin, lags: &[PartitionLag]) -> Outcome<BTreeSet<TopicPartition>> {
    let mut left: BTreeMap<&str, BTreeMap<i32, (i64, i64)>> = BTreeMap::new();
    for at in lags {
        if let (Some(committed), Some(start), Some(end), Some(1..=FEW)) =
            (at.committed, at.start, at.end, at.lag)
        {
            let spans = left.entry(&at.partition.topic).or_default();
            spans.insert(at.partition.partition, (committed.max(start), end));
        }
    }
    let mut empty = BTreeSet::new();
    for (topic, spans) in left {
        let mut with_records = BTreeSet::new();
        topic_reader::read_between(admin.connection(), topic, &spans, |record| {
            with_records.insert(record.partition);
        })?;
        let without = spans.keys().filter(|partition| !with_records.contains(partition));
        empty.extend(without.map(|partition| TopicPartition::new(topic, *partition)));
    }
    Ok(empty)
}

/// What is known of a group at one moment.
struct Scene<'a> {
    group: &'a GroupDescription,
    lags: &'a [PartitionLag],
    /// Partitions with nothing but markers left.
    markers: &'a BTreeSet<TopicPartition>,
}

impl Scene<'_> {
    fn findings(&self) -> Vec<Finding> {
        let all = [
            self.rebalancing(),
            self.no_members(),
            self.idle_members(),
            self.unknown_partition(),
            self.started_at_the_end(),
            self.nothing_committed(),
            self.deleted_unread(),
            self.all_committed(),
            self.marker_at_the_end(),
            self.unread_partition(),
            self.behind(),
        ];
        all.into_iter().flatten().collect()
    }

    fn finding(&self, id: &'static str) -> Finding {
        Finding::new(id).seen("group", &self.group.group_id)
    }

    fn stable(&self) -> bool {
        self.group.state == GroupState::Stable
    }

    /// The group's topics, as they are typed.
    fn topics(&self) -> Vec<String> {
        let topics: BTreeSet<&String> = self.lags.iter().map(|at| &at.partition.topic).collect();
        topics
            .into_iter()
            .map(|topic| typed(std::slice::from_ref(topic)))
            .collect()
    }

    /// The group's name, as it is typed.
    fn name(&self) -> String {
        typed(std::slice::from_ref(&self.group.group_id))
    }

    /// A line for each of the group's topics.
    fn next_by_topic(&self, finding: Finding, line: impl Fn(&str, &str) -> String) -> Finding {
        let (name, topics) = (self.name(), self.topics());
        if topics.is_empty() {
            return finding.next("velo topic list");
        }
        topics
            .iter()
            .fold(finding, |finding, topic| finding.next(line(topic, &name)))
    }

    /// Records that wait and can be shown.
    fn waiting(&self) -> i64 {
        let waiting = self
            .lags
            .iter()
            .filter(|at| !self.markers.contains(&at.partition));
        waiting.filter_map(|at| at.lag).sum()
    }

    fn rebalancing(&self) -> Option<Finding> {
        let is_sharing_out = matches!(
            self.group.state,
            GroupState::PreparingRebalance
                | GroupState::CompletingRebalance
                | GroupState::Assigning
                | GroupState::Reconciling
        );
        is_sharing_out.then(|| {
            self.finding("rebalancing")
                .seen("state", self.group.state.kafka_name())
                .seen("members", self.group.members.len())
                .next(format!("velo group members {}", self.name()))
        })
    }

    fn no_members(&self) -> Option<Finding> {
        if !self.group.members.is_empty() {
            return None;
        }
        let finding = self.finding("no-members").seen("n", self.waiting());
        let consume = |topic: &str, group: &str| format!("velo consume {topic} --group {group}");
        Some(self.next_by_topic(finding, consume))
    }

    /// More members than partitions.
    fn idle_members(&self) -> Option<Finding> {
        let members = &self.group.members;
        let idle = members
            .iter()
            .filter(|member| member.assignment.is_empty())
            .count();
        if idle == 0 || !self.stable() {
            return None;
        }
        let partitions: usize = members.iter().map(|member| member.assignment.len()).sum();
        let finding = self
            .finding("idle-members")
            .seen("members", members.len())
            .seen("partitions", partitions)
            .seen("idle", idle)
            .next(format!("velo group members {}", self.name()));
        Some(match self.topics().as_slice() {
            [topic] => finding.next(format!("velo topic alter {topic} --partitions {}", members.len())),
            _ => finding,
        })
    }

    /// Partitions that are gone, or that nobody leads.
    fn unknown_partition(&self) -> Option<Finding> {
        let unknown: Vec<&TopicPartition> = self
            .lags
            .iter()
            .filter(|at| at.end.is_none())
            .map(|at| &at.partition)
            .collect();
        let first = unknown.first()?;
        Some(
            self.finding("unknown-partition")
                .seen("n", unknown.len())
                .seen("partition", first)
                .next("velo topic list"),
        )
    }

    /// A member reads where nothing is committed, and passes over what is there.
    fn started_at_the_end(&self) -> Option<Finding> {
        if !self.stable() {
            return None;
        }
        let older: Vec<i64> = self
            .lags
            .iter()
            .filter(|at| at.committed.is_none() && at.member.is_some())
            .filter_map(|at| Some(at.end? - at.start?))
            .filter(|older| *older > 0)
            .collect();
        if older.is_empty() {
            return None;
        }
        let finding = self
            .finding("started-at-the-end")
            .seen("n", older.iter().sum::<i64>())
            .seen("partitions", older.len());
        let again =
            |topic: &str, group: &str| format!("velo consume {topic} --group {group} --from-beginning");
        Some(self.next_by_topic(finding, again))
    }

    /// Nobody reads, and nobody has committed.
    fn nothing_committed(&self) -> Option<Finding> {
        (self.lags.is_empty() && self.group.members.is_empty())
            .then(|| self.finding("nothing-committed").next("velo topic list"))
    }

    fn deleted_unread(&self) -> Option<Finding> {
        let lost = |at: &&PartitionLag| at.deleted.is_some_and(|deleted| deleted > 0);
        let first = self.lags.iter().find(lost)?;
        let topic = typed(std::slice::from_ref(&first.partition.topic));
        let lost = self.lags.iter().filter_map(|at| at.deleted);
        Some(
            self.finding("deleted-unread")
                .seen("n", lost.sum::<i64>())
                .seen("partition", &first.partition)
                .seen("start", first.start.unwrap_or_default())
                .next(format!("velo config get topic {topic} retention.ms")),
        )
    }

    /// What is there has been read, or passed over, for good.
    fn all_committed(&self) -> Option<Finding> {
        let read = |at: &PartitionLag| at.lag == Some(0) && at.committed.is_some();
        let committed = self.lags.iter().filter(|at| read(at)).count();
        let there: i64 = self.lags.iter().filter_map(|at| Some(at.end? - at.start?)).sum();
        let untold = self.lags.iter().any(|at| !read(at) && at.end != at.start);
        if committed == 0 || there == 0 || untold {
            return None;
        }
        let finding = self
            .finding("all-committed")
            .seen("n", there)
            .seen("partitions", committed);
        let back =
            |topic: &str, group: &str| format!("velo group reset {group} --topic {topic} --to earliest");
        Some(self.next_by_topic(finding, back))
    }

    fn marker_at_the_end(&self) -> Option<Finding> {
        let at = self.lags.iter().find(|at| self.markers.contains(&at.partition))?;
        let topic = typed(std::slice::from_ref(&at.partition.topic));
        let (partition, committed) = (at.partition.partition, at.committed.unwrap_or_default());
        Some(
            self.finding("marker-at-the-end")
                .seen("lag", at.lag.unwrap_or_default())
                .seen("partition", &at.partition)
                .next(format!(
                    "velo consume {topic} --partition {partition} --offset {committed} --isolation read_uncommitted \
                     --exit-at-end"
                )),
        )
    }

    /// A group that reads, but not there.
    fn unread_partition(&self) -> Option<Finding> {
        if !self.stable() {
            return None;
        }
        let unread: Vec<&PartitionLag> = self
            .lags
            .iter()
            .filter(|at| at.member.is_none() && at.lag.is_some_and(|lag| lag > 0))
            .collect();
        let first = unread.first()?;
        Some(
            self.finding("unread-partition")
                .seen("n", unread.iter().filter_map(|at| at.lag).sum::<i64>())
                .seen("partition", &first.partition)
                .next(format!("velo group members {}", self.name())),
        )
    }

    /// Members read, and are not there yet.
    fn behind(&self) -> Option<Finding> {
        let late: Vec<i64> = self
            .lags
            .iter()
            .filter(|at| at.member.is_some() && at.committed.is_some())
            .filter(|at| !self.markers.contains(&at.partition))
            .filter_map(|at| at.lag.filter(|lag| *lag > 0))
            .collect();
        if late.is_empty() || !self.stable() {
            return None;
        }
        Some(
            self.finding("behind")
                .seen("n", late.iter().sum::<i64>())
                .seen("partitions", late.len())
                .next(format!("velo group describe {} --only-with-lag", self.name())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::MemberDescription;

    fn member(assignment: &[i32]) -> MemberDescription {
        MemberDescription {
            member_id: "m".to_owned(),
            client_id: "c".to_owned(),
            instance_id: None,
            host: "h".to_owned(),
            assignment: assignment
                .iter()
                .map(|at| TopicPartition::new("t", *at))
                .collect(),
            target: None,
        }
    }

    fn group(state: GroupState, members: Vec<MemberDescription>) -> GroupDescription {
        GroupDescription {
            state,
            members,
            ..GroupDescription::dead("g")
        }
    }

    /// A partition with where it is committed, begins and ends, and whether a member has it.
    fn at(partition: i32, committed: Option<i64>, (start, end): (i64, i64), is_read: bool) -> PartitionLag {
        PartitionLag {
            partition: TopicPartition::new("t", partition),
            committed,
            start: Some(start),
            end: Some(end),
            lag: committed.map(|committed| (end - committed.max(start)).max(0)),
            deleted: committed.map(|committed| (start - committed).max(0)),
            member: is_read.then(|| member(&[partition])),
        }
    }

    fn found(group: &GroupDescription, lags: &[PartitionLag], markers: &[i32]) -> Vec<&'static str> {
        let markers = markers.iter().map(|at| TopicPartition::new("t", *at)).collect();
        let scene = Scene {
            group,
            lags,
            markers: &markers,
        };
        scene.findings().iter().map(Finding::id).collect()
    }

    #[test]
    fn a_group_that_reads_what_comes_has_nothing_odd() {
        let reads = group(GroupState::Stable, vec![member(&[0])]);
        assert_eq!(found(&reads, &[at(0, None, (0, 0), true)], &[]), [""; 0]);
    }

    #[test]
    fn each_reason_shows_where_it_is_so_and_not_elsewhere() {
        let stable = group(GroupState::Stable, vec![member(&[0])]);
        let sharing = group(GroupState::PreparingRebalance, vec![member(&[])]);
        let empty = group(GroupState::Empty, Vec::new());
        let crowded = group(GroupState::Stable, vec![member(&[0]), member(&[])]);
        let gone = PartitionLag {
            end: None,
            lag: None,
            ..at(0, Some(1), (0, 5), true)
        };
        for (group, lags, markers, expected) in [
            (&sharing, vec![], &[][..], &["rebalancing"][..]),
            (&empty, vec![at(0, Some(2), (0, 5), false)], &[], &["no-members"]),
            (&empty, vec![], &[], &["no-members", "nothing-committed"]),
            (
                &empty,
                vec![at(0, Some(5), (0, 5), false)],
                &[],
                &["no-members", "all-committed"],
            ),
            (&crowded, vec![at(0, None, (0, 0), true)], &[], &["idle-members"]),
            (
                &stable,
                vec![at(0, None, (0, 5), true)],
                &[],
                &["started-at-the-end"],
            ),
            // Where nothing is, nothing was passed over.
            (&stable, vec![at(0, None, (5, 5), true)], &[], &[]),
            (
                &stable,
                vec![at(0, Some(5), (0, 5), true)],
                &[],
                &["all-committed"],
            ),
            (&stable, vec![at(0, Some(5), (5, 5), true)], &[], &[]),
            (
                &stable,
                vec![at(0, Some(2), (4, 5), true)],
                &[],
                &["deleted-unread", "behind"],
            ),
            (&stable, vec![at(0, Some(2), (0, 5), true)], &[], &["behind"]),
            (
                &stable,
                vec![at(0, Some(4), (0, 5), true)],
                &[0],
                &["marker-at-the-end"],
            ),
            (
                &stable,
                vec![at(0, Some(2), (0, 5), false)],
                &[],
                &["unread-partition"],
            ),
            (&stable, vec![gone], &[], &["unknown-partition"]),
        ] {
            assert_eq!(found(group, &lags, markers), expected, "{lags:?}");
        }
    }
}
