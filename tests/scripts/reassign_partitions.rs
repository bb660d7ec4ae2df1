//! `kafka-reassign-partitions`

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Ended;
use std::io::Write;
use tempfile::NamedTempFile;

/// Runs the script on the cluster.
fn run(user: &User<'_>, cluster: &Cluster, arguments: &[&str]) -> Ended {
    let start = [
        "kafka-reassign-partitions",
        "--bootstrap-server",
        cluster.bootstrap(),
    ];
    user.velo(&[&start, arguments].concat())
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

/// The log directory that the first replica of a line of JSON lies in.
fn log_dir(line: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(line).unwrap();
    json["partitions"][0]["log_dirs"][0].as_str().unwrap().to_owned()
}

on_both_clusters! {
    fn what_is_proposed_can_be_executed_and_verified(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let topics = file(&format!("{{\"topics\":[{{\"topic\":\"{topic}\"}}],\"version\":1}}"));
        let generate = ["--generate", "--topics-to-move-json-file", path(&topics), "--broker-list", "1"];
        let ended = run(&user, cluster, &generate).succeeds();
        let lines: Vec<&str> = ended.stdout.lines().collect();
        let [current, now, "", proposed, then] = lines[..] else { panic!("{lines:?}") };
        assert_eq!(current, "Current partition replica assignment");
        assert_eq!(proposed, "Proposed partition reassignment configuration");
        let log_dir = log_dir(now);
        let line = |dir: &str| format!(
            "{{\"version\":1,\"partitions\":[{{\"topic\":\"{topic}\",\"partition\":0,\"replicas\":[1],\"log_dirs\":[\"{dir}\"]}}]}}"
        );
        assert_eq!((now, then), (line(&log_dir).as_str(), line("any").as_str()));

        let plan = file(&line(&log_dir));
        let execute = ["--execute", "--reassignment-json-file", path(&plan)];
        let ended = run(&user, cluster, &execute).succeeds();
        assert_eq!(ended.stdout, format!(
            "Current partition replica assignment\n\n{now}\n\nSave this to use as the --reassignment-json-file option \
             during rollback\nSuccessfully started partition reassignment for {topic}-0\nSuccessfully started moving log \
             directory to {log_dir} for replica {topic}-0 with broker 1 \n"
        ));
        let ended = run(&user, cluster, &["--verify", "--reassignment-json-file", path(&plan)]).succeeds();
        assert_eq!(ended.stdout, format!(
            "Status of partition reassignment:\nReassignment of partition {topic}-0 is completed.\nReassignment of replica \
             {topic}-0-1 completed successfully.\nClearing broker-level throttles on broker 1\nClearing topic-level \
             throttles on topic {topic}\n"
        ));
        let cancel = ["--cancel", "--reassignment-json-file", path(&plan), "--preserve-throttles"];
        let ended = run(&user, cluster, &cancel).succeeds();
        assert_eq!(
            ended.stdout,
            "None of the specified partition reassignments are active.\nNone of the specified partition moves are active."
        );
    }
    fn what_cannot_be_is_refused_on_stdout(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let missing = cluster.name("missing");
        let plan = |topic: &str, partition: i32, rest: &str| file(&format!(
            "{{\"partitions\":[{{\"topic\":\"{topic}\",\"partition\":{partition},{rest}}}]}}"
        ));
        for (plan, told) in [
            (plan(&topic, 0, "\"replicas\":[7]"), "Error: Unknown broker id 7\n".to_owned()),
            (
                plan(&missing, 0, "\"replicas\":[1]"),
                format!(
                    "Error: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Topic {missing} not found.\n"
                ),
            ),
            (
                plan(&topic, 9, "\"replicas\":[1]"),
                format!(
                    "Error: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Unable to find partition: \
                     {topic}-9\n"
                ),
            ),
            (plan(&topic, 0, "\"replicas\":[]"), "Error: Partition replica list cannot be empty\n".to_owned()),
            (
                plan(&topic, 0, "\"replicas\":[1],\"log_dirs\":[]"),
                format!(
                    "Error: Size of replicas list [1] is different from size of log dirs list [] for partition {topic}-0\n"
                ),
            ),
        ] {
            let ended = run(&user, cluster, &["--execute", "--reassignment-json-file", path(&plan)]).fails_with(1);
            assert_eq!(ended.stdout, told);
        }
        let nowhere = plan(&topic, 0, "\"replicas\":[1],\"log_dirs\":[\"/nowhere\"]");
        let ended = run(&user, cluster, &["--execute", "--reassignment-json-file", path(&nowhere)]).fails_with(1);
        assert!(ended.stdout.ends_with(&format!("Error: Failed to alter dir for {topic}-0-1\n")), "{}", ended.stdout);
    }
    fn usage_errors_are_kafkas(cluster) {
        let user = User::at(cluster);
        for (arguments, told) in [
            (&[][..], "Command must include exactly one action: --generate, --execute, --verify, --cancel, --list\n"),
            (&["--list", "--timeout", "4"], "Option \"[timeout]\" can't be used with action \"[list]\"\n"),
            (&["--verify"], "Missing required argument \"[reassignment-json-file]\"\n"),
        ] {
            let ended = run(&user, cluster, arguments).fails_with(1);
            assert!(ended.stderr.starts_with(told), "{}", ended.stderr);
        }
    }
}
