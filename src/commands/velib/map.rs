//! `velo velib map`: the stations where they stand.

use super::SOURCE;
use crate::commands::Context;
use crate::exercises::velib::map::{Spot, State, draw, last_of_each};
use crate::exercises::velib::{STATIONS_TOPIC, station};
use crate::failure::Outcome;
use crate::ui::OutputFormat;
use clap::Args;

/// Options of `velo velib map`.
#[derive(Debug, Args)]
#[command(after_help = SOURCE)]
pub struct MapArgs {
    /// Topic whose last records are drawn
    #[arg(long, default_value = STATIONS_TOPIC)]
    topic: String,
    /// Draw the shipped snapshot; needs no cluster
    #[arg(long, conflicts_with = "topic")]
    snapshot: bool,
}

/// Runs it.
pub(super) fn run(args: &MapArgs, context: &Context) -> Outcome {
    let stations = if args.snapshot {
        station::snapshot()?.into_iter().map(Spot::from).collect()
    } else {
        last_of_each(&context.connection, &args.topic)?
    };
    if context.ui.format == OutputFormat::Table {
        return context.ui.line(draw(&stations));
    }
    for station in &stations {
        let state = State::of(station).name();
        context.ui.line(if context.ui.format == OutputFormat::Json {
            serde_json::json!({
                "contract_name": station.contract_name,
                "number": station.number,
                "address": station.address,
                "position": station.position,
                "available_bikes": station.available_bikes,
                "available_bike_stands": station.available_bike_stands,
                "state": state,
            })
            .to_string()
        } else {
            format!(
                "{}\t{}\t{}\t{}\t{state}",
                station.id(),
                station.position.lat,
                station.position.lng,
                station
                    .available_bikes
                    .map_or_else(String::new, |bikes| bikes.to_string()),
            )
        })?;
    }
    Ok(())
}
