//! What flows between the tasks of one process: tuples in batches, acks in batches.

use crate::exercises::storm::{Position, Report};
use std::sync::Arc;
use std::time::Instant;

/// A tuple of the stream `stations`: what a record says.
#[derive(Debug, Clone)]
pub(super) struct StationTuple {
    /// The tuple tree.
    pub(super) root: u64,
    /// This edge of it.
    pub(super) edge: u64,
    pub(super) fields: Fields,
}

/// What is in it, which a replay needs as well.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) at: Position,
    /// None of a record that is no station.
    pub(super) station: Option<Station>,
}

/// A station as one record tells it.
#[derive(Debug, Clone)]
pub(super) struct Station {
    pub(super) contract: Arc<str>,
    pub(super) number: i64,
    /// None when the record does not say.
    pub(super) empty: Option<bool>,
    pub(super) last_update: Option<i64>,
}

/// A tuple of the stream `events`, anchored to the one that is its cause.
#[derive(Debug, Clone)]
pub(super) struct EventTuple {
    pub(super) root: u64,
    pub(super) edge: u64,
    pub(super) report: Report,
}

/// What an `empties` task is sent.
#[derive(Debug)]
pub(super) enum ToBolt {
    Tuples(Vec<StationTuple>),
    /// What was read before, to remember: it makes no event.
    Known(Vec<Fields>),
    /// Others read these partitions from now on, or they are read anew.
    Forget(Vec<i32>),
    /// A tick tuple.
    Tick,
}

/// What an `events` task is sent.
#[derive(Debug)]
pub(super) enum ToSink {
    Tuples(Vec<EventTuple>),
    Tick,
}

/// What the acker is told.
#[derive(Debug)]
pub(super) enum ToAcker {
    /// Spout tuples: their roots, each with its first edge.
    Begun {
        spout: usize,
        at: Instant,
        trees: Vec<(u64, u64)>,
    },
    /// Tuples that are acked: for each tree the edges that ended and began, XORed.
    Acked(Vec<(u64, u64)>),
    /// Trees of which a tuple failed.
    Failed(Vec<u64>),
}

/// What a spout is told of its tuples.
#[derive(Debug)]
pub(super) enum ToSpout {
    Acked(Vec<u64>),
    Failed(Vec<u64>),
}

/// Random numbers by which trees and edges are told apart. No two of one task are alike.
#[derive(Debug)]
pub(super) struct Ids(u64);

impl Ids {
    /// Numbers of their own for each task.
    pub(super) fn new() -> Self {
        Ids(rand::random())
    }

    /// The next one (SplitMix64, which visits every number once).
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
