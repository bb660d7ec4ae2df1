//! `velo cluster reset`

use super::DataArgs;
use super::folder::ClusterFolder;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use clap::Args;
use std::fs;
use std::io;

/// Options of `velo cluster reset`.
#[derive(Debug, Clone, Args)]
pub struct ResetArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// Deletes the data of a stopped cluster.
///
/// # Errors
/// When it runs, nobody confirmed, or the files cannot be deleted.
pub fn run(args: &ResetArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::of(&args.data, context);
    if folder.is_running()? {
        return Err(
            Failure::request("the cluster runs; its data cannot be deleted under it")
                .hint(format!("velo cluster stop{}", folder.data_option())),
        );
    }
    let node = folder.node_dir();
    if !node.exists() {
        context.ui.say("There is nothing to delete.");
        return Ok(());
    }
    if !args.yes && !confirmed(&folder, context)? {
        context.ui.say("Nothing was deleted.");
        return Ok(());
    }
    let _lock = folder.lock()?;
    fs::remove_dir_all(&node)
        .map_err(|error| Failure::request(format!("cannot delete {}", node.display())).because(error))?;
    folder.clear_state()?;
    if let Err(error) = fs::remove_file(folder.log_file())
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(
            Failure::request(format!("cannot delete {}", folder.log_file().display())).because(error),
        );
    }
    context
        .ui
        .say(format!("The data in {} is gone.", folder.root().display()));
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
