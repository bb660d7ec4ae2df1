//! A PostgreSQL of a test's own: on a Unix socket in a folder, as a user without rights where the tests run as root.

use crate::peers::peers_folder;
use crate::support::ending;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running server; ended, with its folder, with the value.
pub struct Postgres {
    process: Child,
    folder: tempfile::TempDir,
}

impl Postgres {
    /// A new server, with an empty database `postgres` of its user `velo`, which syncs each commit.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        rights::give_away(folder.path());
        let mut made = program("initdb", &folder);
        made.args([
            "--username=velo",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ])
        .arg(folder.path().join("data"));
        let said = ending::output(&mut made);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        Postgres {
            process: spawn(&folder),
            folder,
        }
    }

    /// Where its database is.
    pub fn url(&self) -> String {
        format!("postgres://velo@/postgres?host={}", self.folder.path().display())
    }

    /// Ends it without a checkpoint, so that the next start recovers from its log, as after a crash. (Its own immediate
    /// shutdown, not a kill: what a killed one leaves behind keeps the next from starting for a while.)
    pub fn crash(&mut self) {
        ending::crash(&self.process);
        ending::ended(&mut self.process);
    }

    /// Starts it again after [`Postgres::crash`].
    pub fn restart(&mut self) {
        self.process = spawn(&self.folder);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
    }
}

fn spawn(folder: &tempfile::TempDir) -> Child {
    let mut command = program("postgres", folder);
    command
        .args(["-c", "listen_addresses=", "-k"])
        .arg(folder.path())
        .arg("-D")
        .arg(folder.path().join("data"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// One of PostgreSQL's programs, to be run within that folder.
fn program(name: &str, folder: &tempfile::TempDir) -> Command {
    let place: PathBuf = peers_folder().join("postgresql").join(name);
    let mut command = Command::new(place);
    command.current_dir(folder.path());
    rights::drop_in(&mut command);
    command
}

/// PostgreSQL does not run as root: it is `nobody`'s then.
#[cfg(unix)]
mod rights {
    use super::{Command, Path};
    use std::os::unix::fs::chown;
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65_534;

    fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    pub fn give_away(folder: &Path) {
        if is_root() {
            chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    pub fn drop_in(command: &mut Command) {
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
    }
}

#[cfg(not(unix))]
mod rights {
    use super::{Command, Path};

    pub fn give_away(_folder: &Path) {}

    pub fn drop_in(_command: &mut Command) {}
}
