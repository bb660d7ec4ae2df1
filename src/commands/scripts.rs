//! `velo scripts`: Kafka's own script names for this binary.

use super::Context;
use crate::failure::Outcome;
use crate::scripts::{SCRIPTS, install};
use crate::ui::table::{Grid, text};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

/// What to do with the scripts.
#[derive(Debug, Subcommand)]
pub enum ScriptsCommand {
    /// List every script and its friendly twin
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
                let made = install::install(&folder)?;
                for settings in install::install_settings(&folder)? {
                    context.ui.say(format!("Settings are in {}.", settings.display()));
                }
                context
                    .ui
                    .say(format!("{} scripts are in {}.", made.len(), folder.display()));
                if !install::is_on_path(&folder) {
                    context.ui.say(format!(
                        "To find them by name: export PATH=\"{}:$PATH\"",
                        folder.display()
                    ));
                }
                Ok(())
            }
        }
    }
}

fn list(context: &Context) -> Outcome {
    let rows: Vec<_> = SCRIPTS
        .iter()
        .map(|script| json!({"script": script.name, "twin": script.twin}))
        .collect();
    context.ui.show(&rows, || {
        let mut grid = Grid::new([text("SCRIPT"), text("THE SAME, FRIENDLIER")]);
        for script in SCRIPTS {
            grid.row([format!("{}.sh", script.name), script.twin.to_owned()]);
        }
        grid
    })
}
