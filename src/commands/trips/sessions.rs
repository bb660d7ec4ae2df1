//! `velo trips sessions`: divide streams of packets by silence.

use super::program::{ProgramOptions, milliseconds, some_milliseconds};
use crate::commands::{Context, candidates};
use crate::exercises::stream::window::Silence;
use crate::exercises::trips::run::sessions;
use crate::exercises::trips::sessions::Sessions;
use crate::exercises::trips::{PACKETS_TOPIC, SESSIONS_GROUP, SESSIONS_STORE, SESSIONS_TOPIC};
use crate::failure::Outcome;
use crate::ui::Interrupt;
use clap::Args;

/// The silence that divides unless another is asked for.
pub(super) const GAP: &str = "5m";

/// Options of `velo trips sessions`.
#[derive(Debug, Args)]
pub struct SessionsArgs {
    /// Topic of the packets
    #[arg(long, default_value = PACKETS_TOPIC, add = candidates::topics())]
    input: String,
    /// Topic of the sessions; `--output TOPIC` is understood as well, unless it is called as a format is
    #[arg(long, default_value = SESSIONS_TOPIC, value_name = "TOPIC", add = candidates::topics())]
    to: String,
    /// Group that shares the work; what it remembers is in the topic GROUP-STORE-SESSIONS-changelog
    #[arg(long, default_value = SESSIONS_GROUP, add = candidates::groups())]
    group: String,
    /// A longer silence divides; exactly this does not
    #[arg(long, default_value = GAP, value_parser = some_milliseconds, value_name = "DURATION")]
    gap: i64,
    /// Take packets that come so much later than a device's newest
    #[arg(long, default_value = "1m", value_parser = milliseconds, value_name = "DURATION")]
    grace: i64,
    #[command(flatten)]
    how: ProgramOptions,
}

/// Runs it.
pub(super) fn run(args: SessionsArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let silence = Silence {
        gap_ms: args.gap,
        grace_ms: args.grace,
    };
    let ui = context.ui;
    let plan = args
        .how
        .plan(context, (args.input, args.to, args.group), SESSIONS_STORE)?;
    sessions(
        &context.connection,
        &plan,
        Sessions::new(silence, ui),
        ui,
        interrupt,
    )
}
