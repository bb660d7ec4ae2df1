//! `velo velib monitor`: tell every change of free stands.

use crate::commands::{Context, candidates};
use crate::exercises::velib::monitor::{Plan, Print, monitor};
use crate::exercises::velib::{MONITOR_GROUP, STATIONS_TOPIC};
use crate::failure::Outcome;
use crate::kafka::group_consumer::Start;
use crate::ui::Interrupt;
use clap::Args;

/// Options of `velo velib monitor`.
#[derive(Debug, Args)]
pub struct MonitorArgs {
    /// Topic of the stations
    #[arg(long, default_value = STATIONS_TOPIC, add = candidates::topics())]
    topic: String,
    /// Group that shares the work; what it remembers is in the topic GROUP-state
    #[arg(long, default_value = MONITOR_GROUP, add = candidates::groups())]
    group: String,
    /// A new group begins after the newest record, not at the oldest
    #[arg(long)]
    from_end: bool,
    /// Also write each change, as JSON, to this topic
    #[arg(long, value_name = "TOPIC", add = candidates::topics())]
    report_to: Option<String>,
    /// Also write each station that runs empty to this topic
    #[arg(long, value_name = "TOPIC", add = candidates::topics())]
    empty_to: Option<String>,
    /// End once all records that were there at the start are read
    #[arg(long)]
    exit_at_end: bool,
}

/// Runs it.
pub(super) fn run(args: MonitorArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let plan = Plan {
        topic: args.topic,
        group: args.group,
        start: Start::from_end(args.from_end),
        report_to: args.report_to,
        empty_to: args.empty_to,
        print: Print::Changes,
        exit_at_end: args.exit_at_end,
    };
    monitor(&context.connection, &plan, context.ui, &|| interrupt.check())
}
