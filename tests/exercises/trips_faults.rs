//! `velo trips assemble` while brokers and instances die for good, and while it is stopped and started.

use super::trips_support::{Trips, assert_expected, guarantee, lines_of};
use super::velib_support::{Running, admin, create, eventually};
use crate::support::cluster::Cluster;
use std::path::Path;
use velodrome::exercises::stream::disk::Disk;
use velodrome::kafka::NewTopic;

on_both_clusters! {
    fn stopped_by_a_service_manager_it_stays_a_member_that_is_soon_back_and_ctrl_c_leaves_at_once(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 2);
        let members = || admin(cluster).describe_group(&trips.group).unwrap().members.len();
        let begun = || {
            let running = trips.start("assemble", "a", &[]);
            eventually(|| running.stderr().contains(": partitions 0, 1 of"), || running.stderr());
            running
        };
        // A machine that is busy for longer than the group waits for its member shows nothing; another time it will.
        eventually(|| { assert_eq!(begun().terminate(), 143); members() == 1 }, || "no member stayed".into());
        let mut again = begun();
        assert_eq!(again.interrupt(), 130);
        assert_eq!(members(), 0, "{}", again.stderr());
    }

    fn instances_that_come_and_go_at_work_share_the_partitions_and_leave_no_trip_out(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 4);
        let mut expected = Vec::new();
        let mut before = trips.start("assemble", "a", &[]);
        for (seed, next) in [("1", "b"), ("2", "c"), ("3", "a")] {
            // It joins while the other is at work, and the other leaves while there is more.
            let file = trips.state.path().join(format!("expected-{seed}"));
            let next = trips.start("assemble", next, &[]);
            let more = ["--streams", "0", "--seed", seed, "--expect", file.to_str().unwrap()];
            trips.produce(6_000, &more);
            let so_far = expected.len();
            expected.extend(lines_of(&file));
            trips.await_emitted(so_far + (expected.len() - so_far) / 3, &next);
            assert_eq!(before.interrupt(), 130);
            before = next;
        }
        expected.sort();
        trips.await_emitted(expected.len(), &before);
        assert_eq!(before.interrupt(), 130);
        assert_expected(&trips, &expected);
    }

    fn who_has_ended_in_order_finds_all_on_disk_and_reads_nothing_of_the_changelog_again(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 3);
        trips.produce(3_000, &["--streams", "0"]);
        trips.run("assemble", "a", &[]);
        let changelog = admin(cluster)
            .partitions_of(&format!("{}-STORE-TRIPS-changelog", trips.group))
            .unwrap();
        let disk = Disk::open(Path::new(&trips.folder("a"))).unwrap();
        // The marker of the last transaction is written some time after it was committed.
        eventually(
            || {
                let ends = admin(cluster).offset_range(&changelog).unwrap();
                ends.len() == 3
                    && ends.iter().all(|(at, range)| {
                        let shelf = disk.shelf(at.partition).unwrap();
                        shelf.mark().is_some_and(|mark| mark.offset == range.latest)
                    })
            },
            || "the disk is behind the changelog".into(),
        );
    }
}

/// The cluster that a test of several brokers started.
fn kill_broker(cluster: &Cluster, id: i32) {
    match cluster {
        Cluster::Classroom(classroom) => classroom.kill_broker(id),
        Cluster::Apache(_) => panic!("this test has brokers of its own"),
    }
}

#[test]
fn a_broker_of_three_is_killed_and_every_trip_comes_out_once() {
    let cluster = Cluster::classroom_of(3);
    assert_eq!(guarantee(&cluster), "exactly-once");
    let trips = Trips::on(&cluster);
    let packets = NewTopic {
        partitions: Some(6),
        replication_factor: Some(3),
        ..NewTopic::named(&trips.packets)
    };
    admin(&cluster).create_topic(&packets).unwrap();
    let files = ["before", "after"].map(|name| trips.state.path().join(name));
    let [before, after] = &files;
    trips.produce(20_000, &["--streams", "0", "--expect", before.to_str().unwrap()]);
    let assembler = trips.start("assemble", "a", &[]);
    trips.await_emitted(1, &assembler);
    kill_broker(&cluster, 2);
    let changelog = format!("{}-STORE-TRIPS-changelog", trips.group);
    let moved = |topic: &str| {
        let found = admin(&cluster).describe_topic(topic).unwrap();
        assert_eq!(found.replication_factor(), Some(3), "{topic}");
        let mut leaders = found.partitions.iter().map(|partition| partition.leader);
        leaders.all(|leader| leader.is_some_and(|leader| leader != 2))
    };
    for topic in [&trips.packets, &trips.output, &changelog] {
        eventually(|| moved(topic), || assembler.stderr());
    }
    let more = [
        "--streams",
        "0",
        "--seed",
        "1",
        "--expect",
        after.to_str().unwrap(),
    ];
    trips.produce(10_000, &more);
    let mut expected = files.iter().flat_map(|file| lines_of(file)).collect::<Vec<_>>();
    expected.sort();
    // A machine that is busy has time for each of the two.
    trips.await_emitted(lines_of(before).len(), &assembler);
    trips.await_emitted(expected.len(), &assembler);
    assert_expected(&trips, &expected);
}

/// Killed ten times in 400,000 packets, five times of those two at once, the folder of the first gone in between; at last one of
/// two is killed for good.
fn killed_ten_times(cluster: &Cluster) {
    let trips = Trips::on(cluster);
    create(cluster, &trips.packets, 4);
    let expect = trips.state.path().join("expected");
    trips.produce(400_000, &["--expect", expect.to_str().unwrap(), "--streams", "0"]);
    let expected = lines_of(&expect);
    let start = |names: &[&str]| -> Vec<Running> {
        names
            .iter()
            .map(|name| trips.start("assemble", name, &[]))
            .collect()
    };
    for round in 1..=10 {
        let mut running = if round <= 5 {
            start(&["a"])
        } else {
            start(&["a", "b"])
        };
        trips.await_emitted(expected.len() * round / 12, &running[0]);
        running.iter_mut().for_each(|one| drop(one.kill()));
        if round % 5 == 3 {
            std::fs::remove_dir_all(trips.folder("a")).unwrap();
        }
    }
    let mut both = start(&["a", "b"]);
    trips.await_emitted(expected.len() * 11 / 12, &both[0]);
    both[0].kill();
    trips.await_emitted(expected.len(), &both[1]);
    assert_eq!(both[1].interrupt(), 130);
    assert_expected(&trips, &expected);
}

mod killed_ten_times_in_400_000_packets_it_loses_nothing {
    use super::*;

    #[test]
    #[ignore = "takes minutes: cargo test --test suite killed_ten_times -- --ignored"]
    fn on_the_classroom_cluster() {
        killed_ten_times(&Cluster::classroom());
    }

    #[test]
    #[ignore = "takes minutes: scripts/dev/real-kafka cargo test --test suite killed_ten_times -- --ignored"]
    fn on_apache_kafka() {
        killed_ten_times(&Cluster::apache());
    }
}
