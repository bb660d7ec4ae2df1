//! Record batches of format v2 (KIP-98): the only place where they are read and written. What producers send is checked
//! by its header and passed on as it came; records are decoded only where somebody must know what they say.

pub mod compress;
mod header;
mod record;

pub use header::{Batch, BatchHeader, Batches, HEADER_SIZE, LENGTH_OVERHEAD, MAGIC, MAGIC_AT};
pub use record::{Record, Records, ValueAndHeaderNames, records_of, timestamp_of};
