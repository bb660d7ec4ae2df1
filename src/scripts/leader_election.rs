//! `kafka-leader-election`: elect preferred leaders, or any replica where none is in sync.

use super::client_properties::{Unmade, admin_connection};
use super::connecting::{bootstrap_server, command_config};
use super::java_order::hash_map_order;
use super::java_words::{failure_message, java_exception};
use super::options::{HELP, Options, Parsed, VERSION, flag, value};
use super::{Ending, out, partitions_file};
use crate::failure::{Failure, Kind};
use crate::kafka::{Admin, Answer, ErrorCode, TopicPartition};
use crate::scripts::way_out::nobody;
use serde_json::Value;

const OPTIONS: Options = Options {
    about: "This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are \
            preferred replicas and unclean replicas.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: host:port"),
        command_config("String: Config file"),
        value(
            &["admin.config"],
            "String: config file",
            "(DEPRECATED) The old name of --command-config.",
        ),
        value(
            &["election-type"],
            "[PREFERRED,UNCLEAN]: election type",
            "REQUIRED: preferred, the first of a partition's replicas if another one leads; or unclean, any replica if none \
             in sync is left, which loses records.",
        ),
        value(&["topic"], "String: topic name", "The topic of --partition."),
        value(
            &["partition"],
            "Integer: partition id",
            "The partition; REQUIRED with --topic.",
        ),
        flag(&["all-topic-partitions"], "All partitions that need it."),
        value(
            &["path-to-json-file"],
            "String: Path to JSON file",
            "A file of partitions, such as {\"partitions\": [{\"topic\": \"foo\", \"partition\": 1}]}.",
        ),
    ],
};

/// Runs the script.
///
/// # Errors
/// A mistake, or that some election failed, on stderr, exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    OPTIONS.help_or_version(&parsed)?;
    check(&parsed)?;
    let unclean = is_unclean(&parsed)?;
    let partitions = partitions(&parsed)?;
    let admin = connect(&parsed)?;
    let mut answers = match &partitions {
        Some(partitions) => elect(&admin, partitions, unclean)?,
        None => {
            let metadata = admin.metadata().map_err(failed)?;
            let all: Vec<TopicPartition> = metadata.partitions().collect();
            // Asked for all, a cluster answers only for those whose leader changed or could not.
            let mut answers = elect(&admin, &all, unclean)?;
            answers.retain(|(_, answer)| !is_needless(answer));
            answers
        }
    };
    hash_map_order(&mut answers, |(partition, _)| partition);
    report(&answers, if unclean { "UNCLEAN" } else { "PREFERRED" })
}

fn check(parsed: &Parsed) -> Result<(), Ending> {
    let missing: Vec<&str> = ["election-type", "bootstrap-server"]
        .into_iter()
        .filter(|name| !parsed.has(name))
        .collect();
    if !missing.is_empty() {
        return Err(missing_options(&missing));
    }
    OPTIONS.forbid(parsed, "admin.config", &["command-config"])?;
    let which = ["topic", "all-topic-partitions", "path-to-json-file"];
    if which.iter().filter(|name| parsed.has(name)).count() != 1 {
        return Err(Ending::failure(format!(
            "One and only one of the following options is required: {}",
            which.join(", ")
        )));
    }
    match (parsed.has("topic"), parsed.has("partition")) {
        (true, false) => Err(missing_options(&["partition"])),
        (false, true) => Err(Ending::failure(
            "Option partition is only allowed if topic is used",
        )),
        _ => Ok(()),
    }
}

fn missing_options(names: &[&str]) -> Ending {
    Ending::failure(format!("Missing required option(s): {}", names.join(", ")))
}

fn is_unclean(parsed: &Parsed) -> Result<bool, Ending> {
    let kind = parsed.value("election-type")?.unwrap_or_default();
    if kind.eq_ignore_ascii_case("preferred") {
        Ok(false)
    } else if kind.eq_ignore_ascii_case("unclean") {
        Ok(true)
    } else {
        Err(Ending::failure(format!(
            "Cannot parse argument '{kind}' of option election-type"
        )))
    }
}

/// The partitions that are named; `None` means all.
fn partitions(parsed: &Parsed) -> Result<Option<Vec<TopicPartition>>, Ending> {
    if let Some(path) = parsed.value("path-to-json-file")? {
        let text = partitions_file::read(path)
            .map_err(|words| Ending::failure(format!("java.io.IOException: {words}")))?;
        return of_file(&text).map(Some).map_err(Ending::failure);
    }
    let topic = parsed.value("topic")?;
    let partition = parsed.number::<i32>("partition")?;
    Ok(topic
        .zip(partition)
        .map(|(topic, partition)| vec![TopicPartition::new(topic, partition)]))
}

fn of_file(text: &str) -> Result<Vec<TopicPartition>, String> {
    let file: Value = serde_json::from_str(text).map_err(|_| "Replica election data is empty")?;
    let objects =
        partitions_file::partitions(&file)?.ok_or("Replica election data is missing \"partitions\" field")?;
    let partitions = objects
        .into_iter()
        .map(partitions_file::partition)
        .collect::<Result<Vec<_>, String>>()?;
    let twice = partitions_file::duplicates(partitions.iter());
    if twice.is_empty() {
        return Ok(partitions);
    }
    let twice: Vec<String> = twice.iter().map(ToString::to_string).collect();
    Err(format!(
        "Replica election data contains duplicate partitions: [{}]",
        twice.join(", ")
    ))
}

fn connect(parsed: &Parsed) -> Result<Admin, Ending> {
    let config = if parsed.has("admin.config") {
        out(
            "Option --admin.config has been deprecated and will be removed in a future version. Use --command-config instead.",
        );
        parsed.value("admin.config")?
    } else {
        parsed.value("command-config")?
    };
    let bootstrap = parsed.value("bootstrap-server")?.unwrap_or_default();
    let connection = admin_connection(bootstrap, config).map_err(Unmade::on_stderr)?;
    Admin::connect(&connection).map_err(failed)
}

fn failed(failure: Failure) -> Ending {
    match failure.kind() {
        Kind::Unreachable => {
            let message = "Timeout waiting for election results";
            Ending {
                stdout: message.to_owned(),
                ..Ending::failure(message)
            }
            .hint(nobody(failure.what()))
        }
        _ => Ending::failure(failure_message(&failure)).hints_of(&failure),
    }
}

fn elect(
    admin: &Admin,
    partitions: &[TopicPartition],
    unclean: bool,
) -> Result<Vec<(TopicPartition, Answer)>, Ending> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    admin.elect_leaders(partitions, unclean).map_err(failed)
}

fn is_needless(answer: &Answer) -> bool {
    matches!(answer, Err(refusal) if refusal.code() == ErrorCode::ElectionNotNeeded)
}

fn report(answers: &[(TopicPartition, Answer)], kind: &str) -> Result<u8, Ending> {
    let those = |wanted: fn(&Answer) -> bool| {
        let names = answers.iter().filter(|(_, answer)| wanted(answer));
        names
            .map(|(partition, _)| partition.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let elected = those(Answer::is_ok);
    if !elected.is_empty() {
        out(&format!(
            "Successfully completed leader election ({kind}) for partitions {elected}"
        ));
    }
    let needless = those(is_needless);
    if !needless.is_empty() {
        out(&format!(
            "Valid replica already elected for partitions {needless}"
        ));
    }
    let mut failures = 0;
    for (partition, answer) in answers {
        if let Err(refusal) = answer
            && !is_needless(answer)
        {
            failures += 1;
            out(&format!(
                "Error completing leader election ({kind}) for partition: {partition}: {}",
                java_exception(refusal)
            ));
        }
    }
    if failures > 0 {
        return Err(Ending::failure(format!(
            "{failures} replica(s) could not be elected"
        )));
    }
    Ok(0)
}
