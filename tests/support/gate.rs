//! What stands between two nodes: a way that passes everything on, until a test holds something back.

use super::raw::DEADLINE;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A gate before a node.
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    behind: Mutex<SocketAddr>,
    /// Frames that hold this are kept back, and all that come after them on their connections.
    held: Mutex<Option<&'static [u8]>>,
    /// Connections on which a frame is held back, and those of them whose sender has closed since.
    holding: watch::Sender<(usize, usize)>,
    /// Turns true when what is held back may go on.
    released: watch::Sender<bool>,
}

impl Gate {
    /// A gate before the node at that address.
    pub async fn before(node: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Gate {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                behind: Mutex::new(node),
                held: Mutex::new(None),
                holding: watch::Sender::new((0, 0)),
                released: watch::Sender::new(false),
            }),
        };
        let shared = Arc::clone(&gate.shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&shared).pass(stream));
            }
        });
        gate
    }

    /// Where it stands.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it stands before another node.
    pub fn move_before(&self, node: SocketAddr) {
        *self.shared.behind.lock().unwrap() = node;
    }

    /// Frames with these bytes in them come no further, until [`Gate::release`].
    pub fn hold_back(&self, bytes: &'static [u8]) {
        *self.shared.held.lock().unwrap() = Some(bytes);
    }

    /// Waits until so many frames have been held back in all.
    pub async fn holds(&self, count: usize) {
        self.shared.await_holding(|held, _| held >= count).await;
    }

    /// Waits until the senders of so many of them have closed their connections.
    pub async fn left_by(&self, count: usize) {
        self.shared.await_holding(|_, left| left >= count).await;
    }

    /// Lets go on what was held back: of a connection that its sender has closed, the bytes and the end at once, as a
    /// node finds them that has stood still.
    pub fn release(&self) {
        *self.shared.held.lock().unwrap() = None;
        self.shared.released.send_replace(true);
    }
}

impl Shared {
    async fn await_holding(&self, fact: impl Fn(usize, usize) -> bool) {
        let mut holding = self.holding.subscribe();
        let waiting = holding.wait_for(|(held, left)| fact(*held, *left));
        let holds = tokio::time::timeout(DEADLINE, waiting).await;
        drop(holds.expect("the gate does not hold it").unwrap());
    }

    async fn pass(self: Arc<Self>, from: TcpStream) {
        let behind = *self.behind.lock().unwrap();
        let Ok(to) = TcpStream::connect(behind).await else {
            return;
        };
        let ((mut asks, mut hears), (mut answers, mut to)) = (from.into_split(), to.into_split());
        let back = async move { tokio::io::copy(&mut answers, &mut hears).await };
        let there = async {
            let mut length = [0; 4];
            while asks.read_exact(&mut length).await.is_ok() {
                let mut frame = length.to_vec();
                frame.resize(4 + usize::try_from(u32::from_be_bytes(length)).unwrap(), 0);
                if asks.read_exact(&mut frame[4..]).await.is_err() {
                    return;
                }
                if self.is_held(&frame) {
                    self.holding.send_modify(|(held, _)| *held += 1);
                    tokio::select! {
                        _ = asks.read_exact(&mut length) => {
                            self.holding.send_modify(|(_, left)| *left += 1);
                            self.await_release().await;
                            // One after the other, and nobody reads in between: this thread is the node's, too.
                            assert_eq!(to.try_write(&frame).unwrap(), frame.len());
                            return;
                        }
                        () = self.await_release() => {}
                    }
                }
                if to.write_all(&frame).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            _ = back => {}
            () = there => {}
        }
    }

    async fn await_release(&self) {
        let mut released = self.released.subscribe();
        drop(released.wait_for(|released| *released).await.unwrap());
    }

    fn is_held(&self, frame: &[u8]) -> bool {
        let held = *self.held.lock().unwrap();
        held.is_some_and(|held| frame.windows(held.len()).any(|bytes| bytes == held))
    }
}
