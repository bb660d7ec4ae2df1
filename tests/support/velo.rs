//! `velo` as a user types it: arguments in, stdout, stderr and exit code out.

use super::ending::LIMIT;
use assert_cmd::Command;
use std::path::Path;
use tempfile::TempDir;

/// A user's folders (`VELO_HOME`); the cluster started in them ends with the value.
pub struct Home {
    folder: TempDir,
}

/// A `velo` that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// Its exit code.
    pub code: i32,
}

impl Home {
    /// A user with empty folders.
    pub fn new() -> Self {
        Home {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder that `VELO_HOME` names.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command line to add to before it runs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
        command
            .args(arguments)
            .env("VELO_HOME", self.path())
            .env_remove("VELO_BOOTSTRAP_SERVER")
            .env_remove("VELO_CONTEXT")
            .env_remove("VELO_LANG")
            .timeout(LIMIT);
        command
    }

    /// Runs a command line to its end.
    pub fn velo(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        Ended::of(output)
    }

    /// The same with something on standard input.
    pub fn velo_with(&self, input: impl AsRef<[u8]>, arguments: &[&str]) -> Ended {
        Ended::of(
            self.command(arguments)
                .write_stdin(input.as_ref())
                .output()
                .unwrap(),
        )
    }

    /// `HOST:PORT` of the cluster that runs in these folders.
    pub fn bootstrap(&self) -> String {
        let status = self.velo(&["cluster", "status", "--output", "plain"]).succeeds();
        status.stdout.split('\t').next().unwrap().to_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Whatever it says: a test may be failing already.
        let _ = self.command(&["cluster", "stop", "--kill"]).output();
    }
}

impl Ended {
    /// What a process left, whose hints must be lines that can be typed.
    pub fn of(output: std::process::Output) -> Self {
        let ended = Ended {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        };
        super::hints::assert_typeable(&ended.stderr);
        ended
    }

    /// What it told the user, without what it waited for: on a busy machine that is more than on an idle one.
    pub fn said(&self) -> String {
        let lines = self.stderr.lines();
        let told = lines.filter(|line| !(line.starts_with("waiting for ") && line.ends_with('…')));
        told.map(|line| format!("{line}\n")).collect()
    }

    /// The same, which must have succeeded.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.fails_with(0)
    }

    /// The same, which must have ended with `code`.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }
}
