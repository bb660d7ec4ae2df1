//! Wakes a shard when something is due.

use super::{Journal, Machine, Shard};
use crate::broker::world::panics_now;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::Notify;

/// How long, in ms, what is due and was refused by the log rests before it is tried again.
const REST_MS: i64 = 1_000;

/// When a shard is to be woken.
#[derive(Debug, Default)]
pub(super) struct Timer {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    running: bool,
    /// In ms.
    due: Option<i64>,
    /// Not before this moment, in ms: the log refused what was due.
    rests_until: i64,
}

impl Default for State {
    fn default() -> Self {
        State {
            running: false,
            due: None,
            rests_until: i64::MIN,
        }
    }
}

/// A timer's task: one that panics counts as ended, so that the shard's next change starts another.
struct Running<'a>(&'a Mutex<State>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if panics_now() {
            *self.0.lock() = State::default();
        }
    }
}

impl Timer {
    /// Called with the shard locked, so that changes of the timer come in the order of the shard's. Returns whether its task
    /// is to be started.
    pub(super) fn set(&self, due: Option<i64>) -> bool {
        let mut state = self.state.lock();
        let due = due.map(|due| due.max(state.rests_until));
        let earlier = match (state.due, due) {
            (Some(current), Some(new)) => new < current,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if state.running {
            // A deadline that only moved away is noticed when the old one has come.
            if earlier {
                state.due = due;
                self.changed.notify_one();
            }
            return false;
        }
        state.due = due;
        state.running = due.is_some();
        state.running
    }

    /// The date was set: what is waited for moves with it, by so many ms.
    pub(super) fn move_on(&self, by_ms: i64) {
        let mut state = self.state.lock();
        state.due = state.due.map(|due| due.saturating_add(by_ms));
        if state.rests_until > i64::MIN {
            state.rests_until = state.rests_until.saturating_add(by_ms);
        }
        self.changed.notify_one();
    }

    /// Whether the log refused what was due last.
    #[cfg(test)]
    pub fn rests(&self) -> bool {
        self.state.lock().rests_until > i64::MIN
    }

    /// What is waited for after a round at `now_ms`.
    fn wind(&self, due: Option<i64>, refused: bool, now_ms: i64) {
        let mut state = self.state.lock();
        state.rests_until = match refused {
            true => now_ms.saturating_add(REST_MS),
            false => i64::MIN,
        };
        state.due = due.map(|due| due.max(state.rests_until));
    }

    /// What is waited for; with nothing to wait for the task counts as ended.
    fn next(&self) -> Option<i64> {
        let mut state = self.state.lock();
        state.running = state.due.is_some();
        state.due
    }
}

impl<M: Machine, J: Journal> Shard<M, J> {
    /// Waits for what is due and does it, until there is nothing to wait for.
    pub(super) async fn keep_time(self: Arc<Self>) {
        let _running = Running(&self.timer.state);
        while let Some(due) = self.timer.next() {
            tokio::select! {
                biased;
                () = self.clock().sleep_until(due) => self.do_due(),
                () = self.timer.changed.notified() => {}
            }
        }
    }

    fn do_due(self: &Arc<Self>) {
        let (all, now) = self.all_due();
        let mut refused = false;
        for due in all {
            if let Err(error) = self.change(|machine, soft, now| Ok(machine.on_due(soft, due, now))) {
                tracing::warn!(log = self.name(), "what was due could not be done: {error}");
                refused = true;
            }
        }
        self.with_due(|due| self.timer.wind(due, refused, now));
    }
}
