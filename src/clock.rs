//! The one source of time: the wall clock in service, a clock moved by hand in tests, the runtime's own in the simulation.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::Instant;

/// Tells the time and waits for it. Cloning shares the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The machine's; the instant is when this clock was made.
    System(Instant),
    Manual(Arc<watch::Sender<i64>>),
    /// The runtime's time, which may stand still; and the date when it was made, as the date is set now.
    Simulated(Instant, Arc<AtomicI64>),
}

impl Default for Source {
    fn default() -> Self {
        Source::System(Instant::now())
    }
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Clock::default()
    }

    /// A clock that stands at `now_ms` (milliseconds since 1970-01-01 UTC) until [`Clock::advance`] moves it.
    pub fn manual(now_ms: i64) -> Self {
        Clock(Source::Manual(Arc::new(watch::Sender::new(now_ms))))
    }

    /// A clock that goes as the runtime's time does, from `now_ms` on. Its date can be set, see [`Clock::set`].
    pub fn simulated(now_ms: i64) -> Self {
        Clock(Source::Simulated(
            Instant::now(),
            Arc::new(AtomicI64::new(now_ms)),
        ))
    }

    /// Sets the date of a simulated clock so much later, or earlier: for nobody does time pass by that. Nothing to others.
    pub fn set(&self, by_ms: i64) {
        if let Source::Simulated(_, date) = &self.0 {
            date.fetch_add(by_ms, Ordering::AcqRel);
        }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| {
                i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
            }),
            Source::Manual(now) => *now.borrow(),
            Source::Simulated(began, date) => date.load(Ordering::Acquire).saturating_add(elapsed_ms(*began)),
        }
    }

    /// Milliseconds on a scale of its own that begins no one knows where and never jumps: for what somebody is given so
    /// much time for. The date can be set while that runs, and nobody is late by it.
    pub fn steady_ms(&self) -> i64 {
        match &self.0 {
            Source::System(began) | Source::Simulated(began, _) => elapsed_ms(*began),
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
        let by = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.sleep_until_steady(self.steady_ms().saturating_add(by)).await;
    }

    /// Waits until [`Clock::steady_ms`] is `until_ms` or later.
    pub async fn sleep_until_steady(&self, until_ms: i64) {
        match &self.0 {
            Source::System(_) | Source::Simulated(..) => Self::sleep_left(until_ms, self.steady_ms()).await,
            Source::Manual(now) => Self::moved_to(now, until_ms).await,
        }
    }

    /// Waits until this clock shows `until_ms` or later.
    pub async fn sleep_until(&self, until_ms: i64) {
        match &self.0 {
            Source::System(_) | Source::Simulated(..) => Self::sleep_left(until_ms, self.now_ms()).await,
            Source::Manual(now) => Self::moved_to(now, until_ms).await,
        }
    }

    async fn sleep_left(until_ms: i64, now_ms: i64) {
        let left = u64::try_from(until_ms.saturating_sub(now_ms)).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(left)).await;
    }

    async fn moved_to(now: &watch::Sender<i64>, until_ms: i64) {
        // The sender lives as long as the clock, so waiting cannot fail.
        let _ = now.subscribe().wait_for(|ms| *ms >= until_ms).await;
    }
}

fn elapsed_ms(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
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
