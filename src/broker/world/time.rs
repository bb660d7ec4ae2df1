//! Waiting, as it passes for whoever is connected: how slow a peer is, how long an answer may take. What belongs to records
//! and sessions goes by [`crate::clock::Clock`] instead, which tests move.
//!
//! Here the runtime is the world: in the simulation its time stands still while anybody has something to do.

pub use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use std::time::Duration;

/// The moment that comes when so much time has passed from now.
pub fn after(wait: Duration) -> Instant {
    Instant::now() + wait
}

/// Whether a moment has come.
pub fn has_come(moment: Instant) -> bool {
    moment <= Instant::now()
}
