//! `__acker`: knows when a tuple tree is complete, by one number a tree.
//!
//! Every edge of a tree has a random number. It is XORed into the tree's number when its tuple is emitted and again when that
//! is acked, in whatever order; so the number is 0 when, and (but for one chance in 2⁶⁴) only when, all are acked. A tree that
//! is not complete within the message timeout has failed: it is looked for in steps, so that it takes up to one and a half of
//! it.

use super::counts::Counts;
use super::tuple::{ToAcker, ToSpout};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// The numbers are random already.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A map by such a number.
pub(super) type ByNumber<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;

/// A tree under way.
#[derive(Debug)]
struct Tree {
    spout: usize,
    open: u64,
    begun: Instant,
}

/// Steps in which the message timeout passes.
const STEPS: u32 = 2;
/// How often the clock is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// The trees under way, by when they began: those of the newest step first.
#[derive(Debug)]
struct Trees {
    steps: VecDeque<ByNumber<Tree>>,
    turned: Instant,
    step: Duration,
}

impl Trees {
    fn new(timeout: Duration, now: Instant) -> Self {
        Trees {
            steps: (0..=STEPS).map(|_| ByNumber::default()).collect(),
            turned: now,
            step: timeout / STEPS,
        }
    }

    fn begin(&mut self, root: u64, tree: Tree) {
        if let Some(newest) = self.steps.front_mut() {
            newest.insert(root, tree);
        }
    }

    /// XORs edges into a tree; the tree, if it is complete now. One that has failed already is none.
    fn ack(&mut self, root: u64, edges: u64) -> Option<Tree> {
        for step in &mut self.steps {
            if let Some(tree) = step.get_mut(&root) {
                tree.open ^= edges;
                return if tree.open == 0 { step.remove(&root) } else { None };
            }
        }
        None
    }

    fn fail(&mut self, root: u64) -> Option<Tree> {
        self.steps.iter_mut().find_map(|step| step.remove(&root))
    }

    /// The trees whose time is up.
    fn late(&mut self, now: Instant) -> ByNumber<Tree> {
        if now.duration_since(self.turned) < self.step {
            return ByNumber::default();
        }
        self.turned = now;
        self.steps.push_front(ByNumber::default());
        self.steps.pop_back().unwrap_or_default()
    }
}

/// Answers for one message of the acker, by spout.
struct Answers(Vec<Vec<u64>>);

impl Answers {
    fn for_each(spouts: usize) -> Self {
        Answers(vec![Vec::new(); spouts])
    }

    fn add(&mut self, spout: usize, root: u64) {
        if let Some(roots) = self.0.get_mut(spout) {
            roots.push(root);
        }
    }

    fn send(self, spouts: &[Sender<ToSpout>], what: fn(Vec<u64>) -> ToSpout) {
        for (roots, spout) in self.0.into_iter().zip(spouts) {
            if !roots.is_empty() {
                // A spout that has ended asks for nothing more.
                let _ = spout.send(what(roots));
            }
        }
    }
}

/// Serves until nobody is left who could ack anything.
pub(super) fn serve(
    inbox: &Receiver<ToAcker>,
    spouts: &[Sender<ToSpout>],
    timeout: Duration,
    counts: &Counts,
) {
    let mut trees = Trees::new(timeout, Instant::now());
    loop {
        let message = inbox.recv_timeout(GLANCE.min(timeout / STEPS));
        let now = Instant::now();
        match message {
            Ok(ToAcker::Begun {
                spout,
                at: begun,
                trees: new,
            }) => {
                for (root, open) in new {
                    trees.begin(root, Tree { spout, open, begun });
                }
            }
            Ok(ToAcker::Acked(acked)) => {
                let mut answers = Answers::for_each(spouts.len());
                let (mut complete, mut latency) = (0, Duration::ZERO);
                for (root, edges) in acked {
                    if let Some(tree) = trees.ack(root, edges) {
                        complete += 1;
                        latency += now.saturating_duration_since(tree.begun);
                        answers.add(tree.spout, root);
                    }
                }
                counts.complete(complete, latency);
                answers.send(spouts, ToSpout::Acked);
            }
            Ok(ToAcker::Failed(failed)) => {
                let mut answers = Answers::for_each(spouts.len());
                for root in failed {
                    if let Some(tree) = trees.fail(root) {
                        counts.fail(1);
                        answers.add(tree.spout, root);
                    }
                }
                answers.send(spouts, ToSpout::Failed);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let late = trees.late(now);
        if !late.is_empty() {
            counts.time_out(late.len() as u64);
            let mut answers = Answers::for_each(spouts.len());
            late.into_iter()
                .for_each(|(root, tree)| answers.add(tree.spout, root));
            answers.send(spouts, ToSpout::Failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(begun: Instant) -> Tree {
        Tree {
            spout: 0,
            open: 0,
            begun,
        }
    }

    proptest! {
        #[test]
        fn a_tree_is_complete_with_its_last_ack_in_whatever_order_they_come(
            edges in prop::collection::hash_set(1..u64::MAX, 1..20)
                .prop_flat_map(|edges| Just(edges.into_iter().collect::<Vec<_>>()).prop_shuffle()),
        ) {
            let now = Instant::now();
            let mut trees = Trees::new(Duration::from_secs(30), now);
            // The first tuple's ack brings all the others, as a bolt's that emits them does.
            let first = edges[0];
            let others = edges[1..].iter().fold(0, |all, edge| all ^ edge);
            trees.begin(9, Tree { open: first, ..tree(now) });
            let mut acks: Vec<u64> = edges[1..].to_vec();
            acks.insert(acks.len() / 2, first ^ others);
            let last = acks.pop().unwrap_or_default();
            for ack in acks {
                // A part of them may be 0 together by chance of the test's small numbers; not in the end.
                prop_assert!(trees.ack(9, ack).is_none() || edges.len() == 1);
            }
            prop_assert!(trees.ack(9, last).is_some());
            prop_assert!(trees.ack(9, last).is_none());
        }
    }

    #[test]
    fn a_tree_fails_after_its_time_and_not_before() {
        let begun = Instant::now();
        let mut trees = Trees::new(Duration::from_secs(30), begun);
        trees.begin(
            1,
            Tree {
                open: 7,
                ..tree(begun)
            },
        );
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        assert!(trees.late(after(15)).is_empty());
        assert!(trees.late(after(20)).is_empty());
        assert!(trees.late(after(30)).is_empty());
        trees.begin(
            2,
            Tree {
                open: 7,
                ..tree(after(31))
            },
        );
        assert!(trees.late(after(45)).contains_key(&1));
        assert!(trees.ack(1, 7).is_none(), "too late");
        assert!(trees.ack(2, 7).is_some());
        assert!(trees.fail(2).is_none());
    }
}
