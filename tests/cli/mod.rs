//! What a user sees who types `velo`.

mod byte_order_mark;
mod class;
mod cluster;
mod cluster_brokers;
#[cfg(unix)]
mod cluster_disk;
#[cfg(unix)]
mod cluster_supervised;
mod completions;
mod config;
mod confirm;
mod connections;
mod consume;
mod consume_decode;
mod contexts;
mod doctor;
mod errors;
mod group;
mod groups_without_topic;
mod help;
mod hints;
mod nearby;
mod notices;
mod offsets;
mod output;
mod plurals;
mod produce;
mod records_delete;
mod reference;
mod scripts;
mod suggestions;
#[cfg(unix)]
mod terminal;
mod topic;
mod topic_health;
mod transaction;
mod typing;
mod waiting;
mod why;
