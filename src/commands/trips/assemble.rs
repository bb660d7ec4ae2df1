//! `velo trips assemble`: put trips together of their chunks.

use super::program::{ProgramOptions, milliseconds, some_milliseconds};
use crate::commands::{Context, candidates};
use crate::exercises::trips::assemble::Assembler;
use crate::exercises::trips::rules::Memory;
use crate::exercises::trips::run::assemble;
use crate::exercises::trips::{ASSEMBLE_GROUP, PACKETS_TOPIC, TRIPS_STORE, TRIPS_TOPIC};
use crate::failure::Outcome;
use crate::ui::Interrupt;
use clap::Args;

/// Options of `velo trips assemble`.
#[derive(Debug, Args)]
pub struct AssembleArgs {
    /// Topic of the packets
    #[arg(long, default_value = PACKETS_TOPIC, add = candidates::topics())]
    input: String,
    /// Topic of the trips; `--output TOPIC` is understood as well, unless it is called as a format is
    #[arg(long, default_value = TRIPS_TOPIC, value_name = "TOPIC", add = candidates::topics())]
    to: String,
    /// Group that shares the work; what it remembers is in the topic GROUP-STORE-TRIPS-changelog
    #[arg(long, default_value = ASSEMBLE_GROUP, add = candidates::groups())]
    group: String,
    /// Give a trip up that started longer ago and is not whole
    #[arg(long, default_value = "7d", value_parser = some_milliseconds, value_name = "DURATION")]
    ttl: i64,
    /// How often to look for those, at the start and then by the clock
    #[arg(long, default_value = "1d", value_parser = some_milliseconds, value_name = "DURATION")]
    every: i64,
    /// Remember that a trip was emitted until it started longer ago than this; 0 forgets it at once, and a trip that is sent
    /// whole again is emitted again [default: as --ttl]
    #[arg(long, value_parser = milliseconds, value_name = "DURATION")]
    remember: Option<i64>,
    #[command(flatten)]
    how: ProgramOptions,
}

/// Runs it.
pub(super) fn run(args: AssembleArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let memory = Memory {
        ttl_ms: args.ttl,
        remember_ms: Some(args.remember.unwrap_or(args.ttl)).filter(|remember| *remember > 0),
    };
    let ui = context.ui;
    let plan = args
        .how
        .plan(context, (args.input, args.to, args.group), TRIPS_STORE)?;
    let assembler = Assembler::new(memory, args.every, ui);
    assemble(&context.connection, &plan, assembler, ui, interrupt)
}
