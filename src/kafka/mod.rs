//! The client core, over librdkafka: the only place that imports `rdkafka`.

pub mod connection;

pub use connection::Connection;
