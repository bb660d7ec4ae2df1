//! `velo velib map`: the stations where they stand, as text.

use super::station::{OPEN, Position, Station};
use super::told::{text, whole};
use crate::failure::{Failure, Outcome};
use crate::kafka::Connection;
use crate::kafka::topic_reader::read_to_end;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Columns of the map.
const WIDTH: usize = 76;
/// Rows of the map.
const HEIGHT: usize = 26;

/// How a station is doing, the more notable later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has bikes and free stands.
    Open,
    /// It does not lend.
    Closed,
    /// No free stand.
    Full,
    /// No bike.
    Empty,
}

/// The part of a station's record that the map shows. What has no place is not on it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Spot {
    /// Unique within a contract only.
    pub number: i64,
    /// The city's contract.
    pub contract_name: String,
    /// Where it is.
    pub position: Position,
    /// The street.
    #[serde(default, deserialize_with = "text")]
    pub address: Option<String>,
    /// Stands that can take a bike.
    #[serde(default, deserialize_with = "whole")]
    pub available_bike_stands: Option<i64>,
    /// Bikes that can be taken.
    #[serde(default, deserialize_with = "whole")]
    pub available_bikes: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    status: Option<String>,
}

impl From<Station> for Spot {
    fn from(station: Station) -> Self {
        Spot {
            number: station.number,
            contract_name: station.contract_name,
            position: station.position,
            address: Some(station.address),
            available_bike_stands: Some(station.available_bike_stands),
            available_bikes: Some(station.available_bikes),
            status: Some(station.status),
        }
    }
}

impl Spot {
    /// `CONTRACT/NUMBER`: unique among all cities.
    pub fn id(&self) -> String {
        format!("{}/{}", self.contract_name, self.number)
    }
}

impl State {
    /// The state of a station, open unless it says something else.
    pub fn of(station: &Spot) -> Self {
        if station.status.as_ref().is_some_and(|status| status != OPEN) {
            State::Closed
        } else if station.available_bikes == Some(0) {
            State::Empty
        } else if station.available_bike_stands == Some(0) {
            State::Full
        } else {
            State::Open
        }
    }

    /// Its word, in the legend and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closed => "closed",
            State::Full => "full",
            State::Empty => "empty",
        }
    }

    fn sign(self) -> char {
        match self {
            State::Open => '.',
            State::Closed => 'x',
            State::Full => '#',
            State::Empty => 'o',
        }
    }
}

/// The last record of every station in `topic`, by contract and number.
///
/// # Errors
/// When the topic cannot be read, or holds no station.
pub fn last_of_each(connection: &Connection, topic: &str) -> Outcome<Vec<Spot>> {
    let mut stations: BTreeMap<(String, i64), (Option<i64>, Spot)> = BTreeMap::new();
    read_to_end(connection, topic, |record| {
        let value = record.value.as_deref().unwrap_or_default();
        // A record that is no station is none on the map either.
        let Ok(station) = serde_json::from_slice::<Spot>(value) else {
            return;
        };
        let id = (station.contract_name.clone(), station.number);
        let newer = stations
            .get(&id)
            .is_none_or(|(timestamp, _)| *timestamp <= record.timestamp);
        if newer {
            stations.insert(id, (record.timestamp, station));
        }
    })?;
    if stations.is_empty() {
        return Err(Failure::request(format!("topic `{topic}` holds no station"))
            .because("there is no such topic, or nobody has produced stations to it lately")
            .hint("velo velib produce")
            .hint("velo velib map --snapshot"));
    }
    Ok(stations.into_values().map(|(_, station)| station).collect())
}

/// The map, north up, and its legend. Where several stations share a place, the most notable one is shown.
pub fn draw(stations: &[Spot]) -> String {
    let mut rows = vec![vec![None; WIDTH]; HEIGHT];
    let mut counts = BTreeMap::new();
    for station in stations {
        let state = State::of(station);
        *counts.entry(state).or_insert(0) += 1;
        let (row, column) = place(station.position, stations);
        if let Some(cell) = rows.get_mut(row).and_then(|cells| cells.get_mut(column)) {
            *cell = (*cell).max(Some(state));
        }
    }
    let mut text = String::new();
    for row in rows {
        let line: String = row
            .into_iter()
            .map(|cell: Option<State>| cell.map_or(' ', State::sign))
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let legend: Vec<String> = [State::Empty, State::Full, State::Closed, State::Open]
        .into_iter()
        .map(|state| {
            let count = counts.get(&state).copied().unwrap_or(0);
            format!("{} {} {count}", state.sign(), state.name())
        })
        .collect();
    text.push_str(&legend.join("   "));
    text
}

fn place(position: Position, stations: &[Spot]) -> (usize, usize) {
    let span = |read: fn(Position) -> f64| {
        stations
            .iter()
            .map(|station| read(station.position))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
    };
    let (south, north) = span(|position| position.lat);
    let (west, east) = span(|position| position.lng);
    (
        cell(north - position.lat, north - south, HEIGHT),
        cell(position.lng - west, east - west, WIDTH),
    )
}

/// Which of `cells` cells lies `distance` into `span`.
fn cell(distance: f64, span: f64, cells: usize) -> usize {
    if span <= 0.0 {
        return 0;
    }
    ((distance / span * (cells - 1) as f64).round() as usize).min(cells - 1)
}
