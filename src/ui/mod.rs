//! What the user sees: data on stdout, talk on stderr, nothing by colour alone.

pub mod buffered;
pub mod confirm;
pub mod editor;
pub mod enter;
pub mod fold;
pub mod foreign;
pub mod interrupt;
pub mod keys;
pub mod lines;
pub mod log;
pub mod output;
pub mod screen;
pub mod table;
pub mod terminal;
pub mod units;
pub mod wait;
pub mod when;

pub use interrupt::Interrupt;
pub use output::{OutputFormat, Ui};
pub use table::Grid;
