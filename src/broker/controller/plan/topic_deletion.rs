//! Deleting topics, by name or by id (KIP-516).

use super::draft::Draft;
use super::{ApiError, Step, View};
use crate::broker::error::Result;
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use crate::broker::records::metadata::RemoveTopicRecord;
use kafka_protocol::ResponseError;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A topic as a request names it: by its name, or by its id with no name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedTopic {
    /// The name.
    pub name: Option<String>,
    /// The id, nil where it is named by its name.
    pub id: Uuid,
}

/// What came of a topic that was to be deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Deletion {
    /// As the request named it; of a topic that was deleted, its name.
    pub name: Option<String>,
    /// Its id, as far as it is known.
    pub id: Uuid,
    /// Whether it is deleted.
    pub outcome: Result<(), ApiError>,
}

/// Deletes topics, each by itself; an answer for each way in which one is named, in the order of their first mention.
///
/// # Errors
/// None but a mistake of the plan.
pub fn delete(view: &View<'_>, asked: &[NamedTopic]) -> Result<Step<Vec<Deletion>>> {
    let counted = counted(asked).into_iter();
    let wanted: Vec<_> = counted
        .map(|(asked, count)| (asked, resolve(view.image, asked, count)))
        .collect();
    let meant = |by_name: bool| -> BTreeSet<Uuid> {
        let wanted = wanted.iter().filter(|(asked, _)| asked.name.is_some() == by_name);
        wanted.filter_map(|(_, id)| id.as_ref().ok().copied()).collect()
    };
    let (by_name, by_id) = (meant(true), meant(false));
    // A topic named by its name and by its id stays, and is answered once: under its name.
    let twice: BTreeSet<Uuid> = by_name.intersection(&by_id).copied().collect();
    let mut draft = Draft::new(view);
    let mut answers = Vec::with_capacity(wanted.len());
    for (asked, resolved) in wanted {
        let id = *resolved.as_ref().unwrap_or(&asked.id);
        let doubled = resolved.is_ok() && twice.contains(&id);
        if doubled && asked.name.is_none() {
            continue;
        }
        let outcome = if doubled {
            Err(ApiError::new(
                ResponseError::InvalidRequest,
                "The provided topic name maps to an ID that was already supplied.",
            ))
        } else {
            resolved.map(|_| ())
        };
        let mut name = asked.name.clone();
        if outcome.is_ok() {
            name = view.image.topic_names.get(&id).cloned();
            draft.add(MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id: id }));
        }
        answers.push(Deletion { name, id, outcome });
    }
    draft.step(answers)
}

/// How often each topic is named, in the order of their first mention.
fn counted(asked: &[NamedTopic]) -> Vec<(&NamedTopic, usize)> {
    let mut places: BTreeMap<&NamedTopic, usize> = BTreeMap::new();
    let mut counted: Vec<(&NamedTopic, usize)> = Vec::new();
    for named in asked {
        let place = *places.entry(named).or_insert(counted.len());
        match counted.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counted.push((named, 1)),
        }
    }
    counted
}

/// The topic that is meant, by its name or by its id but never by both, and named only once in the request.
fn resolve(image: &MetadataImage, asked: &NamedTopic, count: usize) -> Result<Uuid, ApiError> {
    let invalid = |message| Err(ApiError::new(ResponseError::InvalidRequest, message));
    match &asked.name {
        Some(_) if !asked.id.is_nil() => invalid("You may not specify both topic name and topic id."),
        None if asked.id.is_nil() => invalid("Neither topic name nor id were specified."),
        Some(_) if count > 1 => invalid("Duplicate topic name."),
        None if count > 1 => invalid("Duplicate topic id."),
        Some(name) => image.topics.get(name).map(|topic| topic.id).ok_or_else(|| {
            ApiError::new(
                ResponseError::UnknownTopicOrPartition,
                "This server does not host this topic-partition.",
            )
        }),
        None if image.topic_by_id(asked.id).is_some() => Ok(asked.id),
        None => Err(ApiError::new(
            ResponseError::UnknownTopicId,
            "This server does not host this topic ID.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;

    fn name(name: &str) -> NamedTopic {
        NamedTopic {
            name: Some(name.to_owned()),
            id: Uuid::nil(),
        }
    }

    fn id(id: Uuid) -> NamedTopic {
        NamedTopic { name: None, id }
    }

    /// Of each answer the name and the message.
    fn told(cluster: &mut Cluster, asked: &[NamedTopic]) -> Vec<(Option<String>, Option<String>)> {
        let step = delete(&cluster.view(), asked).unwrap();
        cluster.replay(step.records);
        let answers = step.answer.into_iter();
        answers
            .map(|answer| (answer.name, answer.outcome.err().map(|error| error.message)))
            .collect()
    }

    fn left(cluster: &Cluster) -> Vec<&str> {
        cluster.image().topics.keys().map(String::as_str).collect()
    }

    #[test]
    fn topics_are_deleted_by_name_and_by_id_and_answered_under_their_name() {
        let mut cluster = Cluster::of(&[1])
            .topic("a", &[&[1]])
            .topic("b", &[&[1]])
            .topic("c", &[&[1]]);
        let b = id(cluster.id("b"));
        let step = delete(&cluster.view(), &[b, name("c")]).unwrap();
        let names: Vec<_> = step
            .answer
            .iter()
            .map(|one| (one.name.as_deref(), one.id))
            .collect();
        assert_eq!(
            names,
            [(Some("b"), cluster.id("b")), (Some("c"), cluster.id("c"))]
        );
        cluster.replay(step.records);
        assert_eq!(left(&cluster), ["a"]);
    }

    #[test]
    fn what_is_not_named_clearly_stays() {
        let mut cluster = Cluster::of(&[1]).topic("a", &[&[1]]).topic("b", &[&[1]]);
        let (a, b) = (cluster.id("a"), cluster.id("b"));
        let unknown = Uuid::from_u128(9);
        let both = NamedTopic {
            name: Some("a".to_owned()),
            id: a,
        };
        let table: [(Vec<NamedTopic>, Option<&str>, &str); 7] = [
            (
                vec![both],
                Some("a"),
                "You may not specify both topic name and topic id.",
            ),
            (
                vec![id(Uuid::nil())],
                None,
                "Neither topic name nor id were specified.",
            ),
            (vec![name("a"), name("a")], Some("a"), "Duplicate topic name."),
            (vec![id(b), id(b)], None, "Duplicate topic id."),
            (
                vec![name("x")],
                Some("x"),
                "This server does not host this topic-partition.",
            ),
            (
                vec![id(unknown)],
                None,
                "This server does not host this topic ID.",
            ),
            (
                vec![id(a), name("a")],
                Some("a"),
                "The provided topic name maps to an ID that was already supplied.",
            ),
        ];
        for (asked, name, message) in table {
            let name = name.map(str::to_owned);
            assert_eq!(told(&mut cluster, &asked), [(name, Some(message.to_owned()))]);
            assert_eq!(left(&cluster), ["a", "b"]);
        }
    }
}
