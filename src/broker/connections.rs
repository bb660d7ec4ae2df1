//! Which connections are open.

use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Ids of the connections that are open. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<BTreeSet<u64>>>);

impl Connections {
    /// Those that are open now.
    pub fn open(&self) -> BTreeSet<u64> {
        self.0.lock().clone()
    }

    /// Whether that one is open.
    pub fn is_open(&self, id: u64) -> bool {
        self.0.lock().contains(&id)
    }

    pub(super) fn opened(&self, id: u64) {
        self.0.lock().insert(id);
    }

    pub(super) fn closed(&self, id: u64) {
        self.0.lock().remove(&id);
    }
}
