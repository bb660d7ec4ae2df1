//! Puts the scripts into a folder: links to this binary, which knows itself by the name it is called by, or copies where
//! links are not to be had.

use super::SCRIPTS;
use super::server::shipped::SHIPPED;
use crate::failure::{Failure, Outcome};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Installs every script into `folder`; returns what was made.
///
/// # Errors
/// When the folder cannot be written. A file of that name that is not ours is never replaced.
pub fn install(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let failed = |path: &Path, error: io::Error| {
        Failure::request(format!("cannot write {}", path.display()))
            .because(error)
            .hint("velo scripts install DIR, with a folder that you can write to")
    };
    let binary = std::env::current_exe().map_err(|error| failed(folder, error))?;
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut made = Vec::new();
    for script in SCRIPTS {
        let path = folder.join(file_name(script.name));
        if path.symlink_metadata().is_ok() {
            if !is_ours(&path, &binary) {
                return Err(
                    Failure::request(format!("{} is there already, and not ours", path.display()))
                        .hint("velo scripts install DIR, with another folder"),
                );
            }
            fs::remove_file(&path).map_err(|error| failed(&path, error))?;
        }
        link(&binary, &path)
            .or_else(|_| fs::copy(&binary, &path).map(|_| ()))
            .map_err(|error| failed(&path, error))?;
        made.push(path);
    }
    Ok(made)
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

fn file_name(script: &str) -> String {
    if cfg!(windows) {
        format!("{script}.exe")
    } else {
        format!("{script}.sh")
    }
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
