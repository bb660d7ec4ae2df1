//! `velo group`

use crate::support::cluster::Cluster;
use crate::support::records::User;
use serde_json::{Value, json};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A topic of three partitions with two records in each, read to the end by a group that has left.
fn read_by_a_group(cluster: &Cluster, user: &User<'_>) -> (String, String) {
    let (topic, group) = (user.topic(3), cluster.name("readers"));
    for partition in ["0", "1", "2"] {
        user.writes(&topic, "a\nb\n", &["--partition", partition]);
    }
    user.velo(&[
        "consume",
        &topic,
        "--group",
        &group,
        "--from-beginning",
        "--count",
        "6",
    ])
    .succeeds();
    (topic, group)
}

fn described(user: &User<'_>, group: &str, options: &[&str]) -> Value {
    let ended = user
        .velo(&[&["group", "describe", group, "--output", "json"], options].concat())
        .succeeds();
    let mut groups: Value = serde_json::from_str(&ended.stdout).unwrap();
    groups[0].take()
}

/// The moves that a reset shows: topic, partition, before, after.
fn moves(topic: &str, rows: &[(i32, &str, &str)]) -> String {
    rows.iter()
        .map(|(partition, before, after)| format!("{topic}\t{partition}\t{before}\t{after}\t\n"))
        .collect()
}

/// A consumer that runs until it is dropped.
struct Consumer(Child);

impl Consumer {
    fn of(user: &User<'_>, topic: &str, group: &str) -> Self {
        let consumer = user
            .process(&["consume", topic, "--group", group])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let consumer = Consumer(consumer);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !user.velo(&["group", "members", group]).stdout.contains(topic) {
            assert!(
                Instant::now() < deadline,
                "the consumer of {group} was given no partition"
            );
        }
        consumer
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

on_both_clusters! {
    fn lag_counts_what_can_still_be_read(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(1), cluster.name("late"));
        let lines: String = (0..100).map(|number| format!("{number}\n")).collect();
        user.writes(&topic, &lines, &[]);
        user.velo(&["consume", &topic, "--group", &group, "--from-beginning", "--count", "10"]).succeeds();
        user.velo(&["records", "delete", &topic, "--before", "40", "--yes"]).succeeds();
        let half = &described(&user, &group, &[])["partitions"][0];
        assert_eq!(
            (&half["start"], &half["lag"], &half["deleted_unread"]),
            (&json!(40), &json!(60), &json!(30))
        );
        user.velo(&["records", "delete", &topic, "--before", "latest", "--yes"]).succeeds();
        let all = described(&user, &group, &[]);
        assert_eq!(all["total_lag"], 0);
        assert_eq!(all["partitions"][0]["deleted_unread"], 90);
        let said = user.velo(&["group", "describe", &group]).succeeds();
        let deleted = format!("{topic}-0: 90 were deleted before they were read; what is left begins at offset 100.\n");
        assert!(said.stderr.contains(&deleted) && said.stdout.contains("total lag 0"), "{said:?}");
        // The scripts count as Java's do.
        let java = user.velo(&["kafka-consumer-groups", "--describe", "--group", &group, "--bootstrap-server", cluster.bootstrap()]);
        let row = java.succeeds().stdout;
        let row: Vec<String> = row.lines().last().unwrap().split_whitespace().map(str::to_owned).collect();
        assert_eq!(row[3..6], ["10", "100", "90"]);
    }

    fn lag_is_told_per_partition_and_in_total(cluster) {
        let user = User::at(cluster);
        let (topic, group) = read_by_a_group(cluster, &user);
        user.writes(&topic, "1\n2\n3\n4\n5\n", &["--partition", "1"]);
        let all = described(&user, &group, &[]);
        assert_eq!(all["state"], "Empty");
        assert_eq!((&all["members"], &all["total_lag"]), (&json!(0), &json!(5)));
        assert_eq!(all["partitions"].as_array().unwrap().len(), 3);
        let behind = described(&user, &group, &["--only-with-lag"]);
        assert_eq!(
            behind["partitions"],
            json!([{
                "topic": topic, "partition": 1, "committed": 2, "start": 0, "end": 7, "lag": 5,
                "deleted_unread": 0,
                "member_id": null, "client_id": null, "host": null,
            }])
        );
        let told = user.velo(&["group", "describe", &group]).succeeds();
        assert!(told.stdout.starts_with(&format!("{group}: Empty, 0 members, total lag 5")), "{}", told.stdout);
        assert_eq!(told.stderr, format!("Group `{group}` has no active members; 5 records wait for it.\n"));
    }

    fn members_are_told_with_their_partitions_and_keep_their_offsets(cluster) {
        let user = User::at(cluster);
        let (topic, group) = read_by_a_group(cluster, &user);
        let _consumer = Consumer::of(&user, &topic, &group);
        let members = user.velo(&["group", "members", &group, "--output", "json"]).succeeds();
        let members: Value = serde_json::from_str(&members.stdout).unwrap();
        assert_eq!(members.as_array().unwrap().len(), 1);
        assert_eq!(members[0]["client_id"], "velo");
        let partitions: Vec<Value> = (0..3).map(|number| json!({"topic": topic, "partition": number})).collect();
        assert_eq!(members[0]["partitions"], json!(partitions));
        let all = described(&user, &group, &[]);
        assert_eq!((&all["state"], &all["members"]), (&json!("Stable"), &json!(1)));
        assert_eq!(all["partitions"][0]["member_id"], members[0]["member_id"]);
        let reset = user.velo(&["group", "reset", &group, "--to", "earliest", "--execute"]).fails_with(1);
        assert!(reset.stderr.contains("1 active member"), "{}", reset.stderr);
        let delete = user.velo(&["group", "delete", &group, "--yes"]).fails_with(1);
        assert!(delete.stderr.contains(&format!("hint: stop its consumers first; velo group members {group}")),
            "{}", delete.stderr);
    }

    fn offsets_are_moved_only_when_told_to(cluster) {
        let user = User::at(cluster);
        let (topic, group) = read_by_a_group(cluster, &user);
        let reset = ["group", "reset", &group, "--output", "plain", "--to", "earliest"];
        let dry = user.velo(&reset).succeeds();
        let rows = moves(&topic, &[(0, "2", "0"), (1, "2", "0"), (2, "2", "0")]);
        assert_eq!(dry.stdout, rows);
        assert_eq!(dry.stderr, "Nothing was changed: this is what --execute would do.\n");
        assert_eq!(described(&user, &group, &[])["total_lag"], 0);
        let done = user.velo(&[&reset[..], &["--execute"]].concat()).succeeds();
        assert_eq!(done.stdout, rows);
        assert_eq!(described(&user, &group, &[])["total_lag"], 6);
    }

    fn offsets_go_to_any_place(cluster) {
        let user = User::at(cluster);
        let (topic, group) = read_by_a_group(cluster, &user);
        let some = format!("{topic}:0,2");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{topic},1,1\n")).unwrap();
        for (options, rows) in [
            (&["--topic", &some, "--to", "1"][..], &[(0, "2", "1"), (2, "2", "1")][..]),
            (&["--topic", &some, "--to", "99"], &[(0, "2", "2"), (2, "2", "2")]),
            (&["--topic", &some, "--to", "@-1h"], &[(0, "2", "0"), (2, "2", "0")]),
            (&["--topic", &some, "--to", "@now"], &[(0, "2", "2"), (2, "2", "2")]),
            (&["--topic", &some, "--shift-by", "-1"], &[(0, "2", "1"), (2, "2", "1")]),
            (&["--from-file", file.path().to_str().unwrap()], &[(1, "2", "1")]),
        ] {
            let reset = ["group", "reset", &group, "--output", "plain"];
            let shown = user.velo(&[&reset, options].concat()).succeeds();
            assert_eq!(shown.stdout, moves(&topic, rows), "{options:?}");
        }
        user.velo(&["group", "reset", &group]).fails_with(2);
        user.velo(&["group", "reset", &group, "--to", "somewhere"]).fails_with(2);
    }

    fn a_new_group_is_given_its_first_offsets_by_topic(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(1), cluster.name("new"));
        user.writes(&topic, "a\nb\n", &[]);
        user.velo(&["group", "reset", &group, "--to", "1"]).fails_with(1);
        user.velo(&["group", "reset", &group, "--to", "1", "--topic", &topic, "--execute"]).succeeds();
        let read = user.velo(&["consume", &topic, "--group", &group, "--count", "1"]).succeeds();
        assert_eq!(read.stdout, "b\n");
    }

    fn groups_are_listed_and_deleted(cluster) {
        let user = User::at(cluster);
        let (_, group) = read_by_a_group(cluster, &user);
        let listed = user.velo(&["group", "list", &group, "--output", "plain"]).succeeds();
        assert_eq!(listed.stdout, format!("{group}\tEmpty\tClassic\n"));
        let unasked = user.velo(&["group", "delete", &group]).fails_with(2);
        assert!(unasked.stderr.ends_with(&format!("hint: velo group delete {group} --yes\n")), "{}", unasked.stderr);
        let gone = user.velo(&["group", "delete", &group, "--yes"]).succeeds();
        assert_eq!(gone.stderr, format!("Deleted group `{group}`.\n"));
        let none = user.velo(&["group", "describe", &group]).fails_with(1);
        assert!(none.stderr.starts_with(&format!("error: group `{group}` does not exist\n")), "{}", none.stderr);
    }
}
