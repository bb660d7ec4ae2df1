//! `velo trips`: every trip once, whatever comes in whatever order, and whatever dies.

use super::trips_support::{
    Trips, assert_expected, guarantee, lines_of, moment, now, part, write_packets, write_values,
};
use super::velib_support::{create, eventually, velo};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn last_line(text: &str) -> Value {
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

on_both_clusters! {
    fn a_trip_is_emitted_when_its_last_chunk_comes_and_what_cannot_be_is_counted(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 2);
        let start = now() - 10_000;
        let good = [part(1, start, 2, 3), part(1, start, 1, 3), part(1, start, 1, 3), part(2, start, 1, 1)];
        write_packets(cluster, &trips.packets, &good);
        let odd = [part(1, start, 0, 3), part(1, start, 4, 3), part(1, start, 2, 2), moment(1, start)];
        write_packets(cluster, &trips.packets, &odd);
        let mut ahead = part(3, start, 1, 1);
        ahead.ts = now() + 2 * 3_600_000;
        write_packets(cluster, &trips.packets, &[ahead]);
        let torn = part(1, start, 1, 1).write(None)[..9].to_vec();
        let broken = [(1, None), (1, Some(Vec::new())), (1, Some(torn)), (1, Some(b"hello".to_vec()))];
        write_values(cluster, &trips.packets, &broken);
        write_packets(cluster, &trips.packets, &[part(1, start, 3, 3), part(1, start, 3, 3)]);
        let ended = trips.run("assemble", "a", &["--output", "json"]);
        let trip = |device| json!({"device": device, "start": start, "end": start + 1_000}).to_string();
        assert_eq!(trips.emitted(), [trip(1), trip(2)]);
        let counted = json!({
            "emitted": 2, "chunk_out_of_range": 2, "chunks_disagree": 1, "undecodable": 4,
            "from_the_future": 1, "repeated": 2, "expired": 0,
        });
        assert_eq!(last_line(&ended.stdout), counted);
        // Each kind is named once, however many there are.
        assert_eq!(ended.stderr.matches("no packet").count(), 1, "{}", ended.stderr);
        assert_eq!(ended.stderr.matches("is chunk ").count(), 2, "{}", ended.stderr);
    }

    fn what_the_fleet_says_must_come_out_comes_out(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 4);
        let expect = trips.state.path().join("expected");
        let file = expect.to_str().unwrap();
        trips.produce(6_000, &["--expect", file, "--missing", "0.02", "--twice", "0.1", "--again", "0.1"]);
        let ended = trips.run("assemble", "a", &["-o", "json"]);
        let expected = lines_of(&expect);
        assert!(expected.len() > 300);
        assert_eq!(trips.emitted(), expected);
        let counted = last_line(&ended.stdout);
        assert_eq!(counted["emitted"], expected.len());
        assert!(counted["repeated"].as_u64() > Some(100), "{counted}");
    }

    fn killed_again_and_again_with_its_folder_gone_once_it_loses_nothing(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 4);
        let expect = trips.state.path().join("expected");
        trips.produce(40_000, &["--expect", expect.to_str().unwrap(), "--streams", "0"]);
        let expected = lines_of(&expect);
        for (round, share) in [1, 2, 3, 4].into_iter().enumerate() {
            let mut assembler = trips.start("assemble", "a", &[]);
            trips.await_emitted(expected.len() * share / 6, &assembler);
            assembler.kill();
            if round == 1 {
                std::fs::remove_dir_all(trips.folder("a")).unwrap();
            }
        }
        trips.run("assemble", "a", &[]);
        assert_expected(&trips, &expected);
    }

    fn two_share_the_work_and_one_takes_over_when_the_other_is_killed_for_good(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 4);
        let expect = trips.state.path().join("expected");
        let mut both = [trips.start("assemble", "a", &[]), trips.start("assemble", "b", &[])];
        eventually(
            || both.iter().all(|one| one.stderr().contains(": partitions ")),
            || format!("{}{}", both[0].stderr(), both[1].stderr()),
        );
        trips.produce(20_000, &["--expect", expect.to_str().unwrap(), "--streams", "0"]);
        let expected = lines_of(&expect);
        trips.await_emitted(expected.len() / 10, &both[0]);
        both[0].kill();
        eventually(|| trips.emitted().len() >= expected.len(), || both[1].stderr());
        assert_eq!(both[1].interrupt(), 130);
        assert_expected(&trips, &expected);
    }

    fn at_least_once_loses_nothing_either(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 2);
        let expect = trips.state.path().join("expected");
        trips.produce(10_000, &["--expect", expect.to_str().unwrap(), "--streams", "0"]);
        let expected = lines_of(&expect);
        let weak = ["--guarantee", "at-least-once"];
        for share in 1..4 {
            let mut assembler = trips.start("assemble", "a", &weak);
            trips.await_emitted(expected.len() * share / 5, &assembler);
            assembler.kill();
        }
        trips.run("assemble", "a", &weak);
        let each: BTreeSet<String> = trips.emitted().into_iter().collect();
        assert_eq!(each.into_iter().collect::<Vec<_>>(), expected);
    }

    fn a_trip_that_started_too_long_ago_is_given_up_at_the_start_and_by_the_clock(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 1);
        let start = now() - 7_200_000;
        write_packets(cluster, &trips.packets, &[part(7, start, 1, 2)]);
        trips.run("assemble", "a", &["--ttl", "3h"]);
        let told = |device| format!("device {device}: the trip that started at ");
        let mut second = trips.start("assemble", "a", &["--ttl", "1h", "--every", "100ms", "-o", "json"]);
        eventually(|| second.stderr().contains(&told(7)), || second.stderr());
        assert!(second.stderr().contains(&start.to_string()), "{}", second.stderr());
        write_packets(cluster, &trips.packets, &[part(8, start, 1, 2)]);
        eventually(|| second.stderr().contains(&told(8)), || second.stderr());
        assert_eq!(second.interrupt(), 130);
        assert_eq!(last_line(&second.stdout())["expired"], 2);
        // What is given up is forgotten: the missing chunk makes no trip.
        write_packets(cluster, &trips.packets, &[part(7, start, 2, 2)]);
        trips.run("assemble", "a", &["--ttl", "3h"]);
        assert!(trips.emitted().is_empty());
    }

    fn a_trip_sent_whole_again_is_emitted_again_only_if_nothing_is_remembered(cluster) {
        for (remember, times) in [("1h", 1), ("0", 2)] {
            let trips = Trips::on(cluster);
            create(cluster, &trips.packets, 1);
            let start = now() - 10_000;
            let whole = [part(1, start, 1, 2), part(1, start, 2, 2)];
            for _ in 0..2 {
                write_packets(cluster, &trips.packets, &whole);
                trips.run("assemble", "a", &["--remember", remember]);
            }
            assert_eq!(trips.emitted().len(), times);
        }
    }

    fn packets_sent_by_hand_go_on_with_the_trip_that_the_device_sent_last(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 2);
        let send = |words: &[&str]| {
            let topic = ["--topic", &trips.packets];
            velo(cluster, &[&["trips", "send"], words, &topic[..]].concat())
        };
        let refused = send(&["7", "2/2"]).fails_with(1).stderr;
        assert!(refused.contains("hint: velo trips send 7 1/3 --started 1h"), "{refused}");
        send(&["7", "1/2", "--started", "2h"]).succeeds();
        send(&["8", "1/2", "--started", "1h"]).succeeds();
        send(&["7", "2/2"]).succeeds();
        trips.run("assemble", "a", &[]);
        let emitted = trips.emitted();
        assert!(emitted.len() == 1 && emitted[0].contains("\"device\":7,"), "{emitted:?}");
    }

    fn one_that_dies_on_purpose_says_trips_twice_at_least_once_and_never_exactly_once(cluster) {
        for (how, twice) in [("at-least-once", true), ("exactly-once", false)] {
            let trips = Trips::on(cluster);
            create(cluster, &trips.packets, 1);
            let start = now() - 10_000;
            write_packets(cluster, &trips.packets, &[part(1, start, 1, 1), part(2, start, 1, 1)]);
            let how = ["--guarantee", how];
            let dies = [&how[..], &["--exit-at-end", "--die-after", "1"]].concat();
            let words = trips.words("assemble", "a", &dies);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            velo(cluster, &words).fails_with(137);
            trips.run("assemble", "a", &how);
            let emitted = trips.emitted();
            assert_eq!(emitted.len() > 2, twice, "{emitted:?}");
            assert_eq!(emitted.iter().collect::<BTreeSet<_>>().len(), 2, "{emitted:?}");
        }
    }

    fn another_instance_without_the_folder_goes_on_with_what_the_first_has_seen(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 2);
        let start = now() - 10_000;
        write_packets(cluster, &trips.packets, &[part(1, start, 1, 3), part(1, start, 3, 3), part(2, start, 2, 2)]);
        trips.run("assemble", "a", &[]);
        write_packets(cluster, &trips.packets, &[part(1, start, 2, 3), part(2, start, 1, 2)]);
        trips.run("assemble", "b", &[]);
        assert_eq!(trips.emitted().len(), 2);
        // The changelog reads as a person would write it.
        let changelog = format!("{}-STORE-TRIPS-changelog", trips.group);
        let seen = velo(cluster, &["consume", &changelog, "--from-beginning", "--exit-at-end", "--key-separator", " "])
            .succeeds();
        assert!(seen.stdout.contains(&format!("2/{start}/{} {{\"chunks\":2,\"count\":1,\"came\":\"2\"}}", start + 1_000)), "{}", seen.stdout);
    }

    fn a_folder_that_is_in_use_is_refused(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 1);
        let first = trips.start("assemble", "a", &[]);
        eventually(|| first.stderr().contains(": partition 0 of"), || first.stderr());
        let words = trips.words("assemble", "a", &[]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let second = velo(cluster, &words).fails_with(1);
        assert!(second.stderr.contains("is in use"), "{}", second.stderr);
    }

    fn streams_are_divided_by_silence_and_the_last_is_closed_by_the_clock(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 2);
        let begin = now() - 60_000;
        let at = |ms: i64| moment(5, begin + ms);
        // Silence of 1 s: not longer than the gap. Then one of 1,001 ms, with a packet that comes late.
        write_packets(cluster, &trips.packets, &[at(0), at(1_000), at(2_500), at(2_001), at(9_000), moment(6, begin)]);
        let dividing = ["--gap", "1s", "--grace", "500ms"];
        let program = trips.start("sessions", "a", &dividing);
        trips.await_emitted(4, &program);
        let session = |device: i64, start: i64, end: i64, packets: u64| {
            json!({"device": device, "start": begin + start, "end": begin + end, "packets": packets}).to_string()
        };
        let mut expected =
            [session(5, 0, 1_000, 2), session(5, 2_001, 2_500, 2), session(5, 9_000, 9_000, 1), session(6, 0, 0, 1)];
        expected.sort();
        assert_eq!(trips.emitted(), expected);
    }

    fn the_fleets_streams_make_the_sessions_that_it_says(cluster) {
        let trips = Trips::on(cluster);
        create(cluster, &trips.packets, 2);
        let expect = trips.state.path().join("expected");
        trips.produce(5_000, &["--expect-sessions", expect.to_str().unwrap(), "--streams", "0.8", "--late", "0.3"]);
        let expected = lines_of(&expect);
        assert!(expected.len() > 100);
        let mut program = trips.start("sessions", "a", &[]);
        // The last of each device are closed when nothing was heard for gap and grace, six minutes.
        trips.await_emitted(expected.len() / 2, &program);
        program.kill();
        trips.run("sessions", "a", &[]);
        let ended = trips.run("sessions", "a", &["-o", "json"]);
        assert_eq!(last_line(&ended.stdout)["late"], 0);
        let expected: BTreeSet<String> = expected.into_iter().collect();
        let emitted = trips.emitted();
        assert!(emitted.iter().all(|session| expected.contains(session)));
        let once: BTreeSet<String> = emitted.iter().cloned().collect();
        assert!(guarantee(cluster) == "at-least-once" || once.len() == emitted.len());
        let devices: BTreeSet<String> = expected
            .iter()
            .map(|session| serde_json::from_str::<Value>(session).unwrap()["device"].to_string())
            .collect();
        assert!(once.len() + devices.len() >= expected.len(), "{} of {}", once.len(), expected.len());
    }
}

#[test]
fn the_topology_is_drawn_as_kafka_streams_draws_its_own() {
    let drawn = crate::support::velo::Home::new()
        .velo(&["trips", "topology"])
        .succeeds();
    for line in [
        "   Sub-topology: 0",
        "    Source: packets (topics: [trip-packets])",
        "      --> assemble",
        "    Processor: assemble (stores: [STORE-TRIPS])",
        "    Sink: trips (topic: trips)",
    ] {
        assert!(
            drawn.stdout.lines().any(|drawn| drawn == line),
            "{}",
            drawn.stdout
        );
    }
}
