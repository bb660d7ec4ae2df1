//! City bikes: the station records of JCDecaux's API, live or simulated, and the programs that watch them.

pub mod api;
pub mod changelog;
pub mod http_source;
pub mod mailer;
pub mod map;
pub mod memory;
pub mod monitor;
pub mod producer;
pub mod simulation;
pub mod station;
pub mod told;
pub mod topics;

pub use simulation::Simulation;
pub use station::Station;

/// The topic of the station records.
pub const STATIONS_TOPIC: &str = "velib-stations";

/// The group of the monitors.
pub const MONITOR_GROUP: &str = "velib-monitor-stations";

/// The topic of the stations that ran empty.
pub const EMPTY_TOPIC: &str = "velib-empty-stations";
