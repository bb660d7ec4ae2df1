//! The exercises' programs, as their users meet them.

mod velib_simulation;
