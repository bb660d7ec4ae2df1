//! `velo velib map`: the stations where they stand.

use super::SOURCE;
use crate::commands::{Context, candidates};
use crate::exercises::velib::map::{Spot, State, draw, last_of_each};
use crate::exercises::velib::{STATIONS_TOPIC, station};
use crate::failure::Outcome;
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, number, text};
use clap::Args;
use serde_json::{Value, json};

/// Options of `velo velib map`.
#[derive(Debug, Args)]
#[command(after_help = SOURCE)]
pub struct MapArgs {
    /// Topic whose last records are drawn
    #[arg(long, default_value = STATIONS_TOPIC, add = candidates::topics())]
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
        let _waiting = context.ui.waiting_for(format!("the records of `{}`", args.topic));
        last_of_each(&context.connection, &args.topic)?
    };
    if context.ui.format == OutputFormat::Table {
        return context.ui.line(draw(&stations));
    }
    let value: Vec<Value> = stations.iter().map(to_json).collect();
    context.ui.show(&value, || to_grid(&stations))
}

fn to_json(station: &Spot) -> Value {
    json!({
        "contract_name": station.contract_name,
        "number": station.number,
        "address": station.address,
        "position": station.position,
        "available_bikes": station.available_bikes,
        "available_bike_stands": station.available_bike_stands,
        "state": State::of(station).name(),
    })
}

fn to_grid(stations: &[Spot]) -> Grid {
    let mut grid = Grid::new([
        text("STATION"),
        number("LATITUDE"),
        number("LONGITUDE"),
        number("BIKES"),
        text("STATE"),
    ]);
    for station in stations {
        grid.row([
            station.id(),
            station.position.lat.to_string(),
            station.position.lng.to_string(),
            station
                .available_bikes
                .map_or_else(String::new, |bikes| bikes.to_string()),
            State::of(station).name().to_owned(),
        ]);
    }
    grid
}
