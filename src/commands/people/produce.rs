//! `velo people produce`

use crate::commands::{Context, candidates};
use crate::exercises::people::producer::{Pace, produce};
use crate::exercises::people::sink::Sink;
use crate::exercises::people::{Locale, PEOPLE_TOPIC, People};
use crate::failure::Outcome;
use crate::ui::Interrupt;
use clap::Args;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `velo people produce`.
#[derive(Debug, Args)]
pub struct ProduceArgs {
    /// Topic to write to
    #[arg(long, default_value = PEOPLE_TOPIC, add = candidates::topics())]
    topic: String,
    /// Time from one batch to the next; 0 for no pause
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "DURATION")]
    every: Duration,
    /// Smallest and largest batch, or one number for all
    #[arg(long, default_value = "5..20", value_parser = sizes, value_name = "MIN..MAX")]
    batch: RangeInclusive<u64>,
    /// End after so many people
    #[arg(long, value_name = "PEOPLE", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// So many people a second, evenly, instead of batches
    #[arg(long, value_name = "PEOPLE", conflicts_with_all = ["every", "batch"], value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Which people: the same number, the same people
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where they live
    #[arg(long, value_enum, default_value_t = Locale::Spain)]
    locale: Locale,
    /// Write each batch (at a rate, each second) to a file datosClientes<date>_<i>.json in this folder instead, which
    /// needs no cluster
    #[arg(long, value_name = "DIR", conflicts_with = "topic")]
    to_files: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(args: ProduceArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let sink = match args.to_files {
        Some(folder) => Sink::folder(folder)?,
        None => Sink::topic(&context.connection, args.topic)?,
    };
    let pace = match args.rate {
        Some(rate) => Pace::Rate(rate),
        None => Pace::Batches {
            every: args.every,
            size: args.batch,
            seed: args.seed,
        },
    };
    let mut people = People::new(args.locale, args.seed);
    produce(&mut people, &sink, &pace, args.count, context.ui, interrupt)
}

/// Reads a duration, `0` included.
fn duration(text: &str) -> Result<Duration, String> {
    let milliseconds = crate::ui::units::parse_duration_ms(text)?;
    u64::try_from(milliseconds)
        .map(Duration::from_millis)
        .map_err(|_| "must not be negative".to_owned())
}

/// Reads `5..20`, or `10` for `10..10`; both ends belong to it.
fn sizes(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<u64>()
            .map_err(|_| "wants two numbers, as in 5..20".to_owned())
    };
    let (least, most) = match text.split_once("..") {
        Some((least, most)) => (number(least)?, number(most)?),
        None => (number(text)?, number(text)?),
    };
    if least == 0 || least > most || most > 1_000_000 {
        return Err("wants a smaller, then a larger number, from 1 to 1000000".to_owned());
    }
    Ok(least..=most)
}
