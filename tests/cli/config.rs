//! `velo config`

use crate::support::records::User;
use serde_json::{Value, json};

on_both_clusters! {
    fn a_setting_shows_its_value_its_place_and_its_default(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let set = user.velo(&["config", "set", "topic", &topic, "segment.ms=2s"]).succeeds();
        assert_eq!(set.stderr, format!("segment.ms of topic `{topic}`: 604800000 (7d) -> 2000 (2s)\n"));
        let shown = user.velo(&["config", "get", "topic", &topic, "segment.ms"]).succeeds();
        assert_eq!(
            shown.stdout,
            "SETTING     VALUE      FROM       DEFAULT\nsegment.ms  2000 (2s)  the topic  604800000 (7d)\n"
        );
        let shown = user.velo(&["config", "get", "topic", &topic, "segment.ms", "--output", "json"]).succeeds();
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown[0]["value"], "2000");
        assert_eq!(shown[0]["human"], "2s");
        assert_eq!(shown[0]["source"], "DYNAMIC_TOPIC_CONFIG");
        assert_eq!(shown[0]["default"], "604800000");
        let unset = user.velo(&["config", "unset", "topic", &topic, "segment.ms"]).succeeds();
        assert_eq!(unset.stderr, format!("segment.ms of topic `{topic}`: 2000 (2s) -> 604800000 (7d)\n"));
    }

    fn a_retention_shorter_than_a_segment_says_what_will_happen(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let set = user.velo(&["config", "set", "topic", &topic, "retention.ms=4s"]).succeeds();
        assert!(set.stderr.contains("whole segments do"), "{}", set.stderr);
        assert!(
            set.stderr.ends_with(&format!("hint: velo config set topic {topic} segment.ms=2s\n")),
            "{}",
            set.stderr
        );
        user.velo(&["config", "set", "topic", &topic, "segment.ms=2s"]).succeeds();
        let again = user.velo(&["config", "set", "topic", &topic, "retention.ms=5s"]).succeeds();
        assert_eq!(again.stderr, format!("retention.ms of topic `{topic}`: 4000 (4s) -> 5000 (5s)\n"));
    }

    fn a_slip_in_a_name_is_told_with_the_nearest(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        for verb in [&["get", "topic", &topic, "retention"][..], &["set", "topic", &topic, "retention=4s"]] {
            let slip = user.velo(&[&["config"], verb].concat()).fails_with(1);
            assert_eq!(
                slip.stderr,
                "error: `retention` is not a setting of a topic\nhint: did you mean `retention.ms`?\n"
            );
        }
    }

    fn a_value_that_makes_no_sense_changes_nothing(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.velo(&["config", "set", "topic", &topic, "retention.ms=soon"]).fails_with(2);
        let refused = user.velo(&["config", "set", "topic", &topic, "cleanup.policy=burn"]).fails_with(1);
        assert!(refused.stderr.contains("burn"), "{}", refused.stderr);
        let dry = user.velo(&["config", "set", "topic", &topic, "retention.ms=1h", "--dry-run"]).succeeds();
        assert!(dry.stderr.contains("Nothing was changed."), "{}", dry.stderr);
        let shown = user.velo(&["config", "get", "topic", &topic, "--output", "plain"]).succeeds();
        assert!(!shown.stdout.contains("DYNAMIC_TOPIC_CONFIG"), "{}", shown.stdout);
    }

    fn a_broker_has_settings_too(cluster) {
        let user = User::at(cluster);
        let id = broker_id(&user);
        let shown = user.velo(&["config", "get", "broker", &id, "num.partitions", "--output", "json"]).succeeds();
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown[0]["name"], json!("num.partitions"));
        let fixed = user.velo(&["config", "set", "broker", &id, "broker.id=7"]).fails_with(1);
        assert!(fixed.stderr.contains("cannot be changed while the broker runs"), "{}", fixed.stderr);
        let none = user.velo(&["config", "get", "broker", "4242"]).fails_with(1);
        assert!(none.stderr.starts_with("error: there is no broker 4242\n"), "{}", none.stderr);
        user.velo(&["config", "get", "broker", "first"]).fails_with(2);
    }
}

/// The id of the cluster's one broker, as its first topic's leader.
fn broker_id(user: &User<'_>) -> String {
    let topic = user.topic(1);
    let described = user
        .velo(&["topic", "describe", &topic, "--output", "json"])
        .succeeds();
    let described: Value = serde_json::from_str(&described.stdout).unwrap();
    described[0]["partitions"][0]["leader"].to_string()
}
