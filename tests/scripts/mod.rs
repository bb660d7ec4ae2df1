//! The Kafka shell scripts' own face, as a course types it.

mod console_consumer;
mod console_producer;
mod dump_log;
mod server;
mod shims;
