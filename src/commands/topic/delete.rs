//! `velo topic delete`

use crate::commands::settle::settle;
use crate::commands::{Context, candidates, select};
use crate::failure::Outcome;
use crate::kafka::{Admin, Answer, KafkaError};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, text};
use crate::ui::units::count;
use clap::Args;
use serde_json::json;

/// Options of `velo topic delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Names of the topics; globs such as 'velib-*' work
    #[arg(required = true, value_name = "NAME", add = candidates::topics())]
    names: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// A topic that is not there is no failure
    #[arg(long)]
    if_exists: bool,
    /// Only list what would go
    #[arg(long)]
    dry_run: bool,
}

/// Deletes topics.
///
/// # Errors
/// When one is not there, nobody confirmed, or the cluster refuses.
pub fn run(args: &DeleteArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    let topics = chosen(args, &admin)?;
    if topics.is_empty() {
        context.ui.say("There is nothing to delete.");
        return show(args, &[], context);
    }
    if args.dry_run {
        context.ui.say(format!(
            "Would delete {}: {}",
            count(topics.len(), "topic"),
            topics.join(", ")
        ));
        let answers: Vec<_> = topics.into_iter().map(|topic| (topic, Ok(()))).collect();
        return show(args, &answers, context);
    }
    if !args.yes && !confirmed(args, &topics, context)? {
        context.ui.say("Nothing was deleted.");
        return Ok(());
    }
    let answers = admin.delete_topics(&topics)?;
    show(args, &answers, context)?;
    let tried = answers.len();
    let failures = answers
        .into_iter()
        .filter_map(|(name, answer)| {
            let error = answer.err()?;
            Some(error.into_failure(format!("cannot delete topic `{name}`")))
        })
        .collect();
    settle(failures, tried)
}

fn chosen(args: &DeleteArgs, admin: &Admin) -> Outcome<Vec<String>> {
    if !args.if_exists {
        return select::topics(admin, &args.names);
    }
    let metadata = admin.metadata()?;
    let there: Vec<String> = args
        .names
        .iter()
        .filter(|name| select::is_glob(name) || metadata.topic(name).is_some())
        .cloned()
        .collect();
    if there.is_empty() {
        return Ok(there);
    }
    select::topics(admin, &there)
}

fn confirmed(args: &DeleteArgs, topics: &[String], context: &Context) -> Outcome<bool> {
    if topics.len() > 1 || args.names.iter().any(|name| select::is_glob(name)) {
        context.ui.say("These topics will go, with all their records:");
        for topic in topics {
            context.ui.say(format!("  {topic}"));
        }
    }
    let question = match topics {
        [topic] => format!("Delete topic `{topic}` and all its records?"),
        _ => format!("Delete these {}?", count(topics.len(), "topic")),
    };
    context.ui.confirm(
        &question,
        &format!("velo topic delete {} --yes", select::typed(&args.names)),
    )
}

fn show(args: &DeleteArgs, answers: &[(String, Answer)], context: &Context) -> Outcome {
    let state = |answer: &Answer| match answer {
        Ok(()) if args.dry_run => "would be deleted",
        Ok(()) => "deleted",
        Err(_) => "failed",
    };
    if context.ui.format == OutputFormat::Table {
        for (name, _) in answers
            .iter()
            .filter(|(_, answer)| !args.dry_run && answer.is_ok())
        {
            context.ui.say(format!("Deleted topic `{name}`."));
        }
        return Ok(());
    }
    let value: Vec<_> = answers
        .iter()
        .map(|(name, answer)| {
            json!({
                "topic": name,
                "state": state(answer),
                "error": answer.as_ref().err().map(KafkaError::to_string),
            })
        })
        .collect();
    context.ui.show(&value, || {
        let mut grid = Grid::new([text("TOPIC"), text("STATE")]);
        for (name, answer) in answers {
            grid.row([name.clone(), state(answer).to_owned()]);
        }
        grid
    })
}
