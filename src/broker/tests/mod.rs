//! What the unit tests of several folders share.

pub mod bench;
