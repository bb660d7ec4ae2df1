//! `velo cluster`: the classroom cluster of this machine, started, stopped and looked at.

mod addresses;
mod folder;
mod foreground;
pub mod launch;
mod logs;
pub mod nearby;
mod port;
mod reset;
mod start;
mod status;
mod stop;

pub use folder::ClusterFolder;

use super::Context;
use crate::failure::Outcome;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with the classroom cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Start it, and return once it serves
    Start(start::StartArgs),
    /// Stop it cleanly
    Stop(stop::StopArgs),
    /// Stop it and start it again with the same settings
    Restart(stop::StopArgs),
    /// Say whether it runs, where it listens and where its data is
    Status(DataArgs),
    /// Delete its data: every topic, record and group
    Reset(reset::ResetArgs),
    /// Show its log
    Logs(logs::LogsArgs),
}

/// Which cluster of this machine is meant.
#[derive(Debug, Clone, Default, Args)]
pub struct DataArgs {
    /// Folder of the cluster's data [default: in your data folder, see `velo doctor`]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl ClusterCommand {
    /// Runs it.
    ///
    /// # Errors
    /// As each verb says.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            ClusterCommand::Start(args) => start::run(&args, context),
            ClusterCommand::Stop(args) => stop::run(&args, context),
            ClusterCommand::Restart(args) => stop::restart(&args, context),
            ClusterCommand::Status(args) => status::run(&args, context),
            ClusterCommand::Reset(args) => reset::run(&args, context),
            ClusterCommand::Logs(args) => logs::run(&args, context),
        }
    }
}
