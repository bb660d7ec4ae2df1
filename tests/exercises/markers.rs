//! Topics whose last offsets are no records but the markers of transactions.

use super::velib_support::{create, velo};
use crate::support::cluster::Cluster;
use crate::support::velo::Home;

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka is not here: scripts/dev/test starts it"
)]
fn a_topic_that_ends_in_markers_is_read_to_its_end() {
    let cluster = &Cluster::apache();
    let topic = &cluster.name("markers");
    create(cluster, topic, 2);
    let written = [
        "kafka-producer-perf-test",
        "--bootstrap-server",
        cluster.bootstrap(),
        "--topic",
        topic,
        "--num-records",
        "20",
        "--payload-monotonic",
        "--throughput",
        "-1",
        "--transactional-id",
        topic,
    ];
    Home::new().velo(&written).succeeds();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.jsonl").to_str().unwrap().to_owned();
    let ingest = [
        "mongo",
        "ingest",
        "--topic",
        topic,
        "--to",
        &file,
        "--group",
        topic,
        "--exit-at-end",
    ];
    let said = velo(cluster, &ingest).succeeds();
    assert!(said.stderr.contains("20 records read"), "{}", said.stderr);

    let group = format!("{topic}-monitor");
    let monitor = [
        "velib",
        "monitor",
        "--topic",
        topic,
        "--group",
        &group,
        "--exit-at-end",
    ];
    let said = velo(cluster, &monitor).succeeds();
    assert!(said.stderr.contains("in 20 records"), "{}", said.stderr);

    // What is no station needs no mail server.
    let group = format!("{topic}-mail");
    let mail = [
        "velib",
        "empty",
        "--mail-only",
        "--to",
        topic,
        "--mail-to",
        "mairie@example.org",
        "--smtp",
        "localhost:1",
        "--mail-group",
        &group,
        "--exit-at-end",
    ];
    let said = velo(cluster, &mail).succeeds();
    assert!(said.stderr.contains("is no station"), "{}", said.stderr);
}
