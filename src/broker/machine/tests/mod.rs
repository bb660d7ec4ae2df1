//! Shards on a log in memory, with a machine that keeps numbers by name.

mod changes;
mod loading;
mod time;
mod toy;
