//! `kafka-consumer-perf-test`

use crate::support::cluster::Cluster;
use crate::support::records::User;
use regex::Regex;

const MOMENT: &str = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}";
const HEADER: &str = "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, \
                      rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec";

fn line<'a>(cluster: &'a Cluster, arguments: &[&'a str]) -> Vec<&'a str> {
    let start = [
        "kafka-consumer-perf-test",
        "--bootstrap-server",
        cluster.bootstrap(),
    ];
    [&start, arguments].concat()
}

/// So many records of ten bytes.
fn records(count: usize) -> String {
    "123456789a\n".repeat(count)
}

on_both_clusters! {
    fn as_many_records_are_read_as_java_would_poll(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, &records(1200), &[]);
        let ended = user.velo(&line(cluster, &["--topic", &topic, "--messages", "600"])).succeeds();
        let mut lines = ended.stdout.lines();
        assert_eq!(lines.next(), Some("Warning: --messages is deprecated. Use --num-records instead."));
        assert_eq!(lines.next(), Some(HEADER));
        let row = format!(
            r"^{MOMENT}, {MOMENT}, 0\.0095, \d+\.\d{{4}}, 1000, \d+\.\d{{4}}, \d+, -?\d+, \S+, \S+$"
        );
        assert!(Regex::new(&row).unwrap().is_match(lines.next().unwrap()), "{}", ended.stdout);
        assert_eq!(lines.next(), None);
    }
}

on_both_clusters! {
    fn detailed_lines_and_the_warning_when_no_more_comes(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, &records(20), &[]);
        let pattern = format!("{topic}.*");
        let words = [
            "--include", &pattern, "--num-records", "30", "--timeout", "5000", "--show-detailed-stats",
            "--reporting-interval", "1", "--date-format", "yyyy", "--print-metrics",
        ];
        let ended = user.velo(&line(cluster, &words)).succeeds();
        let lines: Vec<&str> = ended.stdout.lines().collect();
        assert!(lines[0].starts_with("time, threadId, data.consumed.in.MB"), "{}", ended.stdout);
        assert!(Regex::new(r"^\d{4}, 0, 0\.0000, \d").unwrap().is_match(lines[1]), "{}", ended.stdout);
        let warning = "WARNING: Exiting before consuming the expected number of records: timeout (5000 ms) exceeded. You \
                       can use the --timeout option to increase the timeout.";
        assert!(lines.contains(&warning), "{}", ended.stdout);
        let counted = "consumer-fetch-manager-metrics:records-consumed-total:{client-id=perf-consumer-client}";
        let row = lines.iter().find(|row| row.starts_with(counted)).unwrap();
        assert!(row.ends_with(" : 20.000"), "{row}");
    }
}

on_both_clusters! {
    fn a_group_goes_on_where_it_stopped_and_the_header_can_be_left_out(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("perf-group");
        user.writes(&topic, &records(700), &[]);
        for expected in [", 500, ", ", 200, "] {
            let words = ["--topic", &topic, "--group", &group, "--num-records", "100", "--hide-header"];
            let ended = user.velo(&line(cluster, &words)).succeeds();
            assert!(ended.stdout.contains(expected) && ended.stdout.lines().count() == 1, "{}", ended.stdout);
        }
    }
}

on_both_clusters! {
    fn refusals_are_kafkas(cluster) {
        let user = User::at(cluster);
        for (words, refusal) in [
            (
                vec!["--topic", "a", "--include", "b"],
                "Exactly one of the following arguments is required: [topic], [include]\n",
            ),
            (vec!["--topic", "a"], "Exactly one of the following arguments is required: [messages], [num-records]\n"),
            (
                vec!["--topic", "a", "--num-records", "1", "--consumer.config", "c", "--command-config", "d"],
                "Option \"[consumer.config]\" can't be used with option \"[command-config]\"\n",
            ),
            (vec!["--topic", "a", "--num-records", "x"], "Cannot parse argument 'x' of option num-records\n"),
            (
                vec!["--topic", "a", "--num-records", "1", "--reporting-interval", "0"],
                "Reporting interval must be greater than 0.\n",
            ),
            (
                vec!["--topic", "a", "--num-records", "1", "--date-format", "bogus"],
                "Illegal pattern character 'b'\n",
            ),
        ] {
            let ended = user.velo(&line(cluster, &words)).fails_with(1);
            assert!(ended.stderr.starts_with(refusal), "{}", ended.stderr);
        }
    }
}
