//! What the user sees: data on stdout, talk on stderr, nothing by colour alone.

pub mod buffered;
pub mod confirm;
pub mod enter;
pub mod foreign;
pub mod interrupt;
pub mod keys;
pub mod lines;
pub mod log;
pub mod output;
pub mod table;
pub mod units;
pub mod when;

pub use interrupt::Interrupt;
pub use output::{OutputChoice, OutputFormat, Ui};
pub use table::Grid;
