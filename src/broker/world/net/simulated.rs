//! A network in memory: a router between places, which delays by the dice's word, cuts links one way or both, and breaks
//! connections off. What is on its way over a cut link waits there, as with TCP, until the link heals or its connection ends.

use crate::broker::world::Dice;
use crate::broker::world::time::sleep;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

/// Bytes that a connection holds each way before a writer waits, and that travel at once.
const WINDOW: usize = 64 * 1024;
/// The first port of those that are given away.
const FIRST_FREE: u16 = 40_000;

/// Connects places, for better or worse.
#[derive(Debug)]
pub struct Router {
    dice: Dice,
    routes: Mutex<Routes>,
    /// A link has healed.
    healed: Notify,
}

#[derive(Debug)]
struct Routes {
    listening: BTreeMap<u16, Listening>,
    next_port: u16,
    /// Links that carry nothing: from one place to another.
    cut: BTreeSet<(u32, u32)>,
    /// The longest that anything is on its way, in ms.
    longest_ms: i32,
    connections: BTreeMap<u64, Connection>,
    next_connection: u64,
}

#[derive(Debug)]
struct Listening {
    place: u32,
    arrivals: mpsc::UnboundedSender<(DuplexStream, SocketAddr)>,
}

/// A connection between two places, and what carries its bytes.
#[derive(Debug)]
struct Connection {
    between: (u32, u32),
    carriers: [AbortHandle; 2],
    /// Carriers that have something to carry yet.
    open: u8,
}

/// Somebody's place in the network.
#[derive(Debug, Clone)]
pub(super) struct Place {
    router: Arc<Router>,
    name: u32,
}

/// Takes connections at a port until it is dropped.
#[derive(Debug)]
pub(super) struct Listener {
    router: Arc<Router>,
    port: u16,
    arrivals: tokio::sync::Mutex<mpsc::UnboundedReceiver<(DuplexStream, SocketAddr)>>,
}

impl Router {
    /// A network in which everything arrives within `longest_ms`.
    pub fn new(dice: Dice, longest_ms: i32) -> Arc<Self> {
        Arc::new(Router {
            dice,
            healed: Notify::new(),
            routes: Mutex::new(Routes {
                listening: BTreeMap::new(),
                next_port: FIRST_FREE,
                cut: BTreeSet::new(),
                longest_ms,
                connections: BTreeMap::new(),
                next_connection: 0,
            }),
        })
    }

    /// From now on everything arrives within that time.
    pub fn delay(&self, longest_ms: i32) {
        self.routes.lock().longest_ms = longest_ms;
    }

    /// Nothing arrives any more that goes from one place to the other. The other way round is a link of its own.
    pub fn cut(&self, from: u32, to: u32) {
        self.routes.lock().cut.insert((from, to));
    }

    /// A cut link carries again, what waits first.
    pub fn heal(&self, from: u32, to: u32) {
        self.routes.lock().cut.remove(&(from, to));
        self.healed.notify_waiters();
    }

    /// All links carry again.
    pub fn heal_all(&self) {
        self.routes.lock().cut.clear();
        self.healed.notify_waiters();
    }

    /// Breaks off all connections between two places; what is on its way is lost.
    pub fn break_off(&self, one: u32, other: u32) {
        let mut routes = self.routes.lock();
        let broken = routes.connections.extract_if(.., |_, connection| {
            connection.between == (one, other) || connection.between == (other, one)
        });
        for (_, connection) in broken {
            connection.carriers.iter().for_each(AbortHandle::abort);
        }
    }

    /// Waits until what goes over a link has arrived.
    async fn passes(&self, from: u32, to: u32) {
        let longest = self.routes.lock().longest_ms;
        let wait = match longest {
            1.. => self.dice.number(0..=longest),
            _ => 0,
        };
        sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
        loop {
            let healed = self.healed.notified();
            if !self.routes.lock().cut.contains(&(from, to)) {
                return;
            }
            healed.await;
        }
    }

    /// One way of a connection has ended.
    fn ended(&self, id: u64) {
        let mut routes = self.routes.lock();
        if let Some(connection) = routes.connections.get_mut(&id) {
            connection.open -= 1;
            if connection.open == 0 {
                routes.connections.remove(&id);
            }
        }
    }

    /// Lets bytes flow between two ends, which are in these places.
    fn join(self: &Arc<Self>, ends: (DuplexStream, DuplexStream), between: (u32, u32)) {
        let (one_read, one_write) = tokio::io::split(ends.0);
        let (other_read, other_write) = tokio::io::split(ends.1);
        let mut routes = self.routes.lock();
        let id = routes.next_connection;
        routes.next_connection += 1;
        let (one, other) = between;
        let there = Arc::clone(self).carry(id, (one, other), one_read, other_write);
        let back = Arc::clone(self).carry(id, (other, one), other_read, one_write);
        let carriers = [tokio::spawn(there), tokio::spawn(back)].map(|task| task.abort_handle());
        let connection = Connection {
            between,
            carriers,
            open: 2,
        };
        routes.connections.insert(id, connection);
    }

    async fn carry(
        self: Arc<Self>,
        id: u64,
        (from, to): (u32, u32),
        mut source: ReadHalf<DuplexStream>,
        mut target: WriteHalf<DuplexStream>,
    ) {
        let mut block = vec![0; WINDOW];
        loop {
            let read = source.read(&mut block).await.unwrap_or(0);
            // The end travels as anything else does.
            self.passes(from, to).await;
            if read == 0 {
                // Who does not listen any more need not hear of it.
                let _ = target.shutdown().await;
                break;
            }
            if target.write_all(&block[..read]).await.is_err() {
                break;
            }
        }
        self.ended(id);
    }
}

impl Place {
    pub(super) fn new(router: &Arc<Router>, name: u32) -> Self {
        Place {
            router: Arc::clone(router),
            name,
        }
    }

    pub(super) fn listen(&self, port: u16) -> io::Result<Listener> {
        let mut routes = self.router.routes.lock();
        let port = match port {
            0 => {
                routes.next_port += 1;
                routes.next_port
            }
            port => port,
        };
        if routes.listening.contains_key(&port) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let (sender, arrivals) = mpsc::unbounded_channel();
        let listening = Listening {
            place: self.name,
            arrivals: sender,
        };
        routes.listening.insert(port, listening);
        Ok(Listener {
            router: Arc::clone(&self.router),
            port,
            arrivals: tokio::sync::Mutex::new(arrivals),
        })
    }

    pub(super) async fn connect(&self, address: &str) -> io::Result<DuplexStream> {
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
        let port: u16 = port.ok_or(io::ErrorKind::InvalidInput)?;
        let place_of = |port| {
            let routes = self.router.routes.lock();
            routes.listening.get(&port).map(|listening| listening.place)
        };
        let Some(place) = place_of(port) else {
            self.router.passes(self.name, self.name).await;
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        self.router.passes(self.name, place).await;
        self.router.passes(place, self.name).await;
        let (here, near) = tokio::io::duplex(WINDOW);
        let (far, there) = tokio::io::duplex(WINDOW);
        {
            // It may have gone meanwhile.
            let routes = self.router.routes.lock();
            let listening = routes.listening.get(&port);
            // Its port says from what place it comes.
            let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(self.name).unwrap_or(0)));
            let sent = listening.map(|listening| listening.arrivals.send((there, peer)));
            if !matches!(sent, Some(Ok(()))) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
        }
        self.router.join((near, far), (self.name, place));
        Ok(here)
    }
}

impl Listener {
    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub(super) async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        let arrival = self.arrivals.lock().await.recv().await;
        // The router keeps the sender as long as this listens.
        arrival.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.router.routes.lock().listening.remove(&self.port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::world::Net;

    fn network() -> (Arc<Router>, Net, Net) {
        let router = Router::new(Dice::seeded(1), 3);
        let places = (Net::simulated(&router, 1), Net::simulated(&router, 2));
        (router, places.0, places.1)
    }

    #[tokio::test]
    async fn bytes_arrive_in_their_order_and_so_does_the_end() {
        let (_router, one, other) = network();
        let listener = one.listen("anywhere", 0, 1).await.unwrap();
        let mut client = other
            .connect(&listener.address().unwrap().to_string())
            .await
            .unwrap();
        let mut arrivals = listener.arrivals(1).unwrap();
        let (mut server, _) = arrivals.next().await.unwrap();
        client.write_all(b"one").await.unwrap();
        client.write_all(b"two").await.unwrap();
        drop(client);
        let mut read = Vec::new();
        server.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"onetwo");
        arrivals.close().await;
        let refused = other.connect("anywhere:40001").await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_cut_link_keeps_what_is_on_its_way_and_the_other_way_goes_on() {
        let (router, one, other) = network();
        let listener = one.listen("anywhere", 7, 1).await.unwrap();
        let mut client = other.connect("anywhere:7").await.unwrap();
        let (mut server, _) = listener.arrivals(1).unwrap().next().await.unwrap();
        router.cut(2, 1);
        client.write_all(b"x").await.unwrap();
        server.write_all(b"y").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'y');
        let waited = tokio::time::timeout(Duration::from_millis(50), server.read_u8()).await;
        assert!(waited.is_err(), "it cannot have arrived");
        router.heal(2, 1);
        assert_eq!(server.read_u8().await.unwrap(), b'x');
        router.break_off(1, 2);
        assert!(server.read_u8().await.is_err());
    }
}
