//! kafka-python and confluent-kafka.

use super::*;

fn python(cluster: &Cluster, name: &str, arguments: &[&str]) -> Said {
    let interpreter = peers_folder().join("python/bin/python");
    run(
        Command::new(interpreter)
            .arg(program(name))
            .arg(cluster.bootstrap())
            .args(arguments),
        "",
    )
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn kafka_python_produces_ten_and_reads_them_in_a_group() {
    let cluster = Cluster::classroom();
    assert_eq!(
        python(&cluster, "kafka_python_round_trip.py", &[]).succeeded(),
        "10 read, committed 10\n"
    );
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn confluent_kafka_administers_and_rebalances_cooperatively() {
    let cluster = Cluster::classroom();
    let said = python(&cluster, "confluent_cooperative.py", &[]).succeeded();
    assert_eq!(said, "created\nfirst has 4\nshared 2 and 2\nidempotent 100\n");
}
