//! kafkajs, the older protocol versions of Node's clients.

use super::*;

#[test]
#[cfg_attr(
    not(peer = "node"),
    ignore = "kafkajs is not here: scripts/dev/test fetches it"
)]
fn kafkajs_creates_produces_reads_in_a_group_and_deletes() {
    let cluster = Cluster::classroom();
    let said = run(
        Command::new("node")
            .arg(program("kafkajs_round_trip.js"))
            .arg(cluster.bootstrap())
            .env("NODE_PATH", peers_folder().join("node/node_modules"))
            .env("KAFKAJS_NO_PARTITIONER_WARNING", "1"),
        "",
    );
    assert_eq!(
        said.succeeded(),
        "created true\nread a=1,b=2,c=3\ndescribed Stable 1\ndeleted\n"
    );
}
