//! `velo cluster`: the classroom cluster of this machine, started, stopped and looked at.

mod addresses;
mod class;
mod folder;
mod foreground;
pub mod launch;
mod load;
mod logs;
pub mod nearby;
mod node;
mod pause;
mod port;
mod reset;
mod settings;
mod shape;
mod start;
mod status;
mod stop;
mod supervise;

pub use folder::ClusterFolder;
pub use node::Condition;
pub use shape::Shape;

use super::{Context, candidates};
use crate::failure::{Failure, Outcome};
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
    /// Let a broker's process stand still (SIGSTOP): it thinks that it still leads, and answers nobody
    Pause(pause::PauseArgs),
    /// Let a paused broker go on (SIGCONT)
    Resume(pause::PauseArgs),
    /// Say whether it runs, how it is with each broker, and where its data is
    Status(DataArgs),
    /// Delete its data: every topic, record and group
    Reset(reset::ResetArgs),
    /// Show its log
    Logs(logs::LogsArgs),
}

/// Names the folder of the cluster that is meant, where no option does.
pub const DATA_VARIABLE: &str = "VELO_CLUSTER_DATA";

/// Which cluster of this machine is meant.
#[derive(Debug, Clone, Default, Args)]
pub struct DataArgs {
    /// Folder of the cluster's data [default: in your data folder, see `velo doctor`]
    #[arg(long, value_name = "DIR", env = DATA_VARIABLE)]
    pub data: Option<PathBuf>,
}

/// Which brokers of a cluster are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct BrokersArgs {
    /// Only the broker of this id; several as 101,102; also a controller that stands apart [default: all]
    #[arg(long, value_name = "ID", value_delimiter = ',', add = candidates::nodes())]
    pub broker: Vec<i32>,
}

impl BrokersArgs {
    /// Whether none is named.
    fn are_all(&self) -> bool {
        self.broker.is_empty()
    }

    /// ` --broker ID`, as typed.
    fn typed(&self) -> String {
        let ids: Vec<String> = self.broker.iter().map(i32::to_string).collect();
        match ids.is_empty() {
            true => String::new(),
            false => format!(" --broker {}", ids.join(",")),
        }
    }

    /// Those that are named, else all, each once.
    ///
    /// # Errors
    /// When the cluster has no such broker.
    fn of(&self, shape: &Shape, folder: &ClusterFolder) -> Outcome<Vec<i32>> {
        let all = shape.nodes();
        if let Some(unknown) = self.broker.iter().find(|id| !all.contains(id)) {
            let ids: Vec<String> = all.iter().map(i32::to_string).collect();
            return Err(Failure::usage(format!("the cluster has no broker {unknown}"))
                .because(format!(
                    "there is {} in {}",
                    ids.join(", "),
                    folder.root().display()
                ))
                .hint(format!("velo cluster status{}", folder.data_option())));
        }
        let named = |id: &i32| self.are_all() || self.broker.contains(id);
        Ok(all.into_iter().filter(named).collect())
    }
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
            ClusterCommand::Pause(args) => pause::run(&args, true, context),
            ClusterCommand::Resume(args) => pause::run(&args, false, context),
            ClusterCommand::Status(args) => status::run(&args, context),
            ClusterCommand::Reset(args) => reset::run(&args, context),
            ClusterCommand::Logs(args) => logs::run(&args, context),
        }
    }
}
