//! The classroom cluster: a Kafka-protocol broker and controller that keep their data in Kafka's own files.
//!
//! Imports nothing of this crate but [`crate::clock`], `crate::decode` and `crate::frame`; the client (`crate::kafka`) stays
//! an independent judge of it.

pub mod api;
mod background;
pub mod batch;
pub mod config;
mod connection;
pub mod controller;
pub mod error;
pub mod frame;
pub mod groups;
pub mod leftovers;
mod lifecycle;
pub mod log;
pub mod machine;
mod markers;
pub mod memory;
pub mod metadata;
pub mod node;
pub mod part;
pub mod peer;
mod peers;
mod producer_ids;
pub mod records;
pub mod replication;
mod running;
pub mod security;
mod server;
pub mod storage;
#[cfg(test)]
mod tests;
mod to_controller;
pub mod transactions;
mod verification;
pub mod wanted;
pub mod world;

pub use config::NodeConfig;
pub use error::{BrokerError, Result};
pub use node::Node;
pub use running::RunningNode;
