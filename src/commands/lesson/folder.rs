//! Temporary folders of demonstrations, and their end.

use crate::failure::{Failure, Outcome};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a program that has just been ended may still hold a file, as Windows keeps it, or write a last one.
const LETTING_GO: Duration = Duration::from_secs(5);

/// Removes a folder with all that is in it. What is still in use for a moment is tried again.
pub(super) fn remove(folder: &Path) -> Outcome {
    let deadline = Instant::now() + LETTING_GO;
    loop {
        match std::fs::remove_dir_all(folder) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if Instant::now() >= deadline => {
                return Err(Failure::request(format!("cannot remove {}", folder.display())).because(error));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
