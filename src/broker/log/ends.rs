//! The offsets between which a log is read, told without a lock. They change under the lock of the one writer.

use std::sync::atomic::{AtomicI64, Ordering};

/// Where a log starts and ends, for whom.
#[derive(Debug)]
pub(super) struct Ends {
    start: AtomicI64,
    /// Up to where it is seen.
    end: AtomicI64,
    /// Up to where it is written; beyond the end while that waits for the disk.
    written: AtomicI64,
    high_watermark: AtomicI64,
    /// First offset of the oldest undecided transaction, `i64::MAX` without one.
    unstable_from: AtomicI64,
}

impl Ends {
    /// Those of a log of which all that is written is seen.
    pub fn new(start: i64, end: i64, high_watermark: i64) -> Self {
        Ends {
            start: AtomicI64::new(start),
            end: AtomicI64::new(end),
            written: AtomicI64::new(end),
            high_watermark: AtomicI64::new(high_watermark.clamp(start, end)),
            unstable_from: AtomicI64::new(i64::MAX),
        }
    }

    /// First offset that can be read.
    pub fn start(&self) -> i64 {
        self.start.load(Ordering::Acquire)
    }

    /// Offset behind the last record that may be seen.
    pub fn end(&self) -> i64 {
        self.end.load(Ordering::Acquire)
    }

    /// Offset behind the last record that is written.
    pub fn written(&self) -> i64 {
        self.written.load(Ordering::Acquire)
    }

    /// First offset that is not yet on every in-sync replica.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.load(Ordering::Acquire)
    }

    /// First offset of the oldest open transaction, or the high watermark; never below the start, from where records of an
    /// open transaction may have been deleted.
    pub fn last_stable(&self) -> i64 {
        let unstable_from = self.unstable_from.load(Ordering::Acquire);
        self.high_watermark().min(unstable_from.max(self.start()))
    }

    /// Whether a transaction is undecided.
    pub fn has_unstable(&self) -> bool {
        self.unstable_from.load(Ordering::Acquire) != i64::MAX
    }

    /// The first offset of the oldest undecided transaction, if there is one.
    pub fn set_unstable(&self, from: Option<i64>) {
        self.unstable_from
            .store(from.unwrap_or(i64::MAX), Ordering::Release);
    }

    /// Nothing is read below that any more; returns whether anything was.
    pub fn raise_start(&self, to: i64) -> bool {
        self.start.fetch_max(to, Ordering::AcqRel) < to
    }

    /// Raises the high watermark, never past the end; returns to where, if it moves.
    pub fn raise_high_watermark(&self, to: i64) -> Option<i64> {
        let to = to.min(self.end());
        (self.high_watermark.fetch_max(to, Ordering::AcqRel) < to).then_some(to)
    }

    /// It is written up to there.
    pub fn set_written(&self, end: i64) {
        self.written.store(end, Ordering::Release);
    }

    /// What is written is seen up to there; returns whether that is more.
    pub fn show(&self, end: i64) -> bool {
        self.end.fetch_max(end, Ordering::AcqRel) < end
    }

    /// What is written and not seen is gone.
    pub fn take_back(&self) {
        self.set_written(self.end());
    }

    /// All from there on is gone.
    pub fn cut(&self, end: i64) {
        self.end.fetch_min(end, Ordering::AcqRel);
        self.set_written(end);
        self.high_watermark.fetch_min(end, Ordering::AcqRel);
    }

    /// All is gone, and it begins there.
    pub fn begin_anew(&self, at: i64) {
        self.start.store(at, Ordering::Release);
        self.end.store(at, Ordering::Release);
        self.set_written(at);
        self.high_watermark.store(at, Ordering::Release);
    }

    /// What was found in the files, after all of it was read anew.
    pub fn recovered(&self, start: i64, end: i64) {
        self.start.fetch_max(start, Ordering::AcqRel);
        self.end.store(end, Ordering::Release);
        self.set_written(end);
        self.high_watermark.fetch_min(end, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_and_not_seen_can_be_taken_back() {
        let ends = Ends::new(0, 3, 9);
        assert_eq!(ends.high_watermark(), 3);
        ends.set_written(5);
        assert_eq!((ends.end(), ends.written()), (3, 5));
        assert_eq!(ends.raise_high_watermark(5), None, "never past what is seen");
        assert!(ends.show(4) && !ends.show(4));
        ends.take_back();
        assert_eq!((ends.end(), ends.written()), (4, 4));
    }

    #[test]
    fn readers_of_committed_records_stop_at_the_oldest_open_transaction() {
        let ends = Ends::new(0, 9, 7);
        assert_eq!(ends.last_stable(), 7);
        ends.set_unstable(Some(2));
        assert!(ends.has_unstable());
        assert_eq!(ends.last_stable(), 2);
        assert!(ends.raise_start(4), "its records may be deleted");
        assert_eq!(ends.last_stable(), 4);
        ends.cut(3);
        assert_eq!((ends.end(), ends.high_watermark()), (3, 3));
    }
}
