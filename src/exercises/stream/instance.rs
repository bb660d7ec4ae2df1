//! Who a program is when it comes back: an id in the folder of its state.
//!
//! A process that is killed and started again on the same folder is the same instance to the cluster: it gets its partitions
//! back at once, and ends at once the transaction that it had left open, instead of both waiting for a time-out.

use crate::failure::{Failure, Outcome};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// Most instances of one group on one machine that find a folder of their own.
const MOST: usize = 1_000;
/// The file that holds the id.
const ID: &str = "instance";
/// The file that is locked while the folder is in use.
const LOCK: &str = "lock";

/// A folder that this process alone works in, and who it is by that.
#[derive(Debug)]
pub struct Instance {
    folder: PathBuf,
    id: String,
    /// Locked for as long as the process lives.
    _lock: File,
}

impl Instance {
    /// The instance of that folder, which is made if it is not there.
    ///
    /// # Errors
    /// When another process works in it, or it cannot be written.
    pub fn of(folder: &Path) -> Outcome<Self> {
        Self::try_of(folder)?.ok_or_else(|| {
            Failure::request(format!("the state folder {} is in use", folder.display()))
                .because("another process of this machine works in it")
                .hint("--state ANOTHER for each instance, or none: then each finds a folder of its own")
        })
    }

    /// The first instance under that folder that no other process is: `1`, `2` …
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn first_under(folder: &Path) -> Outcome<Self> {
        for number in 1..=MOST {
            if let Some(free) = Self::try_of(&folder.join(number.to_string()))? {
                return Ok(free);
            }
        }
        Err(Failure::request(format!(
            "{MOST} instances work under {} already",
            folder.display()
        ))
        .hint("--state ANOTHER"))
    }

    /// The folder of its state.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its id: the same for each process that works in this folder.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// None when another process works in the folder.
    fn try_of(folder: &Path) -> Outcome<Option<Self>> {
        let failed = |error: std::io::Error| {
            Failure::request(format!("cannot keep state in {}", folder.display()))
                .because(error)
                .hint("--state FOLDER, one that can be written")
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        let lock = options.open(folder.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let id = id_in(folder).map_err(failed)?;
        Ok(Some(Instance {
            folder: folder.to_owned(),
            id,
            _lock: lock,
        }))
    }
}

/// The id in a folder, a new one if it has none.
fn id_in(folder: &Path) -> std::io::Result<String> {
    let path = folder.join(ID);
    let known = fs::read_to_string(&path).unwrap_or_default();
    let known = known.trim();
    let usable = (1..=64).contains(&known.len()) && known.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if usable {
        return Ok(known.to_owned());
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    // Whoever is killed in between has no id yet.
    let half = path.with_extension("part");
    fs::write(&half, format!("{id}\n"))?;
    fs::rename(&half, &path)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_is_known_again_and_a_second_process_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let first = Instance::first_under(folder.path()).unwrap();
        let second = Instance::first_under(folder.path()).unwrap();
        assert_ne!(first.id(), second.id());
        let id = first.id().to_owned();
        drop(first);
        assert_eq!(Instance::first_under(folder.path()).unwrap().id(), id);
    }

    #[test]
    fn a_folder_that_is_named_belongs_to_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let first = Instance::of(folder.path()).unwrap();
        let failure = Instance::of(folder.path()).unwrap_err();
        assert!(failure.what().contains("is in use"), "{failure}");
        drop(first);
        assert!(Instance::of(folder.path()).is_ok());
    }

    #[test]
    fn an_id_that_was_torn_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(ID), "ab\0cd").unwrap();
        let id = Instance::of(folder.path()).unwrap().id().to_owned();
        assert_eq!(id.len(), 32);
    }
}
