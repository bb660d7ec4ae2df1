//! What a node keeps for its clients. When all have gone, and what they left behind has timed out, that is nothing.

use super::node::Node;
use std::net::SocketAddr;

/// What is kept now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Whose connections are open, other nodes among them.
    pub connections: Vec<SocketAddr>,
    /// Fetches of consumers that wait for records.
    pub fetches: usize,
    /// Groups in which something goes on: members, requests that wait, member ids that were given out.
    pub groups: usize,
    /// Transactions whose markers are being written.
    pub endings: usize,
    /// Requests that have been passed on to the controller.
    pub passed_on: usize,
    /// Bytes held for requests being received.
    pub request_bytes: usize,
    /// Bytes held for answers that have not been taken.
    pub response_bytes: usize,
}

impl Node {
    /// What it keeps for its clients.
    pub fn leftovers(&self) -> Leftovers {
        let partitions = self.replicas.partitions();
        let fetches = partitions.iter().map(|partition| partition.waiting_consumers());
        Leftovers {
            connections: self.connections.open().into_values().collect(),
            fetches: fetches.sum(),
            groups: self.groups.busy_groups(),
            endings: self.transactions.endings(),
            passed_on: self.to_controller.under_way(),
            request_bytes: self.request_memory.used_bytes(),
            response_bytes: self.response_memory.used_bytes(),
        }
    }
}
