//! The classroom cluster, seen from its port and its folder.

mod bad_input;
