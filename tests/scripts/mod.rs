//! The Kafka shell scripts' own face, as a course types it.

mod admin;
mod administration;
mod classes;
mod configs;
mod console_consumer;
mod console_producer;
mod consumer_perf;
mod dump_log;
mod e2e_latency;
mod eligible;
mod outages;
mod positions;
mod producer_perf;
mod reassign_partitions;
mod server;
mod server_files;
mod server_quorum;
mod shims;
mod signals;
mod transactions;
mod verifiable_consumer;
mod verifiable_producer;
