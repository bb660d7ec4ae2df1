//! Readers whose topic grows, is deleted, or is made again while they read.

use super::velib_support::{Running, admin, create, eventually, lag, station, velo, write};
use crate::support::cluster::Cluster;
use crate::support::records::User;

fn alter(cluster: &Cluster, topic: &str, partitions: &str) {
    velo(cluster, &["topic", "alter", topic, "--partitions", partitions]).succeeds();
}

/// How many partitions a monitor has, as it says itself.
fn share(monitor: &Running) -> usize {
    let said = monitor.stderr();
    let last = said.lines().rev().find_map(|line| {
        line.split_once(": partition ")
            .or_else(|| line.split_once(": partitions "))
    });
    last.map_or(0, |(_, names)| names.matches(',').count() + 1)
}

on_both_clusters! {
    fn two_monitors_go_on_when_their_topic_grows(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
        create(cluster, &topic, 2);
        let start = || Running::start(cluster, &["velib", "monitor", "--topic", &topic, "--group", &group]);
        let mut monitors = [start(), start()];
        let said = |monitors: &[Running; 2]| format!("{}{}", monitors[0].stderr(), monitors[1].stderr());
        eventually(|| monitors.iter().all(|one| share(one) == 1), || said(&monitors));
        for (partitions, each) in [("4", 2), ("8", 4), ("12", 6)] {
            alter(cluster, &topic, partitions);
            eventually(|| monitors.iter().all(|one| share(one) == each), || said(&monitors));
        }
        for free in [3, 4] {
            let stations: Vec<_> = (0..20).map(|number| station(number, free)).collect();
            write(cluster, &topic, &stations);
        }
        eventually(|| lag(cluster, &group, &topic) == 0, || said(&monitors));
        for monitor in &mut monitors {
            assert_eq!(monitor.interrupt(), 130, "{}", monitor.stderr());
        }
    }

    fn a_monitor_reads_the_topic_that_has_taken_the_place_of_its_own(cluster) {
        let (topic, group) = (cluster.name("stations"), cluster.name("monitors"));
        create(cluster, &topic, 1);
        let mut monitor = Running::start(cluster, &["velib", "monitor", "--topic", &topic, "--group", &group]);
        eventually(|| share(&monitor) == 1, || monitor.stderr());
        write(cluster, &topic, &[station(1, 3), station(1, 5), station(1, 4)]);
        eventually(|| monitor.stdout().lines().count() == 2, || monitor.stderr());
        let gone = admin(cluster).delete_topics(std::slice::from_ref(&topic)).unwrap();
        assert!(gone.iter().all(|(_, answer)| answer.is_ok()), "{gone:?}");
        create(cluster, &topic, 1);
        write(cluster, &topic, &[station(1, 7), station(1, 9)]);
        eventually(
            || monitor.stdout().ends_with("+2 1 RUE LEDUC (Toulouse)\n") && monitor.stdout().lines().count() == 3,
            || format!("{}{}", monitor.stdout(), monitor.stderr()),
        );
        assert!(monitor.stderr().contains("made again"), "{}", monitor.stderr());
        assert_eq!(monitor.interrupt(), 130);
    }

    fn members_of_groups_read_the_partitions_that_are_added(cluster) {
        let user = User::at(cluster);
        for script in [false, true] {
            let (topic, group) = (user.topic(1), cluster.name("growing"));
            let mut line = match script {
                true => vec!["kafka-console-consumer", "--topic", &topic],
                false => vec!["consume", &topic],
            };
            line.extend(["--group", &group, "--from-beginning", "--bootstrap-server", cluster.bootstrap()]);
            let mut reader = Running::start_anywhere(&line);
            user.writes(&topic, "first\n", &[]);
            eventually(|| reader.stdout() == "first\n", || reader.stderr());
            alter(cluster, &topic, "6");
            for partition in 1..6 {
                let number = partition.to_string();
                user.writes(&topic, &format!("{number}\n"), &["--partition", &number]);
            }
            let all = || {
                let mut lines: Vec<_> = reader.stdout().lines().map(str::to_owned).collect();
                lines.sort();
                lines == ["1", "2", "3", "4", "5", "first"]
            };
            eventually(all, || format!("{}{}", reader.stdout(), reader.stderr()));
            reader.interrupt();
        }
    }
}
