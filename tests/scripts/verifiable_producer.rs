//! `kafka-verifiable-producer`

use crate::support::records::{User, a_minute_ago};
use crate::support::velo::Home;
use serde_json::{Value, json};

/// The events, without what no two runs share.
pub fn events(stdout: &str) -> Vec<Value> {
    stdout
        .lines()
        .map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            let fields = event.as_object_mut().unwrap();
            assert!(fields.remove("timestamp").unwrap().is_i64());
            fields.remove("avg_throughput");
            event
        })
        .collect()
}

on_both_clusters! {
    fn each_record_has_its_line(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let created = a_minute_ago().to_string();
        let words = [
            "kafka-verifiable-producer", "--bootstrap-server", cluster.bootstrap(), "--topic", &topic, "--max-messages",
            "3", "--repeating-keys", "2", "--value-prefix", "7", "--message-create-time", &created,
        ];
        let ended = user.velo(&words).succeeds();
        let written = |offset: i32, key: &str, value: &str| {
            json!({"name": "producer_send_success", "key": key, "value": value, "offset": offset, "topic": topic,
                   "partition": 0})
        };
        assert_eq!(events(&ended.stdout), [
            json!({"name": "startup_complete"}),
            written(0, "0", "7.0"),
            written(1, "1", "7.1"),
            written(2, "0", "7.2"),
            json!({"name": "shutdown_complete"}),
            json!({"name": "tool_data", "sent": 3, "acked": 3, "target_throughput": -1}),
        ]);
        let read = user.reads(&topic, &["--format", "%T %k %v"]);
        assert!(read.starts_with(&format!("{created} 0 7.0\n")), "{read}");

        let words = [
            "kafka-verifiable-producer", "--bootstrap-server", cluster.bootstrap(), "--topic", "no name",
            "--max-messages", "1",
        ];
        let ended = user.velo(&words).succeeds();
        assert_eq!(events(&ended.stdout)[1], json!({
            "name": "producer_send_error", "topic": "no name", "key": null, "value": "0",
            "exception": "class org.apache.kafka.common.errors.InvalidTopicException",
            "message": "Invalid topics: [no name]",
        }));
    }
}

#[test]
fn mistakes_are_told_in_argparse4js_words() {
    let home = Home::new();
    for (words, refusal) in [
        (
            vec!["--topic", "a"],
            "verifiable-producer: error: one of the arguments --bootstrap-server is required",
        ),
        (
            vec!["--topic", "a", "--acks", "7"],
            "verifiable-producer: error: argument --acks: invalid choice: '7' (choose from {0,1,-1})",
        ),
    ] {
        let ended = home
            .velo(&[&["kafka-verifiable-producer"], &words[..]].concat())
            .fails_with(1);
        let told = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.ends_with(refusal), "{}", ended.stderr);
    }
}

#[test]
fn the_usage_is_as_wide_as_the_terminal_less_five() {
    let home = Home::new();
    let second_line = |columns: &str| {
        let mut command = home.command(&["kafka-verifiable-producer", "--topix"]);
        let output = command.env("COLUMNS", columns).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        told.lines().nth(1).unwrap().trim_start().to_owned()
    };
    assert_eq!(second_line("40"), "--topic TOPIC");
    assert_eq!(
        second_line("120"),
        "[--producer.config CONFIG-FILE] [--message-create-time CREATE-TIME]"
    );
    // What is no number counts as none given; what is too small, too.
    assert_eq!(second_line("3"), second_line(""));
}
