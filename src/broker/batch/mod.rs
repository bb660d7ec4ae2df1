//! Record batches of format v2 (KIP-98): the only place where they are read and written. What producers send is checked
//! by its header and passed on as it came; records are decoded only where somebody must know what they say.

mod builder;
pub(super) mod compress;
mod header;
mod reader;
mod record;

pub use builder::{BatchBuilder, assemble, marker};
pub use header::{BatchHeader, HEADER_SIZE, LENGTH_OVERHEAD, MAGIC, MAGIC_AT};
pub use reader::{Batch, Batches, Marker, intact, records_of, split};
pub use record::{Record, Records};
