//! Fetches that wait for records: woken by the append that completes them, never polled.

use super::Partition;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::Notify;

/// One waiting fetch, registered with every partition it reads.
#[derive(Debug)]
pub struct FetchWaiter {
    notify: Notify,
    /// Bytes still missing to `min_bytes`.
    missing: AtomicI64,
    /// Reads to the log end (a follower), not to the high watermark (a consumer).
    to_log_end: bool,
}

impl FetchWaiter {
    /// A fetch that is complete once `missing` more bytes can be read.
    pub fn new(missing: i64, to_log_end: bool) -> Arc<Self> {
        Arc::new(FetchWaiter {
            notify: Notify::new(),
            missing: AtomicI64::new(missing),
            to_log_end,
        })
    }

    /// States anew how many bytes are missing, after a look at the logs.
    pub fn set_missing(&self, bytes: i64) {
        self.missing.store(bytes, Ordering::Release);
    }

    /// Waits to be woken; a wake-up that came before the call counts.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }

    fn more(&self, bytes: i64) {
        if self.missing.fetch_sub(bytes, Ordering::AcqRel) <= bytes {
            self.notify.notify_one();
        }
    }
}

/// The fetches that wait for one partition.
#[derive(Debug, Default)]
pub(super) struct Waiters(Mutex<Vec<Arc<FetchWaiter>>>);

impl Waiters {
    /// `bytes` more can be read up to the log end, and up to the high watermark if `committed`.
    pub fn appended(&self, bytes: i64, committed: bool) {
        for waiter in self
            .0
            .lock()
            .iter()
            .filter(|waiter| committed || waiter.to_log_end)
        {
            waiter.more(bytes);
        }
    }

    /// The high watermark moved after the append; how many bytes that freed is for the waiters to see.
    pub fn committed(&self) {
        for waiter in self.0.lock().iter().filter(|waiter| !waiter.to_log_end) {
            waiter.notify.notify_one();
        }
    }

    /// Something else than data changed, such as the leader: everybody looks again.
    pub fn wake_all(&self) {
        for waiter in self.0.lock().iter() {
            waiter.notify.notify_one();
        }
    }

    /// How many consumers wait.
    pub fn consumers(&self) -> usize {
        let waiters = self.0.lock();
        waiters.iter().filter(|waiter| !waiter.to_log_end).count()
    }

    fn add(&self, waiter: Arc<FetchWaiter>) {
        self.0.lock().push(waiter);
    }

    fn remove(&self, waiter: &Arc<FetchWaiter>) {
        let mut waiters = self.0.lock();
        if let Some(at) = waiters.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            waiters.swap_remove(at);
        }
    }
}

/// Keeps a fetch registered with its partitions until dropped.
#[derive(Debug)]
pub struct Waiting {
    waiter: Arc<FetchWaiter>,
    partitions: Vec<Arc<Partition>>,
}

impl Waiting {
    /// Registers the fetch with each of the partitions.
    pub fn register(waiter: Arc<FetchWaiter>, partitions: Vec<Arc<Partition>>) -> Self {
        for partition in &partitions {
            partition.waiters().add(Arc::clone(&waiter));
        }
        Waiting { waiter, partitions }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.waiters().remove(&self.waiter);
        }
    }
}
