//! The counts of a running topology as a file, so that another command can show them.

use super::counts::{About, Shown};
use crate::failure::{Failure, Outcome};
use crate::process::Process;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file below the state folder; it goes with the run.
pub(super) struct Note {
    about: About,
    path: PathBuf,
}

fn folder(state: &Path) -> PathBuf {
    state.join("storm")
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::request(format!("cannot note the counts in {}", path.display())).because(error)
}

impl Note {
    /// For a run that begins.
    pub(super) fn begin(state: &Path, about: About) -> Outcome<Self> {
        let folder = folder(state);
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let path = folder.join(format!("{}.json", about.process.id()));
        Ok(Note { about, path })
    }

    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// Notes the counts. Whoever looks sees the old ones or the new ones.
    pub(super) fn write(&self, shown: &Shown) -> Outcome {
        let text = serde_json::to_vec(shown)
            .map_err(|error| Failure::request("cannot write the counts as JSON").because(error))?;
        let half = self.path.with_extension("half");
        fs::write(&half, text)
            .and_then(|()| fs::rename(&half, &self.path))
            .map_err(|error| failed(&self.path, &error))
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // One that stays is told by its process, which is gone.
        let _ = fs::remove_file(&self.path);
    }
}

/// The topologies that run on this machine, by what they noted last. What a run left that was killed is taken away.
///
/// # Errors
/// When the folder cannot be read.
pub fn running(state: &Path) -> Outcome<Vec<Shown>> {
    let folder = folder(state);
    let unreadable =
        |error: io::Error| Failure::request(format!("cannot read {}", folder.display())).because(error);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut found: Vec<Shown> = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        // One that goes at this moment, or is none of ours, is no topology that runs.
        let Some(shown) = fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Shown>(&text).ok())
        else {
            continue;
        };
        if shown.about.process == Process::of_id(shown.about.process.id()) {
            found.push(shown);
        } else {
            let _ = fs::remove_file(&path);
        }
    }
    found.sort_by_key(|shown| shown.about.process.id());
    Ok(found)
}
