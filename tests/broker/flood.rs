//! Attacks on memory: large frames announced or half sent, large answers not taken. The node's memory stays flat and others
//! are served.

use super::bad_input::hello;
use super::data::{FETCH, PRODUCE, batch, fetch_request, produce_request};
use crate::support::cluster::Cluster;
use crate::support::raw::RawClient;
use crate::support::velo::Home;
use kafka_protocol::messages::FetchRequest;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// A node of its own process, so that its memory is its own.
struct Attacked {
    cluster: Cluster,
    address: SocketAddr,
}

impl Attacked {
    async fn start(settings: &[&str]) -> Self {
        let cluster = Cluster::classroom_with(settings);
        let address = cluster.bootstrap().to_socket_addrs().unwrap().next().unwrap();
        let attacked = Attacked { cluster, address };
        attacked.assert_serves().await;
        attacked
    }

    async fn client(&self) -> RawClient {
        RawClient::connect(self.address).await
    }

    async fn assert_serves(&self) {
        assert_eq!(self.client().await.ask(hello(), 4).await.error_code, 0);
    }

    /// Resident memory in bytes.
    fn resident(&self) -> u64 {
        let Cluster::Classroom(classroom) = &self.cluster else {
            panic!("only a classroom cluster is attacked");
        };
        let pid = sysinfo::Pid::from_u32(classroom.pid());
        let mut system = sysinfo::System::new().unwrap();
        system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
        system.process(pid).unwrap().memory()
    }
}

fn announced(length: usize, sent: usize) -> Vec<u8> {
    let mut bytes = i32::try_from(length).unwrap().to_be_bytes().to_vec();
    bytes.resize(4 + sent, 0);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_connections_that_announce_90_mib_and_send_nothing_cost_nothing() {
    let node = Attacked::start(&[]).await;
    let before = node.resident();
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = node.client().await;
        client.send_bytes(&announced(90 << 20, 0)).await;
        clients.push(client);
    }
    node.assert_serves().await;
    let growth = node.resident().saturating_sub(before);
    assert!(growth < 8 << 20, "{growth} bytes more");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_halves_of_a_mebibyte_frame_stay_within_the_budget() {
    let node = Attacked::start(&[]).await;
    let before = node.resident();
    let half = Arc::new(announced(1 << 20, 512 << 10));
    let mut attacks = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let mut client = node.client().await;
        let half = Arc::clone(&half);
        attacks.spawn(async move {
            // The node may close it meanwhile.
            client.try_send_bytes(&half).await;
            client
        });
    }
    node.assert_serves().await;
    // A frame that does need memory gets through between them: it is read to its end, and only then refused.
    let mut honest = node.client().await;
    honest.send_bytes(&announced(1 << 20, 1 << 20)).await;
    honest.assert_closed().await;
    node.assert_serves().await;
    let growth = node.resident().saturating_sub(before);
    assert!(growth < 96 << 20, "{growth} bytes more");
    drop(attacks);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_peers_that_ask_for_32_mib_and_read_none_of_it_share_the_budget() {
    let node = Attacked::start(&[]).await;
    let server = node.cluster.bootstrap();
    Home::new()
        .velo(&[
            "topic",
            "create",
            "t",
            "--partitions",
            "4",
            "--bootstrap-server",
            server,
        ])
        .succeeds();
    let large = batch(&[&"x".repeat(900_000)]);
    let mut writer = node.client().await;
    for at in 0..36 {
        let answer = writer
            .ask(produce_request("t", at % 4, large.clone(), -1), PRODUCE)
            .await;
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    let before = node.resident();
    let mut everything = fetch_request("t", &[(0, 0), (1, 0), (2, 0), (3, 0)]);
    for partition in &mut everything.topics[0].partitions {
        partition.partition_max_bytes = 8 << 20;
    }
    let mut clients = Vec::new();
    for _ in 0..30 {
        let mut client = node.client().await;
        client.send(&everything, FETCH).await;
        clients.push(client);
    }
    node.assert_serves().await;
    // Whoever does read is given records meanwhile, and all of them go on when they read again.
    for client in clients.iter_mut().rev() {
        let answer = client.receive::<FetchRequest>(FETCH).await;
        let growth = node.resident().saturating_sub(before);
        assert!(growth < 160 << 20, "{growth} bytes more");
        let records = &answer.responses[0].partitions[0].records;
        assert!(
            records
                .as_ref()
                .is_some_and(|records| records.len() >= large.len())
        );
    }
}
