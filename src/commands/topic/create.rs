//! `velo topic create`

use crate::commands::settle::settle;
use crate::commands::{Context, candidates, settings};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, Answer, ErrorCode, KafkaError, NewTopic};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, text};
use crate::ui::units::count;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;

/// Options of `velo topic create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Names of the topics
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// How many partitions [default: the broker's num.partitions]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// How many copies of each partition [default: the broker's default.replication.factor]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=32767))]
    replication_factor: Option<i32>,
    /// A setting, such as retention.ms=7d or cleanup.policy=compact; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", add = candidates::assignments())]
    config: Vec<String>,
    /// A topic that is there already is no failure
    #[arg(long)]
    if_not_exists: bool,
    /// Only check whether the cluster would do it
    #[arg(long)]
    dry_run: bool,
}

/// Creates topics.
///
/// # Errors
/// When the cluster refuses one.
pub fn run(args: &CreateArgs, context: &Context) -> Outcome {
    let mut configs = BTreeMap::new();
    for text in &args.config {
        let (name, value) = settings::parse_assignment(text)?;
        settings::check_topic_setting(&name)?;
        configs.insert(name, value);
    }
    let topics: Vec<NewTopic> = args
        .names
        .iter()
        .map(|name| NewTopic {
            name: name.clone(),
            partitions: args.partitions,
            replication_factor: args.replication_factor,
            assignment: Vec::new(),
            configs: configs.clone(),
        })
        .collect();
    let admin = Admin::connect(&context.connection)?;
    let answers = admin.create_topics(&topics, args.dry_run)?;
    report(args, &answers, context)?;
    let tried = answers.len();
    let failures = answers
        .into_iter()
        .filter(|(_, answer)| !is_done(args, answer))
        .filter_map(|(name, answer)| Some(failure(&admin, args, &name, answer.err()?)))
        .collect();
    settle(failures, tried)
}

fn is_done(args: &CreateArgs, answer: &Answer) -> bool {
    match answer {
        Ok(()) => true,
        Err(error) => args.if_not_exists && error.code() == ErrorCode::TopicAlreadyExists,
    }
}

fn state(args: &CreateArgs, answer: &Answer) -> &'static str {
    match answer {
        Ok(()) if args.dry_run => "possible",
        Ok(()) => "created",
        Err(_) if is_done(args, answer) => "exists",
        Err(_) => "failed",
    }
}

fn report(args: &CreateArgs, answers: &[(String, Answer)], context: &Context) -> Outcome {
    if context.ui.format == OutputFormat::Table {
        for (name, answer) in answers {
            match state(args, answer) {
                "created" => context.ui.say(format!("Created topic `{name}`{}.", with(args))),
                "possible" => context.ui.say(format!(
                    "Topic `{name}`{} could be created. Nothing was done.",
                    with(args)
                )),
                "exists" => context.ui.say(format!("Topic `{name}` is there already.")),
                _ => {}
            }
        }
        return Ok(());
    }
    let value: Vec<_> = answers
        .iter()
        .map(|(name, answer)| {
            json!({
                "topic": name,
                "state": state(args, answer),
                "error": answer.as_ref().err().map(KafkaError::to_string),
            })
        })
        .collect();
    context.ui.show(&value, || {
        let mut grid = Grid::new([text("TOPIC"), text("STATE")]);
        for (name, answer) in answers {
            grid.row([name.clone(), state(args, answer).to_owned()]);
        }
        grid
    })
}

fn with(args: &CreateArgs) -> String {
    let number = |number: i32| usize::try_from(number).unwrap_or_default();
    let mut parts = Vec::new();
    parts.extend(
        args.partitions
            .map(|partitions| count(number(partitions), "partition")),
    );
    parts.extend(
        args.replication_factor
            .map(|factor| format!("replication factor {factor}")),
    );
    if parts.is_empty() {
        String::new()
    } else {
        format!(" with {}", parts.join(", "))
    }
}

fn failure(admin: &Admin, args: &CreateArgs, name: &str, error: KafkaError) -> Failure {
    let code = error.code();
    if code == ErrorCode::InvalidReplicationFactor
        && let Ok(metadata) = admin.metadata()
    {
        let wanted = args.replication_factor.unwrap_or_default();
        let brokers = metadata.brokers.len();
        return Failure::request(format!(
            "cannot create topic `{name}` with replication factor {wanted}"
        ))
        .because(format!(
            "each copy needs a broker of its own, and {} up",
            are(brokers)
        ))
        .hint(format!("velo topic create {name} --replication-factor {brokers}"));
    }
    let failure = error.into_failure(format!("cannot create topic `{name}`"));
    match code {
        ErrorCode::TopicAlreadyExists => failure
            .hint(format!("velo topic describe {name}"))
            .hint("--if-not-exists makes this no failure"),
        ErrorCode::InvalidConfig => failure.hint("velo topic create --help"),
        _ => failure,
    }
}

fn are(brokers: usize) -> String {
    let verb = if brokers == 1 { "is" } else { "are" };
    format!("{} {verb}", count(brokers, "broker"))
}
