//! The last words when `velo` itself is wrong.
//!
//! In a node a panic ends what panicked: a connection, or a task whose end is the node's.

use std::io::IsTerminal;
use std::panic;

/// Shows a cursor that a prompt or a progress bar had hidden.
const SHOW_CURSOR: &str = "\x1b[?25h";

/// From now on a panic also says, behind Rust's own words, what a user can rely on and do.
pub fn explain() {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        told(panic);
        if std::io::stderr().is_terminal() {
            eprint!("{SHOW_CURSOR}");
        }
        eprintln!(
            "error: velo ran into a mistake of its own\n  \
             why: the line above names the place; what a cluster had acknowledged is safe on disk\n\
             hint: velo doctor"
        );
    }));
}
