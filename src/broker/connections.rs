//! Which connections are open.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// The connections that are open, by id, and who is at their other ends. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<BTreeMap<u64, SocketAddr>>>);

impl Connections {
    /// Those that are open now.
    pub fn open(&self) -> BTreeMap<u64, SocketAddr> {
        self.0.lock().clone()
    }

    /// Whether that one is open.
    pub fn is_open(&self, id: u64) -> bool {
        self.0.lock().contains_key(&id)
    }

    pub(super) fn opened(&self, id: u64, peer: SocketAddr) {
        self.0.lock().insert(id, peer);
    }

    pub(super) fn closed(&self, id: u64) {
        self.0.lock().remove(&id);
    }
}
