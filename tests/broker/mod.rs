//! The classroom cluster, seen from its port and its folder.

mod bad_input;
mod clean_stop;
mod configs;
mod data;
mod fake_controller;
mod features;
mod flood;
mod forwarding;
mod groups;

mod listeners;
mod log_basics;
mod log_compaction;
mod log_crash;
mod log_model;
mod log_power;
mod log_producers;
mod log_refusals;
mod log_sharing;
mod log_support;
mod log_transactions;
mod named;
mod operations;
pub mod record_layout;
mod records;
mod topics;
mod transactions;
mod unsupported;
mod values;
