//! What a running topology counts, and how it is shown.

use crate::process::Process;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts of a stream between two components.
#[derive(Debug, Default)]
pub(super) struct Edge {
    emitted: AtomicU64,
    acked: AtomicU64,
    failed: AtomicU64,
    /// Time in the receiving bolt, in nanoseconds, of those that were acked.
    nanos: AtomicU64,
}

fn add(to: &AtomicU64, number: u64) {
    to.fetch_add(number, Ordering::Relaxed);
}

fn read(from: &AtomicU64) -> u64 {
    from.load(Ordering::Relaxed)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Milliseconds on average.
fn average(nanos: u64, of: u64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = nanos as f64 / 1e6 / of as f64;
    (of > 0).then(|| (milliseconds * 1e3).round() / 1e3)
}

impl Edge {
    /// So many tuples were emitted.
    pub(super) fn emit(&self, count: usize) {
        add(&self.emitted, count as u64);
    }

    /// So many were acked and failed, after `time` together.
    pub(super) fn settle(&self, acked: usize, failed: usize, time: Duration) {
        add(&self.acked, acked as u64);
        add(&self.failed, failed as u64);
        add(&self.nanos, nanos(time));
    }

    fn shown(&self, from: &str, to: &str, grouping: &str) -> StreamCounts {
        let acked = read(&self.acked);
        StreamCounts {
            from: from.to_owned(),
            to: to.to_owned(),
            grouping: grouping.to_owned(),
            emitted: read(&self.emitted),
            acked,
            failed: read(&self.failed),
            latency_ms: average(read(&self.nanos), acked),
        }
    }
}

/// All counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) stations: Edge,
    pub(super) events: Edge,
    pub(super) strange: AtomicU64,
    ticks: AtomicU64,
    replayed: AtomicU64,
    complete: AtomicU64,
    failed: AtomicU64,
    timed_out: AtomicU64,
    nanos: AtomicU64,
}

impl Counts {
    /// So many tuple trees are complete, after `time` together.
    pub(super) fn complete(&self, count: u64, time: Duration) {
        add(&self.complete, count);
        add(&self.nanos, nanos(time));
    }

    /// So many trees have failed since a bolt said so.
    pub(super) fn fail(&self, count: u64) {
        add(&self.failed, count);
    }

    /// So many have since they were not complete in time.
    pub(super) fn time_out(&self, count: u64) {
        add(&self.timed_out, count);
        add(&self.failed, count);
    }

    /// So many tuples were emitted once more.
    pub(super) fn replay(&self, count: usize) {
        add(&self.replayed, count as u64);
    }

    /// So many records are no station.
    pub(super) fn pass_over(&self, count: u64) -> u64 {
        self.strange.fetch_add(count, Ordering::Relaxed) + count
    }

    /// A bolt has got a tick tuple.
    pub(super) fn tick(&self) {
        add(&self.ticks, 1);
    }

    /// As they are now.
    pub(super) fn shown(&self, about: &About, running: Duration) -> Shown {
        let complete = read(&self.complete);
        Shown {
            about: about.clone(),
            seconds: running.as_secs(),
            spout: SpoutCounts {
                emitted: read(&self.stations.emitted),
                replayed: read(&self.replayed),
                acked: complete,
                failed: read(&self.failed),
                timed_out: read(&self.timed_out),
                complete_latency_ms: average(read(&self.nanos), complete),
            },
            streams: vec![
                self.stations
                    .shown("stations", "empties", "fields (contract, number)"),
                self.events.shown("empties", "events", "shuffle"),
            ],
            ticks: read(&self.ticks),
            no_station: read(&self.strange),
        }
    }
}

/// Which topology it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The process that runs it.
    pub process: Process,
    /// The topic that its spouts read.
    pub topic: String,
    /// The group they read it in.
    pub group: String,
    /// The topic that its events go to, besides or in place of standard output.
    pub output_topic: Option<String>,
    /// How many spout tasks there are.
    pub spouts: usize,
    /// How many tasks of the bolt `empties`.
    pub parallelism: usize,
    /// Seconds between two tick tuples.
    pub tick_secs: Option<f64>,
}

/// A topology and its counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Which one it is.
    #[serde(flatten)]
    pub about: About,
    /// For how long it has run.
    pub seconds: u64,
    /// The spouts' counts.
    pub spout: SpoutCounts,
    /// Those of each stream between two components.
    pub streams: Vec<StreamCounts>,
    /// Tick tuples that the bolts have got.
    pub ticks: u64,
    /// Tuples that were no station, acked without an event.
    pub no_station: u64,
}

/// What became of the spouts' tuples, and of the trees that grew from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpoutCounts {
    /// Tuples, replays counted.
    pub emitted: u64,
    /// Those of them that were emitted before.
    pub replayed: u64,
    /// Trees that are complete.
    pub acked: u64,
    /// Trees that have failed, by a bolt's word or by the clock.
    pub failed: u64,
    /// Those of them that were not complete in time.
    pub timed_out: u64,
    /// From the emit to the last ack, on average.
    pub complete_latency_ms: Option<f64>,
}

/// What became of the tuples of one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamCounts {
    /// The component that emits them.
    pub from: String,
    /// The one that gets them.
    pub to: String,
    /// How they are shared out among its tasks.
    pub grouping: String,
    /// How many were emitted.
    pub emitted: u64,
    /// How many were acked.
    pub acked: u64,
    /// How many the bolt has failed.
    pub failed: u64,
    /// In the bolt, on average.
    pub latency_ms: Option<f64>,
}
