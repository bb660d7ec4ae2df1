//! `kafka-consumer-groups`: list, describe, reset and delete consumer groups.

mod delete;
mod describe;
mod list;
mod options;
mod regex;
mod reset;
mod reset_file;
mod reset_plan;

use super::Ending;
use super::client_properties::admin_connection;
use super::java_words::{failure_exception, java_exception};
use super::options::Parsed;
use crate::failure::{Failure, Kind};
use crate::kafka::{Admin, ErrorCode, GroupDescription, KafkaError};
use crate::scripts::way_out::nobody;
use options::OPTIONS;
pub use reset_plan::duration_ms;
use std::time::Duration;

/// Runs the script.
///
/// # Errors
/// Usage mistakes on stderr, exit code 1; whatever the cluster refuses on stdout, exit code 0, as Kafka's tool has it.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    options::check(&parsed)?;
    if parsed.has("validate-regex") {
        regex::validate(parsed.value("validate-regex")?.unwrap_or_default());
        return Ok(0);
    }
    let admin = connect(&parsed)?;
    if parsed.has("list") {
        list::run(&admin, &parsed)?;
    } else if parsed.has("describe") {
        describe::run(&admin, &parsed)?;
    } else if parsed.has("delete") {
        delete::groups(&admin, &parsed)?;
    } else if parsed.has("delete-offsets") {
        delete::offsets(&admin, &parsed)?;
    } else {
        reset::run(&admin, &parsed)?;
    }
    Ok(0)
}

/// Kafka's `printError`: on stdout, behind an empty line, with success.
fn error(message: impl std::fmt::Display) -> Ending {
    Ending::on_stdout(0, format!("\nError: {message}"))
}

/// What went wrong in executing.
fn trouble(message: impl std::fmt::Display) -> Ending {
    error(format!(
        "Executing consumer group command failed due to {message}"
    ))
}

fn refused(refusal: &KafkaError) -> Ending {
    trouble(java_exception(refusal))
}

fn failed(call: &'static str) -> impl Fn(Failure) -> Ending {
    move |failure| {
        match failure.kind() {
        Kind::Unreachable => trouble(format!(
            "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: {call}"
        ))
        .hint(nobody(failure.what())),
        _ => trouble(failure_exception(&failure)).hints_of(&failure),
    }
    }
}

/// No cluster: each action of Java's tool fails at another request.
fn not_there(parsed: &Parsed, failure: &Failure) -> Ending {
    if failure.kind() != Kind::Unreachable {
        return trouble(failure_exception(failure));
    }
    let words = if parsed.has("list") || parsed.has("all-groups") {
        "java.util.concurrent.ExecutionException: org.apache.kafka.common.KafkaException: Failed to find brokers to send \
         ListGroups"
    } else {
        "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: \
         describeConsumerGroups(api=FIND_COORDINATOR)"
    };
    trouble(words).hint(nobody(failure.what()))
}

/// A mistake that jopt-simple finds while the tool executes: reported on stdout.
fn late(ending: Ending) -> Ending {
    trouble(ending.stderr)
}

fn connect(parsed: &Parsed) -> Result<Admin, Ending> {
    let bootstrap = parsed
        .value("bootstrap-server")
        .map_err(late)?
        .unwrap_or_default();
    let config = parsed.value("command-config").map_err(late)?;
    let connection = admin_connection(bootstrap, config).map_err(|unmade| {
        // Java wraps what goes wrong with the file in another exception, and not the rest.
        let words = if unmade.exception.starts_with("java.") {
            unmade.exception
        } else {
            unmade.message
        };
        Ending {
            stderr: unmade.why,
            hints: unmade.hints,
            ..trouble(words)
        }
    })?;
    // Whatever is to be done, Java's tool reads these.
    parsed.numbers::<i64>("to-offset").map_err(late)?;
    parsed.value("by-duration").map_err(late)?;
    parsed.number::<i64>("shift-by").map_err(late)?;
    let timeout = parsed.number::<i64>("timeout").map_err(late)?.unwrap_or(30_000);
    let patience = Duration::from_millis(u64::try_from(timeout).unwrap_or_default());
    Ok(Admin::connect(&connection)
        .map_err(|failure| not_there(parsed, &failure))?
        .with_patience(patience))
}

/// The groups that `--group` and `--all-groups` mean, each once, in the order given.
fn groups(admin: &Admin, parsed: &Parsed) -> Result<Vec<String>, Ending> {
    if parsed.has("all-groups") {
        return list::all_ids(admin);
    }
    let mut groups: Vec<String> = Vec::new();
    for group in parsed.values("group") {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    Ok(groups)
}

/// Describes groups; one that is not there has the state `Dead`.
fn descriptions(admin: &Admin, groups: &[String]) -> Result<Vec<GroupDescription>, Ending> {
    let answers = admin
        .describe_groups(groups)
        .map_err(failed("describeConsumerGroups"))?;
    let mut found = Vec::new();
    for (group, answer) in answers {
        match answer {
            Ok(description) => found.push(description),
            Err(refusal) if refusal.code() == ErrorCode::GroupIdNotFound => {
                found.push(GroupDescription::dead(group))
            }
            Err(refusal) => return Err(refused(&refusal)),
        }
    }
    Ok(found)
}
