//! Whether records wait in vain.

use std::time::{Duration, Instant};

/// Nothing acknowledged for so long while records wait is told.
const LONG: Duration = Duration::from_secs(5);

/// Since when nothing was acknowledged.
pub struct Stall {
    written: u64,
    since: Instant,
    told: bool,
}

impl Stall {
    /// Nothing waits yet.
    pub fn new() -> Self {
        Stall {
            written: 0,
            since: Instant::now(),
            told: false,
        }
    }

    /// Whether it is time to tell why records wait: once for each stall. `written` are acknowledged, and some wait or none.
    pub fn is_news(&mut self, written: u64, some_wait: bool, now: Instant) -> bool {
        if written != self.written || !some_wait {
            *self = Stall {
                written,
                since: now,
                told: false,
            };
        }
        let long = now.saturating_duration_since(self.since) >= LONG;
        long && !std::mem::replace(&mut self.told, long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_told_once_and_a_producer_with_nothing_to_do_has_none() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut stall = Stall::new();
        assert!(!stall.is_news(0, false, at(60)));
        assert!(!stall.is_news(0, true, at(61)));
        assert!(stall.is_news(0, true, at(66)));
        assert!(!stall.is_news(0, true, at(70)));
        // It goes on, and stands still again.
        assert!(!stall.is_news(1, true, at(71)));
        assert!(stall.is_news(1, true, at(80)));
    }
}
