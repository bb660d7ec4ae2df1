//! `velo scripts`: Kafka's own script names for this binary.

use super::Context;
use crate::failure::Outcome;
use crate::scripts::completeness::ABSENT;
use crate::scripts::{SCRIPTS, install};
use crate::ui::table::{Grid, text};
use crate::ui::units::counted;
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

/// What to do with the scripts.
#[derive(Debug, Subcommand)]
pub enum ScriptsCommand {
    /// List every script, whether it is complete, and its friendly twin
    List,
    /// Put the scripts into a folder, by the names that every Kafka course uses
    Install {
        /// The folder [default: scripts, in your data folder]
        dir: Option<PathBuf>,
    },
}

impl ScriptsCommand {
    /// Runs it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            ScriptsCommand::List => list(context),
            ScriptsCommand::Install { dir } => {
                let folder = dir.unwrap_or_else(|| context.places.data.join("scripts"));
                install::install(&folder)?;
                for settings in install::install_settings(&folder)? {
                    context.ui.say(format!("Settings are in {}.", settings.display()));
                }
                context.ui.say(format!(
                    "{} in {}.",
                    counted(SCRIPTS.len(), "script is", "scripts are"),
                    folder.display()
                ));
                if !install::is_on_path(&folder) {
                    context.ui.say(format!(
                        "To find them by name: export PATH=\"{}:$PATH\"",
                        folder.display()
                    ));
                }
                context
                    .ui
                    .say("To complete their options and topics: source <(velo completions bash), or another shell's name");
                Ok(())
            }
        }
    }
}

fn list(context: &Context) -> Outcome {
    let here = SCRIPTS
        .iter()
        .map(|script| (script.name, true, "yes".to_owned(), script.twin));
    let absent = ABSENT
        .iter()
        .map(|absent| (absent.name, false, format!("not here: {}", absent.why), ""));
    let scripts: Vec<_> = here.chain(absent).collect();
    let rows: Vec<_> = scripts
        .iter()
        .map(|(name, complete, how, twin)| json!({"script": name, "complete": complete, "how": how, "twin": twin}))
        .collect();
    context.ui.show(&rows, || {
        let mut grid = Grid::new([text("SCRIPT"), text("COMPLETE"), text("THE SAME, FRIENDLIER")]);
        for (name, _, how, twin) in &scripts {
            grid.row([format!("{name}.sh"), how.clone(), (*twin).to_owned()]);
        }
        grid
    })
}
