//! `velo completions`: what a shell needs to complete `velo`, topics and groups of the live cluster included.
//!
//! The shell calls `velo` back with [`VARIABLE`] set; [`answer`] then prints the candidates.

use super::Context;
use crate::cli::Cli;
use crate::failure::{Failure, Outcome};
use crate::ui::output::write_failed;
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::env::{CompleteEnv, Shells};

/// Set by the shell when it asks for candidates; its value is the shell's name.
const VARIABLE: &str = "VELO_COMPLETE";

/// A shell that can be completed.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "names of shells")]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// Options of `velo completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell; put `source <(velo completions bash)` or its like into the shell's start-up file
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script that the shell reads at its start.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: &CompletionsArgs, context: &Context) -> Outcome {
    let name = args
        .shell
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default();
    let shells = Shells::builtins();
    let completer = shells.completer(&name).ok_or_else(|| {
        Failure::usage(format!("{name} cannot be completed")).hint("velo completions --help")
    })?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, "velo", "velo", "velo", &mut script)
        .or_else(write_failed)?;
    context.ui.bytes(&script)
}

/// Answers a shell that asks for candidates, and ends the process; returns when none asks.
pub fn answer() {
    if std::env::var_os(VARIABLE).is_some() {
        CompleteEnv::with_factory(Cli::command).var(VARIABLE).complete();
    }
}
