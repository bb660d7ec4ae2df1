//! The way to the controller for what clients ask of a broker.
//!
//! A request has a connection for itself until it is answered, so a slow one holds up no other. Who gives up on its request
//! takes the connection with it: a controller that was paused, or slow, finds it closed when it comes to the request, and does
//! not carry it out.

use super::error::Result;
use super::peer::Peer;
use super::wanted::Wanted;
use super::world::Net;
use super::world::time::{Instant, after, has_come, sleep, timeout_at};
use kafka_protocol::protocol::Request;
use parking_lot::Mutex;
use std::time::Duration;
use tokio::sync::Semaphore;

/// So many requests may be on their way at once; others wait for their turn.
const MOST: usize = 32;
/// How long the controller is looked for before a request is answered that it is not there: long enough for one that starts
/// again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Wait before it is looked for again.
const RETRY: Duration = Duration::from_millis(50);

/// Connections to the controller.
#[derive(Debug)]
pub struct ToController {
    net: Net,
    addresses: Vec<String>,
    client_id: String,
    longest_answer: usize,
    patience: Duration,
    places: Semaphore,
    idle: Mutex<Vec<Peer>>,
}

/// Why the controller did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// It is not where it should be; it was asked nothing.
    #[error("no controller can be reached")]
    Unreachable,
    /// The answer came too late, or nobody waits for it any more.
    #[error("the controller did not answer in time")]
    GivenUp,
    /// The connection broke: nobody knows what became of the request.
    #[error("the controller went away while it was asked")]
    Lost,
}

impl ToController {
    /// The controller is at one of these addresses. An answer of more than `longest_answer` bytes is refused.
    pub fn new(net: Net, addresses: Vec<String>, client_id: String, longest_answer: usize) -> Self {
        ToController {
            net,
            addresses,
            client_id,
            longest_answer,
            patience: PATIENCE,
            places: Semaphore::new(MOST),
            idle: Mutex::default(),
        }
    }

    /// Requests that are being asked now.
    pub fn under_way(&self) -> usize {
        MOST.saturating_sub(self.places.available_permits())
    }

    /// A connection for something that goes on for long, or must not wait for what clients ask.
    pub fn peer(&self) -> Peer {
        Peer::any_of(
            &self.net,
            self.addresses.clone(),
            self.client_id.clone(),
            self.longest_answer,
        )
    }

    /// Asks for something that may be done once only: what has been sent is not sent again. Where the answer shows that
    /// nothing was done, for the controller is `elsewhere`, it is looked for there.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn ask<Q: Request>(
        &self,
        request: &Q,
        version: i16,
        wanted: &Wanted,
        elsewhere: fn(&Q::Response) -> bool,
    ) -> Result<Q::Response, Unanswered> {
        tokio::select! {
            biased;
            // Whatever has been sent is withdrawn by the end of its connection.
            () = wanted.given_up() => Err(Unanswered::GivenUp),
            asked = self.exchange(request, version, elsewhere) => asked,
        }
    }

    async fn exchange<Q: Request>(
        &self,
        request: &Q,
        version: i16,
        elsewhere: fn(&Q::Response) -> bool,
    ) -> Result<Q::Response, Unanswered> {
        // The semaphore is never closed.
        let _place = self.places.acquire().await.map_err(|_| Unanswered::Unreachable)?;
        let deadline = after(self.patience);
        let idle = self.idle.lock().pop();
        let mut peer = idle.unwrap_or_else(|| self.peer());
        loop {
            reach(&mut peer, deadline).await?;
            let answer = peer.ask_patiently(request, version).await.map_err(|error| {
                tracing::warn!(%error, "the controller went away while it was asked");
                Unanswered::Lost
            })?;
            if !elsewhere(&answer) {
                self.idle.lock().push(peer);
                return Ok(answer);
            }
            if has_come(deadline) {
                return Err(Unanswered::Unreachable);
            }
            peer.pass_on();
            sleep(RETRY).await;
        }
    }
}

/// Has a connection that is open, as far as can be known.
async fn reach(peer: &mut Peer, deadline: Instant) -> Result<(), Unanswered> {
    loop {
        match timeout_at(deadline, peer.reach()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => tracing::debug!(%error, "no controller yet"),
            Err(_) => return Err(Unanswered::Unreachable),
        }
        if has_come(deadline) {
            return Err(Unanswered::Unreachable);
        }
        sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::wanted::PeerGone;
    use kafka_protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};

    async fn asked(patience: Duration, gone: PeerGone) -> Unanswered {
        let mut nowhere = ToController::new(Net::default(), Vec::new(), "test".to_owned(), 1000);
        nowhere.patience = patience;
        let wanted = Wanted::during(Duration::from_secs(3600), gone);
        let elsewhere = |_: &DescribeClusterResponse| false;
        let request = DescribeClusterRequest::default();
        nowhere.ask(&request, 0, &wanted, elsewhere).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_controller_is_looked_for_for_a_while() {
        let (began, patience) = (Instant::now(), Duration::from_millis(120));
        let unanswered = asked(patience, PeerGone::default()).await;
        assert!(matches!(unanswered, Unanswered::Unreachable));
        assert!(began.elapsed() >= patience);
    }

    #[tokio::test]
    async fn it_is_looked_for_no_longer_than_the_request_is_wanted() {
        let gone = PeerGone::default();
        gone.tell();
        let unanswered = asked(Duration::from_secs(3600), gone).await;
        assert!(matches!(unanswered, Unanswered::GivenUp));
    }
}
