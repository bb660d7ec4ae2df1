//! `kafka-e2e-latency`

use crate::support::records::User;
use crate::support::velo::Home;
use regex::Regex;

const RESULT: &str =
    r"0\t\d+\.\d+(E-\d)?\nAvg latency: \d+\.\d{4} ms\nPercentiles: 50th = \d+, 99th = \d+, 99\.9th = \d+\n$";

on_both_clusters! {
    fn a_topic_is_made_and_records_are_timed(cluster) {
        let user = User::at(cluster);
        let topic = cluster.name("latency");
        let old = ["kafka-e2e-latency", cluster.bootstrap(), &topic, "5", "all", "10"];
        let ended = user.velo(&old).succeeds();
        let made = format!(
            "Topic \"{topic}\" does not exist. Will create topic with 1 partition(s) and replication factor = 1\n"
        );
        let warning = "WARNING: Positional argument usage is deprecated and will be removed in Apache Kafka 5.0. Please \
                       use named arguments instead: --bootstrap-server, --topic, --num-records, --producer-acks, \
                       --record-size, --command-config\n";
        let rest = ended.stdout.strip_prefix(&format!("{warning}{made}")).unwrap_or_default();
        assert!(Regex::new(&format!("^{RESULT}")).unwrap().is_match(rest), "{}", ended.stdout);

        let words = [
            "kafka-e2e-latency", "--bootstrap-server", cluster.bootstrap(), "--topic", &topic, "--num-records", "3",
            "--producer-acks", "1", "--record-size", "7", "--record-key-size", "2", "--num-headers", "2",
            "--record-header-key-size", "3", "--record-header-size", "-1",
        ];
        let ended = user.velo(&words).succeeds();
        assert!(Regex::new(&format!("^{RESULT}")).unwrap().is_match(&ended.stdout), "{}", ended.stdout);
        let read = user.reads(&topic, &["--format", "%K %S"]);
        assert!(read.ends_with("0 10\n2 7\n2 7\n2 7\n"), "{read}");
    }
}

#[test]
fn mistakes_are_told_in_kafkas_words() {
    let home = Home::new();
    let ended = home.velo(&["kafka-e2e-latency", "--help"]).fails_with(1);
    assert_eq!(
        ended.stderr,
        "Invalid number of arguments. Expected 5 or 6 positional arguments, but got 1. Usage: bootstrap-server topic \
         num-records producer-acks record-size [optional] command-config\n"
    );
    let all = [
        "--bootstrap-server",
        "localhost:1",
        "--topic",
        "a",
        "--record-size",
        "1",
    ];
    for (words, refusal) in [
        (
            ["--num-records", "1", "--producer-acks", "0"],
            "Invalid value for --producer-acks. Latency testing requires synchronous acknowledgement. Please use '1' or \
             'all'.\n",
        ),
        (
            ["--num-records", "0", "--producer-acks", "1"],
            "Value for --num-records must be a positive integer.\n",
        ),
        (
            ["--num-records", "x", "--producer-acks", "1"],
            "Cannot parse argument 'x' of option num-records\n",
        ),
        (
            ["--num-records", "1", "--producer-acks", "1"],
            "Timeout expired while fetching topic metadata\n",
        ),
    ] {
        let ended = home
            .velo(&[&["kafka-e2e-latency"], &all[..], &words].concat())
            .fails_with(1);
        assert!(ended.stderr.starts_with(refusal), "{}", ended.stderr);
    }
}
