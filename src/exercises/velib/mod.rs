//! City bikes: the station records of JCDecaux's API, live or simulated, and the programs that watch them.

pub mod simulation;
pub mod station;

pub use simulation::Simulation;
pub use station::Station;
