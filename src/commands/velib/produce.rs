//! `velo velib produce`: fetch all stations, every second, and write one record each.

use super::SOURCE;
use crate::commands::{Context, candidates};
use crate::exercises::velib::http_source::{HttpSource, JCDECAUX, KEY_VARIABLE};
use crate::exercises::velib::producer::{Key, Plan, Source, produce};
use crate::exercises::velib::{STATIONS_TOPIC, Simulation};
use crate::failure::{Failure, Outcome};
use crate::ui::Interrupt;
use crate::ui::units::positive_duration;
use clap::Args;
use std::time::Duration;

/// Options of `velo velib produce`.
#[derive(Debug, Args)]
#[command(after_help = SOURCE)]
pub struct ProduceArgs {
    /// Topic to write to
    #[arg(long, default_value = STATIONS_TOPIC, add = candidates::topics())]
    topic: String,
    /// Time between two rounds
    #[arg(long, default_value = "1s", value_parser = positive_duration, value_name = "DURATION")]
    every: Duration,
    /// Key of each record
    #[arg(long, value_enum, default_value_t = Key::None)]
    key: Key,
    /// End after so many rounds
    #[arg(long, value_name = "ROUNDS", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Which trips are ridden: the same number, the same trips
    #[arg(long, default_value_t = 0, conflicts_with_all = ["live", "url"])]
    seed: u64,
    /// Seconds of the simulated city in one second
    #[arg(long, default_value_t = 10, conflicts_with_all = ["live", "url"], value_parser = clap::value_parser!(u32).range(1..=3600))]
    speed: u32,
    /// Fetch from JCDecaux's own API, with the key in JCDECAUX_API_KEY
    #[arg(long, group = "remote")]
    live: bool,
    /// Fetch from any API that answers alike, such as `velo velib api`
    #[arg(long, group = "remote", value_name = "URL")]
    url: Option<String>,
    /// How long the API may take to answer
    #[arg(long, default_value = "10s", requires = "remote", value_parser = positive_duration, value_name = "DURATION")]
    timeout: Duration,
}

/// Runs it.
pub(super) fn run(args: ProduceArgs, context: &Context) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let source = source(&args)?;
    let plan = Plan {
        topic: args.topic,
        every: args.every,
        key: args.key,
        rounds: args.count,
    };
    produce(&context.connection, &plan, source, context.ui, interrupt)
}

fn source(args: &ProduceArgs) -> Outcome<Source> {
    if let Some(url) = &args.url {
        return Ok(Source::Http(HttpSource::at(url, args.timeout)));
    }
    if args.live {
        let key = std::env::var(KEY_VARIABLE).unwrap_or_default();
        if key.is_empty() {
            return Err(Failure::usage("--live needs a key to JCDecaux's API")
                .because(format!("{KEY_VARIABLE} is not set"))
                .hint(format!(
                    "get a key at https://developer.jcdecaux.com, then export {KEY_VARIABLE}=…"
                ))
                .hint("velo velib produce    (without --live: the offline source, no key needed)"));
        }
        return Ok(Source::Http(HttpSource::jcdecaux(JCDECAUX, &key, args.timeout)));
    }
    Ok(Source::Simulated {
        city: Box::new(Simulation::toulouse(args.seed)?),
        step: args.every * args.speed,
    })
}
