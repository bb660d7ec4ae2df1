//! How Kafka's tools keep to a number of records per second.

use std::time::{Duration, Instant};

/// Shorter waits are added up.
const SHORTEST: Duration = Duration::from_millis(2);

/// Decides after each record whether to wait.
#[derive(Debug)]
pub struct Throttle {
    wanted: f64,
    begun: Instant,
    each: Duration,
    owed: Duration,
}

impl Throttle {
    /// So many records per second from now on; a negative number is no limit, none at all stops after the first.
    pub fn new(wanted: f64) -> Self {
        Throttle {
            wanted,
            begun: Instant::now(),
            each: if wanted > 0.0 {
                Duration::try_from_secs_f64(1.0 / wanted).unwrap_or(Duration::MAX)
            } else {
                Duration::MAX
            },
            owed: Duration::ZERO,
        }
    }

    /// Whether there is no limit.
    pub fn is_off(&self) -> bool {
        self.wanted < 0.0
    }

    /// How long to wait after the record with this number, counted from 0, was sent at `sent`.
    pub fn pause(&mut self, number: u64, sent: Instant) -> Duration {
        // Kafka counts whole milliseconds, and lets pass whatever is sent in the first.
        let elapsed = sent.duration_since(self.begun).as_secs_f64();
        let ahead = elapsed > 0.0 && number as f64 / elapsed > self.wanted;
        if self.is_off() || !ahead {
            return Duration::ZERO;
        }
        self.owed = self.owed.saturating_add(self.each);
        if self.owed < SHORTEST {
            return Duration::ZERO;
        }
        std::mem::take(&mut self.owed)
    }
}
