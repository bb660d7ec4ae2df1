//! Puts the scripts into a folder: links to this binary, which knows itself by the name it is called by, or copies where
//! links are not to be had.

use super::SCRIPTS;
use super::server::shipped::SHIPPED;
use crate::failure::{Failure, Outcome};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Installs every script into `folder`, by each of its names.
///
/// # Errors
/// When the folder cannot be written. A file of that name that is not ours is never replaced.
pub fn install(folder: &Path) -> Outcome {
    let failed = |path: &Path, error: io::Error| {
        Failure::request(format!("cannot write {}", path.display()))
            .because(error)
            .hint("velo scripts install DIR, with a folder that you can write to")
    };
    let binary = std::env::current_exe().map_err(|error| failed(folder, error))?;
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let paths: Vec<PathBuf> = command_names().map(|name| folder.join(name)).collect();
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    if let Some(foreign) = paths
        .iter()
        .find(|path| is_there(path) && !is_ours(path, &binary))
    {
        return Err(
            Failure::request(format!("{} is there already, and not ours", foreign.display()))
                .hint("velo scripts install DIR, with another folder"),
        );
    }
    for path in paths {
        if is_there(&path) {
            fs::remove_file(&path).map_err(|error| failed(&path, error))?;
        }
        link(&binary, &path)
            .or_else(|_| fs::copy(&binary, &path).map(|_| ()))
            .map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Writes the settings files that courses name (`config/server.properties`) beside a folder called `bin`, as Kafka has
/// them; those that are there stay. Returns what was written.
///
/// # Errors
/// When the folder cannot be written.
pub fn install_settings(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let failed = |path: &Path, error: io::Error| {
        Failure::request(format!("cannot write {}", path.display())).because(error)
    };
    let whole = std::path::absolute(folder).map_err(|error| failed(folder, error))?;
    if whole.file_name().is_none_or(|name| name != "bin") {
        return Ok(Vec::new());
    }
    let config = whole.with_file_name("config");
    fs::create_dir_all(&config).map_err(|error| failed(&config, error))?;
    let mut written = Vec::new();
    for shipped in SHIPPED {
        let path = config.join(shipped.name);
        if !path.exists() {
            fs::write(&path, shipped.text).map_err(|error| failed(&path, error))?;
            written.push(path);
        }
    }
    Ok(written)
}

/// Whether the folder is on `PATH`.
pub fn is_on_path(folder: &Path) -> bool {
    let folder = fs::canonicalize(folder).ok();
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|entry| fs::canonicalize(entry).ok() == folder && folder.is_some())
    })
}

/// What courses type: `kafka-topics.sh` of Apache Kafka's archive, `kafka-topics` of Confluent's and of packages. A shell
/// of Windows finds the program by either name.
fn file_names(script: &str) -> Vec<String> {
    if cfg!(windows) {
        vec![format!("{script}.exe")]
    } else {
        vec![format!("{script}.sh"), script.to_owned()]
    }
}

/// Every name that a script can be called by, of all scripts.
pub fn command_names() -> impl Iterator<Item = String> {
    SCRIPTS.iter().flat_map(|script| file_names(script.name))
}

/// A link to a `velo`, this one or an older one, or a copy of this one.
fn is_ours(path: &Path, binary: &Path) -> bool {
    match fs::read_link(path) {
        Ok(target) => target.file_stem().is_some_and(|stem| stem == "velo"),
        Err(_) => {
            let size = |path: &Path| fs::metadata(path).map(|metadata| metadata.len()).ok();
            size(path).is_some() && size(path) == size(binary)
        }
    }
}

#[cfg(unix)]
fn link(binary: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(binary, path)
}

#[cfg(windows)]
fn link(binary: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(binary, path)
}
