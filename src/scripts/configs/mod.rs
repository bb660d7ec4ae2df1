//! `kafka-configs`: show and change the settings of all that has some, quotas and passwords among them.

mod changes;
mod describe;
mod options;
mod quotas;

use super::client_properties::admin_connection;
use super::connecting::Unanswered;
use super::options::Parsed;
use super::{Ending, out};
use crate::failure::Failure;
use crate::kafka::wire::ConfigKind;
use crate::kafka::{Answer, ConfigChange, KafkaError, Wire};
use options::{Entities, OPTIONS};

/// Of the requests here, those that controllers take from anybody (KIP-919).
const OF_CONTROLLERS: [&str; 3] = ["listNodes", "describeConfigs", "incrementalAlterConfigs"];

/// Runs the script.
///
/// # Errors
/// Everything on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    let entities = options::check(&parsed)?;
    let command = Command { arguments, parsed };
    if !command.parsed.has("describe") {
        command.alter(&entities)?;
    } else if quotas::are_meant(&entities) {
        quotas::describe(&command, &entities)?;
    } else {
        describe::run(&command, &entities)?;
    }
    Ok(0)
}

/// A command line, which its own errors repeat.
struct Command<'a> {
    arguments: &'a [String],
    parsed: Parsed,
}

impl Command<'_> {
    /// Kafka's words for whatever the cluster refuses, and the reason in one line.
    fn failed(&self, why: impl std::fmt::Display) -> Ending {
        Ending::failure(format!(
            "Error while executing config command with args '{}'\n{why}",
            without_passwords(&self.arguments.join(" "))
        ))
    }

    fn unanswered(&self, failure: &Failure, call: &str) -> Ending {
        Unanswered::of_failure(failure, call).ending(|told| self.failed(&told.exception))
    }

    /// Asks for what Java calls `call`.
    fn ask<T>(
        &self,
        wire: &mut Wire,
        call: &str,
        question: impl FnOnce(&mut Wire) -> Answer<T>,
    ) -> Result<T, Ending> {
        if self.parsed.has("bootstrap-controller") && !OF_CONTROLLERS.contains(&call) {
            let groups = match call {
                "findAllBrokers" => {
                    "org.apache.kafka.common.KafkaException: Failed to find brokers to send ListGroups\n"
                }
                _ => "",
            };
            return Err(self.failed(format!(
                "{groups}org.apache.kafka.common.errors.UnsupportedEndpointTypeException: This Admin API is not yet \
                 supported when communicating directly with the controller quorum."
            )));
        }
        question(wire).map_err(|refusal| self.refused(call, &refusal))
    }

    fn refused(&self, call: &str, refusal: &KafkaError) -> Ending {
        Unanswered::of_error(refusal, call).ending(|told| self.failed(&told.exception))
    }

    /// Connects to the brokers or controllers; `call` is Java's name of what is asked first.
    fn wire(&self, call: &str) -> Result<Wire, Ending> {
        let controllers = self.parsed.value("bootstrap-controller")?;
        let servers = match controllers {
            Some(servers) => servers,
            None => self.parsed.value("bootstrap-server")?.unwrap_or_default(),
        };
        let connection =
            admin_connection(servers, self.parsed.value("command-config")?).map_err(|unmade| {
                let why = format!("{}: {}", unmade.exception, unmade.why);
                Ending {
                    hints: unmade.hints,
                    ..self.failed(why.trim_end_matches(": "))
                }
            })?;
        let lost = |failure| self.unanswered(&failure, call);
        if controllers.is_none() {
            return Wire::connect(&connection).map_err(lost);
        }
        let mut wire = Wire::connect_to_controllers(&connection).map_err(lost)?;
        // A broker would answer much of it too, but says here that it is none.
        self.ask(&mut wire, "listNodes", Wire::nodes)?;
        Ok(wire)
    }

    fn alter(&self, entities: &Entities) -> Result<(), Ending> {
        let changes = changes::changes(&self.parsed, |why| self.failed(why))?;
        if quotas::are_meant(entities) {
            return quotas::alter(self, entities, &changes);
        }
        let (Some(kind), Some(name)) = (entities.types.first(), entities.names.first()) else {
            return Ok(());
        };
        let resource = config_kind(kind);
        let mut wire = if resource == ConfigKind::BrokerLogger {
            let mut wire = self.wire("describeConfigs")?;
            self.check_loggers(&mut wire, name, &changes)?;
            wire
        } else {
            self.wire("incrementalAlterConfigs")?
        };
        self.ask(&mut wire, "incrementalAlterConfigs", |wire| {
            wire.alter_configs(resource, name, &changes)
        })?;
        completed(entities);
        Ok(())
    }

    /// A broker takes levels of loggers that it does not have, too.
    fn check_loggers(&self, wire: &mut Wire, broker: &str, changes: &[ConfigChange]) -> Result<(), Ending> {
        let known = self.ask(wire, "describeConfigs", |wire| {
            wire.describe_configs(ConfigKind::BrokerLogger, broker)
        })?;
        let is_unknown = |change: &&ConfigChange| known.iter().all(|logger| logger.name != change.name());
        let (added, deleted) = changes::divided(changes);
        let unknown: Vec<&str> = [deleted, added]
            .into_iter()
            .flatten()
            .filter(is_unknown)
            .map(ConfigChange::name)
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Ending::failure(format!(
            "Invalid broker logger(s): {}",
            unknown.join(",")
        )))
    }
}

/// Kafka's words when an entity was changed.
fn completed(entities: &Entities) {
    let (Some(kind), Some(name)) = (entities.types.first(), entities.names.first()) else {
        return;
    };
    if name.is_empty() {
        out(&format!(
            "Completed updating default config for {kind} in the cluster."
        ));
    } else {
        out(&format!(
            "Completed updating config for {} {name}.",
            singular(kind)
        ));
    }
}

/// The kind of resource that an entity type's settings belong to.
fn config_kind(kind: &str) -> ConfigKind {
    match kind {
        "topics" => ConfigKind::Topic,
        "broker-loggers" => ConfigKind::BrokerLogger,
        "client-metrics" => ConfigKind::ClientMetrics,
        "groups" => ConfigKind::Group,
        _ => ConfigKind::Broker,
    }
}

/// Hides what stands behind `password=` and its like: a command line that is repeated must not spread it.
fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = first_of(rest, &["password=", "secret="]) {
        let value = at + rest[at..].find('=').map_or(0, |equals| equals + 1);
        // In brackets a comma belongs to the password.
        let in_brackets = text[..text.len() - rest.len() + value]
            .rfind(['[', ']'])
            .is_some_and(|bracket| text[bracket..].starts_with('['));
        let end = rest[value..]
            .find(|mark| mark == ']' || !in_brackets && ",'".contains(mark))
            .map_or(rest.len(), |end| value + end);
        shown.push_str(&rest[..value]);
        shown.push_str("[hidden]");
        rest = &rest[end..];
    }
    shown + rest
}

fn first_of(text: &str, words: &[&str]) -> Option<usize> {
    words.iter().filter_map(|word| text.find(word)).min()
}

/// `topic` of `topics`
fn singular(kind: &str) -> &str {
    kind.strip_suffix('s').unwrap_or(kind)
}

/// Java's check of a topic's name.
fn check_topic(name: &str) -> Result<(), Ending> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let why = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => "'topic name' cannot be \".\" or \"..\"".to_owned(),
        _ if name.len() > 249 => {
            format!("the length of '{name}' is longer than the max allowed length 249")
        }
        _ if !name.chars().all(allowed) => format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        ),
        _ => return Ok(()),
    };
    Err(Ending::failure(format!("Topic name is invalid: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_repeated_without_its_passwords() {
        assert_eq!(
            without_passwords("--user u --add-config SCRAM-SHA-256=[iterations=8192,password=hush,hush],a=b"),
            "--user u --add-config SCRAM-SHA-256=[iterations=8192,password=[hidden]],a=b"
        );
        assert_eq!(
            without_passwords("--add-config ssl.key.password=hush,a=b"),
            "--add-config ssl.key.password=[hidden],a=b"
        );
        assert_eq!(
            without_passwords("--add-config retention.ms=5"),
            "--add-config retention.ms=5"
        );
    }
}
