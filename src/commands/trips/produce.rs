//! `velo trips produce`: packets of vehicles around Toulouse.

use super::program::some_milliseconds;
use super::sessions::GAP;
use crate::clock::Clock;
use crate::commands::{Context, candidates};
use crate::exercises::trips::PACKETS_TOPIC;
use crate::exercises::trips::fleet::{Fleet, Misfortunes};
use crate::exercises::trips::producer::{Plan, produce};
use crate::exercises::velib::topics;
use crate::failure::Outcome;
use crate::kafka::{Admin, NewTopic};
use crate::ui::Interrupt;
use clap::Args;
use std::path::PathBuf;

/// Options of `velo trips produce`.
#[derive(Debug, Args)]
pub struct ProduceArgs {
    /// Topic to write to; made with 4 partitions if it is not there
    #[arg(long, default_value = PACKETS_TOPIC, add = candidates::topics())]
    topic: String,
    /// So many packets a second; 0 for as many as the cluster takes
    #[arg(long, default_value_t = 100, value_name = "PACKETS")]
    rate: u64,
    /// End after so many packets
    #[arg(long, value_name = "PACKETS", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Which trips and which misfortunes: the same number, the same ones
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Vehicles on the road at once
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    vehicles: u32,
    /// Part of them that sends streams instead of whole trips, from 0 to 1
    #[arg(long, default_value = "0.2", value_parser = part, value_name = "RATE")]
    streams: f64,
    /// Write the trips that must come out to this file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Write the sessions that must come out to this file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    expect_sessions: Option<PathBuf>,
    /// The silence that divides those sessions
    #[arg(long, default_value = GAP, value_parser = some_milliseconds, value_name = "DURATION", requires = "expect_sessions")]
    gap: i64,
    #[command(flatten)]
    misfortunes: MisfortuneOptions,
}

/// How often each misfortune happens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Misfortunes, each from 0 (never) to 1 (always)")]
struct MisfortuneOptions {
    /// A packet arrives later than others
    #[arg(long, default_value = "0.05", value_parser = part, value_name = "RATE")]
    late: f64,
    /// A packet arrives twice
    #[arg(long, default_value = "0.02", value_parser = part, value_name = "RATE")]
    twice: f64,
    /// A packet never arrives
    #[arg(long, default_value = "0.005", value_parser = part, value_name = "RATE")]
    missing: f64,
    /// A record is no packet: null, empty, torn, or without a required field
    #[arg(long, default_value = "0.002", value_parser = part, value_name = "RATE")]
    broken: f64,
    /// A trip has one more packet, whose chunk is 0 or behind the last
    #[arg(long, default_value = "0.002", value_parser = part, value_name = "RATE")]
    out_of_range: f64,
    /// A trip has one more packet, with another number of chunks
    #[arg(long, default_value = "0.002", value_parser = part, value_name = "RATE")]
    disagree: f64,
    /// A trip has one more packet, of a clock that is a day ahead
    #[arg(long, default_value = "0.002", value_parser = part, value_name = "RATE")]
    future: f64,
    /// A whole trip is sent again
    #[arg(long, default_value = "0.01", value_parser = part, value_name = "RATE")]
    again: f64,
}

/// Runs it.
pub(super) fn run(args: ProduceArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let MisfortuneOptions {
        late,
        twice,
        missing,
        broken,
        out_of_range,
        disagree,
        future,
        again,
    } = args.misfortunes;
    let misfortunes = Misfortunes {
        late,
        twice,
        missing,
        broken,
        out_of_range,
        disagree,
        future,
        again,
    };
    let vehicles = usize::try_from(args.vehicles).unwrap_or(usize::MAX);
    let now_ms = Clock::system().now_ms();
    let fleet = Fleet::new(args.seed, vehicles, args.streams, misfortunes, now_ms);
    let topic = NewTopic {
        partitions: Some(4),
        ..NewTopic::named(&args.topic)
    };
    topics::ensure(&Admin::connect(&context.connection)?, &topic)?;
    let plan = Plan {
        topic: args.topic,
        rate: Some(args.rate).filter(|rate| *rate > 0),
        count: args.count,
        expect: args.expect,
        expect_sessions: args.expect_sessions,
        gap_ms: args.gap,
    };
    produce(&context.connection, &plan, fleet, context.ui, interrupt)
}

/// Reads a part of all, from 0 to 1.
fn part(text: &str) -> Result<f64, String> {
    let part: f64 = text
        .parse()
        .map_err(|_| "wants a number from 0 to 1".to_owned())?;
    match (0.0..=1.0).contains(&part) {
        true => Ok(part),
        false => Err("wants a number from 0 to 1".to_owned()),
    }
}
