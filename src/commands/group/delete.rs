//! `velo group delete`

use crate::commands::settle::settle;
use crate::commands::{Context, candidates, select};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, Answer, ErrorCode, KafkaError};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, text};
use crate::ui::units::count;
use clap::Args;
use serde_json::json;

/// Options of `velo group delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Names of the groups; globs such as 'iabd-*' work
    #[arg(required = true, value_name = "GROUP", add = candidates::groups())]
    names: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Deletes groups.
///
/// # Errors
/// When one is not there or has members, nobody confirmed, or the cluster refuses.
pub fn run(args: &DeleteArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    admin.ensure_coordinators()?;
    let groups = select::groups(&admin, &args.names)?;
    if !args.yes && !confirmed(args, &groups, context)? {
        context.ui.say("Nothing was deleted.");
        return Ok(());
    }
    let answers = admin.delete_groups(&groups)?;
    show(&answers, context)?;
    let tried = answers.len();
    let failures = answers
        .into_iter()
        .filter_map(|(name, answer)| Some(failure(&name, answer.err()?)))
        .collect();
    settle(failures, tried)
}

fn confirmed(args: &DeleteArgs, groups: &[String], context: &Context) -> Outcome<bool> {
    if groups.len() > 1 || args.names.iter().any(|name| select::is_glob(name)) {
        context
            .ui
            .say("These groups will go, with their committed offsets:");
        for group in groups {
            context.ui.say(format!("  {group}"));
        }
    }
    let question = match groups {
        [group] => format!("Delete group `{group}` and its committed offsets?"),
        _ => format!("Delete these {}?", count(groups.len(), "group")),
    };
    context.ui.confirm(
        &question,
        &format!("velo group delete {} --yes", select::typed(&args.names)),
    )
}

fn failure(name: &str, error: KafkaError) -> Failure {
    let what = format!("cannot delete group `{name}`");
    if error.code() == ErrorCode::NonEmptyGroup {
        return Failure::request(what)
            .because("it has active members")
            .hint(format!("stop its consumers first; velo group members {name}"));
    }
    error.into_failure(what)
}

fn show(answers: &[(String, Answer)], context: &Context) -> Outcome {
    let state = |answer: &Answer| if answer.is_ok() { "deleted" } else { "failed" };
    if context.ui.format == OutputFormat::Table {
        for (name, _) in answers.iter().filter(|(_, answer)| answer.is_ok()) {
            context.ui.say(format!("Deleted group `{name}`."));
        }
        return Ok(());
    }
    let value: Vec<_> = answers
        .iter()
        .map(|(name, answer)| {
            json!({
                "group": name,
                "state": state(answer),
                "error": answer.as_ref().err().map(KafkaError::to_string),
            })
        })
        .collect();
    context.ui.show(&value, || {
        let mut grid = Grid::new([text("GROUP"), text("STATE")]);
        for (name, answer) in answers {
            grid.row([name.clone(), state(answer).to_owned()]);
        }
        grid
    })
}
