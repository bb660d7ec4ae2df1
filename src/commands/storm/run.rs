//! `velo storm run`: the topology in this process.

use super::SpoutGroup;
use crate::commands::{Context, candidates};
use crate::exercises::storm::run::{Faults, Plan, run as run_topology};
use crate::exercises::velib::STATIONS_TOPIC;
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::Start;
use crate::ui::Interrupt;
use crate::ui::units::positive_duration;
use clap::Args;
use std::time::Duration;

/// Records that are read before those that are news, if nothing else is asked for.
pub(super) const LOOK_BACK: i64 = 20_000;

/// How long acks are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Options of `velo storm run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Topic of the stations, which the spouts read
    #[arg(long, default_value = STATIONS_TOPIC, add = candidates::topics())]
    topic: String,
    #[command(flatten)]
    spout_group: SpoutGroup,
    /// Tasks of the spout; each reads its share of the partitions
    #[arg(long, value_name = "TASKS", default_value_t = 1, value_parser = tasks())]
    spouts: usize,
    /// Tasks of the bolt that finds the events
    #[arg(long, value_name = "TASKS", default_value_t = 2, value_parser = tasks())]
    parallelism: usize,
    /// Most tuples of a spout task that may be under way (topology.max.spout.pending)
    #[arg(long, value_name = "TUPLES", default_value_t = 10_000, value_parser = pending())]
    max_spout_pending: usize,
    /// How long a tuple tree may take before its tuple fails (topology.message.timeout.secs)
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = positive_duration)]
    message_timeout: Duration,
    /// Send the bolts a tick tuple so often (topology.tick.tuple.freq.secs)
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    tick: Option<Duration>,
    /// Also write each event, as JSON, to this topic
    #[arg(long, value_name = "TOPIC", add = candidates::topics())]
    output_topic: Option<String>,
    /// Do not print the events
    #[arg(long, requires = "output_topic")]
    no_print: bool,
    /// Records before the committed offset that are read at the start, for what they say of the stations
    #[arg(long, value_name = "RECORDS", default_value_t = LOOK_BACK, value_parser = clap::value_parser!(i64).range(0..))]
    look_back: i64,
    /// Fail this share of the events on purpose, from 0 to 1: they come again
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = rate)]
    fail: f64,
    /// Lose the acks of this share of the events on purpose: they time out, and come again
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = rate)]
    lose: f64,
    /// Which of them: the same number, the same chance
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// End once all records that were there at the start are dealt with
    #[arg(long)]
    exit_at_end: bool,
}

pub(super) fn tasks() -> impl clap::builder::TypedValueParser<Value = usize> {
    at_most(256)
}

pub(super) fn pending() -> impl clap::builder::TypedValueParser<Value = usize> {
    at_most(10_000_000)
}

pub(super) fn at_most(most: u64) -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser;
    clap::value_parser!(u64).range(1..=most).try_map(usize::try_from)
}

/// A share, from 0 to 1.
fn rate(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .trim()
        .parse()
        .map_err(|_| "wants a number from 0 to 1".to_owned())?;
    match (0.0..=1.0).contains(&number) {
        true => Ok(number),
        false => Err("wants a number from 0 to 1".to_owned()),
    }
}

/// Runs it.
pub(super) fn run(args: RunArgs, context: &Context) -> Outcome {
    if args.fail + args.lose >= 1.0 {
        return Err(
            Failure::usage("--fail and --lose leave no event that is ever acked")
                .because("together they must be less than 1")
                .hint("velo storm run --fail 0.2 --lose 0.1"),
        );
    }
    let interrupt = Interrupt::watch()?;
    let plan = Plan {
        topic: args.topic,
        group: args.spout_group.group,
        start: Start::from_end(args.spout_group.from_end),
        spouts: args.spouts,
        parallelism: args.parallelism,
        max_spout_pending: args.max_spout_pending,
        message_timeout: args.message_timeout,
        tick: args.tick,
        output_topic: args.output_topic,
        print: !args.no_print,
        look_back: args.look_back,
        farewell: FAREWELL,
        exit_at_end: args.exit_at_end,
        faults: Faults {
            fail: args.fail,
            lose: args.lose,
            seed: args.seed,
        },
    };
    run_topology(
        &context.connection,
        &plan,
        context.ui,
        &context.places.state,
        &|| interrupt.check(),
    )
}
