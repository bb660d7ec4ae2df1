//! `velo storm`: the stations as a Storm topology.

mod bolt;
mod flux;
mod run;
mod spout;
mod topology;

use super::{Context, candidates};
use crate::exercises::storm::SPOUT_GROUP;
use crate::failure::Outcome;
use clap::{Args, Subcommand};

/// What to do with the topology.
#[derive(Debug, Subcommand)]
pub enum StormCommand {
    /// Run the topology in this process: which stations become empty, and which are empty no longer
    Run(run::RunArgs),
    /// Serve Storm as the bolt that finds the events (multilang protocol on standard input and output)
    Bolt(bolt::BoltArgs),
    /// Serve Storm as a spout on the station topic (multilang protocol on standard input and output)
    Spout(spout::SpoutArgs),
    /// Write the topology as Flux reads it, to run the same bolt on a Storm cluster
    Flux(flux::FluxArgs),
    /// Draw the topology, with its counts while it runs on this machine
    Topology(topology::TopologyArgs),
}

/// As whom spouts read.
#[derive(Debug, Args)]
struct SpoutGroup {
    /// Group of the spouts
    #[arg(long, default_value = SPOUT_GROUP, add = candidates::groups())]
    group: String,
    /// A new group begins after the newest record, not at the oldest
    #[arg(long)]
    from_end: bool,
}

impl StormCommand {
    /// Runs it.
    ///
    /// # Errors
    /// As the command says.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            StormCommand::Run(args) => run::run(args, context),
            StormCommand::Bolt(args) => bolt::run(args, context),
            StormCommand::Spout(args) => spout::run(args, context),
            StormCommand::Flux(args) => flux::run(args, context),
            StormCommand::Topology(args) => topology::run(&args, context),
        }
    }
}
