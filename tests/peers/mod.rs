//! Clients that we did not write, against the classroom cluster.

mod exactly_once;
mod go;
mod java;
mod java_groups;
mod kcat;
mod log_files;
mod node;
mod python;
mod secured;
mod storm;
mod streams;
mod transactions;
mod versions;

use crate::support::cluster::{Classroom, Cluster};
use crate::support::ending;
use crate::support::java::{PASSING, jvm};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a fact may take to come true before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a finished program said.
struct Said {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

impl Said {
    fn of(output: Output) -> Self {
        Said {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }

    /// The output of a program that must have succeeded.
    fn succeeded(self) -> String {
        assert_eq!(
            self.code,
            Some(0),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    fn lines(self) -> Vec<String> {
        self.succeeded().lines().map(str::to_owned).collect()
    }
}

fn run(command: &mut Command, input: &str) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that ends early closes its stdin; what it said then tells why.
        let _ = stdin.write_all(input.as_bytes());
    });
    let said = Said::of(ending::all_of(child));
    writer.join().unwrap();
    said
}

/// One of Apache Kafka's own tools, by its main class.
pub(crate) fn java(class: &str) -> Command {
    let libs = std::env::var("KAFKA_LIBS").expect("KAFKA_LIBS names the folder of Apache Kafka's jars");
    let mut command = jvm("-Xmx256m", Path::new(PASSING));
    command.args(["-Xshare:auto", "-cp"]);
    command.arg(format!("{libs}/*")).arg(class);
    command
}

/// One of our programs on Kafka Streams, with `folder` for what it unpacks.
fn streams_program(name: &str, folder: &Path) -> Command {
    let libs = peers_folder().join("kafka-streams-4.4.0/libs");
    let mut command = jvm("-Xmx256m", folder);
    command
        .arg("-cp")
        .arg(format!("{}/*", libs.display()))
        .arg(program(name));
    command
}

/// A Java tool that takes `--bootstrap-server`, run to its end.
fn java_tool(cluster: &Cluster, class: &str, arguments: &[&str]) -> Said {
    java_tool_reading(cluster, class, arguments, "")
}

fn java_tool_reading(cluster: &Cluster, class: &str, arguments: &[&str], input: &str) -> Said {
    run(
        java(class)
            .args(["--bootstrap-server", cluster.bootstrap()])
            .args(arguments),
        input,
    )
}

/// For `PYTHONWARNINGS`: a program of ours that uses what its libraries are to lose ends with an exception; what those
/// libraries themselves use is their own affair.
pub const NO_DEPRECATION: &str = "error::DeprecationWarning:__main__";

pub fn peers_folder() -> PathBuf {
    std::env::var_os("VELO_PEERS_DIR")
        .expect("VELO_PEERS_DIR is set by scripts/dev/test")
        .into()
}

/// The path of one of `tests/peers/programs`.
pub fn program(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers/programs")
        .join(name)
}

fn classroom(cluster: &Cluster) -> &Classroom {
    match cluster {
        Cluster::Classroom(classroom) => classroom,
        Cluster::Apache(_) => panic!("this test looks into our own files"),
    }
}

/// Asks until the answer satisfies, or fails with the last one.
fn eventually<T: std::fmt::Debug>(mut ask: impl FnMut() -> T, satisfies: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if satisfies(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "still: {answer:?}");
    }
}

/// A program in the background; ends with the value.
struct Background(Child);

impl Background {
    fn start(command: &mut Command) -> Self {
        Background(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// Ends it and returns all it printed.
    fn stop(mut self) -> String {
        self.0.kill().unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.0.stdout.take().unwrap(), &mut said).unwrap();
        said
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
