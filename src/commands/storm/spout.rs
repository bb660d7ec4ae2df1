//! `velo storm spout`: started by Storm, not by hand.

use super::SpoutGroup;
use super::bolt::tell_who_types;
use crate::commands::{Context, candidates};
use crate::exercises::storm::multilang::spout::{self, Plan};
use crate::exercises::velib::STATIONS_TOPIC;
use crate::failure::Outcome;
use crate::kafka::group_consumer::Start;
use crate::ui::Interrupt;
use clap::Args;

/// Options of `velo storm spout`.
#[derive(Debug, Args)]
pub struct SpoutArgs {
    /// Topic of the stations
    #[arg(long, default_value = STATIONS_TOPIC, add = candidates::topics())]
    topic: String,
    #[command(flatten)]
    spout_group: SpoutGroup,
    /// Most tuples of this task that may be under way
    #[arg(long, value_name = "TUPLES", default_value_t = 10_000, value_parser = super::run::pending())]
    max_spout_pending: usize,
}

/// Runs it.
pub(super) fn run(args: SpoutArgs, context: &Context) -> Outcome {
    tell_who_types(context);
    let interrupt = Interrupt::watch()?;
    let plan = Plan {
        topic: args.topic,
        group: args.spout_group.group,
        start: Start::from_end(args.spout_group.from_end),
        max_pending: args.max_spout_pending,
    };
    spout::run(&context.connection, &plan, context.ui, &|| interrupt.check())
}
