//! Changing the settings of topics and brokers (KIP-133, KIP-339).

use super::draft::Draft;
use super::topic_checks::check_name;
use super::{ApiError, Step, View, eligible};
use crate::broker::config::{DYNAMIC_SETTINGS, Definition, Kind, broker_definition, topic};
use crate::broker::error::Result;
use crate::broker::metadata::{ConfigResource, MetadataImage, MetadataRecord, resource_type};
use crate::broker::records::metadata::{ClearElrRecord, ConfigRecord};
use kafka_protocol::ResponseError;
use std::collections::{BTreeMap, BTreeSet};

/// What one setting may hold, in UTF-16 units.
const LONGEST_VALUE: usize = 32_767;

/// What to do with one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigOperation {
    /// Give it a value.
    Set,
    /// Go back to the default.
    Delete,
    /// Add to a list.
    Append,
    /// Take out of a list.
    Subtract,
}

/// A change of one setting.
#[derive(Debug, Clone)]
pub struct ConfigChange {
    /// Its name.
    pub name: String,
    /// What to do.
    pub operation: ConfigOperation,
    /// The value, or the items of the list.
    pub value: Option<String>,
}

/// Changes of one resource.
#[derive(Debug, Clone)]
pub struct ResourceChange {
    /// Number of the resource's type.
    pub kind: i8,
    /// Its name.
    pub name: String,
    /// What changes.
    pub changes: Vec<ConfigChange>,
    /// Settings that are not named go back to their defaults (AlterConfigs).
    pub replace: bool,
}

/// Changes settings, each resource by itself; with `validate_only` nothing is written.
///
/// # Errors
/// None but a mistake of the plan.
pub fn alter(
    view: &View<'_>,
    resources: &[ResourceChange],
    validate_only: bool,
) -> Result<Step<Vec<Result<(), ApiError>>>> {
    let mut draft = Draft::new(view);
    let mut seen = BTreeSet::new();
    let mut outcomes = Vec::new();
    for resource in resources {
        let planned = if seen.insert((resource.kind, &resource.name)) {
            change(draft.image(), resource)
        } else {
            Err(refuse("Each resource must appear at most once."))
        };
        outcomes.push(planned.map(|planned| planned.into_iter().for_each(|record| draft.add(record))));
    }
    draft.step_unless(validate_only, outcomes)
}

fn refuse(message: impl Into<String>) -> ApiError {
    ApiError::new(ResponseError::InvalidRequest, message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ResponseError::InvalidConfig, message)
}

/// The resource, if it is one that has settings here.
fn resource_of(image: &MetadataImage, kind: i8, name: &str) -> Result<ConfigResource, ApiError> {
    match (kind, ConfigResource::parse(kind, name)) {
        (resource_type::TOPIC, _) if name.is_empty() => {
            Err(refuse("Default topic resources are not allowed."))
        }
        (resource_type::TOPIC, Some(resource)) => {
            if image.topics.contains_key(name) {
                return Ok(resource);
            }
            check_name(name)?;
            let message = format!("The topic '{name}' does not exist.");
            Err(ApiError::new(ResponseError::UnknownTopicOrPartition, message))
        }
        (resource_type::BROKER, None) => Err(refuse("Unable to parse broker name as a base 10 number.")),
        (resource_type::BROKER, Some(resource)) => Ok(resource),
        _ => Err(refuse(format!("Unknown resource type {kind}"))),
    }
}

fn definition_of(resource: &ConfigResource, name: &str) -> Result<&'static Definition, ApiError> {
    if let ConfigResource::Topic(_) = resource {
        return topic::definition(name).ok_or_else(|| invalid(format!("Unknown topic config name: {name}")));
    }
    let definition =
        broker_definition(name).ok_or_else(|| invalid(format!("Unknown broker config name: {name}")))?;
    if !DYNAMIC_SETTINGS.contains(&name) {
        return Err(refuse(format!(
            "Cannot update these configs dynamically: Set({name})"
        )));
    }
    Ok(definition)
}

fn change(image: &MetadataImage, change: &ResourceChange) -> Result<Vec<MetadataRecord>, ApiError> {
    let resource = resource_of(image, change.kind, &change.name)?;
    let before = image.configs.get(&resource).cloned().unwrap_or_default();
    let mut after = if change.replace {
        BTreeMap::new()
    } else {
        before.clone()
    };
    let mut names = BTreeSet::new();
    for one in &change.changes {
        if !names.insert(&one.name) {
            return Err(refuse("Error due to duplicate config keys"));
        }
        apply(&resource, one, &mut after)?;
    }
    if let ConfigResource::Topic(_) = resource {
        let all = after.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        topic::check_all(all).map_err(invalid)?;
    }
    let mut cleared = None;
    if eligible::are_kept(image) {
        cleared = least_in_sync_changes(&resource, &names, (&before, &after))?;
    }
    let (resource_type, resource_name) = resource.kind_and_name();
    let record = |name: &String, value: Option<&String>| {
        MetadataRecord::Config(ConfigRecord {
            resource_type,
            resource_name: resource_name.clone(),
            name: name.clone(),
            value: value.cloned(),
        })
    };
    let changed = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(*value))
        .map(|(name, value)| record(name, Some(value)));
    let removed = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .map(|name| record(name, None));
    let cleared = cleared.map(MetadataRecord::ClearElr);
    Ok(cleared.into_iter().chain(changed).chain(removed).collect())
}

/// What another `min.insync.replicas` means to eligible leader replicas: they were so by the old one, and are forgotten. As in
/// Kafka it is said for all brokers together, and for none of its own.
fn least_in_sync_changes(
    resource: &ConfigResource,
    named: &BTreeSet<&String>,
    (before, after): (&BTreeMap<String, String>, &BTreeMap<String, String>),
) -> Result<Option<ClearElrRecord>, ApiError> {
    let name = "min.insync.replicas";
    let changes = before.get(name) != after.get(name);
    let named = named.iter().any(|one| *one == name);
    match resource {
        ConfigResource::Broker(Some(_)) if changes || named => Err(invalid(
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        )),
        ConfigResource::Broker(None) if !after.contains_key(name) && (changes || named) => Err(invalid(
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
        )),
        ConfigResource::Broker(None) if changes => Ok(Some(ClearElrRecord::default())),
        ConfigResource::Topic(topic) if changes => Ok(Some(ClearElrRecord {
            topic_name: topic.clone(),
        })),
        _ => Ok(None),
    }
}

fn apply(
    resource: &ConfigResource,
    change: &ConfigChange,
    settings: &mut BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let name = &change.name;
    if change.operation == ConfigOperation::Delete {
        // Also one that is not known any more can be taken away.
        settings.remove(name);
        return Ok(());
    }
    let definition = definition_of(resource, name)?;
    let given = change
        .value
        .as_deref()
        .ok_or_else(|| refuse(format!("Null value not supported for : SET:{name}")))?;
    let value = match change.operation {
        ConfigOperation::Append | ConfigOperation::Subtract => {
            let old = settings
                .get(name)
                .map(String::as_str)
                .or(definition.default)
                .unwrap_or_default();
            change_list(definition, change.operation, old, given)?
        }
        ConfigOperation::Set | ConfigOperation::Delete => given.to_owned(),
    };
    if value.encode_utf16().count() > LONGEST_VALUE {
        return Err(invalid(format!(
            "The configuration value cannot be added because it exceeds the maximum value size of {LONGEST_VALUE} bytes."
        )));
    }
    if let ConfigResource::Broker(_) = resource {
        definition.canonical(&value).map_err(refuse)?;
    }
    settings.insert(name.clone(), value);
    Ok(())
}

/// As in Kafka, lists are changed as they were given: an item with a blank before it is another than one without.
fn change_list(
    definition: &Definition,
    operation: ConfigOperation,
    old: &str,
    given: &str,
) -> Result<String, ApiError> {
    let append = operation == ConfigOperation::Append;
    if !matches!(definition.kind, Kind::List { .. } | Kind::ListOf { .. }) {
        let word = if append { "APPEND" } else { "SUBTRACT" };
        return Err(invalid(format!(
            "Can't {word} to key {} because its type is not LIST.",
            definition.name
        )));
    }
    let mut words: Vec<&str> = old.split(',').filter(|word| !word.is_empty()).collect();
    for word in given.trim_end_matches(',').split(',') {
        match words.iter().position(|known| *known == word) {
            None if append => words.push(word),
            Some(place) if !append => {
                words.remove(place);
            }
            _ => {}
        }
    }
    Ok(words.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;

    const TOPIC: i8 = resource_type::TOPIC;
    const BROKER: i8 = resource_type::BROKER;

    fn one(name: &str, operation: ConfigOperation, value: Option<&str>) -> ConfigChange {
        ConfigChange {
            name: name.to_owned(),
            operation,
            value: value.map(str::to_owned),
        }
    }

    fn set(name: &str, value: &str) -> ConfigChange {
        one(name, ConfigOperation::Set, Some(value))
    }

    fn of(kind: i8, name: &str, changes: Vec<ConfigChange>) -> ResourceChange {
        ResourceChange {
            kind,
            name: name.to_owned(),
            changes,
            replace: false,
        }
    }

    fn altered(cluster: &mut Cluster, resource: ResourceChange) -> Result<(), ApiError> {
        let step = alter(&cluster.view(), &[resource], false).unwrap();
        if step.answer[0].is_err() {
            assert_eq!(step.records, [], "what is refused is not written");
        }
        cluster.replay(step.records);
        step.answer.into_iter().next().unwrap()
    }

    fn settings(cluster: &Cluster, resource: &ConfigResource) -> Vec<(String, String)> {
        let found = cluster.image().configs.get(resource).cloned().unwrap_or_default();
        found.into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn settings_are_set_unset_added_to_and_taken_from_and_replaced_as_a_whole() {
        let mut cluster = Cluster::of(&[1]).topic("t", &[&[1]]);
        let resource = ConfigResource::Topic("t".to_owned());
        let delete = |name| one(name, ConfigOperation::Delete, None);
        let append = |value| one("cleanup.policy", ConfigOperation::Append, Some(value));
        let subtract = |value| one("cleanup.policy", ConfigOperation::Subtract, Some(value));
        let table: [(_, &[(&str, &str)]); 7] = [
            (vec![set("retention.ms", "1")], &[("retention.ms", "1")]),
            (
                vec![set("retention.ms", "2"), set("segment.ms", "3")],
                &[("retention.ms", "2"), ("segment.ms", "3")],
            ),
            (
                vec![delete("retention.ms"), delete("unknown")],
                &[("segment.ms", "3")],
            ),
            (
                vec![append("compact")],
                &[("cleanup.policy", "delete,compact"), ("segment.ms", "3")],
            ),
            (
                vec![append("compact")],
                &[("cleanup.policy", "delete,compact"), ("segment.ms", "3")],
            ),
            (
                vec![subtract("delete")],
                &[("cleanup.policy", "compact"), ("segment.ms", "3")],
            ),
            (vec![delete("cleanup.policy"), delete("segment.ms")], &[]),
        ];
        for (changes, after) in table {
            assert_eq!(altered(&mut cluster, of(TOPIC, "t", changes)), Ok(()));
            assert_eq!(settings(&cluster, &resource), pairs(after));
        }
        for (changes, after) in [
            (vec![set("retention.ms", "1"), set("segment.ms", "3")], 2),
            (vec![set("segment.ms", "3")], 1),
            (Vec::new(), 0),
        ] {
            let all = ResourceChange {
                replace: true,
                ..of(TOPIC, "t", changes)
            };
            assert_eq!(altered(&mut cluster, all), Ok(()));
            assert_eq!(settings(&cluster, &resource).len(), after);
        }
    }

    #[test]
    fn another_min_insync_replicas_forgets_who_is_eligible() {
        let own = || of(TOPIC, "t", vec![set("min.insync.replicas", "1")]);
        let of_all = || of(BROKER, "", vec![set("min.insync.replicas", "3")]);
        let other = || of(TOPIC, "t", vec![set("retention.ms", "1")]);
        // The change; whether the cluster keeps eligible leader replicas; those of `t` and of `u` then.
        type Row<'a> = (ResourceChange, i16, (&'a [i32], &'a [i32]));
        let table: [Row<'_>; 5] = [
            (own(), 1, (&[], &[2])),
            (of_all(), 1, (&[], &[])),
            (other(), 1, (&[2], &[2])),
            (own(), 0, (&[2], &[2])),
            (of_all(), 0, (&[2], &[2])),
        ];
        for (resource, level, (of_t, of_u)) in table {
            let mut cluster = Cluster::of(&[1, 2]).feature(eligible::FEATURE, level);
            for topic in ["t", "u"] {
                cluster = cluster.topic(topic, &[&[1, 2]]).with(topic, 0, |partition| {
                    partition.isr = vec![1];
                    partition.eligible = vec![2];
                });
            }
            assert_eq!(altered(&mut cluster, resource.clone()), Ok(()));
            let left = ["t", "u"].map(|topic| cluster.partition(topic, 0).eligible.clone());
            assert_eq!(left, [of_t, of_u], "{resource:?} {level}");
        }
    }

    #[test]
    fn with_eligible_leader_replicas_min_insync_replicas_is_for_all_brokers() {
        let name = "min.insync.replicas";
        let altered_by = "Broker-level min.insync.replicas cannot be altered while ELR is enabled.";
        let delete = |name| one(name, ConfigOperation::Delete, None);
        let removed = "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.";
        for (resource, why) in [
            (of(BROKER, "1", vec![set(name, "2")]), altered_by),
            (of(BROKER, "1", vec![delete(name)]), altered_by),
            (of(BROKER, "", vec![delete(name)]), removed),
        ] {
            let mut with = Cluster::of(&[1]).feature(eligible::FEATURE, 1);
            altered(&mut with, of(BROKER, "", vec![set(name, "2")])).unwrap();
            assert_eq!(altered(&mut with, resource.clone()), Err(invalid(why)));
            assert_eq!(altered(&mut Cluster::of(&[1]), resource), Ok(()));
        }
    }

    #[test]
    fn only_what_changes_is_written() {
        let mut cluster = Cluster::of(&[1]).topic("t", &[&[1]]);
        let same = of(TOPIC, "t", vec![set("retention.ms", "1")]);
        altered(&mut cluster, same.clone()).unwrap();
        let step = alter(&cluster.view(), &[same], false).unwrap();
        assert_eq!((step.records.len(), step.answer), (0, vec![Ok(())]));
    }

    #[test]
    fn what_is_only_checked_is_not_written() {
        let cluster = Cluster::of(&[1]).topic("t", &[&[1]]);
        let step = alter(
            &cluster.view(),
            &[of(TOPIC, "t", vec![set("retention.ms", "1")])],
            true,
        )
        .unwrap();
        assert_eq!((step.records.len(), step.answer), (0, vec![Ok(())]));
    }

    #[test]
    fn a_resource_is_named_once() {
        let cluster = Cluster::of(&[1]).topic("t", &[&[1]]);
        let twice = ["1", "2"].map(|value| of(TOPIC, "t", vec![set("retention.ms", value)]));
        let step = alter(&cluster.view(), &twice, false).unwrap();
        assert_eq!((step.records.len(), step.answer[0].is_ok()), (1, true));
        let message = "Each resource must appear at most once.";
        assert_eq!(step.answer[1], Err(refuse(message)));
    }

    #[test]
    fn what_cannot_be_changed_is_refused_in_kafkas_words() {
        let mut cluster = Cluster::of(&[1]).topic("t", &[&[1]]);
        let long = "x".repeat(LONGEST_VALUE + 1);
        let any = || vec![set("retention.ms", "1")];
        let table = [
            (
                of(TOPIC, "", any()),
                refuse("Default topic resources are not allowed."),
            ),
            (
                of(TOPIC, "missing", any()),
                ApiError::new(
                    ResponseError::UnknownTopicOrPartition,
                    "The topic 'missing' does not exist.",
                ),
            ),
            (
                of(TOPIC, "a/b", any()),
                ApiError::new(
                    ResponseError::InvalidTopicException,
                    "Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', \
                     '_' and '-'",
                ),
            ),
            (
                of(BROKER, "one", any()),
                refuse("Unable to parse broker name as a base 10 number."),
            ),
            (of(3, "x", any()), refuse("Unknown resource type 3")),
            (
                of(TOPIC, "t", vec![set("nothing", "1")]),
                invalid("Unknown topic config name: nothing"),
            ),
            (
                of(BROKER, "1", vec![set("nothing", "1")]),
                invalid("Unknown broker config name: nothing"),
            ),
            (
                of(BROKER, "1", vec![set("broker.rack", "r")]),
                refuse("Cannot update these configs dynamically: Set(broker.rack)"),
            ),
            (
                of(
                    TOPIC,
                    "t",
                    vec![set("retention.ms", "1"), set("retention.ms", "2")],
                ),
                refuse("Error due to duplicate config keys"),
            ),
            (
                of(TOPIC, "t", vec![one("retention.ms", ConfigOperation::Set, None)]),
                refuse("Null value not supported for : SET:retention.ms"),
            ),
            (
                of(
                    TOPIC,
                    "t",
                    vec![one("retention.ms", ConfigOperation::Append, Some("1"))],
                ),
                invalid("Can't APPEND to key retention.ms because its type is not LIST."),
            ),
            (
                of(TOPIC, "t", vec![set("retention.ms", "soon")]),
                invalid("Invalid value soon for configuration retention.ms: Not a number of type LONG"),
            ),
            (
                of(TOPIC, "t", vec![set("cleanup.policy", &long)]),
                invalid(
                    "The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.",
                ),
            ),
        ];
        for (resource, refusal) in table {
            assert_eq!(altered(&mut cluster, resource), Err(refusal));
        }
    }
}
