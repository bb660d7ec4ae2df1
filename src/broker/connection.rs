//! One connection: a request in, its answer out, then the next; so answers keep the order of the requests, and a peer
//! that does not read its answers is not read from either.

use super::api::{Doors, dispatch, may_be_withdrawn};
use super::frame::{FrameError, FrameLimits, FrameReader};
use super::node::Node;
use super::security::Session;
use super::world::time::{sleep, timeout};
use super::world::{net::Stream, watch};
use bytes::Bytes;
use std::io::IoSlice;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

/// How long a request that runs when the node stops may still take.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// A peer that takes no byte of its answer for so long is given up.
const WRITE_STALL: Duration = Duration::from_secs(30);

/// Serves `stream` until the peer closes it, misbehaves, or `stop` turns true.
pub async fn serve(node: Arc<Node>, session: Session, stream: Stream, mut stop: watch::Receiver<bool>) {
    let (session, doors) = (Arc::new(session), Doors::of(&node));
    if let Err(error) = stream.set_nodelay() {
        tracing::debug!(%session, %error, "cannot turn Nagle's algorithm off");
    }
    let (reading, mut writing) = stream.into_split();
    let limits = FrameLimits::new(
        node.config.socket_request_max_bytes(),
        node.config.connections_max_idle(),
    );
    let mut frames = FrameReader::new(reading, limits, node.request_memory.clone());
    loop {
        let frame = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            frame = frames.next() => frame,
        };
        let frame = match frame {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(error) => return log_frame_error(&session, &error),
        };
        if may_be_withdrawn(&session, &frame) {
            look_for_a_peer_that_left(&mut frames, &session).await;
        }
        let answered = {
            let mut answer = pin!(dispatch(doors.clone(), &session, frame));
            let mut watching = true;
            loop {
                tokio::select! {
                    biased;
                    answered = &mut answer => break answered,
                    () = after(&mut stop, LAST_REQUEST) => return,
                    // What was asked for is still done; only waiting for more is of no use any more.
                    () = frames.hung_up(), if watching => {
                        watching = false;
                        session.peer_gone().tell();
                    }
                }
            }
        };
        let written = match answered {
            Ok(Some(pieces)) => write_all(&mut writing, pieces).await,
            Ok(None) => Ok(()),
            Err(refusal) => {
                tracing::warn!(%session, "closed a connection: {refusal}");
                return;
            }
        };
        if let Err(error) = written {
            tracing::debug!(%session, %error, "closed a connection that does not take its answer");
            return;
        }
    }
}

/// Learns that the peer has hung up if it did so before its request was read, as one does who has waited for a node that
/// stood still. Whoever yields comes again after the runtime has looked what the sockets have brought.
async fn look_for_a_peer_that_left<R: AsyncRead + Unpin>(frames: &mut FrameReader<R>, session: &Session) {
    tokio::select! {
        biased;
        () = frames.hung_up() => session.peer_gone().tell(),
        () = tokio::task::yield_now() => {}
    }
}

fn log_frame_error(session: &Session, error: &FrameError) {
    match error {
        FrameError::Io(_) | FrameError::Idle => {
            tracing::debug!(%session, "closed a connection: {error}");
        }
        _ => tracing::warn!(%session, "closed a connection: {error}"),
    }
}

async fn after(stop: &mut watch::Receiver<bool>, grace: Duration) {
    // An error means that the server is gone, which is a stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(grace).await;
}

/// Writes the pieces without joining them.
async fn write_all<W: AsyncWrite + Unpin>(writer: &mut W, pieces: Vec<Bytes>) -> std::io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = slices.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        let written = timeout(WRITE_STALL, writer.write_vectored(left))
            .await
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(())
}
