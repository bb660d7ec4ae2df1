//! What an ingest counts, and how it tells.

use crate::failure::Outcome;
use crate::ui::Ui;
use crate::ui::enter::on_enter;
use crate::ui::units::count;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What was counted since the start.
#[derive(Debug)]
pub struct Tally {
    /// Records read, again after a crash or not.
    pub read: u64,
    /// Documents written, new or in place of others.
    pub written: u64,
    /// Documents deleted by tombstones.
    pub deleted: u64,
    /// Records that were written before, by this process or another.
    pub there: u64,
    /// Records that a later one of the same batch and `_id` made needless.
    pub superseded: u64,
    /// Dead letters.
    pub dead: u64,
    /// When the first records could come: joining a group is no ingesting.
    since: Option<Instant>,
    asked: Arc<AtomicBool>,
}

impl Tally {
    /// Begins to count; on a terminal, Enter asks for a summary from now on.
    pub fn start(ui: Ui) -> Self {
        let asked = Arc::new(AtomicBool::new(false));
        if ui.interactive() {
            let raised = Arc::clone(&asked);
            on_enter(move || raised.store(true, Ordering::SeqCst));
        }
        Tally {
            read: 0,
            written: 0,
            deleted: 0,
            there: 0,
            superseded: 0,
            dead: 0,
            since: None,
            asked,
        }
    }

    /// Counts the time from now on, unless it is counted already.
    pub fn begin(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Whether a summary was asked for since the last one.
    pub fn is_asked(&self) -> bool {
        self.asked.swap(false, Ordering::SeqCst)
    }

    /// Tells the summary: in words on stderr, as JSON on stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn tell(&self, lag: Option<i64>, ui: Ui) -> Outcome {
        let seconds = self.since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        let rate = self.read as f64 / seconds.max(0.001);
        if ui.is_json() {
            return ui.json_line(&serde_json::json!({
                "read": self.read,
                "written": self.written,
                "deleted": self.deleted,
                "already_there": self.there,
                "superseded": self.superseded,
                "dead": self.dead,
                "seconds": (seconds * 1000.0).round() / 1000.0,
                "per_second": rate.round(),
                "lag": lag,
            }));
        }
        let mut parts = vec![format!("{} written", self.written)];
        for (number, what) in [
            (self.deleted, "deleted"),
            (self.superseded, "replaced within their batch"),
        ] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        parts.push(format!("{} already there", self.there));
        parts.push(format!("{} dead", self.dead));
        parts.push(format!("{rate:.0} per second"));
        parts.push(match lag {
            Some(lag) => format!("lag {lag}"),
            None => "lag unknown".to_owned(),
        });
        ui.say(format!(
            "{} read: {}",
            count(self.read, "record"),
            parts.join(", ")
        ));
        Ok(())
    }
}
