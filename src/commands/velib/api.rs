//! `velo velib api`: JCDecaux's API for the simulated city, on loopback.

use super::SOURCE;
use crate::commands::Context;
use crate::exercises::velib::Simulation;
use crate::exercises::velib::api::serve;
use crate::failure::Outcome;
use crate::ui::Interrupt;
use clap::Args;

/// Options of `velo velib api`.
#[derive(Debug, Args)]
#[command(after_help = SOURCE)]
pub struct ApiArgs {
    /// Port on 127.0.0.1; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Which trips are ridden: the same number, the same trips
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seconds of the simulated city in one second
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    speed: u32,
}

/// Runs it.
pub(super) fn run(args: &ApiArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let city = Simulation::toulouse(args.seed)?;
    serve(city, args.speed, args.port, context.ui, interrupt)
}
