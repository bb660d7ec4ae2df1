//! The stations as a Storm topology: a spout reads them, bolts find which become empty and which are empty no longer.

pub mod event;
pub mod flux;
pub mod ledger;
pub mod memory;
pub mod multilang;
pub mod run;
pub mod source;
pub mod station;
mod timeline;
pub mod topology;

#[cfg(test)]
mod oracle;

pub use event::{Event, Report, Told};
pub use memory::Memory;
pub use station::{Position, Sight};

/// The group of the spouts.
pub const SPOUT_GROUP: &str = "storm-stations";
