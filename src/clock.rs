//! The one source of time: the wall clock in service, a clock moved by hand in tests.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Tells the time and waits for it. Cloning shares the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<watch::Sender<i64>>),
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Clock(Source::System)
    }

    /// A clock that stands at `now_ms` (milliseconds since 1970-01-01 UTC) until [`Clock::advance`] moves it.
    pub fn manual(now_ms: i64) -> Self {
        Clock(Source::Manual(Arc::new(watch::Sender::new(now_ms))))
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| {
                i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
            }),
            Source::Manual(now) => *now.borrow(),
        }
    }

    /// Moves a manual clock forward and wakes the sleepers whose time has come; does nothing to the system clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.send_modify(|ms| *ms = ms.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)));
        }
    }

    /// Waits until this clock has moved on by `duration`.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(duration).await,
            Source::Manual(_) => {
                let by = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
                self.sleep_until(self.now_ms().saturating_add(by)).await;
            }
        }
    }

    /// Waits until this clock shows `until_ms` or later.
    pub async fn sleep_until(&self, until_ms: i64) {
        match &self.0 {
            Source::System => {
                let left = u64::try_from(until_ms.saturating_sub(self.now_ms())).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(left)).await;
            }
            Source::Manual(now) => {
                // The sender lives as long as this clock, so waiting cannot fail.
                let _ = now.subscribe().wait_for(|ms| *ms >= until_ms).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_when_it_is_moved() {
        let clock = Clock::manual(1_000);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(5)).await;
                clock.now_ms()
            }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(5));
        assert_eq!(sleeper.await.unwrap(), 6_000);
    }
}
