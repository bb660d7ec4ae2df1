//! `velo completions`: what a shell needs to complete `velo` and the scripts of Kafka's names, topics and groups of the live
//! cluster included.
//!
//! The shell calls `velo` back with [`VARIABLE`] set; [`answer`] then prints the candidates.

use super::{Context, script_completion};
use crate::cli::Cli;
use crate::failure::{Failure, Outcome};
use crate::scripts::install::command_names;
use crate::ui::output::write_failed;
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::env::{CompleteEnv, EnvCompleter, Shells};
use std::io::{self, Write};

/// Set by the shell when it asks for candidates; its value is the shell's name.
const VARIABLE: &str = "VELO_COMPLETE";

/// A shell that can be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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
    register(args.shell, completer, &mut script).or_else(write_failed)?;
    context.ui.bytes(&script)
}

/// `velo` by clap's own script; the scripts of Kafka's names by the same function where the shell's has one, since it hands
/// on what it was called for, and each by a script of its own elsewhere.
fn register(shell: Shell, completer: &dyn EnvCompleter, script: &mut Vec<u8>) -> io::Result<()> {
    completer.write_registration(VARIABLE, "velo", "velo", "velo", script)?;
    let names: Vec<String> = command_names().collect();
    match shell {
        Shell::Bash => writeln!(
            script,
            "complete -o nospace -o bashdefault -F _clap_complete_velo {}",
            names.join(" ")
        ),
        Shell::Zsh => writeln!(script, "compdef _clap_dynamic_completer_velo {}", names.join(" ")),
        Shell::Elvish | Shell::Fish | Shell::Powershell => names
            .iter()
            .try_for_each(|name| completer.write_registration(VARIABLE, name, name, "velo", script)),
    }
}

/// Answers a shell that asks for candidates, and ends the process; returns when none asks.
pub fn answer() {
    if std::env::var_os(VARIABLE).is_some() {
        let typed = typed_words();
        let script = typed.first().and_then(|name| script_completion::command(name));
        let command = move || script.clone().unwrap_or_else(Cli::command);
        CompleteEnv::with_factory(command).var(VARIABLE).complete();
    }
}

/// The words on the command line that is being completed, the program's name first.
pub fn typed_words() -> Vec<String> {
    std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .skip_while(|word| word != "--")
        .skip(1)
        .collect()
}
