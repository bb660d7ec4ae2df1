//! How far a partition may be committed: only what is acked together with all before it.

use std::collections::VecDeque;

/// The offsets of one partition that were emitted, and which of them are acked.
#[derive(Debug)]
pub struct Ledger {
    /// Emitted and not yet to be committed, in order, each with whether it is acked.
    emitted: VecDeque<(i64, bool)>,
    next: i64,
}

impl Ledger {
    /// Of a partition that is read from `start`.
    pub fn from(start: i64) -> Self {
        Ledger {
            emitted: VecDeque::new(),
            next: start,
        }
    }

    /// A record was emitted. One that is not behind all before it was emitted already.
    pub fn emit(&mut self, offset: i64) {
        let last = self.emitted.back().map_or(self.next - 1, |(last, _)| *last);
        if offset > last {
            self.emitted.push_back((offset, false));
        }
    }

    /// A record's tuple tree is complete. What was not emitted, or is committed already, is no news.
    pub fn ack(&mut self, offset: i64) {
        if let Ok(at) = self.emitted.binary_search_by_key(&offset, |(offset, _)| *offset)
            && let Some((_, acked)) = self.emitted.get_mut(at)
        {
            *acked = true;
        }
        while let Some((offset, true)) = self.emitted.front() {
            self.next = offset + 1;
            self.emitted.pop_front();
        }
    }

    /// The offset to commit: of the first record that is not acked, or the one behind the last.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Whether all that was emitted is acked.
    pub fn is_settled(&self) -> bool {
        self.emitted.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_holds_back_what_is_acked_behind_it() {
        let mut ledger = Ledger::from(4);
        assert!(ledger.is_settled());
        for offset in [4, 5, 9, 10] {
            ledger.emit(offset);
        }
        for (acked, next) in [(5, 4), (10, 4), (4, 6), (9, 11), (9, 11), (77, 11)] {
            ledger.ack(acked);
            assert_eq!(ledger.next(), next, "after {acked}");
        }
        assert!(ledger.is_settled());
        ledger.emit(9);
        assert!(ledger.is_settled());
    }

    proptest! {
        #[test]
        fn the_next_offset_is_that_of_the_oldest_that_is_not_acked(
            gaps in prop::collection::vec(1..5_i64, 1..60),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..120),
        ) {
            let offsets: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let mut ledger = Ledger::from(0);
            offsets.iter().for_each(|offset| ledger.emit(*offset));
            let mut acked = std::collections::BTreeSet::new();
            for index in order {
                let offset = *index.get(&offsets);
                acked.insert(offset);
                ledger.ack(offset);
                let before = offsets.iter().take_while(|offset| acked.contains(*offset)).last();
                prop_assert_eq!(ledger.next(), before.map_or(0, |offset| offset + 1));
                prop_assert_eq!(ledger.is_settled(), acked.len() == offsets.len());
            }
        }
    }
}
