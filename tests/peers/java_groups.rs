//! Apache Kafka's console consumers in groups, and its consumer-groups tool on them.

use super::*;

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

fn consumer(cluster: &Cluster, topic: &str, group: &str) -> Background {
    Background::start(java(CONSUMER).args([
        "--bootstrap-server",
        cluster.bootstrap(),
        "--topic",
        topic,
        "--group",
        group,
    ]))
}

/// Rows of `--describe`, split into words; the header is gone.
fn described(cluster: &Cluster, group: &str) -> Vec<Vec<String>> {
    let said = java_tool(cluster, GROUPS, &["--describe", "--group", group]);
    said.stdout
        .lines()
        .filter(|line| line.starts_with(group))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn two_consumers_share_three_partitions_then_five_records_wait_as_lag() {
    let cluster = Cluster::classroom();
    java_tool(
        &cluster,
        TOPICS,
        &["--create", "--topic", "iabd-topic-group", "--partitions", "3"],
    )
    .succeeded();
    let first = consumer(&cluster, "iabd-topic-group", "iabd-app1");
    let second = consumer(&cluster, "iabd-topic-group", "iabd-app1");
    eventually(
        || described(&cluster, "iabd-app1"),
        |rows| {
            let mut members: Vec<&String> = rows.iter().filter_map(|row| row.get(6)).collect();
            members.sort();
            members.dedup();
            rows.len() == 3 && members.len() == 2 && rows.iter().all(|row| row[5] == "0")
        },
    );
    drop((first, second));
    eventually(
        || java_tool(&cluster, GROUPS, &["--describe", "--group", "iabd-app1"]).stderr,
        |said| said.contains("Consumer group 'iabd-app1' has no active members."),
    );
    java_tool_reading(
        &cluster,
        PRODUCER,
        &["--topic", "iabd-topic-group"],
        "1\n2\n3\n4\n5\n",
    )
    .succeeded();
    let lag: i64 = described(&cluster, "iabd-app1")
        .iter()
        .map(|row| row[5].parse::<i64>().unwrap())
        .sum();
    assert_eq!(lag, 5);
    let listed = java_tool(&cluster, GROUPS, &["--list", "--state"]).succeeded();
    assert!(
        listed.contains("iabd-app1") && listed.contains("Empty"),
        "{listed}"
    );
    let arguments = [
        "--group",
        "iabd-app1",
        "--topic",
        "iabd-topic-group",
        "--reset-offsets",
        "--to-latest",
        "--execute",
    ];
    java_tool(&cluster, GROUPS, &arguments).succeeded();
    let lag: i64 = described(&cluster, "iabd-app1")
        .iter()
        .map(|row| row[5].parse::<i64>().unwrap())
        .sum();
    assert_eq!(lag, 0);
    java_tool(&cluster, GROUPS, &["--delete", "--group", "iabd-app1"]).succeeded();
    assert_eq!(java_tool(&cluster, GROUPS, &["--list"]).succeeded().trim(), "");
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn committed_offsets_are_read_by_apache_kafkas_own_formatter() {
    let cluster = Cluster::classroom();
    java_tool_reading(&cluster, PRODUCER, &["--topic", "t"], "a\nb\n").succeeded();
    let read = [
        "--topic",
        "t",
        "--group",
        "g",
        "--from-beginning",
        "--max-messages",
        "2",
        "--timeout-ms",
        "30000",
    ];
    assert_eq!(java_tool(&cluster, CONSUMER, &read).lines(), ["a", "b"]);
    let formatted = java_tool(
        &cluster,
        CONSUMER,
        &[
            "--topic",
            "__consumer_offsets",
            "--from-beginning",
            "--timeout-ms",
            "5000",
            "--formatter",
            "org.apache.kafka.tools.consumer.OffsetsMessageFormatter",
        ],
    );
    assert!(
        formatted
            .stdout
            .contains(r#""group":"g","topic":"t","partition":0"#),
        "{}",
        formatted.stdout
    );
    assert!(formatted.stdout.contains(r#""offset":2"#), "{}", formatted.stdout);
}
