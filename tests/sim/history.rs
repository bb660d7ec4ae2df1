//! What happened in a run, in words, with the time of the simulation; and the first thing that must not have happened.

use parking_lot::Mutex;
use std::fmt::Display;
use std::sync::Arc;
use tokio::time::Instant;

/// When every run begins: 2026-01-01.
pub const BEGINS_MS: i64 = 1_767_225_600_000;

/// What happened, oldest first. Cloning shares it.
#[derive(Clone)]
pub struct History(Arc<Mutex<Inner>>);

struct Inner {
    began: Instant,
    lines: Vec<String>,
    broken: Option<String>,
}

impl History {
    pub fn new() -> Self {
        History(Arc::new(Mutex::new(Inner {
            began: Instant::now(),
            lines: Vec::new(),
            broken: None,
        })))
    }

    /// What an exact clock shows, in ms since 1970.
    pub fn now_ms(&self) -> i64 {
        BEGINS_MS + i64::try_from(self.0.lock().began.elapsed().as_millis()).unwrap()
    }

    /// Something happened.
    pub fn note(&self, what: impl Display) {
        let mut inner = self.0.lock();
        let at = inner.began.elapsed().as_millis();
        let line = format!("{:>4}.{:03} {what}", at / 1000, at % 1000);
        inner.lines.push(line);
    }

    /// Something happened that must not.
    pub fn broken(&self, what: impl Display) {
        self.note(format_args!("BROKEN: {what}"));
        self.0.lock().broken.get_or_insert_with(|| what.to_string());
    }

    /// The first thing that must not have happened.
    pub fn what_broke(&self) -> Option<String> {
        self.0.lock().broken.clone()
    }

    /// All of it, a line each.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().lines.clone()
    }
}
