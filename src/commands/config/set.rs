//! `velo config set`

use super::Whose;
use super::change::{self, Change};
use crate::commands::{Context, candidates, settings};
use crate::failure::Outcome;
use clap::Args;

/// Options of `velo config set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    whose: Whose,
    /// Settings, such as retention.ms=4s or segment.bytes=1GiB
    #[arg(required = true, value_name = "SETTING=VALUE", add = candidates::assignments())]
    settings: Vec<String>,
    /// Only check whether the cluster would do it
    #[arg(long)]
    dry_run: bool,
}

/// Gives settings a value.
///
/// # Errors
/// When there is no such thing or no such setting, or the cluster refuses the value.
pub fn run(args: &SetArgs, context: &Context) -> Outcome {
    let changes = args
        .settings
        .iter()
        .map(|text| settings::parse_assignment(text).map(|(name, value)| Change::Set(name, value)))
        .collect::<Outcome<Vec<_>>>()?;
    change::run(&args.whose.resource()?, &changes, args.dry_run, context)
}
