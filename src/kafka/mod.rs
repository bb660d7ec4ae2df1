//! The client core, over librdkafka: the only place that imports `rdkafka`. What librdkafka lacks goes over `wire`.

pub mod admin;
#[cfg(feature = "tls")]
mod certificate;
pub mod connection;
pub mod consumer;
mod denial;
pub mod errors;
mod ffi;
mod greet;
pub mod group_consumer;
pub mod group_protocol;
pub mod member;
mod oauth;
mod patience;
pub mod places;
pub mod probe;
pub mod producer;
pub mod properties;
mod reach;
pub mod record_producer;
mod settling;
pub mod stream_producer;
pub mod topic_reader;
pub mod transactions;
pub mod types;
pub mod wire;

pub use admin::Admin;
pub use connection::Connection;
pub use errors::{Answer, ErrorCode, KafkaError};
pub use group_consumer::GroupConsumer;
pub use record_producer::RecordProducer;
pub use stream_producer::StreamProducer;
pub use types::*;
pub use wire::{
    ClusterEndpoints, ClusterNode, EligibleReplicas, FeatureChange, FeatureRange, Features, GroupEpochs,
    LogDir, LogDirReplica, OpenTransaction, PartitionPlace, PartitionProducer, Quorum, QuorumEndpoint,
    QuorumReplica, TransactionDescription, TransactionFilter, TransactionListing, Wire,
};

/// The version of librdkafka, as it says itself.
pub fn librdkafka_version() -> String {
    rdkafka::util::get_rdkafka_version().1
}
