//! What the unit tests of several folders share.

pub(super) mod bench;
