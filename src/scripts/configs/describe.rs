//! `kafka-configs --describe`

use super::options::Entities;
use super::{Command, singular};
use crate::kafka::{Admin, ConfigEntry, ConfigResource, ConfigSource, ConfigSynonym};
use crate::scripts::java_order::hash_map_order;
use crate::scripts::{Ending, out};

pub(super) fn run(command: &Command<'_>, entities: &Entities) -> Result<(), Ending> {
    let Some(kind) = entities.types.first() else {
        return Ok(());
    };
    // A name that cannot be is refused before the cluster is asked.
    for name in &entities.names {
        command.resource(kind, name)?;
    }
    let admin = command.connect()?;
    let names = match entities.names.first() {
        Some(name) if name.is_empty() => vec![name.clone()],
        Some(name) => {
            if is_nothing(command, &admin, kind, name)? {
                out(&format!(
                    "The {} '{name}' doesn't exist and doesn't have dynamic config.",
                    singular(kind)
                ));
                return Ok(());
            }
            vec![name.clone()]
        }
        None => all(command, &admin, kind)?,
    };
    for name in &names {
        describe(command, &admin, kind, name)?;
    }
    Ok(())
}

/// The names of all entities of a type; brokers are followed by their defaults.
fn all(command: &Command<'_>, admin: &Admin, kind: &str) -> Result<Vec<String>, Ending> {
    Ok(match kind {
        "topics" => {
            let metadata = admin.metadata().map_err(command.unanswered("listTopics"))?;
            let mut names: Vec<String> = metadata.topics.into_iter().map(|topic| topic.name).collect();
            hash_map_order(&mut names, |name| name);
            names
        }
        "groups" => {
            let (groups, errors) = admin.list_groups().map_err(command.unanswered("listGroups"))?;
            if let Some(error) = errors.first() {
                return Err(command.refused(error));
            }
            let mut names: Vec<String> = groups.into_iter().map(|group| group.group_id).collect();
            hash_map_order(&mut names, |name| name);
            names
        }
        _ => {
            let mut names = broker_ids(command, admin)?;
            names.push(String::new());
            names
        }
    })
}

fn broker_ids(command: &Command<'_>, admin: &Admin) -> Result<Vec<String>, Ending> {
    let cluster = admin
        .describe_cluster()
        .map_err(command.unanswered("listNodes"))?;
    Ok(cluster
        .brokers
        .iter()
        .map(|broker| broker.id.to_string())
        .collect())
}

/// Whether there is no entity of that name, and no setting kept for it either.
fn is_nothing(command: &Command<'_>, admin: &Admin, kind: &str, name: &str) -> Result<bool, Ending> {
    let known = match kind {
        "topics" => {
            let metadata = admin.metadata().map_err(command.unanswered("listTopics"))?;
            metadata.topic(name).is_some()
        }
        "brokers" => broker_ids(command, admin)?.iter().any(|id| id == name),
        _ => {
            all(command, admin, kind)?.iter().any(|group| group == name)
                || !settings(command, admin, kind, name)?
                    .iter()
                    .all(|entry| entry.source != own_source(kind, name))
        }
    };
    Ok(!known)
}

fn settings(
    command: &Command<'_>,
    admin: &Admin,
    kind: &str,
    name: &str,
) -> Result<Vec<ConfigEntry>, Ending> {
    let ask = |resource: &ConfigResource| {
        admin
            .try_describe_configs(resource)
            .map_err(|refusal| command.refused(&refusal))
    };
    match command.resource(kind, name)? {
        Some(resource) => ask(&resource),
        // The defaults of all brokers are what each broker falls back to.
        None => {
            let mut settings = Vec::new();
            if let Some(id) = broker_ids(command, admin)?.first()
                && let Some(broker) = command.resource(kind, id)?
            {
                settings.extend(ask(&broker)?.into_iter().filter_map(as_default));
            }
            Ok(settings)
        }
    }
}

/// A broker's setting as the one of all brokers, if it is set for all.
fn as_default(entry: ConfigEntry) -> Option<ConfigEntry> {
    let of_all = entry
        .synonyms
        .iter()
        .find(|synonym| synonym.source == ConfigSource::AllBrokers)?
        .clone();
    Some(ConfigEntry {
        value: of_all.value.clone(),
        source: of_all.source,
        synonyms: vec![of_all],
        ..entry
    })
}

/// The source of settings that were set on the entity itself.
fn own_source(kind: &str, name: &str) -> ConfigSource {
    match kind {
        "topics" => ConfigSource::Topic,
        "groups" => ConfigSource::Group,
        _ if name.is_empty() => ConfigSource::AllBrokers,
        _ => ConfigSource::Broker,
    }
}

fn describe(command: &Command<'_>, admin: &Admin, kind: &str, name: &str) -> Result<(), Ending> {
    let every = command.parsed.has("all");
    if name.is_empty() {
        out(&format!("Default configs for {kind} in the cluster are:"));
    } else {
        let which = if every { "All" } else { "Dynamic" };
        out(&format!("{which} configs for {} {name} are:", singular(kind)));
    }
    let own = own_source(kind, name);
    for entry in settings(command, admin, kind, name)? {
        if every || entry.source == own {
            let synonyms: Vec<String> = entry.synonyms.iter().map(synonym).collect();
            out(&format!(
                "  {}={} sensitive={} synonyms={{{}}}",
                entry.name,
                entry.value.as_deref().unwrap_or("null"),
                entry.sensitive,
                synonyms.join(", ")
            ));
        }
    }
    Ok(())
}

fn synonym(synonym: &ConfigSynonym) -> String {
    let source = match synonym.source {
        // Java's name of it; the protocol's is the one of the others.
        ConfigSource::Group => "DYNAMIC_GROUP_CONFIG",
        other => other.kafka_name(),
    };
    format!(
        "{source}:{}={}",
        synonym.name,
        synonym.value.as_deref().unwrap_or("null")
    )
}
