//! `kafka-topics`: create, list, describe, alter and delete topics.

mod describe;

use super::client_properties::{Unmade, admin_connection};
use super::java_words::{failure_message, java_message};
use super::options::{HELP, Options, Parsed, VERSION, flag, value};
use super::{Ending, out};
use crate::failure::{Failure, Kind};
use crate::kafka::{Admin, ErrorCode, KafkaError, NewTopic, is_internal};
use crate::scripts::connecting::{bootstrap_server, command_config};
use crate::scripts::way_out::nobody;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

const ACTIONS: [&str; 5] = ["create", "list", "alter", "describe", "delete"];
const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
    "unavailable-partitions",
];
const ALTER_BY_CONFIGS: &str = " (To alter topic configurations, the kafka-configs tool can be used.)";

const OPTIONS: Options = Options {
    about: "This tool helps to create, delete, describe, or change a topic.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: server to connect to"),
        command_config("String: command config property file"),
        flag(&["list"], "List all topics."),
        flag(&["create"], "Create a topic."),
        flag(&["delete"], "Delete topics."),
        flag(
            &["alter"],
            "Add partitions to topics. Settings are kafka-configs' matter.",
        ),
        flag(
            &["describe"],
            "Show topics with their partitions, leaders and replicas.",
        ),
        value(
            &["topic"],
            "String: topic",
            "The topic; a regular expression everywhere but with --create.",
        ),
        value(
            &["topic-id"],
            "String: topic-id",
            "The id of the topic to describe.",
        ),
        value(
            &["config"],
            "String: name=value",
            "A setting of the topic to create. May be repeated.",
        ),
        value(
            &["delete-config"],
            "String: name",
            "No longer supported since 4.0.",
        ),
        value(
            &["partitions"],
            "Integer: # of partitions",
            "How many partitions the topic gets; the cluster's default without it. More partitions change which one a \
             key goes to.",
        ),
        value(
            &["replication-factor"],
            "Integer: replication factor",
            "How many copies of each partition.",
        ),
        value(
            &["replica-assignment"],
            "String: broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : \
             broker_id_for_part2_replica2 , ...",
            "The brokers of each partition, by hand.",
        ),
        flag(
            &["under-replicated-partitions"],
            "Describe only partitions with replicas out of sync.",
        ),
        flag(
            &["unavailable-partitions"],
            "Describe only partitions without a leader.",
        ),
        flag(
            &["under-min-isr-partitions"],
            "Describe only partitions with fewer in sync than min.insync.replicas.",
        ),
        flag(
            &["at-min-isr-partitions"],
            "Describe only partitions with just min.insync.replicas in sync.",
        ),
        flag(
            &["topics-with-overrides"],
            "Describe only topics with settings of their own.",
        ),
        flag(&["if-exists"], "Do nothing about a topic that is not there."),
        flag(&["if-not-exists"], "Do nothing about a topic that is there."),
        flag(&["exclude-internal"], "Leave out Kafka's own topics."),
        value(
            &["partition-size-limit-per-response"],
            "Integer: maximum number of partitions per response",
            "How many partitions one answer of the cluster may have.",
        ),
    ],
};

/// Runs the script.
///
/// # Errors
/// Usage mistakes on stderr; whatever the cluster refuses on stdout, as Kafka's tool has it. Exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = OPTIONS.parse(arguments)?;
    if parsed.empty {
        return Err(OPTIONS.misuse("Create, delete, describe, or change a topic."));
    }
    OPTIONS.help_or_version(&parsed)?;
    check(&parsed)?;
    execute(&parsed).map(|()| 0)
}

fn execute(parsed: &Parsed) -> Result<(), Ending> {
    if parsed.has("create") {
        return create(parsed);
    }
    let admin = connect(parsed)?;
    if parsed.has("list") {
        out(&topics(&admin, parsed)?.join("\n"));
        Ok(())
    } else if parsed.has("describe") {
        describe::run(&admin, parsed)
    } else if parsed.has("alter") {
        alter(&admin, parsed)
    } else {
        delete(&admin, parsed)
    }
}

fn check(parsed: &Parsed) -> Result<(), Ending> {
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        return Err(OPTIONS.misuse(
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete",
        ));
    }
    if parsed.has("delete-config") {
        eprintln!(
            "delete-config option is no longer supported and deprecated since version 4.0. The config will be fully \
             removed in future releases."
        );
    }
    if !parsed.has("bootstrap-server") {
        return Err(Ending::failure("--bootstrap-server must be specified"));
    }
    check_required(parsed)?;
    check_exclusive(parsed)
}

fn check_required(parsed: &Parsed) -> Result<(), Ending> {
    if parsed.has("describe") && parsed.has("if-exists") {
        if !parsed.has("topic") && !parsed.has("topic-id") {
            return Err(OPTIONS.misuse("--topic or --topic-id is required to describe a topic"));
        }
        if parsed.has("topic") && parsed.has("topic-id") {
            out(
                "Only topic id will be used when both --topic and --topic-id are specified and topicId is not \
                 Uuid.ZERO_UUID",
            );
        }
    }
    if !parsed.has("list") && !parsed.has("describe") {
        OPTIONS.require(parsed, &["topic"])?;
    }
    if parsed.has("alter") {
        if parsed.has("config") {
            return Err(OPTIONS.misuse(format!(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \
                 \"[alter]\"{ALTER_BY_CONFIGS}"
            )));
        }
        OPTIONS.require(parsed, &["partitions"])?;
    }
    Ok(())
}

fn check_exclusive(parsed: &Parsed) -> Result<(), Ending> {
    let only_with = |option: &'static str, with: &[&str]| {
        let others: Vec<&'static str> = ACTIONS
            .into_iter()
            .filter(|action| !with.contains(action))
            .collect();
        OPTIONS.forbid(parsed, option, &others)
    };
    only_with("config", &["alter", "create"])?;
    only_with("partitions", &["alter", "create"])?;
    only_with("replication-factor", &["create"])?;
    only_with("replica-assignment", &["alter", "create"])?;
    if parsed.has("create") {
        OPTIONS.forbid(
            parsed,
            "replica-assignment",
            &["partitions", "replication-factor"],
        )?;
    }
    for report in REPORTS {
        only_with(report, &["describe"])?;
        OPTIONS.forbid(parsed, report, &["topics-with-overrides"])?;
    }
    only_with("topics-with-overrides", &["describe"])?;
    only_with("if-exists", &["alter", "delete", "describe"])?;
    only_with("if-not-exists", &["create"])?;
    only_with("exclude-internal", &["list", "describe"])
}

/// How this tool reports what went wrong after its options were read.
fn refused(message: impl std::fmt::Display) -> Ending {
    Ending::on_stdout(1, format!("Error while executing topic command : {message}"))
}

fn refused_by_cluster(error: KafkaError) -> Ending {
    refused(java_message(&error))
}

fn failed(call: &'static str) -> impl Fn(Failure) -> Ending {
    move |failure| match failure.kind() {
        Kind::Unreachable => refused(format!("Timed out waiting for a node assignment. Call: {call}"))
            .hint(nobody(failure.what())),
        _ => refused(failure_message(&failure)).hints_of(&failure),
    }
}

/// A mistake that Kafka's tool finds while it executes, and reports on stdout.
fn late(ending: Ending) -> Ending {
    refused(ending.stderr)
}

fn connect(parsed: &Parsed) -> Result<Admin, Ending> {
    let bootstrap = parsed.value("bootstrap-server")?.unwrap_or_default();
    let connection =
        admin_connection(bootstrap, parsed.value("command-config")?).map_err(Unmade::on_stderr)?;
    let call = if parsed.has("create") {
        "createTopics"
    } else {
        "listTopics"
    };
    Admin::connect(&connection).map_err(failed(call))
}

fn create(parsed: &Parsed) -> Result<(), Ending> {
    let admin = connect(parsed)?;
    let topic = new_topic(parsed)?;
    check_configs(&admin, &topic)?;
    if topic.name.contains(['.', '_']) {
        out(
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. \
             To avoid issues it is best to use either, but not both.",
        );
    }
    check_numbers(&topic)?;
    check_name(&topic.name)?;
    for (name, answer) in admin
        .create_topics(&[topic], false)
        .map_err(failed("createTopics"))?
    {
        match answer {
            Ok(()) => out(&format!("Created topic {name}.")),
            Err(error) if error.code() == ErrorCode::TopicAlreadyExists && parsed.has("if-not-exists") => {}
            Err(error) => return Err(refused_by_cluster(error)),
        }
    }
    Ok(())
}

/// Java's tool knows by itself which settings topics have, and says of wrong ones before anything else; here the cluster
/// is asked what it thinks of a topic with these.
fn check_configs(admin: &Admin, topic: &NewTopic) -> Result<(), Ending> {
    if topic.configs.is_empty() {
        return Ok(());
    }
    let asked = NewTopic {
        configs: topic.configs.clone(),
        ..NewTopic::named(uuid::Uuid::new_v4().to_string())
    };
    let answers = admin
        .create_topics(&[asked], true)
        .map_err(failed("createTopics"))?;
    let mut refusals = answers.into_iter().filter_map(|(_, answer)| answer.err());
    match refusals.find(|error| error.code() == ErrorCode::InvalidConfig) {
        Some(error) => Err(refused_by_cluster(error)),
        None => Ok(()),
    }
}

fn check_numbers(topic: &NewTopic) -> Result<(), Ending> {
    let copies = 1..=i32::from(i16::MAX);
    if topic
        .replication_factor
        .is_some_and(|factor| !copies.contains(&factor))
    {
        return Err(refused(format!(
            "The replication factor must be between 1 and {} inclusive",
            i16::MAX
        )));
    }
    if topic.partitions.is_some_and(|partitions| partitions < 1) {
        return Err(refused("The partitions must be greater than 0"));
    }
    Ok(())
}

/// Java's client sends no empty name at all.
fn check_name(name: &str) -> Result<(), Ending> {
    if name.is_empty() {
        return Err(refused(
            "The given topic name '' cannot be represented in a request.",
        ));
    }
    Ok(())
}

fn new_topic(parsed: &Parsed) -> Result<NewTopic, Ending> {
    let partitions = parsed.number::<i32>("partitions").map_err(late)?;
    let replication_factor = parsed.number::<i32>("replication-factor").map_err(late)?;
    Ok(NewTopic {
        name: parsed
            .value("topic")
            .map_err(late)?
            .unwrap_or_default()
            .to_owned(),
        partitions,
        replication_factor,
        assignment: assignment(parsed)?,
        configs: configs(parsed)?,
    })
}

fn configs(parsed: &Parsed) -> Result<BTreeMap<String, String>, Ending> {
    let pair = |text: &String| {
        let (name, value) = text
            .split_once('=')
            .filter(|(_, value)| !value.trim().is_empty())?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    parsed.values("config").iter().map(pair).collect::<Option<_>>().ok_or_else(|| {
        refused(
            "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".",
        )
    })
}

/// `--replica-assignment 0:1,1:2`: the brokers of each partition.
fn assignment(parsed: &Parsed) -> Result<Vec<Vec<i32>>, Ending> {
    let mut partitions: Vec<Vec<i32>> = Vec::new();
    let text = parsed
        .value("replica-assignment")
        .map_err(late)?
        .unwrap_or_default();
    for (index, brokers) in text.split(',').enumerate().filter(|_| !text.is_empty()) {
        let number = |id: &str| {
            id.trim()
                .parse::<i32>()
                .map_err(|_| refused(format!("For input string: \"{}\"", id.trim())))
        };
        let brokers = brokers
            .split(':')
            .map(number)
            .collect::<Result<Vec<i32>, Ending>>()?;
        let mut seen = BTreeSet::new();
        let twice: BTreeSet<String> = brokers
            .iter()
            .filter(|id| !seen.insert(**id))
            .map(ToString::to_string)
            .collect();
        if !twice.is_empty() {
            let twice: Vec<String> = twice.into_iter().collect();
            return Err(refused(format!(
                "Partition replica lists may not contain duplicate entries: {}",
                twice.join(",")
            )));
        }
        if partitions
            .first()
            .is_some_and(|first| first.len() != brokers.len())
        {
            return Err(refused(format!(
                "Partition {index} has different replication factor: {brokers:?}"
            )));
        }
        partitions.push(brokers);
    }
    Ok(partitions)
}

fn alter(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let total = parsed
        .number::<i32>("partitions")
        .map_err(late)?
        .unwrap_or_default();
    let assignment = assignment(parsed)?;
    for topic in existing(admin, parsed)? {
        let has = admin
            .partitions_of(&topic)
            .map_err(failed("describeTopics"))?
            .len();
        // librdkafka would refuse it in words of its own.
        if total < 1 {
            return Err(refused(format!(
                "The topic {topic} currently has {has} partition(s); {total} would not be an increase."
            )));
        }
        let added = assignment.get(has..).unwrap_or_default();
        admin
            .try_create_partitions(&topic, total, added, false)
            .map_err(refused_by_cluster)?;
        admin
            .await_partitions(&topic, total)
            .map_err(failed("describeTopics"))?;
    }
    Ok(())
}

fn delete(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let topics = existing(admin, parsed)?;
    if topics.is_empty() {
        return Ok(());
    }
    for (_, answer) in admin.delete_topics(&topics).map_err(failed("deleteTopics"))? {
        answer.map_err(refused_by_cluster)?;
    }
    Ok(())
}

/// The topics that `--topic` means, sorted; without it all.
fn topics(admin: &Admin, parsed: &Parsed) -> Result<Vec<String>, Ending> {
    let wanted = parsed
        .value("topic")
        .map_err(late)?
        .map(include_list)
        .transpose()?;
    let metadata = admin.metadata().map_err(failed("listTopics"))?;
    let internal_too = !parsed.has("exclude-internal");
    Ok(metadata
        .topics
        .into_iter()
        .map(|topic| topic.name)
        .filter(|name| internal_too || !is_internal(name))
        .filter(|name| wanted.as_ref().is_none_or(|wanted| wanted.is_match(name)))
        .collect())
}

/// The same, of which there must be at least one unless `--if-exists` says otherwise.
fn existing(admin: &Admin, parsed: &Parsed) -> Result<Vec<String>, Ending> {
    let found = topics(admin, parsed)?;
    match parsed.value("topic").map_err(late)? {
        Some(wanted) if found.is_empty() && !wanted.is_empty() && !parsed.has("if-exists") => {
            Err(refused(format!("Topic '{wanted}' does not exist as expected")))
        }
        _ => Ok(found),
    }
}

/// Kafka's include list: a regular expression of whole names, in which a comma means "or".
fn include_list(text: &str) -> Result<Regex, Ending> {
    let text = text.trim().replace(',', "|").replace(' ', "");
    let text = text.trim_matches(['"', '\'']);
    Regex::new(&format!("^(?:{text})$")).map_err(|_| refused(format!("{text} is an invalid regex.")))
}
