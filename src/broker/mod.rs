//! The classroom cluster: a Kafka-protocol broker and controller that keep their data in Kafka's own files.
//!
//! Imports nothing of this crate but [`crate::clock`], `crate::decode` and `crate::frame`; the client (`crate::kafka`) stays
//! an independent judge of it.

pub mod api;
mod background;
pub mod batch;
pub mod config;
mod connection;
mod connections;
mod controller;
pub mod error;
pub mod frame;
mod groups;
pub mod leftovers;
mod lifecycle;
pub mod log;
mod machine;
mod markers;
pub mod memory;
pub mod metadata;
mod node;
pub(crate) mod part;
pub mod peer;
mod peers;
mod producer_ids;
pub mod records;
mod replication;
mod running;
pub mod security;
mod server;
pub mod storage;
#[cfg(test)]
mod tests;
mod to_controller;
mod transactions;
mod verification;
mod wanted;
pub mod world;

pub use config::NodeConfig;
pub use controller::METADATA_TOPIC;
pub use error::{BrokerError, Result};
pub use groups::subscription;
pub use machine::LogRecord;
pub use node::Node;
pub use replication::Partition;
pub use running::RunningNode;
