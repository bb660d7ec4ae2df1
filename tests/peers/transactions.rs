//! Transactions by clients that we did not write, on one broker and on three.

use super::*;

/// What is read when three transactions wrote, the second of which was aborted.
const READ: &str = "committed a b c d e\nall a b c d e x y\n";

/// The same in the order of their one partition.
const READ_IN_ORDER: &str = "committed a b c d e\nall a b c x y d e\n";

/// Runs the program on one broker and on three.
fn on_one_and_three(run: impl Fn(&str, &str) -> Said, expected: &str) {
    for (brokers, replicas) in [(1, "1"), (3, "3")] {
        let cluster = Cluster::classroom_of(brokers);
        assert_eq!(
            run(cluster.bootstrap(), replicas).succeeded(),
            expected,
            "{brokers}"
        );
    }
}

fn python(name: &'static str) -> impl Fn(&str, &str) -> Said {
    move |bootstrap, replicas| {
        let interpreter = peers_folder().join("python/bin/python");
        run(
            Command::new(interpreter)
                .arg(program(name))
                .args([bootstrap, replicas]),
            "",
        )
    }
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn java_s_producer_commits_aborts_and_is_fenced() {
    let source = program("Transactions.java").display().to_string();
    on_one_and_three(
        |bootstrap, replicas| run(java(&source).args([bootstrap, replicas]), ""),
        &format!("{READ}passed on A B C D E, offsets true\nfenced\nread A B C D E k\nstate CompleteCommit\n"),
    );
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn librdkafka_commits_aborts_and_is_fenced() {
    on_one_and_three(
        python("confluent_transactions.py"),
        &format!("{READ}passed on A B C D E\noffsets at the end True\nfenced True\nread A B C D E kept\n"),
    );
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn kafka_python_commits_and_aborts() {
    on_one_and_three(
        python("kafka_python_transactions.py"),
        &format!("{READ_IN_ORDER}offset 3\nread passed on\n"),
    );
}

#[test]
#[cfg_attr(
    not(peer = "node"),
    ignore = "kafkajs is not here: scripts/dev/test fetches it"
)]
fn kafkajs_commits_and_aborts() {
    let kafkajs = |bootstrap: &str, _: &str| {
        run(
            Command::new("node")
                .arg(program("kafkajs_transactions.js"))
                .arg(bootstrap)
                .env("NODE_PATH", peers_folder().join("node/node_modules"))
                .env("KAFKAJS_NO_PARTITIONER_WARNING", "1"),
            "",
        )
    };
    on_one_and_three(kafkajs, &format!("{READ_IN_ORDER}offset 3\nread passed on\n"));
}

fn go(name: &'static str) -> impl Fn(&str, &str) -> Said {
    move |bootstrap, replicas| {
        let program = peers_folder().join("go").join(name);
        run(
            Command::new(program).args(["transactions", bootstrap, replicas]),
            "",
        )
    }
}

#[test]
#[cfg_attr(
    not(peer = "go"),
    ignore = "Go's clients are not here: scripts/dev/test fetches them"
)]
fn franz_go_commits_aborts_and_is_fenced() {
    on_one_and_three(
        go("franz_go"),
        &format!("{READ_IN_ORDER}passed on A B C D E, at the end true\nfenced true\nread A B C D E k\n"),
    );
}

#[test]
#[cfg_attr(
    not(peer = "go"),
    ignore = "Go's clients are not here: scripts/dev/test fetches them"
)]
fn sarama_commits_aborts_and_is_fenced() {
    on_one_and_three(
        go("sarama"),
        &format!("{READ_IN_ORDER}offset 3\nread passed on\nfenced true\nread passed on kept\n"),
    );
}
