//! What a user sees who types `velo`.

mod byte_order_mark;
mod cluster;
#[cfg(unix)]
mod cluster_disk;
mod completions;
mod config;
mod confirm;
mod connections;
mod consume;
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
mod typing;
mod waiting;
