//! Sessions of one key: what comes without a longer silence than the gap, in whatever order it comes.
//!
//! - A silence of more than the gap divides; exactly the gap does not.
//! - A session is closed when nothing can come any more that belongs to it: its last moment lies more than gap and grace before
//!   the newest one of that key. Each key has a time of its own, so one device whose clock is ahead closes nobody else's.
//! - What comes later than the grace is late, unless it falls into a session that is still open.
//! - Time that is told by records stands still without them: what is still open is closed by the wall clock, once nothing was
//!   heard for longer than gap and grace.

use serde::{Deserialize, Serialize};

/// What divides, and how long disorder is waited for; milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// A longer silence divides.
    pub gap_ms: i64,
    /// What comes so much later than the newest is still taken.
    pub grace_ms: i64,
}

/// Some moments without a longer silence than the gap; ms since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    /// The first moment.
    pub start: i64,
    /// The last.
    pub end: i64,
    /// How many there were.
    pub count: u64,
}

/// The sessions of a key that are not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// In order; more than the gap lies between any two.
    open: Vec<Session>,
    /// The newest moment.
    newest: i64,
    /// When something was heard last, by the clock of whoever wrote the record.
    heard: i64,
}

/// What came of a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It belongs to a session; these are closed now.
    Closed(Vec<Session>),
    /// It came too late.
    Late,
}

impl Window {
    /// One with a first moment, which was heard of at `heard_ms`.
    pub fn new(at_ms: i64, heard_ms: i64) -> Self {
        Window {
            open: vec![Session::at(at_ms)],
            newest: at_ms,
            heard: heard_ms,
        }
    }

    /// When something was heard last.
    pub fn heard(&self) -> i64 {
        self.heard
    }

    /// Whether no session is open: only the newest moment is remembered.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a moment in, heard of at `heard_ms`.
    pub fn take(&mut self, at_ms: i64, heard_ms: i64, silence: Silence) -> Taken {
        self.heard = self.heard.max(heard_ms);
        let Silence { gap_ms, .. } = silence;
        let touches = |session: &Session| {
            at_ms.saturating_sub(session.end) <= gap_ms && session.start.saturating_sub(at_ms) <= gap_ms
        };
        let first = self.open.iter().position(touches);
        let mut merged = Session::at(at_ms);
        match first {
            None if self.is_closed(at_ms, silence) => return Taken::Late,
            None => {
                let place = self.open.partition_point(|session| session.end < at_ms);
                self.open.insert(place, merged);
            }
            Some(first) => {
                let count = self
                    .open
                    .iter()
                    .skip(first)
                    .take_while(|session| touches(session))
                    .count();
                for session in self.open.drain(first..first + count) {
                    merged = merged.with(session);
                }
                self.open.insert(first, merged);
            }
        }
        self.newest = self.newest.max(at_ms);
        let newest = self.newest;
        let open = std::mem::take(&mut self.open);
        let (closed, open): (Vec<Session>, Vec<Session>) = open
            .into_iter()
            .partition(|session| is_over(session.end, newest, silence));
        self.open = open;
        Taken::Closed(closed)
    }

    /// Closes all that is open, if nothing was heard for longer than gap and grace at `now_ms`.
    pub fn close(&mut self, now_ms: i64, silence: Silence) -> Vec<Session> {
        if !is_over(self.heard, now_ms, silence) {
            return Vec::new();
        }
        std::mem::take(&mut self.open)
    }

    fn is_closed(&self, at_ms: i64, silence: Silence) -> bool {
        is_over(at_ms, self.newest, silence)
    }
}

/// Whether at `newest` nothing belongs any more to what ended at `end`.
fn is_over(end: i64, newest: i64, silence: Silence) -> bool {
    newest.saturating_sub(end) > silence.gap_ms.saturating_add(silence.grace_ms)
}

impl Session {
    fn at(at_ms: i64) -> Self {
        Session {
            start: at_ms,
            end: at_ms,
            count: 1,
        }
    }

    fn with(self, other: Session) -> Self {
        Session {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
            count: self.count.saturating_add(other.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SILENCE: Silence = Silence {
        gap_ms: 10,
        grace_ms: 5,
    };

    /// All sessions of these moments, and how many came late.
    fn run(moments: &[i64], silence: Silence) -> (Vec<Session>, usize) {
        let mut window: Option<Window> = None;
        let (mut closed, mut late) = (Vec::new(), 0);
        for at in moments {
            let Some(window) = &mut window else {
                window = Some(Window::new(*at, 0));
                continue;
            };
            match window.take(*at, 0, silence) {
                Taken::Closed(more) => closed.extend(more),
                Taken::Late => late += 1,
            }
        }
        closed.extend(
            window
                .map(|mut window| window.close(i64::MAX, silence))
                .unwrap_or_default(),
        );
        closed.sort_unstable();
        (closed, late)
    }

    /// The slow way: all at once, in order.
    fn oracle(moments: &[i64], gap_ms: i64) -> Vec<Session> {
        let mut sorted = moments.to_vec();
        sorted.sort_unstable();
        let mut sessions: Vec<Session> = Vec::new();
        for at in sorted {
            match sessions.last_mut() {
                Some(last) if at - last.end <= gap_ms => {
                    last.end = at;
                    last.count += 1;
                }
                _ => sessions.push(Session::at(at)),
            }
        }
        sessions
    }

    #[test]
    fn more_than_the_gap_divides_and_exactly_the_gap_does_not() {
        let session = |start, end, count| Session { start, end, count };
        assert_eq!(run(&[0, 10, 20], SILENCE).0, [session(0, 20, 3)]);
        assert_eq!(
            run(&[0, 10, 21], SILENCE).0,
            [session(0, 10, 2), session(21, 21, 1)]
        );
    }

    #[test]
    fn what_comes_late_within_the_grace_joins_what_it_lies_between() {
        let session = |start, end, count| Session { start, end, count };
        assert_eq!(run(&[0, 11, 6], SILENCE), (vec![session(0, 11, 3)], 0));
        assert_eq!(
            run(&[0, 40, 6], SILENCE),
            (vec![session(0, 0, 1), session(40, 40, 1)], 1)
        );
        assert_eq!(run(&[100, 20], SILENCE), (vec![session(100, 100, 1)], 1));
    }

    #[test]
    fn a_session_is_closed_by_the_first_moment_that_leaves_it_no_more() {
        let mut window = Window::new(0, 0);
        assert_eq!(window.take(15, 0, SILENCE), Taken::Closed(Vec::new()));
        let first = Session {
            start: 0,
            end: 0,
            count: 1,
        };
        assert_eq!(window.take(16, 0, SILENCE), Taken::Closed(vec![first]));
    }

    #[test]
    fn the_wall_clock_closes_what_nothing_was_heard_of_for_longer_than_gap_and_grace() {
        let mut window = Window::new(500, 1_000);
        assert!(window.close(1_015, SILENCE).is_empty());
        assert_eq!(window.close(1_016, SILENCE).len(), 1);
        assert!(window.is_empty());
        assert_eq!(window.take(400, 2_000, SILENCE), Taken::Late);
        assert_eq!(window.take(505, 2_000, SILENCE), Taken::Closed(Vec::new()));
    }

    #[test]
    fn the_ends_of_time_are_moments_like_others() {
        let (sessions, late) = run(&[i64::MIN, i64::MAX, 0], SILENCE);
        assert_eq!((sessions.len(), late), (2, 1));
    }

    proptest! {
        #[test]
        fn disorder_within_the_grace_changes_nothing(
            steps in proptest::collection::vec((0_i64..30, 0_i64..=20), 1..60),
            gap_ms in 0_i64..25,
        ) {
            let silence = Silence { gap_ms, grace_ms: 20 };
            let mut at = 0;
            // Each moment arrives up to the grace later than it is.
            let mut arriving: Vec<(i64, i64)> = steps
                .iter()
                .map(|(step, delay)| {
                    at += step;
                    (at + delay, at)
                })
                .collect();
            arriving.sort_by_key(|(arrival, _)| *arrival);
            let moments: Vec<i64> = arriving.into_iter().map(|(_, at)| at).collect();
            prop_assert_eq!(run(&moments, silence), (oracle(&moments, gap_ms), 0));
        }
    }
}
