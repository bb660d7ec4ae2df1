//! `velo produce` and `velo consume` on one cluster, for tests of what a user sees.

use super::cluster::Cluster;
use super::velo::{Ended, Home};
use velodrome::kafka::{Admin, Connection, NewTopic};

/// A user at a cluster.
pub struct User<'a> {
    home: Home,
    cluster: &'a Cluster,
}

impl<'a> User<'a> {
    /// A user with empty folders.
    pub fn at(cluster: &'a Cluster) -> Self {
        User {
            home: Home::new(),
            cluster,
        }
    }

    /// A new topic.
    pub fn topic(&self, partitions: i32) -> String {
        let name = self.cluster.name("lines");
        let connection = Connection::new(self.cluster.bootstrap(), None).unwrap();
        let topic = NewTopic {
            partitions: Some(partitions),
            ..NewTopic::named(&name)
        };
        let answers = Admin::connect(&connection)
            .unwrap()
            .create_topics(&[topic], false)
            .unwrap();
        assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{answers:?}");
        name
    }

    /// Runs a command line to its end.
    pub fn velo(&self, arguments: &[&str]) -> Ended {
        self.velo_with("", arguments)
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

    /// A command line to add to before it runs.
    pub fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = self.home.command(arguments);
        command
            .env("VELO_BOOTSTRAP_SERVER", self.cluster.bootstrap())
            .timeout(std::time::Duration::from_secs(60));
        command
    }

    /// The same for a process to talk to while it runs.
    pub fn process(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_velo"));
        command
            .args(arguments)
            .env("VELO_HOME", self.home.path())
            .env("VELO_BOOTSTRAP_SERVER", self.cluster.bootstrap());
        command
    }

    /// Writes lines, which must succeed.
    #[track_caller]
    pub fn writes(&self, topic: &str, lines: &str, options: &[&str]) -> Ended {
        self.velo_with(lines, &[&["produce", topic], options].concat())
            .succeeds()
    }

    /// What all records of a topic look like, with these options.
    #[track_caller]
    pub fn reads(&self, topic: &str, options: &[&str]) -> String {
        let all = ["consume", topic, "--from-beginning", "--exit-at-end"];
        self.velo(&[&all, options].concat()).succeeds().stdout
    }
}

/// A minute ago, in ms since 1970-01-01 UTC. Older records than a week would fall to retention while a test runs.
pub fn a_minute_ago() -> i64 {
    velodrome::clock::Clock::system().now_ms() - 60_000
}
