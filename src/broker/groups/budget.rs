//! How much memory all groups together may hold on behalf of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count of bytes with a limit, shared by all groups of a coordinator.
#[derive(Debug, Clone)]
pub struct Budget {
    used: Arc<AtomicUsize>,
    limit: usize,
}

/// Bytes taken from a [`Budget`]; dropping the last copy gives them back.
#[derive(Debug, Clone)]
pub struct Charge {
    _taken: Arc<Taken>,
}

#[derive(Debug)]
struct Taken {
    bytes: usize,
    used: Arc<AtomicUsize>,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Budget {
            used: Arc::default(),
            limit,
        }
    }

    /// Whether `bytes` more would fit.
    pub fn fits(&self, bytes: usize) -> bool {
        self.used.load(Ordering::Relaxed).saturating_add(bytes) <= self.limit
    }

    /// Takes `bytes`, or nothing when they no longer fit.
    pub fn charge(&self, bytes: usize) -> Option<Charge> {
        let charge = self.force(bytes);
        (self.used.load(Ordering::Relaxed) <= self.limit).then_some(charge)
    }

    /// Takes `bytes` even past the limit: for what has been written, which must be known.
    pub fn force(&self, bytes: usize) -> Charge {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        let used = Arc::clone(&self.used);
        Charge {
            _taken: Arc::new(Taken { bytes, used }),
        }
    }

    /// Bytes taken now.
    #[cfg(test)]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_leaves_no_trace() {
        let budget = Budget::new(10);
        let held = budget.charge(8).unwrap();
        assert!(budget.charge(3).is_none() && !budget.fits(3) && budget.fits(2));
        assert_eq!(budget.used(), 8);
        let copy = held.clone();
        drop(held);
        assert_eq!(budget.used(), 8);
        drop(copy);
        assert_eq!(budget.used(), 0);
    }
}
