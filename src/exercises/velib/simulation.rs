//! The city moved on from the real snapshot: seeded trips, so that the same seed always rides the same trips.
//!
//! Bikes are conserved: each is parked or under way. A station's stands out of service stay out of service, so its
//! bikes and free stands always add up to what they did in the snapshot. Riders prefer one half of the city for an
//! hour and the other half for the next, so that stations run empty and full. Some stations close for a few minutes:
//! nobody takes or returns a bike there, and those inside stay counted.

use super::station::{CLOSED, OPEN, Position, Station, snapshot};
use crate::failure::Outcome;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Departures per simulated second.
const DEPARTURES: f64 = 0.4;
/// Riders already under way when the snapshot was taken.
const RIDING: usize = 60;
/// Closings per simulated second: one in five minutes.
const CLOSINGS: f64 = 1.0 / 300.0;
/// Most stations closed at one time.
const MOST_CLOSED: usize = 10;
/// How long a station stays closed, in simulated seconds.
const CLOSED_FOR: std::ops::Range<u64> = 120..600;
/// How long it takes to find the bike and to return it, in simulated seconds.
const HANDLING: std::ops::Range<u64> = 120..420;
/// How fast people ride, in metres per second.
const PACE: f64 = 4.0;
/// After how many simulated seconds a rider who finds the whole city full looks again.
const LOOK_AGAIN: u64 = 60;
/// How long it takes riders' preference to go round the city once, in simulated seconds.
const TIDE: f64 = 7_200.0;
/// How strong that preference is.
const PULL: f64 = 1.5;
/// Metres in one degree of latitude.
const METRES_PER_DEGREE: f64 = 111_320.0;

/// A city that lives. See the module's text for what is conserved.
#[derive(Debug, Clone)]
pub struct Simulation {
    stations: Vec<Station>,
    /// Which half of the city a station belongs to, from -1 to 1.
    sides: Vec<f64>,
    rng: ChaCha8Rng,
    /// By simulated second and a running number: where the rider wants to arrive.
    rides: BTreeMap<(u64, u64), usize>,
    /// By simulated second and station: which stations open again.
    reopenings: BTreeSet<(u64, usize)>,
    riders: u64,
    second: u64,
    rest: Duration,
    epoch_ms: i64,
}

impl Simulation {
    /// Toulouse as it was in the snapshot, with trips decided by `seed`.
    ///
    /// # Errors
    /// As [`snapshot`].
    pub fn toulouse(seed: u64) -> Outcome<Self> {
        Ok(Self::new(snapshot()?, seed))
    }

    /// A city that begins with `stations`, with trips decided by `seed`.
    pub fn new(stations: Vec<Station>, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let sides = stations.iter().map(|_| rng.random_range(-1.0..1.0)).collect();
        let epoch_ms = stations.iter().filter_map(|station| station.last_update).max();
        let mut city = Simulation {
            stations,
            sides,
            rng,
            rides: BTreeMap::new(),
            reopenings: BTreeSet::new(),
            riders: 0,
            second: 0,
            rest: Duration::ZERO,
            epoch_ms: epoch_ms.unwrap_or_default(),
        };
        for _ in 0..RIDING {
            if let Some(to) = city.choose(-1.0, Station::is_open) {
                let arrival = city.rng.random_range(1..HANDLING.end);
                city.ride(arrival, to);
            }
        }
        city
    }

    /// The stations at this simulated moment, in the snapshot's order.
    pub fn stations(&self) -> &[Station] {
        &self.stations
    }

    /// The simulated moment, in milliseconds since 1970-01-01 UTC; it begins where the snapshot was taken.
    pub fn now_ms(&self) -> i64 {
        self.epoch_ms
            .saturating_add(i64::try_from(self.second.saturating_mul(1_000)).unwrap_or(i64::MAX))
    }

    /// Bikes under way.
    pub fn under_way(&self) -> usize {
        self.rides.len()
    }

    /// Bikes at stations, closed ones included.
    pub fn parked(&self) -> i64 {
        self.stations.iter().map(|station| station.available_bikes).sum()
    }

    /// Moves the city on by `duration` of its own time. Whole seconds happen; the rest is kept for the next call.
    pub fn advance(&mut self, duration: Duration) {
        let due = self.rest + duration;
        for _ in 0..due.as_secs() {
            self.live_one_second();
        }
        self.rest = Duration::from_nanos(u64::from(due.subsec_nanos()));
    }

    fn live_one_second(&mut self) {
        self.second += 1;
        self.reopen();
        self.arrive();
        if self.rng.random_bool(DEPARTURES) {
            self.depart();
        }
        if self.rng.random_bool(CLOSINGS) && self.reopenings.len() < MOST_CLOSED {
            self.close();
        }
    }

    fn depart(&mut self) {
        let Some(from) = self.choose(1.0, |station| station.is_open() && station.available_bikes > 0) else {
            return;
        };
        let Some(to) = self.choose(-1.0, Station::is_open) else {
            return;
        };
        self.move_bikes(from, -1);
        let ride = metres(self.stations[from].position, self.stations[to].position) / PACE;
        let handling = self.rng.random_range(HANDLING);
        self.ride(self.second + handling + ride as u64, to);
    }

    fn ride(&mut self, arrival: u64, to: usize) {
        self.riders += 1;
        self.rides.insert((arrival, self.riders), to);
    }

    fn arrive(&mut self) {
        while let Some(entry) = self.rides.first_entry() {
            if entry.key().0 > self.second {
                break;
            }
            let wanted = entry.remove();
            match self.nearest_free(wanted) {
                Some(station) => self.move_bikes(station, 1),
                None => self.ride(self.second + LOOK_AGAIN, wanted),
            }
        }
    }

    /// The wanted station if it takes a bike, else the nearest one that does.
    fn nearest_free(&self, wanted: usize) -> Option<usize> {
        let goal = self.stations[wanted].position;
        self.stations
            .iter()
            .enumerate()
            .filter(|(_, station)| station.is_open() && station.available_bike_stands > 0)
            .min_by(|(_, a), (_, b)| metres(goal, a.position).total_cmp(&metres(goal, b.position)))
            .map(|(index, _)| index)
    }

    fn move_bikes(&mut self, station: usize, bikes: i64) {
        let now = self.now_ms();
        let station = &mut self.stations[station];
        station.available_bikes += bikes;
        station.available_bike_stands -= bikes;
        station.last_update = Some(now);
    }

    fn close(&mut self) {
        let station = self.rng.random_range(0..self.stations.len());
        if self.stations[station].is_open() {
            let until = self.second + self.rng.random_range(CLOSED_FOR);
            self.reopenings.insert((until, station));
            self.set_status(station, CLOSED);
        }
    }

    fn reopen(&mut self) {
        while let Some((due, station)) = self.reopenings.pop_first() {
            if due > self.second {
                self.reopenings.insert((due, station));
                break;
            }
            self.set_status(station, OPEN);
        }
    }

    fn set_status(&mut self, station: usize, status: &str) {
        let now = self.now_ms();
        let station = &mut self.stations[station];
        status.clone_into(&mut station.status);
        station.last_update = Some(now);
    }

    /// A station that `fits`, by chance, weighted by the hour's preference: `direction` 1 where riders leave, -1 where
    /// they go.
    fn choose(&mut self, direction: f64, fits: impl Fn(&Station) -> bool) -> Option<usize> {
        let tide = direction * PULL * (self.second as f64 / TIDE * std::f64::consts::TAU).cos();
        let weights: Vec<f64> = self
            .stations
            .iter()
            .zip(&self.sides)
            .map(
                |(station, side)| {
                    if fits(station) { (tide * side).exp() } else { 0.0 }
                },
            )
            .collect();
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let mut left = self.rng.random_range(0.0..total);
        let last = weights.iter().rposition(|weight| *weight > 0.0);
        weights
            .iter()
            .position(|weight| {
                left -= weight;
                left < 0.0
            })
            .or(last)
    }
}

/// The distance between two places of one city.
fn metres(a: Position, b: Position) -> f64 {
    let north = (a.lat - b.lat) * METRES_PER_DEGREE;
    let east = (a.lng - b.lng) * METRES_PER_DEGREE * a.lat.to_radians().cos();
    north.hypot(east)
}
