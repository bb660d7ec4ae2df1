//! `kafka-configs`: show and change the settings of topics, brokers and groups.

mod changes;
mod describe;
mod options;

use super::client_properties::admin_connection;
use super::java_words::{failure_exception, java_exception};
use super::options::Parsed;
use super::{Ending, out};
use crate::failure::{Failure, Kind};
use crate::kafka::{Admin, ConfigResource, KafkaError};
use options::{Entities, OPTIONS};

/// Runs the script.
///
/// # Errors
/// Everything on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    let entities = options::check(&parsed)?;
    let command = Command { arguments, parsed };
    command.refuse_the_unsupported(&entities)?;
    if command.parsed.has("describe") {
        describe::run(&command, &entities)?;
    } else {
        command.alter(&entities)?;
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

    fn refused(&self, refusal: &KafkaError) -> Ending {
        self.failed(java_exception(refusal))
    }

    fn unanswered(&self, call: &'static str) -> impl Fn(Failure) -> Ending {
        move |failure| {
            match failure.kind() {
            Kind::Unreachable => self
                .failed(format!(
                    "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: {call}"
                ))
                .hint(format!(
                    "{}; velo cluster start, or another --bootstrap-server",
                    failure.what()
                )),
            _ => self.failed(failure_exception(&failure)).hints_of(&failure),
        }
        }
    }

    fn connect(&self) -> Result<Admin, Ending> {
        let bootstrap = self.parsed.value("bootstrap-server")?.unwrap_or_default();
        let connection =
            admin_connection(bootstrap, self.parsed.value("command-config")?).map_err(|unmade| {
                self.failed(format!("{}: {}", unmade.exception, unmade.why).trim_end_matches(": "))
            })?;
        let call = if self.parsed.has("describe") {
            // A topic's settings are asked for once the topic is known to be there.
            let of_topic = self
                .parsed
                .values("entity-type")
                .iter()
                .any(|kind| kind == "topics");
            if of_topic || self.parsed.has("topic") {
                "listTopics"
            } else {
                "describeConfigs"
            }
        } else {
            "incrementalAlterConfigs"
        };
        Admin::connect(&connection).map_err(self.unanswered(call))
    }

    /// What librdkafka has no request for.
    fn refuse_the_unsupported(&self, entities: &Entities) -> Result<(), Ending> {
        if self.parsed.has("bootstrap-controller") {
            return Err(self.failed(
                "--bootstrap-controller is not supported here: settings are asked of brokers, with --bootstrap-server",
            ));
        }
        match entities
            .types
            .iter()
            .find(|kind| !["topics", "brokers", "groups"].contains(&kind.as_str()))
        {
            Some(kind) => Err(self.failed(format!(
                "Settings of {kind} are not supported here: topics, brokers and groups are"
            ))),
            None => Ok(()),
        }
    }

    fn alter(&self, entities: &Entities) -> Result<(), Ending> {
        let changes = changes::changes(&self.parsed, |why| self.failed(why))?;
        let (Some(kind), Some(name)) = (entities.types.first(), entities.names.first()) else {
            return Ok(());
        };
        let resource = self.resource(kind, name)?.ok_or_else(|| {
            self.failed(
                "The defaults of all brokers cannot be altered here; alter each broker with --broker ID instead",
            )
        })?;
        self.connect()?
            .try_alter_configs(&resource, &changes, false)
            .map_err(|refusal| self.refused(&refusal))?;
        out(&format!(
            "Completed updating config for {} {name}.",
            singular(kind)
        ));
        Ok(())
    }

    /// What has the settings; `None` for the defaults of all brokers.
    fn resource(&self, kind: &str, name: &str) -> Result<Option<ConfigResource>, Ending> {
        Ok(match kind {
            "topics" => {
                check_topic(name).map_err(|why| self.failed(why))?;
                Some(ConfigResource::Topic(name.to_owned()))
            }
            "groups" => Some(ConfigResource::Group(name.to_owned())),
            _ if name.is_empty() => None,
            _ => {
                let id = name
                    .parse()
                    .map_err(|_| self.failed(format!("{name} is no broker id")))?;
                Some(ConfigResource::Broker(id))
            }
        })
    }
}

/// Hides what stands behind `password=` and its like: a command line that is repeated must not spread it.
fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = first_of(rest, &["password=", "secret="]) {
        let value = at + rest[at..].find('=').map_or(0, |equals| equals + 1);
        let end = rest[value..]
            .find([',', ']', '\''])
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

fn check_topic(name: &str) -> Result<(), String> {
    let invalid = |why: String| {
        Err(format!(
            "org.apache.kafka.common.errors.InvalidTopicException: Topic name is invalid: {why}"
        ))
    };
    if name == "." || name == ".." {
        return invalid("'topic name' cannot be \".\" or \"..\"".to_owned());
    }
    if name.len() > 249 {
        return invalid(format!(
            "the length of '{name}' is longer than the max allowed length 249"
        ));
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if !name.chars().all(allowed) {
        return invalid(format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_repeated_without_its_passwords() {
        assert_eq!(
            without_passwords("--user u --add-config SCRAM-SHA-256=[iterations=8192,password=hush]"),
            "--user u --add-config SCRAM-SHA-256=[iterations=8192,password=[hidden]]"
        );
        assert_eq!(
            without_passwords("--add-config retention.ms=5"),
            "--add-config retention.ms=5"
        );
    }
}
