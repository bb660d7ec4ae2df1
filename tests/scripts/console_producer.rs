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
