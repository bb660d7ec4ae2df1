//! The end of a command that did several things, some of which may have failed.

use crate::failure::{Failure, Outcome};
use crate::ui::output::tell;

/// Succeeds when nothing failed. One failure is the command's; of several, each is printed and the command fails with
/// their number.
///
/// # Errors
/// When anything failed.
pub fn settle(mut failures: Vec<Failure>, tried: usize) -> Outcome {
    if failures.len() > 1 {
        for failure in &failures {
            tell(failure);
        }
        return Err(Failure::request(format!("{} of {tried} failed", failures.len())));
    }
    failures.pop().map_or(Ok(()), Err)
}
