//! Makes the Rust code of the records that Kafka keeps for itself, from their layouts in `src/broker/records/schemas`.
//!
//! A layout is text, a line for each thing:
//!
//! ```text
//! log metadata MetadataRecord framed          a family: its name, its enum, how its records stand in the log
//! record Topic = 2 versions 0 flexible 0 // …     a record of a `framed` log, behind type and version
//! key OffsetCommit = 1 // …                       a key of a `keyed` log, behind its type
//! value OffsetCommit versions 0..4 flexible 4 // … and its value, behind its version
//! struct EndPoint // …                            a part of records
//!     name: string // …                           a field of what stands above
//! ```
//!
//! Fields have a type (`bool`, `i8` to `i64`, `u16`, `f64`, `uuid`, `string`, `bytes`, a struct, `[…]` for any number of
//! one), with `?` behind it if they may be null, and then in this order: `since N` or `only N` (versions that have it),
//! `tag N` (KIP-482), `= VALUE` (what it is where it is absent; `null` if nothing is said of what may be null, `empty`
//! for the opposite), `ignorable` (dropped without a word in versions that lack it). Every line says what it means.

mod emit;
mod schema;

use std::path::Path;
use std::{fs, io};

/// Writes `FAMILY.rs` into `out` for every layout in `schemas`.
///
/// # Errors
/// Files that cannot be read or written, and layouts that make no sense, by file and line.
pub fn generate(schemas: &Path, out: &Path) -> io::Result<()> {
    fs::create_dir_all(out)?;
    for entry in fs::read_dir(schemas)? {
        let path = entry?.path();
        let family = schema::parse(&fs::read_to_string(&path)?)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        fs::write(out.join(format!("{}.rs", family.name)), emit::family(&family))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
