//! `kafka-verifiable-consumer`

use super::verifiable_producer::events;
use crate::support::records::User;
use crate::support::velo::Home;
use serde_json::{Value, json};

on_both_clusters! {
    fn all_that_happens_to_a_member_has_its_line(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("verifiable");
        user.writes(&topic, "a:1\n:2\nc:3\n", &["--key-separator", ":"]);
        let words = [
            "kafka-verifiable-consumer", "--bootstrap-server", cluster.bootstrap(), "--topic", &topic, "--group-id",
            &group, "--max-messages", "2", "--verbose",
        ];
        let ended = user.velo(&words).succeeds();
        let partition = json!({"topic": topic, "partition": 0});
        let record = |offset: i32, key: Value, value: &str| {
            json!({"name": "record_data", "key": key, "value": value, "topic": topic, "partition": 0, "offset": offset})
        };
        assert_eq!(events(&ended.stdout), [
            json!({"name": "startup_complete"}),
            json!({"name": "partitions_assigned", "partitions": [partition]}),
            record(0, json!("a"), "1"),
            record(1, json!(""), "2"),
            json!({"name": "records_consumed", "count": 3, "partitions": [
                {"topic": topic, "partition": 0, "count": 2, "minOffset": 0, "maxOffset": 1}
            ]}),
            json!({"name": "offsets_committed", "offsets": [{"topic": topic, "partition": 0, "offset": 2}],
                   "success": true}),
            json!({"name": "partitions_revoked", "partitions": [partition]}),
            json!({"name": "shutdown_complete"}),
            json!({"name": "shutdown_requested"}),
        ]);

        let words = [&words[..7], &["--max-messages", "1", "--group-protocol", "consumer"]].concat();
        let ended = user.velo(&words).succeeds();
        let consumed = events(&ended.stdout).into_iter().find(|event| event["name"] == "records_consumed");
        match consumed {
            Some(consumed) => assert_eq!(consumed["partitions"][0]["minOffset"], 2, "{}", ended.stdout),
            // A cluster without that protocol is no reason to wait.
            None => assert!(ended.stderr.starts_with("Error during processing, "), "{}", ended.stderr),
        }
    }
}

on_both_clusters! {
    fn without_a_reset_policy_a_new_group_ends(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("verifiable-none");
        let words = [
            "kafka-verifiable-consumer", "--bootstrap-server", cluster.bootstrap(), "--topic", &topic, "--group-id",
            &group, "--reset-policy", "none",
        ];
        let ended = user.velo(&words).succeeds();
        let names: Vec<Value> = events(&ended.stdout).into_iter().map(|event| event["name"].clone()).collect();
        assert_eq!(
            names,
            ["startup_complete", "partitions_assigned", "partitions_revoked", "shutdown_complete", "shutdown_requested"]
        );
        assert!(ended.stderr.contains("no reset policy"), "{}", ended.stderr);
    }
}

#[test]
fn what_a_java_consumer_would_not_begin_with_is_refused() {
    let home = Home::new();
    let command = [
        "kafka-verifiable-consumer",
        "--bootstrap-server",
        "localhost:1",
        "--topic",
        "a",
        "--group-id",
        "g",
    ];
    for (words, refusal) in [
        (
            vec!["--group-protocol", "new"],
            "java.lang.IllegalArgumentException: No enum constant org.apache.kafka.clients.consumer.GroupProtocol.NEW\n",
        ),
        (
            vec!["--session-timeout", "3000"],
            "Heartbeat must be set lower than the session timeout\n",
        ),
        (
            vec!["--session-timeout", "9000", "--group-protocol", "CONSUMER"],
            "session.timeout.ms cannot be set when group.protocol=CONSUMER\n",
        ),
        (
            vec!["--assignment-strategy", "x.Y"],
            "hint: no Java class can be loaded here; --assignment-strategy takes ",
        ),
        (
            vec!["--reset-policy", "x"],
            "Invalid value x for configuration auto.offset.reset",
        ),
    ] {
        let ended = home.velo(&[&command[..], &words].concat()).fails_with(1);
        assert!(ended.stderr.contains(refusal), "{}", ended.stderr);
    }
}
