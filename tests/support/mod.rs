//! What the tests share.

pub mod broker;
#[macro_use]
pub mod cluster;
pub mod configs;
pub mod ending;
pub mod gate;
pub mod hints;
pub mod java;
pub mod raw;
pub mod records;
pub mod terminal;
pub mod velo;
