//! Did you mean …?

use crate::support::records::User;
use crate::support::velo::Home;

on_both_clusters! {
    fn whoever_reads_or_writes_a_misspelt_topic_is_told_the_nearest(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let slip = &topic[..topic.len() - 1];
        for command in [
            &["produce", slip][..],
            &["consume", slip, "--from-beginning", "--exit-at-end"],
            &["consume", slip, "--group", slip],
            &["consume", slip, "--tail", "1"],
            &["offsets", slip],
            &["topic", "describe", slip],
            &["velib", "monitor", "--topic", slip],
            &["velib", "empty", "--topic", slip],
            &["mongo", "ingest", "--topic", slip, "--to", "none.jsonl"],
            &["people", "ingest", "--topic", slip, "--to", "none.jsonl"],
            &["group", "reset", slip, "--topic", slip, "--to", "earliest"],
        ] {
            let ended = user.velo_with("x\n", command).fails_with(1);
            assert!(ended.stderr.contains("did you mean `"), "{command:?}: {}", ended.stderr);
        }
    }

    fn no_topic_is_suggested_that_kafka_or_the_command_itself_has_made(cluster) {
        let user = User::at(cluster);
        let group = cluster.name("monitors");
        let like_the_state = format!("{group}-stat");
        for command in [
            &["velib", "monitor", "--topic", &like_the_state, "--group", &group][..],
            &["velib", "empty", "--topic", &like_the_state, "--group", &group],
            &["topic", "describe", "consumer_offsets"],
            &["consume", "consumer_offsets"],
        ] {
            let ended = user.velo(command).fails_with(1);
            let suggested = ended.stderr.lines().find(|line| line.contains("did you mean"));
            assert!(
                suggested.is_none_or(|line| !line.contains("-state") && !line.contains("__")),
                "{command:?}: {}",
                ended.stderr
            );
        }
        let listed = user.velo(&["topic", "list", "--output", "plain"]).succeeds().stdout;
        assert!(!listed.contains(&format!("{group}-state")), "{listed}");
    }

    fn a_setting_by_its_name_on_the_broker_finds_the_topic_s(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let fresh = cluster.name("fresh");
        for (command, meant) in [
            (&["config", "set", "topic", &topic, "log.retention.ms=1h"][..], "retention.ms"),
            (&["config", "get", "topic", &topic, "log.roll.hours"], "segment.ms"),
            (&["config", "unset", "topic", &topic, "message.max.bytes"], "max.message.bytes"),
            (&["topic", "alter", &topic, "--config", "log.cleanup.policy=compact"], "cleanup.policy"),
            (&["topic", "create", &fresh, "--config", "log.retention.minutes=5m"], "retention.ms"),
            (&["topic", "create", &fresh, "--config", "retention.m=5m"], "retention.ms"),
        ] {
            let ended = user.velo(command);
            assert!(ended.code != 0, "{command:?}");
            assert!(ended.stderr.contains(&format!("did you mean `{meant}`?")), "{command:?}: {}", ended.stderr);
        }
    }

    fn a_topic_s_settings_have_no_synonym_that_is_not_known(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let shown = user.velo(&["config", "get", "topic", &topic, "--all", "-o", "json"]).succeeds();
        let settings: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        for setting in settings.as_array().unwrap() {
            let name = setting["name"].as_str().unwrap();
            assert!(velodrome::commands::settings::TOPIC_SETTINGS.contains(&name), "{name} is never suggested");
            for synonym in setting["synonyms"].as_array().unwrap() {
                let of_broker = synonym["name"].as_str().unwrap();
                assert!(
                    of_broker == name || velodrome::commands::synonyms::of_topic(of_broker) == Some(name),
                    "{name}: {of_broker}"
                );
            }
        }
    }
}

#[test]
fn a_setting_without_a_value_is_told_how_it_is_written() {
    let home = Home::new();
    let alone = home
        .velo(&["config", "set", "topic", "trips", "retention.ms"])
        .fails_with(2);
    assert_eq!(
        alone.stderr,
        "error: `retention.ms` has no value\n  why: a setting and its value are one word: NAME=VALUE\n\
         hint: retention.ms=7d\nhint: velo config get topic trips retention.ms    (shows what it is now)\n"
    );
    let apart = home
        .velo(&["config", "set", "topic", "trips", "retention.ms", "4s"])
        .fails_with(2);
    assert!(
        apart
            .stderr
            .ends_with("hint: velo config set topic trips retention.ms=4s\n"),
        "{}",
        apart.stderr
    );
}

#[test]
fn contexts_and_lessons_are_suggested_too() {
    let home = Home::new();
    home.velo(&["context", "add", "classroom", "-b", "127.0.0.1:1"])
        .succeeds();
    for command in [
        &["context", "use", "clasroom"][..],
        &["context", "remove", "clasroom"],
        &["context", "show", "clasroom"],
        &["topic", "list", "--context", "clasroom"],
    ] {
        let ended = home.velo(command).fails_with(1);
        assert!(
            ended.stderr.contains("did you mean `classroom`?"),
            "{command:?}: {}",
            ended.stderr
        );
    }
    let script = home.velo(&["kafka-topic.sh", "--list"]).fails_with(2);
    assert!(
        script.stderr.contains("did you mean `kafka-topics`?"),
        "{}",
        script.stderr
    );
    for command in [
        &["lesson", "start", "velob"][..],
        &["lesson", "play", "velob"],
        &["lesson", "files", "velob"],
        &["lesson", "status", "velob"],
        &["lesson", "reset", "velob"],
        &["quiz", "velob"],
    ] {
        let ended = home.velo(command).fails_with(2);
        assert!(
            ended.stderr.contains("did you mean `velib`?"),
            "{command:?}: {}",
            ended.stderr
        );
    }
}
