//! `kafka-console-consumer`

use crate::support::cluster::Cluster;
use crate::support::records::User;

/// The arguments of the script behind its name.
fn line<'a>(cluster: &'a Cluster, arguments: &[&'a str]) -> Vec<&'a str> {
    let start = [
        "kafka-console-consumer",
        "--bootstrap-server",
        cluster.bootstrap(),
    ];
    [&start, arguments].concat()
}

on_both_clusters! {
    fn columns_are_printed_and_the_count_goes_to_stderr(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "k1:v1\nk2:NUL\n", &["--key-separator", ":", "--null-marker", "NUL", "-H", "h:1"]);
        let properties = ["print.key=true", "print.headers=true", "print.offset=true", "print.epoch=true"];
        let mut words = vec!["--topic", &topic, "--from-beginning", "--max-messages", "2"];
        words.extend(properties.iter().flat_map(|property| ["--formatter-property", property]));
        let ended = user.velo(&line(cluster, &words)).succeeds();
        assert_eq!(
            ended.stdout,
            "Offset:0\tEpoch:NOT_PRESENT\th:1\tk1\tv1\nOffset:1\tEpoch:NOT_PRESENT\th:1\tk2\tnull\n"
        );
        assert!(ended.stderr.ends_with("Processed a total of 2 messages\n"), "{}", ended.stderr);

        let words = ["--topic", &topic, "--partition", "0", "--offset", "1", "--timeout-ms", "500"];
        let ended = user.velo(&line(cluster, &words)).succeeds();
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("null\n", "Processed a total of 1 messages\n"));
    }
}

on_both_clusters! {
    fn a_group_goes_on_where_it_stopped(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("console");
        user.writes(&topic, "1\n2\n3\n", &[]);
        let words = ["--topic", &topic, "--group", &group, "--from-beginning", "--max-messages"];
        let ended = user.velo(&line(cluster, &[&words[..], &["2"]].concat())).succeeds();
        assert_eq!(ended.stdout, "1\n2\n");
        let ended = user.velo(&line(cluster, &[&words[..], &["1"]].concat())).succeeds();
        assert_eq!(ended.stdout, "3\n");
    }
}

on_both_clusters! {
    fn what_cannot_be_shown_ends_the_tool_or_is_skipped(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "v1\nfour\n", &[]);
        let integer = "value.deserializer=org.apache.kafka.common.serialization.IntegerDeserializer";
        let words = ["--topic", &topic, "--from-beginning", "--max-messages", "2", "--property", integer];
        let ended = user.velo(&line(cluster, &words)).fails_with(1);
        assert!(ended.stderr.contains("Processed a total of 1 messages\n"), "{}", ended.stderr);
        assert!(ended.stderr.contains("Size of data received by IntegerDeserializer is not 4"), "{}", ended.stderr);
        let ended = user.velo(&line(cluster, &[&words[..], &["--skip-message-on-error"]].concat())).succeeds();
        assert!(ended.stdout.ends_with("\n1718580594\n"), "{}", ended.stdout);
    }
}

on_both_clusters! {
    fn refusals_are_kafkas_and_old_ways_are_taught(cluster) {
        let user = User::at(cluster);
        for (words, refusal) in [
            (vec!["--topic", "a", "--offset", "1"], "The partition is required when offset is specified."),
            (
                vec!["--topic", "a", "--include", "b"],
                "Exactly one of the following arguments is required: [topic], [include]",
            ),
            (
                vec!["--topic", "a", "--partition", "0", "--group", "g"],
                "Options group and partition cannot be specified together.",
            ),
        ] {
            let ended = user.velo(&line(cluster, &words)).fails_with(1);
            assert!(ended.stderr.starts_with(&format!("{refusal}\nOption")), "{}", ended.stderr);
        }
        let ended = user.velo(&line(cluster, &["--whitelist", "velib.*"])).fails_with(1);
        assert!(ended.stderr.starts_with("whitelist is not a recognized option\n"), "{}", ended.stderr);
        assert!(ended.stderr.ends_with("--include 'velib.*'\n"), "{}", ended.stderr);
    }
}

on_both_clusters! {
    fn text_is_read_in_the_charset_that_its_deserializer_is_given(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "caf\u{e9}\n", &[]);
        let class = "org.apache.kafka.common.serialization.StringDeserializer";
        let encoding = |name: &str| format!("value.deserializer.deserializer.encoding={name}");
        let reads = |encoding: &str| {
            let words = [
                "--topic", &topic, "--from-beginning", "--max-messages", "1", "--value-deserializer", class,
                "--formatter-property", encoding,
            ];
            user.velo(&line(cluster, &words))
        };
        assert_eq!(reads(&encoding("ISO-8859-1")).succeeds().stdout, "caf\u{c3}\u{a9}\n");
        assert_eq!(reads(&encoding("UTF-8")).succeeds().stdout, "caf\u{e9}\n");
        // As Java, which then has no deserializer and shows the bytes.
        let ended = reads(&encoding("Klingon")).succeeds();
        assert_eq!(ended.stdout, "caf\u{e9}\n");
        assert!(ended.stderr.contains("unsupported encoding Klingon"), "{}", ended.stderr);
    }
}

#[test]
fn where_nothing_listens_it_ends_when_its_time_is_up() {
    let home = crate::support::velo::Home::new();
    let line = [
        "kafka-console-consumer",
        "--bootstrap-server",
        "127.0.0.1:1",
        "--topic",
        "t",
        "--timeout-ms",
        "300",
    ];
    for more in [vec![], vec!["--partition", "0"]] {
        let ended = home.velo(&[&line[..], &more].concat()).succeeds();
        assert_eq!(ended.stdout, "");
        assert!(
            ended.stderr.ends_with("Processed a total of 0 messages\n"),
            "{}",
            ended.stderr
        );
    }
}
