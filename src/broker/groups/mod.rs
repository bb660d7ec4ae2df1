//! Consumer groups: the coordinator, its members, and their offsets in `__consumer_offsets`.
//!
//! [`group`] is the classic protocol's state machine, pure and driven by hand in its tests; [`coordinator`] gives it a
//! clock, a log and requests. [`records`] and [`batch`] are what stands in `__consumer_offsets`.

pub mod batch;
pub mod budget;
pub mod config;
pub mod group;
mod join;
pub mod member;
pub mod offsets;
pub mod outbox;
mod rebalance;
pub mod records;
mod sync;
#[cfg(test)]
mod tests;

pub use config::GroupConfig;

/// Coordinates the groups whose `__consumer_offsets` partition this broker leads.
#[derive(Debug, Default)]
pub struct GroupCoordinator;
