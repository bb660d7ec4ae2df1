//! `kafka-configs`, beyond what `tests/parity` compares with Kafka's own

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Ended;
use std::time::{Duration, Instant};

/// Within it the broker hears of a change.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the script on the cluster.
fn run(user: &User<'_>, cluster: &Cluster, arguments: &[&str]) -> Ended {
    let start = ["kafka-configs", "--bootstrap-server", cluster.bootstrap()];
    user.velo(&[&start, arguments].concat())
}

/// A cluster of our own: on a shared one, settings of all brokers would meet other tests.
#[test]
fn defaults_of_all_brokers_are_set_and_taken_back() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    let alter = |what: &str, setting: &str| {
        run(&user, &cluster, &["--alter", "--broker-defaults", what, setting])
            .succeeds()
            .stdout
    };
    let is_set = || {
        let described = run(&user, &cluster, &["--describe", "--broker-defaults"]).succeeds();
        let mut lines = described.stdout.lines();
        assert_eq!(
            lines.next(),
            Some("Default configs for brokers in the cluster are:")
        );
        lines.any(|line| line.starts_with("  message.max.bytes=2000000 sensitive=false "))
    };
    let done = "Completed updating default config for brokers in the cluster.\n";
    assert_eq!(alter("--add-config", "message.max.bytes=2000000"), done);
    let begun = Instant::now();
    while !is_set() {
        assert!(begun.elapsed() < PATIENCE);
    }
    assert_eq!(alter("--delete-config", "message.max.bytes"), done);
    while is_set() {
        assert!(begun.elapsed() < PATIENCE);
    }
}
