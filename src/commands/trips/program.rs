//! What the stream programs' options have in common.

use crate::commands::Context;
use crate::exercises::stream::Guarantee;
use crate::exercises::stream::instance::Instance;
use crate::exercises::trips::run::Plan;
use crate::failure::Outcome;
use clap::Args;
use std::path::PathBuf;

/// How a program works.
#[derive(Debug, Args)]
pub struct ProgramOptions {
    /// Folder of its state; the same folder makes it the same instance when it comes back [default: one of its own under
    /// velo's state folder]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// What may become of a record when something dies
    #[arg(long, value_enum, default_value_t = Guarantee::ExactlyOnce)]
    guarantee: Guarantee,
    /// End once all records that were there at the start are dealt with
    #[arg(long)]
    exit_at_end: bool,
    /// Die on purpose, as if killed, once so many records are emitted and before anything of their batch is noted
    #[arg(long, value_name = "RECORDS", value_parser = clap::value_parser!(u64).range(1..))]
    die_after: Option<u64>,
}

impl ProgramOptions {
    /// What to do with them.
    ///
    /// # Errors
    /// When the state folder cannot be used.
    pub fn plan(
        self,
        context: &Context,
        (input, output, group): (String, String, String),
        store: &'static str,
    ) -> Outcome<Plan> {
        let instance = match &self.state {
            Some(folder) => Instance::of(folder)?,
            // What is of another cluster's group of that name is found not to fit, and wiped.
            None => Instance::first_under(&context.places.state.join("streams").join(folder_of(&group)))?,
        };
        Ok(Plan {
            input,
            output,
            group,
            store,
            instance,
            guarantee: self.guarantee,
            exit_at_end: self.exit_at_end,
            die_after: self.die_after,
        })
    }
}

/// A group's name as that of a folder, whatever characters it has.
fn folder_of(group: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut name = String::new();
    for byte in group.bytes() {
        match plain(byte) {
            true => name.push(char::from(byte)),
            false => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}

/// Reads a duration as milliseconds, `0` included.
///
/// # Errors
/// In words, for clap.
pub fn milliseconds(text: &str) -> Result<i64, String> {
    let milliseconds = crate::ui::units::parse_duration_ms(text)?;
    match milliseconds {
        0.. => Ok(milliseconds),
        _ => Err("must not be negative".to_owned()),
    }
}

/// The same, of more than nothing.
///
/// # Errors
/// In words, for clap.
pub fn some_milliseconds(text: &str) -> Result<i64, String> {
    match milliseconds(text)? {
        0 => Err("must be longer than nothing".to_owned()),
        some => Ok(some),
    }
}

#[cfg(test)]
mod tests {
    use super::folder_of;

    #[test]
    fn a_group_has_a_folder_whatever_it_is_called() {
        assert_eq!(folder_of("trips-assemble"), "trips-assemble");
        assert_eq!(folder_of("../a b"), "%2e%2e%2fa%20b");
        assert_ne!(folder_of("a/b"), folder_of("a%2fb"));
    }
}
