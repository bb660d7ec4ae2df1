//! A marker, and what becomes of it.

use crate::broker::machine::Producer;
use kafka_protocol::ResponseError;

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marking {
    /// Whose transaction ends.
    pub producer: Producer,
    /// Whether it commits.
    pub commits: bool,
    /// Epoch of the coordinator that ends it.
    pub coordinator_epoch: i32,
}

/// What became of a marker in one partition.
pub type Marked = Result<(), ResponseError>;
