//! Whether anybody still waits for what a request asks for. Who has given up on it tells his user that it was not done, who
//! then does something else about it; so it must not be done later.

use super::world::time::{Instant, after, has_come, sleep_until};
use kafka_protocol::ResponseError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Whether the peer of a connection has hung up.
#[derive(Debug, Clone, Default)]
pub struct PeerGone(Arc<(AtomicBool, Notify)>);

impl PeerGone {
    /// It has: whoever waits is woken.
    pub fn tell(&self) {
        let (gone, notify) = &*self.0;
        gone.store(true, Ordering::Release);
        notify.notify_waiters();
    }

    /// Whether it has.
    pub fn is_told(&self) -> bool {
        self.0.0.load(Ordering::Acquire)
    }

    /// Completes when it has.
    pub async fn told(&self) {
        let (_, notify) = &*self.0;
        // Registered before the look, so that a word in between is heard.
        let notified = notify.notified();
        if !self.is_told() {
            notified.await;
        }
    }
}

/// Until when what a request asks for is wanted: while its peer is there, and its time is not over.
#[derive(Debug, Clone)]
pub struct Wanted {
    gone: PeerGone,
    deadline: Instant,
}

impl Wanted {
    /// What is wanted for so long, from now on, by whoever `gone` tells of.
    pub fn during(time: Duration, gone: PeerGone) -> Self {
        Wanted {
            gone,
            deadline: after(time),
        }
    }

    /// Until when it is wanted at the latest.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Checks that it is wanted still; to be asked last before it is done.
    ///
    /// # Errors
    /// `REQUEST_TIMED_OUT`.
    pub fn check(&self) -> Result<(), ResponseError> {
        match self.gone.is_told() || has_come(self.deadline) {
            true => Err(ResponseError::RequestTimedOut),
            false => Ok(()),
        }
    }

    /// Completes when it is not wanted any more.
    pub async fn given_up(&self) {
        tokio::select! {
            biased;
            () = self.gone.told() => {}
            () = sleep_until(self.deadline) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_wanted_until_its_time_is_over() {
        let wanted = Wanted::during(Duration::from_secs(3600), PeerGone::default());
        assert_eq!(wanted.check(), Ok(()));
        let wanted = Wanted::during(Duration::from_millis(1), PeerGone::default());
        wanted.given_up().await;
        assert_eq!(wanted.check(), Err(ResponseError::RequestTimedOut));
    }

    #[tokio::test]
    async fn it_is_wanted_until_its_peer_has_gone() {
        let gone = PeerGone::default();
        let wanted = Wanted::during(Duration::from_secs(3600), gone.clone());
        let waits = tokio::spawn({
            let wanted = wanted.clone();
            async move { wanted.given_up().await }
        });
        tokio::task::yield_now().await;
        gone.tell();
        waits.await.unwrap();
        assert_eq!(wanted.check(), Err(ResponseError::RequestTimedOut));
    }
}
