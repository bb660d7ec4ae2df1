//! The scripts that ask for what librdkafka lacks: `kafka-cluster`, `kafka-features`, `kafka-metadata-quorum`,
//! `kafka-transactions`; and `kafka-storage`.

use crate::support::cluster::Cluster;
use crate::support::velo::{Ended, Home};

/// A script on a cluster, its `--bootstrap-server` first.
fn run(cluster: &Cluster, script: &str, arguments: &[&str]) -> Ended {
    let start = [script, "--bootstrap-server", cluster.bootstrap()];
    Home::new().velo(&[&start, arguments].concat())
}

on_both_clusters! {
    fn kafka_cluster_names_the_cluster_and_its_brokers(cluster) {
        let server = cluster.bootstrap();
        let home = Home::new();
        let ended = home.velo(&["kafka-cluster", "cluster-id", "--bootstrap-server", server]).succeeds();
        let id = ended.stdout.strip_prefix("Cluster ID: ").unwrap().trim_end();
        assert_eq!(id.len(), 22, "{id}");

        let ended = home.velo(&["kafka-cluster", "list-endpoints", "-b", server]).succeeds();
        let mut lines = ended.stdout.lines();
        let titles: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(titles, ["ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"]);
        let (_, port) = server.rsplit_once(':').unwrap();
        let first: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(first[2..], [port, "null", "unfenced", "broker"]);

        let ended = home.velo(&["kafka-cluster", "unregister", "-b", server, "-i", "9999"]).fails_with(1);
        let refusal = "org.apache.kafka.common.errors.BrokerIdNotRegisteredException: Broker ID 9999 is not currently registered";
        assert_eq!((ended.stdout.as_str(), ended.stderr.trim_end()), ("", refusal));
    }
}

on_both_clusters! {
    fn kafka_features_shows_what_the_cluster_agreed_on(cluster) {
        let ended = run(cluster, "kafka-features", &["describe"]).succeeds();
        let metadata = ended.stdout.lines().find(|line| line.contains("metadata.version")).unwrap();
        assert!(metadata.starts_with(&format!("Feature: {:<40}  SupportedMinVersion: ", "metadata.version")), "{metadata}");
        assert!(metadata.contains(&format!("FinalizedVersionLevel: {:<15}  Epoch: ", "4.4-IV2")), "{metadata}");

        let update = ["upgrade", "--feature", "no.such.version=1", "--dry-run"];
        let ended = run(cluster, "kafka-features", &update).fails_with(1);
        assert!(ended.stdout.starts_with("Can not upgrade no.such.version to 1. "), "{}", ended.stdout);
        assert_eq!(ended.stderr, "1 out of 1 operation(s) failed.\n");
    }
}

on_both_clusters! {
    fn kafka_metadata_quorum_describes_the_quorum_of_one(cluster) {
        let ended = run(cluster, "kafka-metadata-quorum", &["describe", "--status"]).succeeds();
        let names: Vec<&str> = ended.stdout.lines().map(|line| line.split(':').next().unwrap()).collect();
        let expected = [
            "ClusterId", "LeaderId", "LeaderEpoch", "HighWatermark", "MaxFollowerLag", "MaxFollowerLagTimeMs",
            "CurrentVoters", "CurrentObservers",
        ];
        assert_eq!(names, expected);
        assert!(ended.stdout.contains("CurrentVoters:          [{\"id\": "), "{}", ended.stdout);
        assert!(ended.stdout.contains("\"endpoints\": [\"CONTROLLER://"), "{}", ended.stdout);

        let ended = run(cluster, "kafka-metadata-quorum", &["describe", "--replication"]).succeeds();
        let rows: Vec<Vec<&str>> = ended.stdout.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows[0][0], "NodeId");
        assert_eq!((rows[1][3].trim_end(), rows[1][6].trim_end()), ("0", "Leader"));

        let both = ["describe", "--status", "--replication"];
        let ended = run(cluster, "kafka-metadata-quorum", &both).fails_with(1);
        let refusal = "Only one of --status or --replication should be specified with describe sub-command\n";
        assert_eq!(ended.stderr, refusal);
        let dry = ["remove-controller", "-i", "3", "-d", "AAAAAAAAAAAAAAAAAAAAAQ", "--dry-run"];
        let ended = run(cluster, "kafka-metadata-quorum", &dry).succeeds();
        let said = "DRY RUN of removing KRaft controller 3 with directory id AAAAAAAAAAAAAAAAAAAAAQ\n";
        assert_eq!(ended.stdout, said);
    }
}

on_both_clusters! {
    fn kafka_transactions_describes_the_producers_of_a_partition(cluster) {
        let topic = cluster.name("wire");
        let home = Home::new();
        let server = cluster.bootstrap();
        home.velo(&["topic", "create", &topic, "--bootstrap-server", server]).succeeds();
        home.command(&["produce", &topic, "--bootstrap-server", server]).write_stdin("a\nb\n").assert().success();

        let of_topic = ["describe-producers", "--topic", &topic, "--partition", "0"];
        let ended = run(cluster, "kafka-transactions", &of_topic).succeeds();
        let rows: Vec<Vec<&str>> = ended.stdout.lines().map(|line| line.split('\t').map(str::trim_end).collect()).collect();
        assert_eq!(rows[0][..2], ["ProducerId", "ProducerEpoch"]);
        assert_eq!((rows[1][3], rows[1][5]), ("1", "None"));

        let hanging = ["find-hanging", "--topic", &topic];
        let ended = run(cluster, "kafka-transactions", &hanging).succeeds();
        assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
        let abort = ["abort", "--topic", &topic, "--partition", "0", "--start-offset", "0"];
        let ended = run(cluster, "kafka-transactions", &abort).fails_with(1);
        let refusal = format!("Could not find any open transactions starting at offset 0 on partition {topic}-0\n");
        assert_eq!(ended.stderr, refusal);
    }
}

#[test]
fn a_cluster_that_is_down_is_told_soon_in_kafka_s_words() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = format!("127.0.0.1:{port}");
    let home = Home::new();
    for (line, call) in [
        (
            ["kafka-cluster", "cluster-id", "--bootstrap-server", &server],
            "listNodes",
        ),
        (
            ["kafka-features", "--bootstrap-server", &server, "describe"],
            "describeFeatures",
        ),
    ] {
        let ended = home.velo(&line).fails_with(1);
        let refusal = format!(
            "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: {call}\nhint: "
        );
        assert!(ended.stderr.starts_with(&refusal), "{}", ended.stderr);
    }
}

#[test]
fn kafka_storage_formats_the_folder_of_a_node_of_ours() {
    let home = Home::new();
    let id = home.velo(&["kafka-storage", "random-uuid"]).succeeds().stdout;
    let id = id.trim_end();
    let folder = home.path().join("logs");
    let file = home.path().join("server.properties");
    let text = format!(
        "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
         controller.listener.names=CONTROLLER\ncontroller.quorum.bootstrap.servers=localhost:9093\nlog.dirs={}\n",
        folder.display()
    );
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let format = |more: &[&str]| {
        let line = [
            "kafka-storage",
            "format",
            "--cluster-id",
            id,
            "-c",
            file,
            "--standalone",
        ];
        home.velo(&[&line, more].concat())
    };
    home.velo(&["kafka-storage", "info", "-c", file]).fails_with(1);
    let undecided = home
        .velo(&["kafka-storage", "format", "-t", id, "-c", file])
        .fails_with(1);
    assert!(
        undecided
            .stderr
            .starts_with("Because controller.quorum.voters is not set"),
        "{}",
        undecided.stderr
    );
    let refused = format(&["--add-scram", "SCRAM-SHA-256=[name=a,password=b]"]).fails_with(1);
    assert!(
        refused.stderr.starts_with("--add-scram cannot be used"),
        "{}",
        refused.stderr
    );
    let said = format!(
        "Formatting dynamic metadata voter directory {} with metadata.version 4.4-IV2.\n",
        folder.display()
    );
    assert_eq!(format(&[]).succeeds().stdout, said);
    let again = format(&[]).fails_with(1);
    assert!(
        again
            .stderr
            .contains("is already formatted. Use --ignore-formatted"),
        "{}",
        again.stderr
    );
    format(&["--ignore-formatted"]).succeeds();
    let info = home.velo(&["kafka-storage", "info", "-c", file]).succeeds();
    assert!(
        info.stdout
            .contains(&format!("Found metadata: {{cluster.id={id}, ")),
        "{}",
        info.stdout
    );
}
