//! City bikes: the station records of JCDecaux's API, live or simulated, and the programs that watch them.

pub mod api;
pub mod http_source;
pub mod producer;
pub mod simulation;
pub mod station;

pub use simulation::Simulation;
pub use station::Station;

/// The topic of the station records.
pub const STATIONS_TOPIC: &str = "velib-stations";
