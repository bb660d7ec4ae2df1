//! `velo config unset`

use super::Whose;
use super::change::{self, Change};
use crate::commands::{Context, candidates};
use crate::failure::Outcome;
use clap::Args;

/// Options of `velo config unset`.
#[derive(Debug, Args)]
pub struct UnsetArgs {
    #[command(flatten)]
    whose: Whose,
    /// Names of the settings
    #[arg(required = true, value_name = "SETTING", add = candidates::settings_of(false))]
    settings: Vec<String>,
    /// Only check whether the cluster would do it
    #[arg(long)]
    dry_run: bool,
}

/// Puts settings back to their defaults.
///
/// # Errors
/// When there is no such thing or no such setting, or the cluster refuses.
pub fn run(args: &UnsetArgs, context: &Context) -> Outcome {
    let changes: Vec<Change> = args.settings.iter().cloned().map(Change::Unset).collect();
    change::run(&args.whose.resource()?, &changes, args.dry_run, context)
}
