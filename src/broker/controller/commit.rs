//! What of the metadata log is committed: written is what one voter has on its disk, committed what more than half of
//! them have. In a quorum of one both are the same, one after the other.

use std::collections::BTreeMap;

/// The voters, and up to where each has the log on its disk.
#[derive(Debug, Clone)]
pub(super) struct Voters(BTreeMap<i32, i64>);

impl Voters {
    /// Voters by id, none of which has written anything yet.
    pub(super) fn new(ids: impl IntoIterator<Item = i32>) -> Self {
        Voters(ids.into_iter().map(|id| (id, 0)).collect())
    }

    /// A voter has everything below `end` on its disk. Who does not vote changes nothing.
    pub(super) fn written(&mut self, voter: i32, end: i64) {
        if let Some(known) = self.0.get_mut(&voter) {
            *known = end.max(*known);
        }
    }

    /// First offset that is not committed: below it, more than half of the voters have everything.
    pub(super) fn committed(&self) -> i64 {
        let mut ends: Vec<i64> = self.0.values().copied().collect();
        ends.sort_unstable_by(|one, other| other.cmp(one));
        ends.get(ends.len() / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_more_than_half_have_is_committed() {
        // Ends by voter, from 1 on; the committed end.
        let table: [(&[i64], i64); 8] = [
            (&[7], 7),
            (&[7, 0], 0),
            (&[7, 5], 5),
            (&[7, 0, 0], 0),
            (&[7, 5, 0], 5),
            (&[7, 5, 9], 7),
            (&[7, 7, 7, 0], 7),
            (&[9, 7, 5, 3, 1], 5),
        ];
        for (ends, committed) in table {
            let mut voters = Voters::new((1..).take(ends.len()));
            for (id, end) in (1..).zip(ends) {
                voters.written(id, *end);
            }
            assert_eq!(voters.committed(), committed, "{ends:?}");
        }
    }

    #[test]
    fn what_is_written_stays_so_and_who_does_not_vote_does_not_count() {
        let mut voters = Voters::new([1, 2, 3]);
        for (id, end) in [(1, 7), (2, 7), (2, 5), (9, 9), (8, 9)] {
            voters.written(id, end);
        }
        assert_eq!(voters.committed(), 7);
    }
}
