//! Reads length-prefixed frames from a connection, without ever trusting the length.

use super::memory::MemoryPool;
use super::world::time::sleep;
use bytes::{Buf, Bytes, BytesMut};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What a connection may hold without a reservation.
const FREE_FRAME: usize = 32 * 1024;
/// The least a buffer grows by.
const GROWTH: usize = 8 * 1024;
/// What is read of later frames while one is being answered.
const LOOK_AHEAD: usize = 4 * 1024;
/// A started frame that brings no byte for so long is given up.
const STALL: Duration = Duration::from_secs(10);
/// How long a frame may lag while others wait for memory …
const PRESSED_WINDOW: Duration = Duration::from_millis(250);
/// … and the bytes it must have brought in that time.
const PRESSED_PROGRESS: usize = 4096;

/// Limits of a connection.
#[derive(Debug, Clone)]
pub struct FrameLimits {
    /// `socket.request.max.bytes`
    pub max_bytes: usize,
    /// `connections.max.idle.ms`: how long the connection may be silent between frames.
    pub idle: Duration,
    /// A started frame that brings no byte for so long is given up.
    pub stall: Duration,
}

impl FrameLimits {
    /// Limits with the usual patience for a started frame. Real time, not the node's clock: a peer is as slow as it is,
    /// whatever the time of the records.
    pub fn new(max_bytes: usize, idle: Duration) -> Self {
        FrameLimits {
            max_bytes,
            idle,
            stall: STALL,
        }
    }
}

/// Why no frame came. All of them end the connection.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The announced length is more than the limit.
    #[error("it announced a frame of {announced} bytes, the limit is {max}")]
    Oversized {
        /// What the peer said.
        announced: usize,
        /// `socket.request.max.bytes`
        max: usize,
    },
    /// The announced length is negative.
    #[error("it announced a frame of {0} bytes")]
    Negative(i32),
    /// The peer closed in the middle of a frame.
    #[error("it closed after {received} bytes of an unfinished frame")]
    Truncated {
        /// Bytes of the unfinished frame.
        received: usize,
    },
    /// A started frame brought too little for too long.
    #[error("its unfinished frame made no progress")]
    Stalled,
    /// Silent for longer than `connections.max.idle.ms`.
    #[error("it was idle too long")]
    Idle,
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Reads frames one after another; bytes of later frames wait in its buffer.
#[derive(Debug)]
pub struct FrameReader<R> {
    io: R,
    buffer: BytesMut,
    limits: FrameLimits,
    pool: MemoryPool,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader on `io`.
    pub fn new(io: R, limits: FrameLimits, pool: MemoryPool) -> Self {
        FrameReader {
            io,
            buffer: BytesMut::new(),
            limits,
            pool,
        }
    }

    /// The next frame without its length; `None` when the peer closed between frames.
    ///
    /// # Errors
    /// Any [`FrameError`]: the connection cannot be used any more.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        if self.buffer.is_empty() && !self.await_first_byte().await? {
            return Ok(None);
        }
        self.fill(4).await?;
        let announced = (&self.buffer[..4]).get_i32();
        let length = usize::try_from(announced).map_err(|_| FrameError::Negative(announced))?;
        if length > self.limits.max_bytes {
            return Err(FrameError::Oversized {
                announced: length,
                max: self.limits.max_bytes,
            });
        }
        self.fill(4 + length.min(FREE_FRAME)).await?;
        let memory = if length > FREE_FRAME {
            let permit = self.pool.reserve(length - FREE_FRAME).await;
            self.fill(4 + length).await?;
            Some(permit)
        } else {
            None
        };
        self.buffer.advance(4);
        let bytes = self.buffer.split_to(length).freeze();
        if self.buffer.is_empty() {
            // Nothing is left to keep, so an idle connection holds no buffer.
            self.buffer = BytesMut::new();
        }
        Ok(Some(match memory {
            // A request that waits for something holds no more of the budget than it keeps of the frame.
            Some(memory) => memory.guard(bytes),
            None => bytes,
        }))
    }

    /// Completes when the peer has closed; never when it sends much more instead. For the time in which a request is being
    /// answered: what comes meanwhile is taken in up to [`LOOK_AHEAD`], as the end may stand behind other requests.
    pub async fn hung_up(&mut self) {
        let mut next = [0u8; LOOK_AHEAD];
        while self.buffer.len() < LOOK_AHEAD {
            let room = LOOK_AHEAD - self.buffer.len();
            match self.io.read(&mut next[..room]).await {
                Ok(0) | Err(_) => return,
                Ok(read) => self.buffer.extend_from_slice(&next[..read]),
            }
        }
        std::future::pending().await
    }

    async fn await_first_byte(&mut self) -> Result<bool, FrameError> {
        // Without a buffer until there is something to read, an idle connection costs no memory.
        let mut first = [0u8; 4096];
        let read = tokio::select! {
            biased;
            read = self.io.read(&mut first) => read?,
            () = sleep(self.limits.idle) => return Err(FrameError::Idle),
        };
        self.buffer.extend_from_slice(&first[..read]);
        Ok(read > 0)
    }

    /// Reads until the buffer holds `want` bytes.
    async fn fill(&mut self, want: usize) -> Result<(), FrameError> {
        while self.buffer.len() < want {
            let before = self.buffer.len();
            let pressed = self.pool.is_short();
            let (window, progress) = if pressed {
                (PRESSED_WINDOW, PRESSED_PROGRESS)
            } else {
                (self.limits.stall, 1)
            };
            let pool = self.pool.clone();
            tokio::select! {
                biased;
                done = self.read_up_to(want) => return done,
                () = pool.shortage(), if !pressed => {}
                () = sleep(window) => {
                    if self.buffer.len() - before < progress {
                        return Err(FrameError::Stalled);
                    }
                }
            }
        }
        Ok(())
    }

    async fn read_up_to(&mut self, want: usize) -> Result<(), FrameError> {
        while self.buffer.len() < want {
            if self.buffer.len() == self.buffer.capacity() {
                // Doubles, so by what has come, not by what was announced.
                let growth = self.buffer.len().max(GROWTH).min(want - self.buffer.len());
                self.buffer.reserve(growth);
            }
            if self.io.read_buf(&mut self.buffer).await? == 0 {
                return Err(FrameError::Truncated {
                    received: self.buffer.len(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
