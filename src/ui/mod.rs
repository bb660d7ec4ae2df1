//! What the user sees: data on stdout, talk on stderr, nothing by colour alone.

pub mod output;

pub use output::{OutputFormat, Ui};
