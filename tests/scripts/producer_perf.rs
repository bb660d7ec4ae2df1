//! `kafka-producer-perf-test`

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Home;
use regex::Regex;

const WINDOW: &str = r"\d+ records sent, \d+\.\d records/sec \(\d+\.\d\d MB/sec\), \d+\.\d ms avg latency, \d+\.\d ms max latency\.";

/// The summary of so many records, and the words behind their number.
fn summary(records: u32, kind: &str) -> String {
    format!(
        r"{records}{kind} records sent, \d+\.\d{{6}} records/sec \(\d+\.\d\d MB/sec\), \d+\.\d\d ms avg latency, \d+\.\d\d ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\."
    )
}

#[track_caller]
fn assert_lines(text: &str, patterns: &[&str]) {
    let whole = format!("^{}\n$", patterns.join("\n"));
    assert!(Regex::new(&whole).unwrap().is_match(text), "{text}");
}

fn line<'a>(cluster: &'a Cluster, topic: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let start = [
        "kafka-producer-perf-test",
        "--bootstrap-server",
        cluster.bootstrap(),
        "--topic",
        topic,
    ];
    [&start, arguments].concat()
}

on_both_clusters! {
    fn records_are_written_and_summed_up(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        let words = ["--num-records", "500", "--record-size", "20", "--throughput", "-1", "--print-metrics"];
        let ended = user.velo(&line(cluster, &topic, &words)).succeeds();
        let (first, metrics) = ended.stdout.split_once("\n\n").unwrap();
        assert_lines(&format!("{first}\n"), &[&summary(500, "")]);
        let counted = format!("producer-topic-metrics:byte-total:{{client-id=perf-producer-client, topic={topic}}}");
        let row = metrics.lines().find(|row| row.starts_with(&counted)).unwrap();
        assert!(row.ends_with(" : 10000.000"), "{row}");

        let read = user.reads(&topic, &[]);
        assert_eq!(read.lines().count(), 500);
        assert!(read.lines().all(|line| line.len() == 20 && line.bytes().all(|byte| byte.is_ascii_uppercase())));
    }
}

on_both_clusters! {
    fn warmup_throughput_and_windows_are_as_asked_for(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let words = [
            "--num-records", "60", "--payload-monotonic", "--throughput", "100", "--warmup-records", "20",
            "--reporting-interval", "150", "--command-property", "linger.ms=0",
        ];
        let ended = user.velo(&line(cluster, &topic, &words)).succeeds();
        let steady = "In steady state.";
        let all = [
            "Warmup first 20 records. Steady state results will print after the complete test summary.",
            &format!("({WINDOW}\n)*{steady}\n({WINDOW}\n)+{}", summary(60, "")),
            &summary(40, " steady state"),
        ];
        assert_lines(&ended.stdout, &all);
        let rate = Regex::new(r"60 records sent, (\d+)").unwrap().captures(&ended.stdout).unwrap()[1].parse::<u32>();
        assert!(rate.unwrap() <= 120, "{}", ended.stdout);
        let expected: Vec<String> = (0..60).map(|number| number.to_string()).collect();
        assert_eq!(user.reads(&topic, &[]).lines().collect::<Vec<_>>(), expected);
    }
}

on_both_clusters! {
    fn payloads_come_from_a_file_in_javas_order(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a|bb|ccc|").unwrap();
        let path = file.path().to_str().unwrap();
        let words = [
            "--num-records", "6", "--payload-file", path, "--payload-delimiter", "\\|", "--throughput", "-1",
            "--producer-props", "acks=all", "linger.ms=1",
        ];
        let ended = user.velo(&line(cluster, &topic, &words)).succeeds();
        assert_lines(&ended.stdout, &[
            &format!("Reading payloads from: {}", regex::escape(path)),
            "Number of records read: 3",
            "Option --producer-props has been deprecated and will be removed in a future version. Use --command-property \
             instead.",
            &summary(6, ""),
        ]);
        assert_eq!(user.reads(&topic, &[]), "bb\nbb\na\na\nbb\nbb\n");
    }
}

on_both_clusters! {
    fn transactions_are_committed(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let id = cluster.name("perf-transaction");
        let words = ["--num-records", "30", "--record-size", "5", "--throughput", "-1", "--transactional-id", &id];
        let ended = user.velo(&line(cluster, &topic, &words)).succeeds();
        assert_lines(&ended.stdout, &[&summary(30, "")]);
        assert_eq!(user.reads(&topic, &["--isolation", "read_committed"]).lines().count(), 30);
    }
}

on_both_clusters! {
    fn what_cannot_be_written_is_told_beside_a_summary_of_nothing(cluster) {
        let user = User::at(cluster);
        let words = ["--num-records", "2", "--record-size", "5", "--throughput", "-1"];
        let ended = user.velo(&line(cluster, "no name", &words)).succeeds();
        assert_eq!(
            ended.stdout,
            "0 records sent, 0.000000 records/sec (0.00 MB/sec), NaN ms avg latency, 0.00 ms max latency, 0 ms 50th, 0 ms \
             95th, 0 ms 99th, 0 ms 99.9th.\n"
        );
        let why = "org.apache.kafka.common.errors.InvalidTopicException: Invalid topics: [no name]\n";
        assert!(ended.stderr.starts_with(why), "{}", ended.stderr);
        let words = [&words[..], &["--command-property", "acks=7"]].concat();
        let ended = user.velo(&line(cluster, "x", &words)).fails_with(1);
        assert!(ended.stderr.contains("Invalid value 7 for configuration acks: String must be one of"), "{}", ended.stderr);
    }
}

#[test]
fn mistakes_are_told_in_argparse4js_words() {
    let home = Home::new();
    let command = ["kafka-producer-perf-test", "--topic", "a", "--throughput", "-1"];
    for (words, refusal) in [
        (vec![], "argument --num-records is required"),
        (vec!["--num-records", "9"], "one of the arguments"),
        (
            vec!["--num-records", "x"],
            "argument --num-records: could not convert 'x' to Long (For input string: \"x\")",
        ),
        (
            vec!["--num-records", "9", "--record-size", "1", "--payload-monotonic"],
            "argument --payload-monotonic: not allowed with argument --record-size",
        ),
        (
            vec!["--p", "x"],
            "ambiguous option: --p could match --payload-delimiter,",
        ),
        (vec!["--topix"], "Did you mean:\n\t--topic\n"),
        (vec!["stray", "words"], "unrecognized arguments: 'stray words'"),
        (
            vec!["--num-records"],
            "argument --num-records: expected one argument",
        ),
    ] {
        let ended = home.velo(&[&command[..], &words].concat()).fails_with(1);
        assert!(
            ended
                .stderr
                .starts_with("usage: kafka-producer-perf-test\n       [-h] "),
            "{}",
            ended.stderr
        );
        // Lines are filled, and may end within a word with a hyphen.
        let told = ended.stderr.split_whitespace().collect::<String>();
        let refusal = refusal.split_whitespace().collect::<String>();
        assert!(told.contains(&refusal), "{}", ended.stderr);
    }
    let ended = home.velo(&["kafka-producer-perf-test"]).succeeds();
    let usage: Vec<&str> = ended.stdout.split_whitespace().collect();
    let choice = "(--record-size RECORD-SIZE | --payload-file PAYLOAD-FILE | --payload-monotonic)";
    assert!(usage.join(" ").contains(choice), "{}", ended.stdout);
}
