//! The client core, over librdkafka: the only place that imports `rdkafka`.

pub mod connection;
pub mod group_consumer;
pub mod reason;
pub mod record_producer;
pub mod topic_reader;

pub use connection::Connection;
pub use group_consumer::GroupConsumer;
pub use record_producer::RecordProducer;
