//! A cluster to test against: our own, started for the test, or the Apache Kafka that `scripts/dev/test` started.
//!
//! [`on_both_clusters!`] makes two tests of one body. Without `cfg(peer = "kafka")` (see `build.rs`) the second is
//! reported as ignored.

use super::ending;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A running cluster; ours ends with the value.
pub enum Cluster {
    /// A `velo cluster start --foreground` of this test alone.
    Classroom(Classroom),
    /// Apache Kafka, shared by all tests: use [`Cluster::name`] for every topic and group.
    Apache(String),
}

/// The process of a classroom cluster, and its folder.
pub struct Classroom {
    process: Child,
    bootstrap: String,
    data: TempDir,
    brokers: u16,
}

impl Cluster {
    /// A classroom cluster on a port and a folder of its own.
    pub fn classroom() -> Self {
        Self::classroom_with(&[])
    }

    /// The same with broker settings, each `name=value`.
    pub fn classroom_with(settings: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (process, bootstrap) = start(data.path(), 0, settings);
        Cluster::Classroom(Classroom {
            process,
            bootstrap,
            data,
            brokers: 1,
        })
    }

    /// So many brokers, each a process of its own, on ports and in a folder of their own.
    pub fn classroom_of(brokers: u16) -> Self {
        Self::classroom_of_with(brokers, &[])
    }

    /// The same with broker settings, each `name=value`.
    pub fn classroom_of_with(brokers: u16, settings: &[&str]) -> Self {
        if brokers == 1 {
            return Self::classroom_with(settings);
        }
        let data = tempfile::tempdir().unwrap();
        let count = brokers.to_string();
        let mut options = vec!["--port", "0", "--brokers", &count];
        for setting in settings {
            options.extend(["--set", setting]);
        }
        let (process, bootstrap) = begin(data.path(), &options);
        Cluster::Classroom(Classroom {
            process,
            bootstrap,
            data,
            brokers,
        })
    }

    /// The Apache Kafka of `VELO_TEST_KAFKA`.
    pub fn apache() -> Self {
        Cluster::Apache(
            std::env::var("VELO_TEST_KAFKA").expect("VELO_TEST_KAFKA names Apache Kafka's HOST:PORT"),
        )
    }

    /// `HOST:PORT`
    pub fn bootstrap(&self) -> &str {
        match self {
            Cluster::Classroom(classroom) => &classroom.bootstrap,
            Cluster::Apache(bootstrap) => bootstrap,
        }
    }

    /// A name for a topic or group that no other test uses.
    pub fn name(&self, stem: &str) -> String {
        format!("{stem}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8])
    }
}

impl Classroom {
    /// The cluster's folder (`--data`).
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Process id of the node.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills one of its brokers, which is gone then.
    pub fn kill_broker(&self, id: i32) {
        self.told(&["stop", "--broker", &id.to_string(), "--kill"]);
    }

    /// Stops one of its brokers cleanly.
    pub fn stop_broker(&self, id: i32) {
        self.told(&["stop", "--broker", &id.to_string()]);
    }

    /// Starts one of its brokers again.
    pub fn start_broker(&self, id: i32) {
        self.told(&["start", "--broker", &id.to_string()]);
    }

    /// Ends the process as a power cut would, and starts it again on the same port and data.
    pub fn kill_and_restart(&mut self) {
        self.process.kill().unwrap();
        self.restart();
    }

    /// Stops it as `velo cluster stop` does, and starts it again on the same port and data.
    pub fn stop_and_restart(&mut self) {
        self.told(&["stop"]);
        self.restart();
    }

    #[track_caller]
    fn told(&self, words: &[&str]) {
        let said = self.velo(words);
        assert!(
            said.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&said.stderr)
        );
    }

    fn stop(&self) -> Output {
        self.velo(&["stop"])
    }

    /// Runs a command of `velo cluster` on it.
    fn velo(&self, words: &[&str]) -> Output {
        let data = self.data.path().to_str().unwrap();
        let mut velo = Command::new(env!("CARGO_BIN_EXE_velo"));
        ending::output(velo.arg("cluster").args(words).args(["--data", data]))
    }

    fn restart(&mut self) {
        ending::ended(&mut self.process);
        let port = self.bootstrap.rsplit_once(':').unwrap().1.parse().unwrap();
        let (process, bootstrap) = start(self.data.path(), port, &[]);
        assert_eq!(bootstrap, self.bootstrap);
        self.process = process;
    }
}

impl Drop for Classroom {
    fn drop(&mut self) {
        if self.brokers > 1 {
            // They would outlive the process that started them.
            self.stop();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start(data: &Path, port: u16, settings: &[&str]) -> (Child, String) {
    let port = port.to_string();
    let mut options = vec!["--port", &port];
    for setting in settings {
        options.extend(["--set", setting]);
    }
    begin(data, &options)
}

fn begin(data: &Path, options: &[&str]) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(["cluster", "start", "--foreground", "--data"])
        .arg(data)
        .args(options);
    let mut process = command
        // Its own folders: no command on this machine takes it for the cluster that is meant.
        .env("VELO_HOME", data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let line = ending::first_line(&mut process);
    let bootstrap = line
        .strip_prefix("ready ")
        .unwrap_or_else(|| panic!("not ready: {line:?}"));
    (process, bootstrap.to_owned())
}

/// `on_both_clusters! { fn what_a_user_sees(cluster) { … } }`: one test on our cluster, one on Apache Kafka.
#[macro_export]
macro_rules! on_both_clusters {
    ($(fn $name:ident($cluster:ident) $body:block)*) => { $(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            use $crate::support::cluster::Cluster;

            fn body($cluster: &Cluster) $body

            #[test]
            fn on_the_classroom_cluster() {
                body(&Cluster::classroom());
            }

            #[test]
            #[cfg_attr(not(peer = "kafka"), ignore = "Apache Kafka is not here: scripts/dev/test starts it")]
            fn on_apache_kafka() {
                body(&Cluster::apache());
            }
        }
    )* };
}
