//! Replicas that are not in sync and may lead all the same (KIP-966), as the scripts show them.

use crate::support::cluster::Cluster;
use crate::support::velo::Home;
use std::time::{Duration, Instant};

/// How long brokers may take to come and go on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What `kafka-topics` says of the one partition of a topic, from its leader on.
fn described(cluster: &Cluster, topic: &str) -> String {
    let server = cluster.bootstrap();
    let words = [
        "kafka-topics",
        "--bootstrap-server",
        server,
        "--describe",
        "--topic",
        topic,
    ];
    let told = Home::new().velo(&words).succeeds().stdout;
    let line = told.lines().find_map(|line| line.split_once("\tLeader: "));
    line.unwrap_or_else(|| panic!("{told}")).1.replace('\t', " ")
}

#[track_caller]
fn comes_to(cluster: &Cluster, topic: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = described(cluster, topic);
        if told == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{told}\nis not\n{expected}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn who_leaves_below_the_minimum_is_eligible_and_one_that_crashed_is_no_longer() {
    let cluster = Cluster::classroom_of(3);
    let Cluster::Classroom(brokers) = &cluster else {
        unreachable!("it is ours")
    };
    let topic = cluster.name("few");
    let server = cluster.bootstrap();
    let create = [
        "kafka-topics",
        "--bootstrap-server",
        server,
        "--create",
        "--topic",
        &topic,
    ];
    let of = ["--replica-assignment", "2:3", "--config", "min.insync.replicas=2"];
    Home::new().velo(&[&create[..], &of].concat()).succeeds();
    comes_to(&cluster, &topic, "2 Replicas: 2,3 Isr: 2,3 Elr:  LastKnownElr: ");
    brokers.stop_broker(3);
    comes_to(&cluster, &topic, "2 Replicas: 2,3 Isr: 2 Elr: 3 LastKnownElr: ");
    brokers.stop_broker(2);
    comes_to(
        &cluster,
        &topic,
        "none Replicas: 2,3 Isr:  Elr: 2,3 LastKnownElr: 2",
    );
    brokers.start_broker(3);
    comes_to(&cluster, &topic, "3 Replicas: 2,3 Isr: 3 Elr: 2 LastKnownElr: ");
    brokers.kill_broker(3);
    comes_to(
        &cluster,
        &topic,
        "none Replicas: 2,3 Isr:  Elr: 2,3 LastKnownElr: 3",
    );
    // Broker 2 stopped cleanly, so it leads; broker 3 must first have what it has.
    brokers.start_broker(2);
    comes_to(&cluster, &topic, "2 Replicas: 2,3 Isr: 2 Elr: 3 LastKnownElr: ");
    brokers.start_broker(3);
    comes_to(&cluster, &topic, "2 Replicas: 2,3 Isr: 2,3 Elr:  LastKnownElr: ");
}

on_both_clusters! {
    fn min_insync_replicas_is_said_for_all_brokers_together(cluster) {
        let alter = ["kafka-configs", "--bootstrap-server", cluster.bootstrap(), "--alter", "--entity-type", "brokers"];
        for (words, why) in [
            (
                ["--entity-name", "1", "--add-config", "min.insync.replicas=2"].as_slice(),
                "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
            ),
            (
                &["--entity-default", "--delete-config", "min.insync.replicas"],
                "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
            ),
        ] {
            let refused = Home::new().velo(&[&alter[..], words].concat()).fails_with(1);
            let told = format!("{}{}", refused.stdout, refused.stderr);
            assert!(told.contains(why), "{told}");
        }
    }
}
