//! Leaders that somebody asks for: the preferred one, or any at all (KIP-460).

use super::draft::Draft;
use super::eligible::Change;
use super::leadership::least_in_sync;
use super::{ApiError, Step, View, can_lead};
use crate::broker::config::{NodeConfig, topic_log_config};
use crate::broker::error::Result;
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use crate::broker::records::metadata::PartitionChangeRecord;
use kafka_protocol::ResponseError;

/// Which leader is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElectionType {
    /// The first replica.
    Preferred,
    /// Any replica, if no other can lead; may lose records.
    Unclean,
}

/// A partition, by its topic and index, and what came of its election.
pub type Elected = (String, i32, Result<(), ApiError>);

/// Elects leaders of the partitions named, or of all if `None`; an answer each, except those of all that lead already.
///
/// # Errors
/// None but a mistake of the plan.
pub fn elect(
    view: &View<'_>,
    election: ElectionType,
    partitions: Option<&[(String, i32)]>,
) -> Result<Step<Vec<Elected>>> {
    let mut draft = Draft::new(view);
    let mut outcomes = Vec::new();
    let everywhere = if partitions.is_none() {
        all(view.image)
    } else {
        Vec::new()
    };
    for (topic, index) in partitions.unwrap_or(&everywhere) {
        let outcome = match elect_one(draft.image(), view.config, election, (topic, *index)) {
            Ok(change) => {
                draft.add(MetadataRecord::PartitionChange(change));
                Ok(())
            }
            Err(error) if partitions.is_none() && error.error == ResponseError::ElectionNotNeeded => {
                continue;
            }
            Err(error) => Err(error),
        };
        outcomes.push((topic.clone(), *index, outcome));
    }
    draft.step(outcomes)
}

fn all(image: &MetadataImage) -> Vec<(String, i32)> {
    let topics = image.topics.values();
    let partitions = topics.flat_map(|topic| {
        let indexes = (0..).zip(&topic.partitions);
        indexes.map(|(index, _)| (topic.name.clone(), index))
    });
    partitions.collect()
}

fn elect_one(
    image: &MetadataImage,
    config: &NodeConfig,
    election: ElectionType,
    (topic, index): (&str, i32),
) -> Result<PartitionChangeRecord, ApiError> {
    let refuse = |error, what: String| Err(ApiError::new(error, what));
    let unknown = ResponseError::UnknownTopicOrPartition;
    let Some(found) = image.topics.get(topic) else {
        return refuse(unknown, format!("No such topic as {topic}"));
    };
    let Some(partition) = image.partition(topic, index) else {
        return refuse(unknown, format!("No such partition as {topic}-{index}"));
    };
    let needless = || refuse(ResponseError::ElectionNotNeeded, String::new());
    let least = least_in_sync(image, &topic_log_config(image, config, topic));
    let change = Change::new(partition, least, partition.isr.clone(), None);
    let mut replicas = partition.replicas.iter().copied();
    let (changed, unavailable) = match election {
        ElectionType::Preferred => {
            let preferred = replicas.next();
            if preferred == Some(partition.leader) {
                return needless();
            }
            let leads = |id: &i32| can_lead(image, *id) && change.may_be_led_by(*id);
            let leader = preferred.filter(leads);
            (
                leader.map(|leader| change.led_by(leader)),
                ResponseError::PreferredLeaderNotAvailable,
            )
        }
        ElectionType::Unclean if partition.leader != -1 => return needless(),
        ElectionType::Unclean => {
            let leader = replicas.find(|id| can_lead(image, *id));
            (
                leader.map(|leader| change.led_at_a_loss_by(leader)),
                ResponseError::EligibleLeadersNotAvailable,
            )
        }
    };
    match changed.and_then(|changed| changed.record(found.id, index)) {
        Some(record) => Ok(record),
        None => refuse(unavailable, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::eligible::FEATURE;
    use super::super::table::Cluster;
    use super::*;

    /// `t-0` with replicas 1 and 2, both in sync, led by `leader`.
    fn led_by(leader: i32) -> Cluster {
        let cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2]]);
        cluster.with("t", 0, |partition| partition.leader = leader)
    }

    fn named() -> Vec<(String, i32)> {
        vec![("t".to_owned(), 0)]
    }

    fn error(cluster: &Cluster, election: ElectionType) -> Option<ResponseError> {
        let step = elect(&cluster.view(), election, Some(&named())).unwrap();
        let refused = step.answer[0].2.clone().err().map(|error| error.error);
        assert_eq!(step.records.is_empty(), refused.is_some());
        refused
    }

    #[test]
    fn the_first_replica_leads_if_it_is_in_sync_and_serves() {
        let preferred = |cluster| error(&cluster, ElectionType::Preferred);
        let unavailable = Some(ResponseError::PreferredLeaderNotAvailable);
        assert_eq!(preferred(led_by(2)), None);
        assert_eq!(preferred(led_by(-1)), None);
        assert_eq!(preferred(led_by(1)), Some(ResponseError::ElectionNotNeeded));
        assert_eq!(preferred(led_by(2).fenced(1)), unavailable);
        assert_eq!(preferred(led_by(2).stopping(1)), unavailable);
        let lagging = led_by(2).with("t", 0, |partition| partition.isr = vec![2]);
        assert_eq!(preferred(lagging), unavailable);
    }

    #[test]
    fn any_replica_leads_where_nobody_does() {
        let unclean = |cluster| error(&cluster, ElectionType::Unclean);
        assert_eq!(unclean(led_by(1)), Some(ResponseError::ElectionNotNeeded));
        let nobody = led_by(-1).fenced(1).fenced(2);
        assert_eq!(unclean(nobody), Some(ResponseError::EligibleLeadersNotAvailable));
        let mut cluster = led_by(-1)
            .fenced(1)
            .with("t", 0, |partition| partition.isr = vec![1]);
        let step = elect(&cluster.view(), ElectionType::Unclean, Some(&named())).unwrap();
        cluster.replay(step.records);
        let partition = cluster.partition("t", 0);
        assert_eq!((partition.leader, partition.isr.as_slice()), (2, [2].as_slice()));
        assert_eq!(partition.leader_epoch, 1);
    }

    #[test]
    fn whoever_leads_at_a_loss_leaves_nobody_eligible() {
        let mut cluster = led_by(-1).feature(FEATURE, 1).config("min.insync.replicas", "2");
        cluster = cluster.fenced(1).with("t", 0, |partition| {
            partition.isr = Vec::new();
            partition.eligible = vec![1];
            partition.last_eligible = vec![1];
        });
        let step = elect(&cluster.view(), ElectionType::Unclean, Some(&named())).unwrap();
        cluster.replay(step.records);
        let partition = cluster.partition("t", 0);
        assert_eq!((partition.leader, partition.isr.as_slice()), (2, [2].as_slice()));
        assert_eq!((partition.eligible.len(), partition.last_eligible.len()), (0, 0));
    }

    #[test]
    fn of_all_partitions_only_those_are_told_whose_leader_is_another() {
        let cluster = Cluster::of(&[1, 2]).topic("t", &[&[1, 2], &[1, 2], &[2, 1]]);
        let cluster = cluster.with("t", 1, |partition| partition.leader = 2).fenced(2);
        let cluster = cluster.with("t", 2, |partition| partition.leader = 1);
        let step = elect(&cluster.view(), ElectionType::Preferred, None).unwrap();
        let told: Vec<_> = step
            .answer
            .iter()
            .map(|(_, index, outcome)| (*index, outcome.is_ok()))
            .collect();
        assert_eq!(told, [(1, true), (2, false)]);
        assert_eq!(step.records.len(), 1);
    }

    #[test]
    fn a_partition_named_twice_is_elected_once() {
        let cluster = led_by(2);
        let twice = [named(), named()].concat();
        let step = elect(&cluster.view(), ElectionType::Preferred, Some(&twice)).unwrap();
        assert_eq!(step.records.len(), 1);
        let second = step.answer[1].2.clone().unwrap_err();
        assert_eq!(second.error, ResponseError::ElectionNotNeeded);
    }

    #[test]
    fn what_is_not_there_is_said_in_kafkas_words() {
        let cluster = led_by(1);
        for (topic, index, message) in [
            ("missing", 0, "No such topic as missing"),
            ("t", 7, "No such partition as t-7"),
            ("t", -1, "No such partition as t--1"),
        ] {
            let step = elect(
                &cluster.view(),
                ElectionType::Preferred,
                Some(&[(topic.to_owned(), index)]),
            )
            .unwrap();
            let refusal = ApiError::new(ResponseError::UnknownTopicOrPartition, message);
            assert_eq!(step.answer[0].2, Err(refusal));
        }
    }
}
