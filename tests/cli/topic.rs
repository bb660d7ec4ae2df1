//! `velo topic`

use crate::support::records::User;
use crate::support::velo::Ended;
use serde_json::{Value, json};

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

on_both_clusters! {
    fn created_topics_are_listed_and_described(cluster) {
        let user = User::at(cluster);
        let (one, other) = (cluster.name("one"), cluster.name("other"));
        let create = ["topic", "create", &one, &other, "--partitions", "3", "--config", "retention.ms=1h"];
        let said = user.velo(&create).succeeds();
        assert_eq!(
            said.stderr,
            format!("Created topic `{one}` with 3 partitions.\nCreated topic `{other}` with 3 partitions.\n")
        );
        let listed = user.velo(&["topic", "list", &one, &other, "--output", "plain"]).succeeds();
        assert_eq!(listed.stdout, format!("{one}\t3\t1\n{other}\t3\t1\n"));
        let described = json_of(&user.velo(&["topic", "describe", &one, "--output", "json"]).succeeds());
        let topic = &described[0];
        assert_eq!(topic["topic"], json!(one));
        let last = &topic["partitions"][2];
        assert_eq!(last["partition"], 2);
        assert_eq!(last["replicas"], json!([last["leader"]]));
        assert_eq!(last["isr"], last["replicas"]);
        assert_eq!((&last["earliest"], &last["latest"]), (&json!(0), &json!(0)));
        assert_eq!(last["size_bytes"], 0);
        let retention = json!({"name": "retention.ms", "value": "3600000", "source": "DYNAMIC_TOPIC_CONFIG"});
        assert!(topic["settings"].as_array().unwrap().contains(&retention), "{topic}");
        user.velo(&["topic", "delete", &one, &other, "--yes"]).succeeds();
    }

    fn a_table_shows_where_each_partition_is(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "a\nb\n", &[]);
        let table = user.velo(&["topic", "describe", &topic]).succeeds().stdout;
        let title = table.lines().next().unwrap();
        assert!(title.starts_with(&format!("{topic}: 1 partition, replication factor 1, id ")), "{table}");
        let cells: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
        let [name, partition, leader, replicas, isr, start, end, ..] = cells[..] else {
            panic!("{table}");
        };
        assert_eq!((name, partition, start, end), (topic.as_str(), "0", "0", "2"));
        assert_eq!((leader, replicas), (replicas, isr));
    }

    fn a_topic_that_is_there_is_told_or_passed_over(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let again = user.velo(&["topic", "create", &topic]).fails_with(1);
        assert!(again.stderr.starts_with(&format!("error: cannot create topic `{topic}`\n  why: ")), "{}", again.stderr);
        assert!(again.stderr.contains(&format!("hint: velo topic describe {topic}")), "{}", again.stderr);
        let passed = user.velo(&["topic", "create", &topic, "--if-not-exists"]).succeeds();
        assert_eq!(passed.stderr, format!("Topic `{topic}` is there already.\n"));
    }

    fn a_dry_run_creates_nothing(cluster) {
        let user = User::at(cluster);
        let topic = cluster.name("dry");
        let said = user.velo(&["topic", "create", &topic, "--dry-run", "--output", "json"]).succeeds();
        assert_eq!(json_of(&said), json!([{"topic": topic, "state": "possible", "error": null}]));
        user.velo(&["topic", "describe", &topic]).fails_with(1);
        let refused = user.velo(&["topic", "create", "no spaces", "--dry-run"]).fails_with(1);
        assert!(refused.stderr.contains("why: "), "{}", refused.stderr);
    }

    fn more_copies_than_brokers_are_refused_with_what_is_possible(cluster) {
        let user = User::at(cluster);
        let topic = cluster.name("copies");
        let refused = user.velo(&["topic", "create", &topic, "--replication-factor", "3"]).fails_with(1);
        assert_eq!(
            refused.stderr,
            format!(
                "error: cannot create topic `{topic}` with replication factor 3\n  \
                 why: each copy needs a broker of its own, and 1 broker is up\n\
                 hint: velo topic create {topic} --replication-factor 1\n"
            )
        );
    }

    fn partitions_are_added_and_never_taken_away(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let raised = user.velo(&["topic", "alter", &topic, "--partitions", "10"]).succeeds();
        assert!(
            raised.stderr.starts_with(&format!("Partitions of topic `{topic}`, 1 to 10: raised.\n")),
            "{}",
            raised.stderr
        );
        let lowered = user.velo(&["topic", "alter", &topic, "--partitions", "5"]).fails_with(1);
        assert!(lowered.stderr.contains("never taken away"), "{}", lowered.stderr);
        user.velo(&["topic", "alter", &topic]).fails_with(2);
    }

    fn settings_change_with_their_value_before_and_after(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let alter = ["topic", "alter", &topic, "--config", "max.message.bytes=2MiB", "--output", "json"];
        let changed = json_of(&user.velo(&alter).succeeds());
        assert_eq!(
            changed["settings"],
            json!([{"name": "max.message.bytes", "before": "1048588", "after": "2097152"}])
        );
        let back = ["topic", "alter", &topic, "--unset-config", "max.message.bytes", "--output", "json"];
        let changed = json_of(&user.velo(&back).succeeds());
        assert_eq!(
            changed["settings"],
            json!([{"name": "max.message.bytes", "before": "2097152", "after": "1048588"}])
        );
    }

    fn deletion_asks_and_a_glob_takes_what_it_matches(cluster) {
        let user = User::at(cluster);
        let stem = cluster.name("glob");
        let (one, other) = (format!("{stem}-1"), format!("{stem}-2"));
        user.velo(&["topic", "create", &one, &other]).succeeds();
        let pattern = format!("{stem}-*");
        let unasked = user.velo(&["topic", "delete", &pattern]).fails_with(2);
        assert_eq!(
            unasked.stderr,
            format!(
                "These topics will go, with all their records:\n  {one}\n  {other}\n\
                 error: this needs a yes\n  why: it cannot be undone, and there is no terminal to ask on\n\
                 hint: velo topic delete '{pattern}' --yes\n"
            )
        );
        let gone = user.velo(&["topic", "delete", &pattern, "--yes", "--output", "plain"]).succeeds();
        assert_eq!(gone.stdout, format!("{one}\tdeleted\n{other}\tdeleted\n"));
        let none = user.velo(&["topic", "delete", &pattern, "--yes"]).fails_with(1);
        assert!(none.stderr.starts_with(&format!("error: no topic matches `{pattern}`")), "{}", none.stderr);
        user.velo(&["topic", "delete", &one, "--if-exists", "--yes"]).succeeds();
    }

    fn kafka_s_own_topics_are_listed_on_request(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("reader");
        user.writes(&topic, "a\n", &[]);
        user.velo(&["consume", &topic, "--group", &group, "--from-beginning", "--count", "1"]).succeeds();
        let hidden = user.velo(&["topic", "list", "--output", "plain"]).succeeds();
        assert!(!hidden.stdout.contains("__consumer_offsets"), "{}", hidden.stdout);
        let shown = user.velo(&["topic", "list", "--internal", "--output", "plain"]).succeeds();
        assert!(shown.stdout.contains("__consumer_offsets\t50\t1\n"), "{}", shown.stdout);
    }
}
