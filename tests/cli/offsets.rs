//! `velo offsets`

use crate::support::records::{User, a_minute_ago};
use serde_json::{Value, json};

on_both_clusters! {
    fn each_partition_begins_and_ends_somewhere(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        user.writes(&topic, "a\nb\nc\n", &["--partition", "1"]);
        let shown = user.velo(&["offsets", &topic]).succeeds();
        let rows: Vec<Vec<&str>> = shown.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["TOPIC", "PARTITION", "START", "END", "END-START"]);
        assert_eq!(rows[1], [topic.as_str(), "0", "0", "0", "0"]);
        assert_eq!(rows[2], [topic.as_str(), "1", "0", "3", "3"]);
        assert_eq!(shown.stderr, "END-START over all partitions: 3.\n");
        let one = user.velo(&["offsets", &topic, "--partition", "1", "--output", "json"]).succeeds();
        let one: Value = serde_json::from_str(&one.stdout).unwrap();
        assert_eq!(one, json!([{"topic": topic, "partition": 1, "earliest": 0, "latest": 3, "span": 3}]));
    }

    fn a_moment_finds_the_first_record_since(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let first = a_minute_ago();
        let lines: String = (0..4)
            .map(|number| format!("{{\"timestamp\":{},\"value\":\"{number}\"}}\n", first + number * 1_000))
            .collect();
        user.writes(&topic, &lines, &["--jsonl"]);
        let moment = format!("@{}", first + 1_500);
        let shown = user.velo(&["offsets", &topic, "--at", &moment, "--output", "plain"]).succeeds();
        assert_eq!(shown.stdout, format!("{topic}\t0\t0\t4\t4\t2\n"));
        let shown = user.velo(&["offsets", &topic, "--at", "@now", "--output", "plain"]).succeeds();
        assert_eq!(shown.stdout, format!("{topic}\t0\t0\t4\t4\t4\n"));
    }

    fn a_compacted_topic_s_span_is_called_no_count(cluster) {
        let user = User::at(cluster);
        let topic = cluster.name("compacted");
        user.velo(&["topic", "create", &topic, "--partitions", "1", "--config", "cleanup.policy=compact"]).succeeds();
        user.writes(&topic, "k:a\nk:b\n", &["--key-separator", ":"]);
        let shown = user.velo(&["offsets", &topic]).succeeds();
        let said = format!("`{topic}` is compacted (cleanup.policy): END-START is no count of its records;");
        assert!(shown.stderr.starts_with(&said), "{}", shown.stderr);
        assert_eq!(user.velo(&["offsets", &topic, "--output", "plain"]).succeeds().stderr, "");
    }

    fn what_is_not_there_is_told(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let none = user.velo(&["offsets", &format!("{topic}x")]).fails_with(1);
        assert!(none.stderr.contains(&format!("hint: did you mean `{topic}`?")), "{}", none.stderr);
        let none = user.velo(&["offsets", &topic, "--partition", "7"]).fails_with(1);
        assert!(none.stderr.starts_with(&format!("error: topic `{topic}` has no partition 7\n")), "{}", none.stderr);
    }
}
