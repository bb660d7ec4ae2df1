//! What the exercises' stream programs have in common: a member of a group at work, stores that come back, sessions, and timers.

pub mod changelog;
pub mod disk;
pub mod instance;
pub mod processing;
pub mod store;
mod stores;
pub mod timer;
pub mod window;
pub mod worker;
mod writer;

pub use processing::{Desk, Guarantee, Processing, Processor};
pub use store::{KeyValue, Store, StoreKey, StoreValue};
pub use worker::{Member, Turn, Work, Worker};
