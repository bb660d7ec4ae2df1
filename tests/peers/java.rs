//! Apache Kafka's own tools: topics, configs, console producer and consumer, offsets, delete-records, perf.

use super::*;
use crate::support::velo::Home;

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "org.apache.kafka.tools.ConfigCommand";
const PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const GET_OFFSETS: &str = "org.apache.kafka.tools.GetOffsetShell";
const DELETE_RECORDS: &str = "org.apache.kafka.tools.DeleteRecordsCommand";
const LOG_DIRS: &str = "org.apache.kafka.tools.LogDirsCommand";
const PRODUCER_PERF: &str = "org.apache.kafka.tools.ProducerPerformance";
const CONSUMER_PERF: &str = "org.apache.kafka.tools.ConsumerPerformance";

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn topics_are_created_described_altered_to_ten_partitions_and_deleted() {
    let cluster = Cluster::classroom();
    let created = java_tool(&cluster, TOPICS, &["--create", "--topic", "velib-stations"]).succeeded();
    assert_eq!(created, "Created topic velib-stations.\n");
    let described = java_tool(&cluster, TOPICS, &["--describe", "--topic", "velib-stations"]).succeeded();
    assert!(
        described.contains(
            "PartitionCount: 1\tReplicationFactor: 1\tConfigs: min.insync.replicas=1,segment.bytes=1073741824"
        ),
        "{described}"
    );
    assert!(
        described.contains("\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: "),
        "{described}"
    );
    java_tool(
        &cluster,
        TOPICS,
        &["--alter", "--topic", "velib-stations", "--partitions", "10"],
    )
    .succeeded();
    let described = java_tool(&cluster, TOPICS, &["--describe", "--topic", "velib-stations"]).succeeded();
    assert!(described.contains("PartitionCount: 10"), "{described}");
    let twice = java_tool(&cluster, TOPICS, &["--create", "--topic", "velib-stations"]);
    assert!(
        twice.stdout.contains("Topic 'velib-stations' already exists."),
        "{}",
        twice.stdout
    );
    java_tool(&cluster, TOPICS, &["--delete", "--topic", "velib-stations"]).succeeded();
    assert_eq!(java_tool(&cluster, TOPICS, &["--list"]).succeeded().trim(), "");
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn eligible_leader_replicas_are_shown_as_kafka_topics_of_ours_shows_them() {
    let cluster = Cluster::classroom_of(3);
    let Cluster::Classroom(brokers) = &cluster else {
        unreachable!("it is ours")
    };
    let create = ["--create", "--topic", "few", "--replica-assignment", "2:3"];
    let least = ["--config", "min.insync.replicas=2"];
    java_tool(&cluster, TOPICS, &[&create[..], &least].concat()).succeeded();
    brokers.stop_broker(3);
    brokers.stop_broker(2);
    let describe = ["--describe", "--topic", "few"];
    let theirs = java_tool(&cluster, TOPICS, &describe).succeeded();
    assert!(
        theirs.contains("\tLeader: none\tReplicas: 2,3\tIsr: \tElr: 2,3\tLastKnownElr: 2"),
        "{theirs}"
    );
    let server = ["kafka-topics", "--bootstrap-server", cluster.bootstrap()];
    let ours = Home::new().velo(&[&server[..], &describe].concat()).succeeds();
    assert_eq!(ours.stdout, theirs);
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn configs_are_set_shown_and_unset() {
    let cluster = Cluster::classroom();
    java_tool(&cluster, TOPICS, &["--create", "--topic", "t"]).succeeded();
    let entity = ["--entity-type", "topics", "--entity-name", "t"];
    let alter = |extra: &[&str]| java_tool(&cluster, CONFIGS, &[&entity[..], &["--alter"], extra].concat());
    alter(&["--add-config", "retention.ms=4000,segment.ms=2000"]).succeeded();
    let shown = java_tool(&cluster, CONFIGS, &[&entity[..], &["--describe"]].concat()).succeeded();
    assert!(
        shown.contains("retention.ms=4000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=4000"),
        "{shown}"
    );
    alter(&["--delete-config", "segment.ms"]).succeeded();
    let shown = java_tool(&cluster, CONFIGS, &[&entity[..], &["--describe"]].concat()).succeeded();
    assert!(!shown.contains("segment.ms"), "{shown}");
    assert_ne!(alter(&["--add-config", "no.such.config=1"]).code, Some(0));
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn retention_that_was_altered_is_seen_to_delete_and_a_restart_keeps_the_rest() {
    let mut cluster = Cluster::classroom();
    java_tool(&cluster, TOPICS, &["--create", "--topic", "t"]).succeeded();
    let topic = ["--topic", "t"];
    java_tool_reading(&cluster, PRODUCER, &topic, "1\n2\n3\n").succeeded();
    let retention = [
        "--entity-type",
        "topics",
        "--entity-name",
        "t",
        "--alter",
        "--add-config",
        "retention.ms=1000",
    ];
    java_tool(&cluster, CONFIGS, &retention).succeeded();
    let begins_at = |cluster: &Cluster, offset: &str| {
        let earliest =
            || java_tool(cluster, GET_OFFSETS, &["--topic", "t", "--time", "earliest"]).succeeded();
        eventually(earliest, |told| *told == format!("t:0:{offset}\n"));
    };
    begins_at(&cluster, "3");
    if let Cluster::Classroom(classroom) = &mut cluster {
        classroom.stop_and_restart();
    }
    begins_at(&cluster, "3");
    let forever = [&retention[..6], &["retention.ms=-1"]].concat();
    java_tool(&cluster, CONFIGS, &forever).succeeded();
    java_tool_reading(&cluster, PRODUCER, &topic, "4\n").succeeded();
    let all = ["--topic", "t", "--from-beginning", "--max-messages", "1"];
    assert_eq!(java_tool(&cluster, CONSUMER, &all).succeeded(), "4\n");
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn keyed_lines_are_typed_in_and_come_out_whole() {
    let cluster = Cluster::classroom();
    java_tool(
        &cluster,
        TOPICS,
        &["--create", "--topic", "keys", "--partitions", "3"],
    )
    .succeeded();
    let lines = "clave1:valor1\nclave2:valor2\nclave1:{\"customer_id\":\"1\"}\n";
    let keyed = [
        "--topic",
        "keys",
        "--reader-property",
        "parse.key=true",
        "--reader-property",
        "key.separator=:",
    ];
    java_tool_reading(&cluster, PRODUCER, &keyed, lines).succeeded();
    let consumer = [
        "--topic",
        "keys",
        "--from-beginning",
        "--max-messages",
        "3",
        "--timeout-ms",
        "30000",
        "--formatter-property",
        "print.key=true",
        "--formatter-property",
        "print.partition=true",
        "--formatter-property",
        "key.separator=:",
    ];
    let mut read = java_tool(&cluster, CONSUMER, &consumer).lines();
    read.sort();
    let partition_of = |key: &str| -> Vec<&str> {
        read.iter()
            .filter(|line| line.contains(key))
            .map(|line| line.split(':').next().unwrap())
            .collect()
    };
    let clave1 = partition_of("clave1");
    assert_eq!(clave1.len(), 2);
    assert_eq!(clave1[0], clave1[1], "one key, one partition: {read:?}");
    assert!(
        read.iter()
            .any(|line| line.ends_with("clave1:{\"customer_id\":\"1\"}")),
        "{read:?}"
    );
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn offsets_are_told_and_records_deleted() {
    let cluster = Cluster::classroom();
    java_tool_reading(&cluster, PRODUCER, &["--topic", "t"], "a\nb\n").succeeded();
    java_tool_reading(&cluster, PRODUCER, &["--topic", "t"], "c\n").succeeded();
    assert_eq!(
        java_tool(&cluster, GET_OFFSETS, &["--topic", "t"]).succeeded(),
        "t:0:3\n"
    );
    let newest = java_tool(
        &cluster,
        GET_OFFSETS,
        &["--topic", "t", "--time", "max-timestamp"],
    )
    .succeeded();
    assert_eq!(newest, "t:0:2\n");
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    std::fs::write(
        &plan,
        r#"{"partitions":[{"topic":"t","partition":0,"offset":2}],"version":1}"#,
    )
    .unwrap();
    let deleted = java_tool(
        &cluster,
        DELETE_RECORDS,
        &["--offset-json-file", plan.to_str().unwrap()],
    )
    .succeeded();
    assert!(deleted.contains("partition: t-0\tlow_watermark: 2"), "{deleted}");
    assert_eq!(
        java_tool(&cluster, GET_OFFSETS, &["--topic", "t", "--time", "earliest"]).succeeded(),
        "t:0:2\n"
    );
    let directories = java_tool(&cluster, LOG_DIRS, &["--describe", "--topic-list", "t"]).succeeded();
    assert!(directories.contains("\"partition\":\"t-0\""), "{directories}");
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn performance_tools_write_and_read_every_record() {
    let cluster = Cluster::classroom();
    for (topic, acks) in [("acks-one", "acks=1"), ("acks-all", "acks=all")] {
        let arguments = [
            "--topic",
            topic,
            "--num-records",
            "20000",
            "--record-size",
            "100",
            "--throughput",
            "-1",
            "--command-property",
            acks,
        ];
        let said = java_tool(&cluster, PRODUCER_PERF, &arguments).succeeded();
        assert!(said.contains("20000 records sent"), "{said}");
        let arguments = ["--topic", topic, "--num-records", "20000", "--timeout", "30000"];
        let said = java_tool(&cluster, CONSUMER_PERF, &arguments).succeeded();
        assert!(said.lines().last().unwrap().contains(", 20000, "), "{said}");
    }
}
