//! What one partition said of one station, as runs of records that say the same: what a replay needs, and no more.
//!
//! A replayed tuple comes later than others of its station, so it says nothing of how the station is now. Whether its record
//! was the cause of an event is a question about the records before it. The runs answer it without keeping each record: the
//! first record of a run is the cause of its event. A record that comes for the first time behind younger ones (its tuple
//! was lost on the way, or the memory of a bolt with it) is put where it belongs, and the events that follow from that are
//! its own.

use super::event::{Event, Told};
use std::collections::VecDeque;

/// Records of one station that lie next to each other and say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: i64,
    last: i64,
    /// Whether the station was empty.
    empty: bool,
    /// The offset whose tuple tells that the run began; none when nobody does, since nothing is known before it.
    cause: Option<i64>,
    /// The `last_update` that its event tells.
    began: Option<i64>,
    /// The `last_update` of its last record.
    newest: Option<i64>,
}

impl Run {
    fn of(offset: i64, empty: bool, cause: Option<i64>, last_update: Option<i64>) -> Self {
        Run {
            first: offset,
            last: offset,
            empty,
            cause,
            began: last_update,
            newest: last_update,
        }
    }
}

/// The runs of one station in one partition, the oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    runs: VecDeque<Run>,
}

impl Timeline {
    /// How many runs are remembered besides the last one.
    pub(super) fn closed(&self) -> usize {
        self.runs.len().saturating_sub(1)
    }

    /// Forgets the oldest run, never the last: how the station was before a record older than that is known no longer.
    pub(super) fn forget_oldest(&mut self) {
        if self.closed() > 0 {
            self.runs.pop_front();
        }
    }

    /// Whether a record of that offset is behind all that were seen.
    pub(super) fn is_next(&self, offset: i64) -> bool {
        self.runs.back().is_none_or(|run| run.last < offset)
    }

    /// Takes in a record behind all that were seen; `news` when it changes what is known of the station.
    pub(super) fn append(&mut self, offset: i64, empty: bool, last_update: Option<i64>, news: bool) {
        match self.runs.back_mut() {
            Some(run) if run.empty == empty && !news => {
                run.last = offset;
                run.newest = last_update;
            }
            _ => self
                .runs
                .push_back(Run::of(offset, empty, news.then_some(offset), last_update)),
        }
    }

    /// Takes in a record that is not behind all that were seen: a replay, which changes nothing, or one that comes late.
    /// `alone` when this is the only partition that knows of the station.
    pub(super) fn insert(&mut self, offset: i64, empty: bool, last_update: Option<i64>, alone: bool) {
        let at = self.runs.partition_point(|run| run.last < offset);
        let before = at
            .checked_sub(1)
            .and_then(|before| self.runs.get(before))
            .copied();
        let Some(run) = self.runs.get_mut(at) else {
            return;
        };
        if run.first <= offset {
            let new = run.empty != empty && offset != run.first && offset != run.last;
            return if new {
                self.split(at, offset, empty, last_update)
            };
        }
        match before {
            Some(before) if before.empty == empty => {
                if let Some(before) = self.runs.get_mut(at - 1) {
                    before.last = offset;
                    before.newest = last_update;
                }
            }
            Some(_) if run.empty == empty => {
                run.first = offset;
                if run.cause.is_some() {
                    run.cause = Some(offset);
                    run.began = last_update;
                }
            }
            Some(_) => {
                run.cause = run.cause.or(Some(offset));
                self.runs
                    .insert(at, Run::of(offset, empty, Some(offset), last_update));
            }
            // What came before a run that was told is forgotten: so is how this record fits in.
            None if run.cause.is_some() => {}
            None if run.empty == empty => run.first = offset,
            // Now the first sight is this record's, and what was one is a change.
            None => {
                if alone {
                    run.cause = Some(offset);
                }
                self.runs.insert(at, Run::of(offset, empty, None, last_update));
            }
        }
    }

    /// A record in the midst of a run that says the opposite: both changes are its to tell.
    fn split(&mut self, at: usize, offset: i64, empty: bool, last_update: Option<i64>) {
        let Some(run) = self.runs.get_mut(at) else {
            return;
        };
        let whole = *run;
        run.last = offset - 1;
        run.newest = whole.began;
        self.runs
            .insert(at + 1, Run::of(offset, empty, Some(offset), last_update));
        let rest = Run {
            first: offset + 1,
            cause: Some(offset),
            began: whole.newest,
            ..whole
        };
        self.runs.insert(at + 2, rest);
    }

    /// The events that a record of that offset is the cause of.
    pub(super) fn told_by(&self, offset: i64) -> impl Iterator<Item = Told> + '_ {
        let at = self.runs.partition_point(|run| run.last < offset);
        let near = self.runs.range(at..self.runs.len().min(at + 2));
        near.filter(move |run| run.cause == Some(offset)).map(|run| Told {
            event: Event::of(run.empty),
            last_update: run.began,
        })
    }
}
