//! A value whose changes wake those who wait for one, in the order in which they began to wait. Tokio's own wakes in an order
//! of chance, which a simulation could not run again.

use parking_lot::{RwLock, RwLockReadGuard};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// The bit of a version that says that the sender is gone; a change counts two.
const CLOSED: u64 = 1;

/// Holds the value and changes it.
#[derive(Debug)]
pub struct Sender<T>(Arc<Shared<T>>);

/// Sees it change.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

#[derive(Debug)]
struct Shared<T> {
    value: RwLock<T>,
    version: AtomicU64,
    changed: Notify,
}

/// A look at the value; nobody changes it meanwhile.
pub struct Ref<'a, T>(RwLockReadGuard<'a, T>);

/// The sender is gone: nothing changes any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Sender<T> {
    /// A sender of this value.
    pub fn new(value: T) -> Self {
        Sender(Arc::new(Shared {
            value: RwLock::new(value),
            version: AtomicU64::new(0),
            changed: Notify::new(),
        }))
    }

    /// Somebody who has seen the value as it is now.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver {
            seen: self.0.version() & !CLOSED,
            shared: Arc::clone(&self.0),
        }
    }

    /// The value as it is now.
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref(self.0.value.read())
    }

    /// Puts another value in its place.
    pub fn send_replace(&self, value: T) {
        self.send_modify(|known| *known = value);
    }

    /// Changes it.
    pub fn send_modify(&self, change: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            change(value);
            true
        });
    }

    /// Changes it, or not: `change` says whether it did.
    pub fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) {
        let mut value = self.0.value.write();
        if !change(&mut value) {
            return;
        }
        self.0.version.fetch_add(2, Ordering::AcqRel);
        drop(value);
        self.0.changed.notify_waiters();
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.version.fetch_or(CLOSED, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

impl<T> Shared<T> {
    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver {
            shared: Arc::clone(&self.shared),
            seen: self.seen,
        }
    }
}

impl<T> Receiver<T> {
    /// The value as it is now.
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref(self.shared.value.read())
    }

    /// Takes what has been sent so far for seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.version() & !CLOSED;
    }

    /// Whether there is a change that has not been seen yet.
    ///
    /// # Errors
    /// [`Gone`] when there is none and none can come.
    pub fn has_changed(&self) -> Result<bool, Gone> {
        let version = self.shared.version();
        match (version & !CLOSED != self.seen, version & CLOSED != 0) {
            (true, _) => Ok(true),
            (false, false) => Ok(false),
            (false, true) => Err(Gone),
        }
    }

    /// Waits for a change that has not been seen yet.
    ///
    /// # Errors
    /// [`Gone`] when none can come.
    pub async fn changed(&mut self) -> Result<(), Gone> {
        loop {
            // Before the look, so that a change in between wakes.
            let changed = self.shared.changed.notified();
            if self.has_changed()? {
                self.seen = self.shared.version() & !CLOSED;
                return Ok(());
            }
            changed.await;
        }
    }

    /// Waits until the value is as `wanted` says, which may be at once.
    ///
    /// # Errors
    /// [`Gone`] when it cannot become so.
    pub async fn wait_for(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Result<Ref<'_, T>, Gone> {
        loop {
            let changed = self.shared.changed.notified();
            let version = self.shared.version();
            self.seen = version & !CLOSED;
            {
                let value = self.shared.value.read();
                if wanted(&value) {
                    return Ok(Ref(value));
                }
            }
            if version & CLOSED != 0 {
                return Err(Gone);
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;

    #[tokio::test]
    async fn those_who_wait_wake_in_the_order_in_which_they_came() {
        let sender = Sender::new(0);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..50)
            .map(|name| {
                let (mut receiver, woken) = (sender.subscribe(), Arc::clone(&woken));
                tokio::spawn(async move {
                    receiver.wait_for(|value| *value > 0).await.unwrap();
                    woken.lock().push(name);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        sender.send_replace(1);
        for one in waiting {
            one.await.unwrap();
        }
        assert_eq!(*woken.lock(), (0..50).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_change_is_seen_once_and_the_end_is_told() {
        let sender = Sender::new(0);
        let mut receiver = sender.subscribe();
        sender.send_if_modified(|_| false);
        sender.send_modify(|value| *value += 1);
        assert_eq!((receiver.changed().await, *receiver.borrow()), (Ok(()), 1));
        sender.send_replace(2);
        receiver.mark_unchanged();
        sender.send_replace(3);
        drop(sender);
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(receiver.changed().await, Err(Gone));
        assert_eq!(
            receiver.wait_for(|value| *value == 3).await.map(|value| *value),
            Ok(3)
        );
        assert!(receiver.wait_for(|value| *value == 4).await.is_err());
    }
}
