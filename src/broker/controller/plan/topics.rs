//! Creating topics (KIP-4).

use super::draft::Draft;
use super::placement::{self, place};
use super::topic_checks::{check_assignment, check_collision, check_count, check_name};
use super::{ApiError, Step, View, can_lead};
use crate::broker::config::topic as topic_settings;
use crate::broker::error::Result;
use crate::broker::metadata::{MetadataImage, MetadataRecord, resource_type};
use crate::broker::records::metadata::{ConfigRecord, TopicRecord};
use kafka_protocol::ResponseError;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A topic that somebody wants.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Partitions, -1 for `num.partitions`.
    pub partitions: i32,
    /// Replicas of each, -1 for `default.replication.factor`.
    pub replication_factor: i16,
    /// Replicas by partition, instead of the two above.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Settings; a null value is refused.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was made, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its id; nil if it was only checked.
    pub id: Uuid,
    /// Replicas by partition.
    pub replicas: Vec<Vec<i32>>,
}

/// What came of each part of a change that places partitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// An outcome each, in their order.
    pub outcomes: Vec<Result<T, ApiError>>,
    /// Where the next placement starts.
    pub next_start: usize,
}

/// Topics, each with the id that it gets, created each by itself; all that can be are written at once. `start` is where the
/// placement starts. With `validate_only` nothing is written.
///
/// # Errors
/// None but a mistake of the plan.
pub fn create(
    view: &View<'_>,
    topics: &[(NewTopic, Uuid)],
    validate_only: bool,
    mut start: usize,
) -> Result<Step<Placed<CreatedTopic>>> {
    let mut draft = Draft::new(view);
    let mut outcomes = Vec::new();
    for (topic, id) in topics {
        let planned = check(draft.image(), topic).and_then(|()| replicas_of(view, topic, &mut start));
        outcomes.push(planned.map(|replicas| {
            for record in records_of(view.image, topic, *id, &replicas) {
                draft.add(record);
            }
            let id = if validate_only { Uuid::nil() } else { *id };
            CreatedTopic { id, replicas }
        }));
    }
    let next_start = start;
    draft.step_unless(validate_only, Placed { outcomes, next_start })
}

fn check(image: &MetadataImage, topic: &NewTopic) -> Result<(), ApiError> {
    check_name(&topic.name)?;
    if image.topics.contains_key(&topic.name) {
        let message = format!("Topic '{}' already exists.", topic.name);
        return Err(ApiError::new(ResponseError::TopicAlreadyExists, message));
    }
    check_collision(&topic.name, image.topics.keys().map(String::as_str))?;
    let nulls: Vec<&str> = topic
        .configs
        .iter()
        .filter_map(|(name, value)| value.is_none().then_some(name.as_str()))
        .collect();
    if !nulls.is_empty() {
        let message = format!("Null value not supported for topic configs: {}", nulls.join(","));
        return Err(ApiError::new(ResponseError::InvalidConfig, message));
    }
    let given = topic.configs.iter();
    let given = given.filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
    topic_settings::check_all(given).map_err(|message| ApiError::new(ResponseError::InvalidConfig, message))
}

/// Replicas of each partition, as given or as we place them.
fn replicas_of(view: &View<'_>, topic: &NewTopic, start: &mut usize) -> Result<Vec<Vec<i32>>, ApiError> {
    if !topic.assignments.is_empty() {
        return assigned(view.image, topic);
    }
    let partitions = match topic.partitions {
        -1 => i32::try_from(view.config.int("num.partitions")).unwrap_or(1),
        given => given,
    };
    let factor = match topic.replication_factor {
        -1 => i16::try_from(view.config.int("default.replication.factor")).unwrap_or(1),
        given => given,
    };
    if factor < 1 {
        return Err(ApiError::new(
            ResponseError::InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ));
    }
    let too_few = || {
        ApiError::new(
            ResponseError::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        )
    };
    let count = usize::try_from(partitions)
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(too_few)?;
    check_count(count)?;
    let placed = place(view.image, *start, count, usize::from(factor.unsigned_abs()))?;
    *start += count;
    Ok(placed)
}

/// Replicas by partition as they were given.
fn assigned(image: &MetadataImage, topic: &NewTopic) -> Result<Vec<Vec<i32>>, ApiError> {
    let refuse = |error, message: &str| Err(ApiError::new(error, message));
    if topic.replication_factor != -1 {
        return refuse(
            ResponseError::InvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        );
    }
    if topic.partitions != -1 {
        return refuse(
            ResponseError::InvalidRequest,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        );
    }
    let mut by_index = BTreeMap::new();
    let mut factor = None;
    for (index, replicas) in &topic.assignments {
        check_assignment(image, replicas, factor)?;
        factor = Some(replicas.len());
        if by_index.insert(*index, replicas.clone()).is_some() {
            let message = format!("Found multiple manual partition assignments for partition {index}");
            return refuse(ResponseError::InvalidReplicaAssignment, &message);
        }
        if !replicas.iter().any(|id| can_lead(image, *id)) {
            let message = format!(
                "All brokers specified in the manual partition assignment for partition {index} are fenced or in \
                 controlled shutdown."
            );
            return refuse(ResponseError::InvalidReplicaAssignment, &message);
        }
    }
    check_count(by_index.len())?;
    if !by_index.keys().copied().eq((0..).take(by_index.len())) {
        return refuse(
            ResponseError::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        );
    }
    Ok(by_index.into_values().collect())
}

fn records_of(
    image: &MetadataImage,
    topic: &NewTopic,
    id: Uuid,
    replicas: &[Vec<i32>],
) -> Vec<MetadataRecord> {
    let mut records = vec![MetadataRecord::Topic(TopicRecord {
        name: topic.name.clone(),
        topic_id: id,
    })];
    let configs = topic.configs.iter().map(|(name, value)| ConfigRecord {
        resource_type: resource_type::TOPIC,
        resource_name: topic.name.clone(),
        name: name.clone(),
        value: value.clone(),
    });
    records.extend(configs.map(MetadataRecord::Config));
    let partitions = (0..).zip(replicas);
    records.extend(partitions.map(|(index, replicas)| placement::record(image, id, index, replicas)));
    records
}

#[cfg(test)]
mod tests {
    use super::super::table::{Cluster, message};
    use super::*;

    const ID: Uuid = Uuid::from_u128(77);

    fn topic(name: &str) -> NewTopic {
        NewTopic {
            name: name.to_owned(),
            partitions: 1,
            replication_factor: 1,
            ..NewTopic::default()
        }
    }

    fn refusal(cluster: &Cluster, wanted: NewTopic) -> (ResponseError, String) {
        let step = create(&cluster.view(), &[(wanted, ID)], false, 0).unwrap();
        assert_eq!(step.records, [], "what is refused is not written");
        message(step.answer.outcomes)
    }

    #[test]
    fn a_topic_is_written_with_its_settings_and_partitions_and_read_back_as_wanted() {
        let mut cluster = Cluster::of(&[1, 2]).config("num.partitions", "2");
        let wanted = NewTopic {
            name: "t".to_owned(),
            partitions: -1,
            replication_factor: 2,
            configs: vec![("retention.ms".to_owned(), Some("4000".to_owned()))],
            ..NewTopic::default()
        };
        let step = create(&cluster.view(), &[(wanted, ID)], false, 1).unwrap();
        assert_eq!(step.answer.next_start, 3);
        let replicas = vec![vec![2, 1], vec![1, 2]];
        let made = CreatedTopic { id: ID, replicas };
        assert_eq!(step.answer.outcomes, [Ok(made.clone())]);
        cluster.replay(step.records);
        let image = cluster.image();
        let topic = image.topic_by_id(ID).unwrap();
        assert_eq!(topic.name, "t");
        let found: Vec<_> = topic.partitions.iter().map(|one| one.replicas.clone()).collect();
        assert_eq!(found, made.replicas);
        assert_eq!(topic.partitions[0].leader, 2);
        assert_eq!(topic.partitions[0].isr, [2, 1]);
        let settings = &image.configs[&crate::broker::metadata::ConfigResource::Topic("t".to_owned())];
        assert_eq!(settings["retention.ms"], "4000");
    }

    #[test]
    fn what_is_only_checked_is_not_written_and_has_no_id() {
        let cluster = Cluster::of(&[1]);
        let step = create(&cluster.view(), &[(topic("t"), ID)], true, 0).unwrap();
        assert_eq!(step.records, []);
        assert_eq!(step.answer.outcomes[0].as_ref().unwrap().id, Uuid::nil());
    }

    #[test]
    fn topics_of_one_request_are_checked_against_one_another() {
        let cluster = Cluster::of(&[1]);
        let wanted = ["a.b", "a_b", "a.b", "c"].map(|name| (topic(name), ID));
        let step = create(&cluster.view(), &wanted, false, 0).unwrap();
        let errors: Vec<_> = step.answer.outcomes.into_iter().map(|one| one.err()).collect();
        let errors: Vec<_> = errors
            .into_iter()
            .map(|error| error.map(|error| error.error))
            .collect();
        let (exists, invalid) = (
            ResponseError::TopicAlreadyExists,
            ResponseError::InvalidTopicException,
        );
        assert_eq!(errors, [None, Some(invalid), Some(exists), None]);
    }

    #[test]
    fn what_cannot_be_made_is_refused_in_kafkas_words() {
        let cluster = Cluster::of(&[1, 2]).topic("old", &[&[1]]);
        let with = |change: fn(&mut NewTopic)| {
            let mut wanted = topic("t");
            change(&mut wanted);
            wanted
        };
        let manual = |assignments: &[(i32, &[i32])]| NewTopic {
            partitions: -1,
            replication_factor: -1,
            assignments: assignments.iter().map(|(at, ids)| (*at, ids.to_vec())).collect(),
            ..topic("t")
        };
        let table = [
            (
                topic("old"),
                ResponseError::TopicAlreadyExists,
                "Topic 'old' already exists.",
            ),
            (
                with(|topic| topic.replication_factor = 0),
                ResponseError::InvalidReplicationFactor,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            ),
            (
                with(|topic| topic.partitions = 0),
                ResponseError::InvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.",
            ),
            (
                with(|topic| topic.partitions = 10_001),
                ResponseError::InvalidPartitions,
                "Number of partitions must not be larger than 10000.",
            ),
            (
                with(|topic| topic.configs = vec![("a".to_owned(), None), ("b".to_owned(), None)]),
                ResponseError::InvalidConfig,
                "Null value not supported for topic configs: a,b",
            ),
            (
                with(|topic| topic.configs = vec![("a".to_owned(), Some("1".to_owned()))]),
                ResponseError::InvalidConfig,
                "Unknown topic config name: a",
            ),
            (
                with(|topic| topic.assignments = vec![(0, vec![1])]),
                ResponseError::InvalidRequest,
                "A manual partition assignment was specified, but replication factor was not set to -1.",
            ),
            (
                manual(&[(0, &[1]), (2, &[1])]),
                ResponseError::InvalidReplicaAssignment,
                "partitions should be a consecutive 0-based integer sequence",
            ),
            (
                manual(&[(0, &[1]), (0, &[2])]),
                ResponseError::InvalidReplicaAssignment,
                "Found multiple manual partition assignments for partition 0",
            ),
            (
                manual(&[(0, &[1]), (1, &[1, 2])]),
                ResponseError::InvalidReplicaAssignment,
                "The manual partition assignment includes a partition with 2 replica(s), but this is not consistent \
                 with previous partitions, which have 1 replica(s).",
            ),
        ];
        for (wanted, error, message) in table {
            assert_eq!(refusal(&cluster, wanted), (error, message.to_owned()));
        }
        let fenced = Cluster::of(&[1]).fenced(1);
        let refused = refusal(&fenced, manual(&[(0, &[1])]));
        assert!(
            refused.1.ends_with("are fenced or in controlled shutdown."),
            "{refused:?}"
        );
    }
}
