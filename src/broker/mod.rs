//! The classroom cluster: a Kafka-protocol broker and controller that keep their data in Kafka's own files.
//!
//! Imports nothing of this crate but [`crate::clock`]; the client (`crate::kafka`) stays an independent judge of it.

pub mod api;
pub mod config;
pub mod controller;
pub mod error;
pub mod groups;
pub mod log;
pub mod metadata;
pub mod node;
pub mod replication;
pub mod server;
