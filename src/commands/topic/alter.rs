//! `velo topic alter`

use crate::commands::config::change::{self, Change};
use crate::commands::{Context, candidates, settings};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, ConfigResource};
use crate::ui::OutputFormat;
use crate::ui::units::count;
use clap::Args;
use serde_json::json;

/// Options of `velo topic alter`.
#[derive(Debug, Args)]
pub struct AlterArgs {
    /// Name of the topic
    #[arg(add = candidates::topics())]
    name: String,
    /// Raise the number of partitions to this; it can never be lowered
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// Give a setting a value, such as retention.ms=4s; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", add = candidates::assignments())]
    config: Vec<String>,
    /// Put a setting back to its default; may be repeated
    #[arg(long, value_name = "NAME", add = candidates::setting_names())]
    unset_config: Vec<String>,
    /// Only check whether the cluster would do it
    #[arg(long)]
    dry_run: bool,
}

/// Alters a topic.
///
/// # Errors
/// When nothing is to be altered, the topic is not there, or the cluster refuses.
pub fn run(args: &AlterArgs, context: &Context) -> Outcome {
    if args.partitions.is_none() && args.config.is_empty() && args.unset_config.is_empty() {
        return Err(
            Failure::usage(format!("nothing to alter in topic `{}`", args.name))
                .hint("name at least one of --partitions N, --config NAME=VALUE, --unset-config NAME"),
        );
    }
    let mut changes = args
        .config
        .iter()
        .map(|text| settings::parse_assignment(text).map(|(name, value)| Change::Set(name, value)))
        .collect::<Outcome<Vec<_>>>()?;
    changes.extend(args.unset_config.iter().cloned().map(Change::Unset));
    let admin = Admin::connect(&context.connection)?;
    let before = admin.describe_topic(&args.name)?.partitions.len();
    if let Some(partitions) = args.partitions {
        raise(args, partitions, before, &admin, context)?;
    }
    let resource = ConfigResource::Topic(args.name.clone());
    let changed = if changes.is_empty() {
        Vec::new()
    } else {
        change::apply(&admin, &resource, &changes, args.dry_run)?
    };
    if context.ui.format == OutputFormat::Table {
        change::say(context, &resource, &changed, args.dry_run);
        return change::advise(&admin, context, &resource, &changed);
    }
    let value = json!({
        "topic": args.name,
        "dry_run": args.dry_run,
        "partitions": {
            "before": before,
            "after": args.partitions.map_or_else(|| json!(before), |partitions| json!(partitions)),
        },
        "settings": change::to_json(&changed),
    });
    context.ui.show(&value, || change::to_grid(&changed))
}

fn raise(args: &AlterArgs, partitions: i32, before: usize, admin: &Admin, context: &Context) -> Outcome {
    let name = &args.name;
    if usize::try_from(partitions).is_ok_and(|wanted| wanted <= before) {
        return Err(Failure::request(format!(
            "topic `{name}` cannot have {}",
            count(i64::from(partitions), "partition")
        ))
        .because(format!(
            "it has {before} already, and partitions can be added, never taken away"
        ))
        .hint(format!("velo topic alter {name} --partitions {}", before + 1)));
    }
    admin.create_partitions(name, partitions, args.dry_run)?;
    if context.ui.format == OutputFormat::Table {
        let done = if args.dry_run {
            "could be raised. Nothing was done."
        } else {
            "raised."
        };
        context.ui.say(format!(
            "Partitions of topic `{name}`, {before} to {partitions}: {done}"
        ));
        context.ui.say(
            "Records written before stay where they are; from now on a key may go to another partition.",
        );
    }
    Ok(())
}
