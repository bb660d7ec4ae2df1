//! `velo records delete`

use crate::commands::position::{self, Position};
use crate::commands::settle::settle;
use crate::commands::{Context, candidates};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, ErrorCode, TopicPartition};
use crate::ui::table::{Grid, number, text};
use crate::ui::units::count;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Options of `velo records delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Name of the topic
    #[arg(add = candidates::topics())]
    topic: String,
    /// Records before this place go: an offset, a moment (@-1h, @2026-01-31T10:00), or latest for all
    #[arg(long, value_name = "WHERE")]
    before: Position,
    /// Only in these partitions
    #[arg(long, value_name = "N", value_delimiter = ',')]
    partition: Vec<i32>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Only show what would go
    #[arg(long)]
    dry_run: bool,
}

/// What goes from one partition.
struct Cut {
    partition: TopicPartition,
    start: i64,
    new_start: i64,
}

impl Cut {
    fn records(&self) -> i64 {
        (self.new_start - self.start).max(0)
    }
}

/// Deletes the oldest records.
///
/// # Errors
/// When the topic or a partition is not there, nobody confirmed, or the cluster refuses.
pub fn run(args: &DeleteArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    let all = admin.partitions_of(&args.topic)?;
    let partitions = position::some_of(&all, &args.topic, &args.partition)?;
    let mut cuts = plan(args, &admin, &partitions)?;
    let total: i64 = cuts.iter().map(Cut::records).sum();
    let records = count(usize::try_from(total).unwrap_or_default(), "record");
    if total > 0 && !args.dry_run {
        if !args.yes && !confirmed(args, &records, context)? {
            context.ui.say("Nothing was deleted.");
            return Ok(());
        }
        execute(&mut cuts, &admin)?;
    }
    show(args, &cuts, context)?;
    context.ui.say(if total == 0 {
        format!("No record of topic `{}` is before that.", args.topic)
    } else if args.dry_run {
        format!("Would delete {records}. Nothing was done.")
    } else {
        format!("Deleted {records} of topic `{}`.", args.topic)
    });
    Ok(())
}

fn plan(args: &DeleteArgs, admin: &Admin, partitions: &[TopicPartition]) -> Outcome<Vec<Cut>> {
    let ranges = admin.offset_range(partitions)?;
    let places = args.before.resolve(admin, partitions)?;
    let mut cuts = Vec::new();
    let mut short = Vec::new();
    for (partition, range) in ranges {
        let wanted = places.get(&partition).copied().unwrap_or(range.earliest);
        // The cluster refuses an offset behind the end, but it would be asked for one partition after another.
        if wanted > range.latest {
            short.push((partition.clone(), range.latest));
        }
        cuts.push(Cut {
            partition,
            start: range.earliest,
            new_start: wanted.max(range.earliest),
        });
    }
    match (args.before, short.is_empty()) {
        (Position::Offset(offset), false) => Err(out_of_range(args, offset, &cuts, &short)),
        _ => Ok(cuts),
    }
}

/// An offset that some partitions do not have. Nothing is deleted then, as when Kafka refuses it.
fn out_of_range(args: &DeleteArgs, offset: i64, cuts: &[Cut], short: &[(TopicPartition, i64)]) -> Failure {
    let topic = &args.topic;
    let ends: Vec<String> = short
        .iter()
        .map(|(partition, end)| format!("{partition} ends at {end}"))
        .collect();
    let is_short = |cut: &&Cut| short.iter().any(|(partition, _)| *partition == cut.partition);
    let long: Vec<String> = cuts
        .iter()
        .filter(|cut| !is_short(cut))
        .map(|cut| cut.partition.partition.to_string())
        .collect();
    let failure = Failure::request(format!("offset {offset} is out of range, nothing was deleted"))
        .because(ends.join(", "));
    let failure = match long.is_empty() {
        true => failure,
        false => failure.hint(format!(
            "velo records delete {topic} --before {offset} --partition {}",
            long.join(",")
        )),
    };
    failure.hint(format!(
        "velo records delete {topic} --before latest   (all records)"
    ))
}

fn confirmed(args: &DeleteArgs, records: &str, context: &Context) -> Outcome<bool> {
    context.ui.confirm(
        &format!("Delete {records} of topic `{}`?", args.topic),
        &format!("velo records delete {} --before WHERE --yes", args.topic),
    )
}

fn execute(cuts: &mut [Cut], admin: &Admin) -> Outcome {
    let before: Vec<(TopicPartition, i64)> = cuts
        .iter()
        .filter(|cut| cut.records() > 0)
        .map(|cut| (cut.partition.clone(), cut.new_start))
        .collect();
    let mut starts = BTreeMap::new();
    let mut failures = Vec::new();
    for (partition, answer) in admin.delete_records(&before)? {
        match answer {
            Ok(start) => {
                starts.insert(partition, start);
            }
            Err(error) => {
                let code = error.code();
                let failure = error.into_failure(format!("cannot delete records of {partition}"));
                failures.push(if code == ErrorCode::PolicyViolation {
                    failure.hint(format!(
                        "records of a compacted topic cannot be deleted; velo config get topic {} cleanup.policy",
                        partition.topic
                    ))
                } else {
                    failure
                });
            }
        }
    }
    settle(failures, before.len())?;
    for cut in cuts {
        if let Some(start) = starts.get(&cut.partition) {
            cut.new_start = *start;
        }
    }
    Ok(())
}

fn show(args: &DeleteArgs, cuts: &[Cut], context: &Context) -> Outcome {
    let rows: Vec<Value> = cuts
        .iter()
        .map(|cut| {
            json!({
                "partition": cut.partition.partition,
                "before": cut.start,
                "after": cut.new_start,
                "deleted": cut.records(),
            })
        })
        .collect();
    let value = json!({"topic": args.topic, "dry_run": args.dry_run, "partitions": rows});
    context.ui.show(&value, || {
        let mut grid = Grid::new([
            text("TOPIC"),
            number("PARTITION"),
            number("START"),
            number("NEW START"),
            number("OFFSETS"),
        ]);
        for cut in cuts {
            grid.row([
                cut.partition.topic.clone(),
                cut.partition.partition.to_string(),
                cut.start.to_string(),
                cut.new_start.to_string(),
                cut.records().to_string(),
            ]);
        }
        grid
    })
}
