//! `velo config set`

use super::Whose;
use super::change::{self, Change};
use crate::commands::{Context, candidates, settings};
use crate::failure::{Failure, Outcome};
use clap::Args;

/// Options of `velo config set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    whose: Whose,
    /// Settings, such as retention.ms=4s or segment.bytes=1GiB
    #[arg(required = true, value_name = "SETTING=VALUE", add = candidates::settings_of(true))]
    settings: Vec<String>,
    /// Only check whether the cluster would do it
    #[arg(long)]
    dry_run: bool,
}

/// Of a value that was typed as a word of its own, or left out, the whole command that was meant.
fn in_one_word(failure: Failure, args: &SetArgs) -> Failure {
    let whose = args.whose.typed();
    let whole = |setting: &str| format!("velo config set {whose} {setting}");
    match args.settings.as_slice() {
        [name, value] if !name.contains('=') && !value.contains('=') => Failure::usage(failure.what())
            .because(failure.why().unwrap_or_default())
            .hint(whole(&format!("{name}={value}"))),
        [name] if !name.contains('=') => failure.hint(format!(
            "velo config get {whose} {name}    (shows what it is now)"
        )),
        _ => failure,
    }
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
        .collect::<Outcome<Vec<_>>>()
        .map_err(|failure| in_one_word(failure, args))?;
    change::run(&args.whose.resource()?, &changes, args.dry_run, context)
}
