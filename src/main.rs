//! `velo`: picks the face by the program's name or the first word, and turns the result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    velodrome::cli::run(std::env::args_os().collect())
}
