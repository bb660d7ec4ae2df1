//! How much memory all groups together may hold on behalf of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count of bytes with a limit, shared by all groups of a coordinator.
#[derive(Debug, Clone)]
pub struct Budget {
    used: Arc<AtomicUsize>,
    limit: usize,
}

/// Bytes taken from a [`Budget`]; dropping it gives them back.
#[derive(Debug)]
pub struct Charge {
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

    /// Takes `bytes`, or nothing when they no longer fit.
    pub fn charge(&self, bytes: usize) -> Option<Charge> {
        let charge = self.force(bytes);
        (self.used.load(Ordering::Relaxed) <= self.limit).then_some(charge)
    }

    /// Takes `bytes` even past the limit: what was acknowledged before must be loaded.
    pub fn force(&self, bytes: usize) -> Charge {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        Charge {
            bytes,
            used: Arc::clone(&self.used),
        }
    }

    /// Bytes taken now.
    #[cfg(test)]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Drop for Charge {
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
        assert!(budget.charge(3).is_none());
        assert_eq!(budget.used(), 8);
        drop(held);
        assert_eq!(budget.used(), 0);
    }
}
