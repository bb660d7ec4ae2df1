//! `velo velib`: the city bikes of the course.

mod api;
mod empty;
mod map;
mod monitor;
mod produce;

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// Named in the help of every command that tells the stations.
const SOURCE: &str = "Stations: JCDecaux open data (Toulouse, 22 May 2016), Licence Ouverte (Etalab).";

/// What to do with the city's bikes.
#[derive(Debug, Subcommand)]
pub enum VelibCommand {
    /// Write all stations to a topic, every second
    Produce(produce::ProduceArgs),
    /// Tell every change of free stands: `+1 ADDRESS (Contract)`
    Monitor(monitor::MonitorArgs),
    /// Find the stations that run empty, write them to a topic, and mail them
    Empty(empty::EmptyArgs),
    /// Draw the stations where they stand
    Map(map::MapArgs),
    /// Serve the simulated city as JCDecaux's HTTP API does, on this machine
    Api(api::ApiArgs),
}

impl VelibCommand {
    /// Runs it.
    ///
    /// # Errors
    /// As the command says.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            VelibCommand::Produce(args) => produce::run(args, context),
            VelibCommand::Monitor(args) => monitor::run(args, context),
            VelibCommand::Empty(args) => empty::run(args, context),
            VelibCommand::Map(args) => map::run(&args, context),
            VelibCommand::Api(args) => api::run(&args, context),
        }
    }
}
