//! `kafka-log-dirs`, `kafka-broker-api-versions`, `kafka-groups` and `kafka-acls`

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Ended;
use serde_json::Value;

/// Runs a script on the cluster.
fn run(user: &User<'_>, cluster: &Cluster, script: &str, arguments: &[&str]) -> Ended {
    let start = [script, "--bootstrap-server", cluster.bootstrap()];
    user.velo(&[&start, arguments].concat())
}

/// The JSON line of `kafka-log-dirs`.
fn json(ended: &Ended) -> Value {
    let line = ended.stdout.lines().last().unwrap();
    serde_json::from_str(line).unwrap()
}

on_both_clusters! {
    fn replicas_are_listed_with_their_sizes(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        let describe = ["--describe", "--topic-list", &topic];
        let ended = run(&user, cluster, "kafka-log-dirs", &describe).succeeds();
        let lines: Vec<&str> = ended.stdout.lines().collect();
        assert_eq!(lines[0], "Querying brokers for log directories information");
        assert_eq!(lines[1], "Received log directory information from brokers 1");
        assert!(lines[2].starts_with("{\"brokers\":[{\"broker\":1,\"logDirs\":[{\"partitions\":[{\"partition\":\""));
        assert!(lines[2].ends_with("}]}],\"version\":1}"), "{}", lines[2]);
        user.writes(&topic, "one\n", &["--partition", "0"]);
        let ended = run(&user, cluster, "kafka-log-dirs", &describe).succeeds();
        let partitions = json(&ended)["brokers"][0]["logDirs"][0]["partitions"].clone();
        let size = |index: i32| {
            let name = format!("{topic}-{index}");
            let found = partitions.as_array().unwrap().iter().find(|one| one["partition"] == *name);
            found.unwrap()["size"].as_i64().unwrap()
        };
        assert!(size(0) > 60, "{partitions}");
        assert_eq!(size(1), 0);
    }
    fn brokers_that_are_not_there_are_named(cluster) {
        let user = User::at(cluster);
        let ended = run(&user, cluster, "kafka-log-dirs", &["--describe", "--broker-list", "1,9"]).fails_with(1);
        assert_eq!(
            ended.stderr,
            "ERROR: The given brokers do not exist from --broker-list: 9. Current existent brokers: 1\n"
        );
        let ended = run(&user, cluster, "kafka-log-dirs", &[]).fails_with(1);
        assert!(ended.stderr.starts_with("Missing required argument \"[describe]\"\n"), "{}", ended.stderr);
    }
    fn apis_are_listed_with_the_version_that_java_would_use(cluster) {
        let user = User::at(cluster);
        let ended = run(&user, cluster, "kafka-broker-api-versions", &[]).succeeds();
        let first = format!("{} (id: 1 rack: null isFenced: false) -> (\n", cluster.bootstrap());
        assert!(ended.stdout.starts_with(&first), "{}", ended.stdout);
        for line in [
            "\tMetadata(3): 0 to 13 [usable: 13],\n",
            "\tOffsetDelete(47): 0 [usable: 0],\n",
            "\tPushTelemetry(72): UNSUPPORTED,\n",
        ] {
            assert!(ended.stdout.contains(line), "{line}{}", ended.stdout);
        }
        assert!(ended.stdout.ends_with("\n)\n"), "{}", ended.stdout);
    }
    fn groups_of_every_type_are_listed_and_picked(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let group = cluster.name("grouped");
        user.writes(&topic, "one\n", &[]);
        user.velo(&["consume", &topic, "--group", &group, "--from-beginning", "--exit-at-end"]).succeeds();
        let listed = |options: &[&str]| {
            let ended = run(&user, cluster, "kafka-groups", &[&["--list"], options].concat()).succeeds();
            let header: Vec<String> =
                ended.stdout.lines().next().unwrap().split_whitespace().map(str::to_owned).collect();
            assert_eq!(header, ["GROUP", "TYPE", "PROTOCOL"]);
            ended.stdout.lines().find(|line| line.starts_with(&group)).map(str::to_owned)
        };
        let words: Vec<String> =
            listed(&["--consumer"]).unwrap().split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, [group.as_str(), "Classic", "consumer"]);
        assert!(listed(&["--group-type", "classic", "--protocol", "consumer"]).is_some());
        assert_eq!(listed(&["--share"]), None);
        let ended = run(&user, cluster, "kafka-groups", &["--list", "--group-type", "x"]).fails_with(1);
        assert_eq!(ended.stderr, "--group-type must be a valid group type.\n");
    }
}

/// On our own cluster: the Apache Kafka of the tests has an authorizer (`peers::secured::rights`).
#[test]
fn without_an_authorizer_there_are_no_acls() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    let refused = "Error while executing ACL command: org.apache.kafka.common.errors.SecurityDisabledException: No \
                   Authorizer is configured";
    let add = [
        "--add",
        "--allow-principal",
        "User:alice",
        "--operation",
        "Read",
        "--topic",
        "t",
    ];
    for asking in [&["--list"][..], &add] {
        let ended = run(&user, &cluster, "kafka-acls", asking).fails_with(1);
        assert_eq!(ended.stdout, format!("{refused} on the broker\n"));
    }
    let ended = run(
        &user,
        &cluster,
        "kafka-acls",
        &["--remove", "--topic", "t", "--force"],
    )
    .fails_with(1);
    assert_eq!(ended.stdout, format!("{refused}.\n"));
}
