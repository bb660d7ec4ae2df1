//! `velo cluster reset`

use super::DataArgs;
use super::folder::ClusterFolder;
use super::shape::{FIRST_PORT, Shape};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use clap::Args;

/// Options of `velo cluster reset`.
#[derive(Debug, Clone, Args)]
pub struct ResetArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// Deletes the data of a stopped cluster, that of all its brokers; what it is started as stays.
///
/// # Errors
/// When it runs, nobody confirmed, or the files cannot be deleted.
pub fn run(args: &ResetArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::of(&args.data, context);
    ensure_stopped(&folder)?;
    let shape = folder.shape()?.unwrap_or_else(|| Shape::lone(FIRST_PORT));
    let nodes: Vec<_> = shape.nodes().into_iter().map(|id| folder.node(id)).collect();
    if !nodes.iter().any(|node| node.log_dir().exists()) {
        context.ui.say("There is nothing to delete.");
        return Ok(());
    }
    if !args.yes && !confirmed(&folder, context)? {
        context.ui.say("Nothing was deleted.");
        return Ok(());
    }
    let _changing = folder.changing()?;
    ensure_stopped(&folder)?;
    for node in nodes {
        node.delete()?;
    }
    context
        .ui
        .say(format!("The data in {} is gone.", folder.root().display()));
    Ok(())
}

fn ensure_stopped(folder: &ClusterFolder) -> Outcome {
    if folder.is_running()? {
        return Err(
            Failure::request("the cluster runs; its data cannot be deleted under it")
                .hint(format!("velo cluster stop{}", folder.data_option())),
        );
    }
    Ok(())
}

fn confirmed(folder: &ClusterFolder, context: &Context) -> Outcome<bool> {
    let question = format!(
        "Delete every topic, record and group in {}?",
        folder.root().display()
    );
    context.ui.confirm(
        &question,
        &format!("velo cluster reset --yes{}", folder.data_option()),
    )
}
