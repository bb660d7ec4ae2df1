//! franz-go, a client of its own making in Go.

use super::*;

#[test]
#[cfg_attr(
    not(peer = "go"),
    ignore = "franz-go is not here: scripts/dev/test fetches it"
)]
fn franz_go_administers_writes_reads_and_shares_a_group() {
    let cluster = Cluster::classroom();
    let said = run(
        Command::new(peers_folder().join("go/franz_go")).arg(cluster.bootstrap()),
        "",
    );
    assert_eq!(
        said.succeeded(),
        "created 4 partitions, retention.ms 60000, segment.ms 30000\nproduced 100, idempotent true\n\
         consumed 100 of 10 keys in order\nshared 2 and 2 by cooperative-sticky\nlag 0\ndeleted, left []\n"
    );
}
