//! `kafka-console-producer`

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Home;

/// Runs the script with `input`; exit code, stdout and stderr.
fn produce(cluster: &Cluster, input: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut line = vec![
        "kafka-console-producer",
        "--bootstrap-server",
        cluster.bootstrap(),
    ];
    line.extend(arguments);
    let ended = Home::new().command(&line).write_stdin(input).output().unwrap();
    (
        ended.status.code().unwrap_or(-1),
        String::from_utf8(ended.stdout).unwrap(),
        String::from_utf8(ended.stderr).unwrap(),
    )
}

on_both_clusters! {
    fn headers_keys_and_nulls_are_written_and_the_topic_is_made(cluster) {
        let topic = cluster.name("console-producer");
        let properties = ["parse.key=true", "parse.headers=true", "null.marker=NUL"];
        let mut line = vec!["--topic", topic.as_str(), "--sync"];
        line.extend(properties.iter().flat_map(|property| ["--reader-property", property]));
        let said = produce(cluster, "h1:v1,h2:v2\tk1\tv1\nNUL\tNUL\tNUL\n", &line);
        assert_eq!(said, (0, String::new(), String::new()));
        let seen = User::at(cluster).reads(&topic, &["--format", "%h|%k|%v\\n"]);
        assert!(seen.contains("k1|v1\n"), "{seen}");
        assert_eq!(seen.lines().count(), 2, "{seen}");
    }
}

on_both_clusters! {
    fn what_is_wrong_is_said_as_kafka_says_it(cluster) {
        let topic = cluster.name("console-producer");
        let (code, out, err) = produce(
            cluster,
            "a\n",
            &["--topic", &topic, "--property", "parse.key=true"],
        );
        assert_eq!(code, 1);
        assert_eq!(
            out,
            "Warning: --property is deprecated and will be removed in a future version. Use --reader-property instead.\n"
        );
        assert_eq!(
            err,
            "org.apache.kafka.common.KafkaException: No key separator found on line number 1: 'a'\n"
        );
        let both = ["--topic", &topic, "--property", "a=b", "--reader-property", "a=b"];
        let (code, _, err) = produce(cluster, "", &both);
        assert_eq!(code, 1);
        assert!(err.starts_with("Options --reader-property and --property cannot be specified together.\nOption"));
        let (code, _, err) = produce(cluster, "a\n", &["--topic", &topic, "--broker-list", "h:9092"]);
        assert_eq!(code, 1);
        assert!(err.starts_with("broker-list is not a recognized option\n"), "{err}");
        // One list of brokers is enough.
        let today = format!("hint: kafka-console-producer.sh --bootstrap-server {} --topic {topic}\n", cluster.bootstrap());
        assert!(err.ends_with(&today), "{err}");
    }
}

on_both_clusters! {
    fn a_line_larger_than_the_clients_limit_is_refused_by_its_name(cluster) {
        let topic = User::at(cluster).topic(1);
        let why = "Error when sending message to topic TOPIC with error: The message is 86 bytes when serialized which is \
                   larger than 10, which is the value of the max.request.size configuration.\n"
            .replace("TOPIC", &topic);
        let line = ["--topic", &topic, "--command-property", "max.request.size=10"];
        assert_eq!(produce(cluster, "a\n", &line), (0, String::new(), why.clone()));
        let sync = [&line[..], &["--sync"]].concat();
        assert_eq!(produce(cluster, "a\n", &sync), (1, String::new(), why));
        // The limit holds Java's way of counting: this one just fits.
        let fits = ["--topic", &topic, "--command-property", "max.request.size=86"];
        assert_eq!(produce(cluster, "a\n", &fits), (0, String::new(), String::new()));
        assert_eq!(User::at(cluster).reads(&topic, &[]), "a\n");
    }

    fn what_a_broker_refuses_is_said_in_its_own_words(cluster) {
        let user = User::at(cluster);
        let (compacted, timed) = (user.topic(1), user.topic(1));
        user.velo(&["config", "set", "topic", &compacted, "cleanup.policy=compact"]).succeeds();
        user.velo(&["config", "set", "topic", &timed, "message.timestamp.before.max.ms=1000"]).succeeds();
        let said = user.velo_with("no key\n", &["produce", &compacted]).fails_with(1);
        let why = format!("line 1: Compacted topic cannot accept message without key in topic partition {compacted}-0");
        assert!(said.stderr.contains(&why), "{}", said.stderr);
        assert!(said.stderr.contains(&format!("hint: velo produce {compacted} --key-separator :")), "{}", said.stderr);
        let old = "{\"value\":\"new\"}\n{\"value\":\"old\",\"timestamp\":5}\n";
        let said = user.velo_with(old, &["produce", &timed, "--jsonl"]).fails_with(1);
        assert!(
            said.stderr.contains("line 2: Timestamp 5 of message with offset 1 is out of range. The timestamp should be within ["),
            "{}",
            said.stderr
        );
        let (code, _, err) = produce(cluster, "no key\n", &["--topic", &compacted, "--sync"]);
        assert_eq!(code, 1);
        assert!(err.contains("error: Compacted topic cannot accept message without key"), "{err}");
    }
}
