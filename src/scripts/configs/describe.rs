//! `kafka-configs --describe`

use super::options::Entities;
use super::{Command, check_topic, config_kind, singular};
use crate::kafka::wire::ConfigKind;
use crate::kafka::{ConfigEntry, ConfigSource, ConfigSynonym, ErrorCode, Wire};
use crate::scripts::java_order::{hash_map_order, scala_order};
use crate::scripts::{Ending, out};

pub(super) fn run(command: &Command<'_>, entities: &Entities) -> Result<(), Ending> {
    let Some(kind) = entities.types.first() else {
        return Ok(());
    };
    let name = entities.names.first();
    // A name that cannot be is refused before the cluster is asked.
    if let Some(name) = name.filter(|_| kind == "topics") {
        check_topic(name)?;
    }
    let every = command.parsed.has("all");
    let mut wire = command.wire(first_call(kind, every && name.is_some()))?;
    let names = match name {
        Some(name) if !every && is_nothing(command, &mut wire, kind, name)? => {
            out(&format!(
                "The {} '{name}' doesn't exist and doesn't have dynamic config.",
                singular(kind)
            ));
            return Ok(());
        }
        Some(name) => vec![name.clone()],
        None => all(command, &mut wire, kind)?,
    };
    for name in &names {
        describe(command, &mut wire, kind, name)?;
    }
    Ok(())
}

/// Java's name of what is asked first.
fn first_call(kind: &str, known: bool) -> &'static str {
    match kind {
        _ if known => "describeConfigs",
        "topics" => "listTopics",
        "groups" => "findAllBrokers",
        "client-metrics" => "listConfigResources",
        _ => "listNodes",
    }
}

/// The names of all entities of a type; brokers are followed by their defaults.
fn all(command: &Command<'_>, wire: &mut Wire, kind: &str) -> Result<Vec<String>, Ending> {
    match kind {
        "topics" => {
            let metadata = command.ask(wire, "listTopics", Wire::metadata)?;
            let mut names: Vec<String> = metadata.topics.into_iter().map(|topic| topic.name).collect();
            hash_map_order(&mut names, |name| name);
            Ok(names)
        }
        "groups" => {
            let mut names = groups(command, wire)?;
            let configured = groups_with_settings(command, wire)?.unwrap_or_default();
            for name in configured {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            scala_order(&mut names, |name| name);
            Ok(names)
        }
        "client-metrics" => subscriptions(command, wire),
        _ => {
            let mut names = node_ids(command, wire)?;
            names.push(String::new());
            Ok(names)
        }
    }
}

fn groups(command: &Command<'_>, wire: &mut Wire) -> Result<Vec<String>, Ending> {
    let groups = command.ask(wire, "findAllBrokers", Wire::list_groups)?;
    let mut names: Vec<String> = groups.into_iter().map(|group| group.id).collect();
    hash_map_order(&mut names, |name| name);
    Ok(names)
}

/// Groups that have settings; `None` of a cluster before 4.1, which cannot list them, or will not to this user.
fn groups_with_settings(command: &Command<'_>, wire: &mut Wire) -> Result<Option<Vec<String>>, Ending> {
    match wire.list_config_resources(ConfigKind::Group) {
        Ok(names) => Ok(Some(names)),
        Err(refusal)
            if [
                ErrorCode::UnsupportedVersion,
                ErrorCode::ClusterAuthorizationFailed,
            ]
            .contains(&refusal.code()) =>
        {
            Ok(None)
        }
        Err(refusal) => Err(command.refused("listConfigResources", &refusal)),
    }
}

fn subscriptions(command: &Command<'_>, wire: &mut Wire) -> Result<Vec<String>, Ending> {
    command.ask(wire, "listConfigResources", |wire| {
        wire.list_config_resources(ConfigKind::ClientMetrics)
    })
}

fn node_ids(command: &Command<'_>, wire: &mut Wire) -> Result<Vec<String>, Ending> {
    let nodes = command.ask(wire, "listNodes", Wire::nodes)?;
    Ok(nodes.iter().map(|node| node.id.to_string()).collect())
}

/// Whether there is no entity of that name, and no setting kept for it either.
fn is_nothing(command: &Command<'_>, wire: &mut Wire, kind: &str, name: &str) -> Result<bool, Ending> {
    let has = |names: Vec<String>| names.iter().any(|known| known == name);
    Ok(match kind {
        "topics" => {
            let metadata = command.ask(wire, "listTopics", Wire::metadata)?;
            metadata.topic(name).is_none()
        }
        "groups" => {
            !has(groups(command, wire)?)
                && groups_with_settings(command, wire)?.is_some_and(|configured| !has(configured))
        }
        "client-metrics" => !has(subscriptions(command, wire)?),
        _ => !has(node_ids(command, wire)?) && !name.is_empty(),
    })
}

fn settings(
    command: &Command<'_>,
    wire: &mut Wire,
    kind: &str,
    name: &str,
) -> Result<Vec<ConfigEntry>, Ending> {
    let mut settings = command.ask(wire, "describeConfigs", |wire| {
        wire.describe_configs(config_kind(kind), name)
    })?;
    settings.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(settings)
}

/// The source of settings that were set on the entity itself. (All of a logger's count.)
fn own_source(kind: &str, name: &str) -> ConfigSource {
    match kind {
        "topics" => ConfigSource::Topic,
        "groups" => ConfigSource::Group,
        "client-metrics" => ConfigSource::ClientMetrics,
        _ if name.is_empty() => ConfigSource::AllBrokers,
        _ => ConfigSource::Broker,
    }
}

fn describe(command: &Command<'_>, wire: &mut Wire, kind: &str, name: &str) -> Result<(), Ending> {
    let every = command.parsed.has("all") || kind == "broker-loggers";
    if name.is_empty() {
        out(&format!("Default configs for {kind} in the cluster are:"));
    } else {
        let which = if command.parsed.has("all") {
            "All"
        } else {
            "Dynamic"
        };
        out(&format!("{which} configs for {} {name} are:", singular(kind)));
    }
    let own = own_source(kind, name);
    for entry in settings(command, wire, kind, name)? {
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
