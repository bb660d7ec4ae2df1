//! What the members of a group were told and what they hold: nobody else has the same piece in the same generation, and no
//! commit is lost or counts after its generation.

use super::history::History;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was told. Cloning shares it.
#[derive(Clone)]
pub struct Board {
    told: Arc<Mutex<Told>>,
    history: History,
}

#[derive(Default)]
struct Told {
    /// Members by generation and piece.
    owners: BTreeMap<(i32, usize), String>,
    /// What became of a piece in a generation.
    spans: BTreeMap<(usize, i32), Span>,
    /// What clients hold, as their last sign of life confirmed: generation and pieces.
    holds: BTreeMap<String, (i32, Vec<usize>)>,
}

/// A piece in one generation.
struct Span {
    /// The offset that its owner found.
    began: i64,
    /// The last that was committed in it.
    committed: Option<i64>,
}

impl Board {
    pub fn new(history: &History) -> Self {
        Board {
            told: Arc::default(),
            history: history.clone(),
        }
    }

    /// A member was told what it has.
    pub fn assigned(&self, member: &str, generation: i32, pieces: &[usize]) {
        let mut told = self.told.lock();
        for piece in pieces {
            let owner = told.owners.entry((generation, *piece));
            let owner = owner.or_insert_with(|| member.to_owned());
            if owner != member {
                self.history.broken(format_args!(
                    "{owner} and {member} both have piece {piece} in generation {generation}"
                ));
            }
        }
    }

    /// What has been committed for a piece in a generation or before, as far as anybody was told.
    pub fn floor(&self, piece: usize, generation: i32) -> i64 {
        let told = self.told.lock();
        let spans = told.spans.range((piece, i32::MIN)..=(piece, generation));
        spans.filter_map(|(_, span)| span.committed).max().unwrap_or(-1)
    }

    /// The owner of a piece goes on from an offset; `floor` is what had been committed when it asked.
    pub fn began(&self, piece: usize, generation: i32, at: i64, floor: i64) {
        if at < floor {
            self.history.broken(format_args!(
                "{floor} was committed for piece {piece}, and in generation {generation} {at} is found"
            ));
        }
        let span = Span {
            began: at,
            committed: None,
        };
        self.told.lock().spans.entry((piece, generation)).or_insert(span);
    }

    /// The owner of a piece in a generation was told that its offset is kept.
    pub fn committed(&self, piece: usize, generation: i32, offset: i64) {
        let mut told = self.told.lock();
        for ((_, other), span) in told.spans.range((piece, i32::MIN)..=(piece, i32::MAX)) {
            let before = span.committed.filter(|_| *other < generation);
            if before.is_some_and(|before| before > offset) {
                self.history.broken(format_args!(
                    "piece {piece} went back from {before:?} in generation {other} to {offset} in {generation}"
                ));
            }
            if *other > generation && span.began < offset {
                self.history.broken(format_args!(
                    "{offset} was committed for piece {piece} in generation {generation}, after {other} had begun at {}",
                    span.began
                ));
            }
        }
        if let Some(span) = told.spans.get_mut(&(piece, generation)) {
            span.committed = Some(offset);
        }
    }

    /// A client has what it has, or nothing.
    pub fn holds(&self, client: &str, what: Option<(i32, &[usize])>) {
        let mut told = self.told.lock();
        match what {
            Some((generation, pieces)) => {
                told.holds
                    .insert(client.to_owned(), (generation, pieces.to_vec()));
            }
            None => {
                told.holds.remove(client);
            }
        }
    }

    /// Nothing counts that anybody held before.
    pub fn forget_holds(&self) {
        self.told.lock().holds.clear();
    }

    /// Whether so many clients are in one generation, and have each of so many pieces once.
    pub fn is_shared_out(&self, clients: usize, pieces: usize) -> bool {
        let told = self.told.lock();
        let mut generations: Vec<i32> = told.holds.values().map(|(generation, _)| *generation).collect();
        generations.dedup();
        let mut held: Vec<usize> = told
            .holds
            .values()
            .flat_map(|(_, pieces)| pieces.iter().copied())
            .collect();
        held.sort_unstable();
        told.holds.len() == clients && generations.len() == 1 && held.into_iter().eq(0..pieces)
    }
}
