//! What is counted of packets, and what is said of those that cannot be used.

use crate::ui::Ui;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long after a record was named the next of its kind is.
const ONCE_IN: Duration = Duration::from_secs(60);

/// What was counted since the start, of what is committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Trips.
    pub emitted: u64,
    /// Packets whose chunk is 0 or behind the last.
    pub chunk_out_of_range: u64,
    /// Packets with another number of chunks than the first of their trip.
    pub chunks_disagree: u64,
    /// Records that are no packets.
    pub undecodable: u64,
    /// Packets of devices whose clock is ahead by more than an hour.
    pub from_the_future: u64,
    /// Packets that came before, or whose trip was emitted.
    pub repeated: u64,
    /// Trips that did not become whole in time.
    pub expired: u64,
}

/// Names records of a kind once in a while: the first, and then what has come since.
#[derive(Debug, Default)]
pub struct Namer {
    kinds: BTreeMap<&'static str, Named>,
}

#[derive(Debug)]
struct Named {
    at: Instant,
    unsaid: u64,
}

impl Namer {
    /// Takes note of a record of that kind, and says `what` of it if none of its kind was named for a while.
    pub fn name(&mut self, kind: &'static str, ui: Ui, what: impl FnOnce() -> String) {
        let now = Instant::now();
        let before = self.kinds.get_mut(kind);
        if let Some(named) = before
            && now.duration_since(named.at) < ONCE_IN
        {
            named.unsaid += 1;
            return;
        }
        let unsaid = self.kinds.insert(kind, Named { at: now, unsaid: 0 });
        match unsaid.map_or(0, |named| named.unsaid) {
            0 => ui.say(format!("{}; such records are passed over and counted", what())),
            more => ui.say(format!(
                "{}; {more} more of the kind since the last that was named",
                what()
            )),
        }
    }
}
