//! `velo trips`: trips of vehicles, put together of their chunks.

mod assemble;
mod produce;
mod program;
mod send;
mod sessions;
mod topology;

use super::Context;
use crate::failure::Outcome;
use clap::Subcommand;

/// What to do with trips.
#[derive(Debug, Subcommand)]
pub enum TripsCommand {
    /// Write packets of vehicles that drive around Toulouse, with every misfortune that packets meet
    Produce(produce::ProduceArgs),
    /// Send a few packets of one trip by hand
    Send(send::SendArgs),
    /// Put trips together of chunks that come in any order, late, twice or never
    Assemble(assemble::AssembleArgs),
    /// Divide streams of packets into sessions by silence
    Sessions(sessions::SessionsArgs),
    /// Draw what runs: source, processor, store, sink
    Topology(topology::TopologyArgs),
}

impl TripsCommand {
    /// Runs it.
    ///
    /// # Errors
    /// As the command says.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            TripsCommand::Produce(args) => produce::run(args, context),
            TripsCommand::Send(args) => send::run(args, context),
            TripsCommand::Assemble(args) => assemble::run(args, context),
            TripsCommand::Sessions(args) => sessions::run(args, context),
            TripsCommand::Topology(args) => topology::run(&args, context),
        }
    }
}
