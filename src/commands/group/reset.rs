//! `velo group reset`

use super::reset_plan::{self, Goal, Move};
use crate::commands::position::Position;
use crate::commands::settle::settle;
use crate::commands::{Context, candidates};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, GroupDescription};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, number, text};
use crate::ui::units::count;
use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Options of `velo group reset`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("goal").required(true).args(["to", "shift_by", "from_file"])))]
pub struct ResetArgs {
    /// Name of the group
    #[arg(add = candidates::groups())]
    group: String,
    /// Topic whose offsets to move, TOPIC or TOPIC:0,2; may be repeated [default: all that the group has committed]
    #[arg(short, long, value_name = "TOPIC[:PARTITION,…]", conflicts_with = "from_file", add = candidates::topics())]
    topic: Vec<String>,
    /// Where to: earliest, latest, an offset, or a moment (@-1h, @2026-01-31T10:00)
    #[arg(long, value_name = "WHERE")]
    to: Option<Position>,
    /// So many records forward, or back when negative
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    shift_by: Option<i64>,
    /// Offsets from a file with lines TOPIC,PARTITION,OFFSET
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Do it; without this, it only shows what it would do
    #[arg(long)]
    execute: bool,
}

/// Moves a group's committed offsets.
///
/// # Errors
/// When the group has active members, a topic or partition is not there, or the cluster refuses.
pub fn run(args: &ResetArgs, context: &Context) -> Outcome {
    let goal = match (&args.to, args.shift_by, &args.from_file) {
        (Some(position), ..) => Goal::To(*position),
        (None, Some(shift), _) => Goal::ShiftBy(shift),
        (None, None, Some(path)) => Goal::Given(reset_plan::read_file(path)?),
        (None, None, None) => {
            return Err(Failure::usage("no place to reset to").hint("velo group reset --help"));
        }
    };
    let admin = Admin::connect(&context.connection)?;
    admin.ensure_coordinators()?;
    let group = admin.find_group(&args.group)?;
    check_idle(args, group.as_ref(), &admin)?;
    let moves = reset_plan::plan(&admin, &args.group, &args.topic, &goal)?;
    if args.execute {
        execute(args, &moves, &admin)?;
    }
    show(args, &moves, context)?;
    if args.execute {
        context.ui.say(format!(
            "Moved {} of group `{}`.",
            count(moves.len(), "committed offset"),
            args.group
        ));
    } else {
        context
            .ui
            .say("Nothing was changed: this is what --execute would do.");
    }
    Ok(())
}

fn check_idle(args: &ResetArgs, group: Option<&GroupDescription>, admin: &Admin) -> Outcome {
    match group {
        Some(group) if !group.members.is_empty() => {
            let name = &args.group;
            Err(
                Failure::request(format!("the offsets of group `{name}` cannot be moved now"))
                    .because(format!(
                        "it has {}, which would go on from where they are",
                        count(group.members.len(), "active member")
                    ))
                    .hint(format!("stop its consumers first; velo group members {name}")),
            )
        }
        // A group that is not there yet can be given offsets, if it is said where.
        None if args.topic.is_empty() && args.from_file.is_none() => Err(admin
            .unknown_group(&args.group)
            .hint("--topic TOPIC gives a new group its first offsets")),
        _ => Ok(()),
    }
}

fn execute(args: &ResetArgs, moves: &[Move], admin: &Admin) -> Outcome {
    let offsets: Vec<_> = moves
        .iter()
        .map(|one| (one.partition.clone(), one.after))
        .collect();
    if offsets.is_empty() {
        return Ok(());
    }
    let answers = admin.alter_group_offsets(&args.group, &offsets)?;
    let tried = answers.len();
    let failures = answers
        .into_iter()
        .filter_map(|(partition, answer)| {
            let what = format!("cannot move the offset of group `{}` in {partition}", args.group);
            Some(answer.err()?.into_failure(what))
        })
        .collect();
    settle(failures, tried)
}

fn show(args: &ResetArgs, moves: &[Move], context: &Context) -> Outcome {
    let rows: Vec<Value> = moves
        .iter()
        .map(|one| {
            json!({
                "topic": one.partition.topic,
                "partition": one.partition.partition,
                "before": one.before,
                "after": one.after,
            })
        })
        .collect();
    let value = json!({"group": args.group, "executed": args.execute, "partitions": rows});
    context.ui.show(&value, || {
        let mut grid = Grid::new([
            text("TOPIC"),
            number("PARTITION"),
            number("BEFORE"),
            number("AFTER"),
            text("NOTE"),
        ]);
        for one in moves {
            let note = one.note.filter(|_| context.ui.format == OutputFormat::Table);
            grid.row([
                one.partition.topic.clone(),
                one.partition.partition.to_string(),
                one.before
                    .map_or_else(|| "-".to_owned(), |offset| offset.to_string()),
                one.after.to_string(),
                note.unwrap_or_default().to_owned(),
            ]);
        }
        grid
    })
}
