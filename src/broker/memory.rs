//! The memory that requests still being received, and answers not yet taken, may hold, all connections together.
//!
//! An answer takes what is free and is made smaller when that is less than was asked for: it never waits, since those who
//! hold the memory may be peers that do not read. For requests, every connection may hold a small frame for free. A larger one first reserves its whole length here, which costs
//! nothing by itself: its buffer still grows only with the bytes that really come. Reserving the whole, not piece by
//! piece, means that whoever has a reservation can finish, so connections never wait for each other in a circle.

use super::world::watch;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of reservation in bytes.
const UNIT: usize = 1024;

/// A budget in bytes shared by all connections of a node.
#[derive(Debug, Clone)]
pub struct MemoryPool {
    free: Arc<Semaphore>,
    units: u32,
    waiting: Arc<watch::Sender<usize>>,
}

/// A part of the budget; given back when dropped.
#[derive(Debug, Default)]
pub struct MemoryPermit(#[allow(dead_code)] Option<OwnedSemaphorePermit>);

/// Bytes that hold their part of the budget until nothing refers to them any more.
struct Held {
    bytes: Bytes,
    _memory: MemoryPermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl MemoryPermit {
    /// How many bytes it stands for.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |permit| permit.num_permits() * UNIT)
    }

    /// Takes the part for `bytes` out of it, or all there is.
    #[must_use]
    pub fn split(&mut self, bytes: usize) -> Self {
        let units = bytes.div_ceil(UNIT);
        MemoryPermit(
            self.0
                .as_mut()
                .and_then(|permit| permit.split(units.min(permit.num_permits()))),
        )
    }

    /// The same bytes, which keep this permit as long as anybody keeps them.
    pub fn guard(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _memory: self })
    }
}

/// Counts one waiter for as long as it lives, also when the waiting future is dropped.
struct Waiter<'a>(&'a watch::Sender<usize>);

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl MemoryPool {
    /// A pool of `bytes`.
    pub fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        MemoryPool {
            free: Arc::new(Semaphore::new(units as usize)),
            units,
            waiting: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Waits for `bytes` of the budget, first come first served. More than the whole budget takes the whole.
    pub async fn reserve(&self, bytes: usize) -> MemoryPermit {
        let units = u32::try_from(bytes.div_ceil(UNIT))
            .unwrap_or(u32::MAX)
            .min(self.units);
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(units) {
            return MemoryPermit(Some(permit));
        }
        self.waiting.send_modify(|waiting| *waiting += 1);
        let _waiter = Waiter(&self.waiting);
        // The semaphore is never closed.
        MemoryPermit(Arc::clone(&self.free).acquire_many_owned(units).await.ok())
    }

    /// As much of `bytes` as is free now.
    pub fn take_up_to(&self, bytes: usize) -> MemoryPermit {
        let wanted = u32::try_from(bytes.div_ceil(UNIT))
            .unwrap_or(u32::MAX)
            .min(self.units);
        loop {
            let free = u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX);
            let units = wanted.min(free);
            if units == 0 {
                return MemoryPermit::default();
            }
            // Another may have been quicker; then there is less, and in the end nothing.
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(units) {
                return MemoryPermit(Some(permit));
            }
        }
    }

    /// Whether somebody waits for memory now.
    pub fn is_short(&self) -> bool {
        *self.waiting.borrow() > 0
    }

    /// Waits until somebody waits for memory.
    pub async fn shortage(&self) {
        // The sender lives in this pool.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
    }

    /// Bytes reserved.
    pub fn used_bytes(&self) -> usize {
        (self.units as usize).saturating_sub(self.free.available_permits()) * UNIT
    }

    /// Bytes not reserved.
    pub fn free_bytes(&self) -> usize {
        self.free.available_permits() * UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_gets_what_another_gives_back_and_is_seen_meanwhile() {
        let pool = MemoryPool::new(10 * UNIT);
        let first = pool.reserve(8 * UNIT).await;
        assert!(!pool.is_short());
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.reserve(5 * UNIT).await }
        });
        pool.shortage().await;
        drop(first);
        let _second = waiting.await.unwrap();
        assert!(!pool.is_short());
        assert_eq!(pool.free_bytes(), 5 * UNIT);
    }

    #[test]
    fn who_cannot_wait_takes_what_there_is_and_gives_back_what_it_does_not_need() {
        let pool = MemoryPool::new(10 * UNIT);
        let mut permit = pool.take_up_to(8 * UNIT);
        assert_eq!(
            (permit.bytes(), pool.take_up_to(5 * UNIT).bytes()),
            (8 * UNIT, 2 * UNIT)
        );
        let records = permit.split(UNIT + 1).guard(Bytes::from_static(b"records"));
        drop(permit);
        assert_eq!(pool.free_bytes(), 8 * UNIT);
        let slice = records.slice(1..2);
        drop(records);
        assert_eq!(pool.free_bytes(), 8 * UNIT);
        drop(slice);
        assert_eq!(pool.free_bytes(), 10 * UNIT);
    }

    #[tokio::test]
    async fn more_than_everything_takes_everything() {
        let pool = MemoryPool::new(UNIT);
        let _all = pool.reserve(1 << 30).await;
        assert_eq!(pool.free_bytes(), 0);
    }
}
