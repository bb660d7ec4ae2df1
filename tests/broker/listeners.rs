//! Several listeners: who comes by one is told the addresses of that one.

use crate::support::broker::TestBroker;
use crate::support::raw::RawClient;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::{
    CreateTopicsRequest, DescribeClusterRequest, FindCoordinatorRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::net::SocketAddr;

const SETTINGS: [(&str, &str); 4] = [
    (
        "listeners",
        "INTERNAL://127.0.0.1:0,external://127.0.0.1:0,HIDDEN://127.0.0.1:0",
    ),
    (
        "advertised.listeners",
        "INTERNAL://127.0.0.1:0,EXTERNAL://localhost:0",
    ),
    (
        "listener.security.protocol.map",
        "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,HIDDEN:PLAINTEXT,CONTROLLER:PLAINTEXT",
    ),
    ("inter.broker.listener.name", "internal"),
];

#[tokio::test]
async fn each_listener_tells_its_own_address() {
    let broker = TestBroker::with(&SETTINGS).await;
    let told = broker.running().node().advertised.clone();
    assert_eq!(told.len(), 2);
    for endpoint in told {
        let mut client = RawClient::connect(SocketAddr::from(([127, 0, 0, 1], endpoint.port))).await;
        let metadata = client.ask(MetadataRequest::default().with_topics(None), 12).await;
        let found = (metadata.brokers[0].host.to_string(), metadata.brokers[0].port);
        assert_eq!(
            found,
            (endpoint.host.clone(), i32::from(endpoint.port)),
            "{}",
            endpoint.name
        );
        let request = DescribeClusterRequest::default().with_endpoint_type(1);
        let cluster = client.ask(request, 1).await;
        assert_eq!(cluster.brokers[0].port, i32::from(endpoint.port));
        let request =
            FindCoordinatorRequest::default().with_coordinator_keys(vec![StrBytes::from_static_str("g")]);
        let found = client.ask(request, 4).await.coordinators.remove(0);
        assert_eq!((found.error_code, found.port), (0, i32::from(endpoint.port)));
    }
}

#[tokio::test]
async fn a_leader_without_an_address_on_the_listener_is_told_as_that() {
    let broker = TestBroker::with(&SETTINGS).await;
    let topic = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_static_str("t")))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    assert_eq!(broker.ask(request, 7).await.topics[0].error_code, 0);
    let hidden = broker.running().address_of("HIDDEN").unwrap();
    for (version, error) in [
        (5, ResponseError::LeaderNotAvailable),
        (12, ResponseError::ListenerNotFound),
    ] {
        let mut client = RawClient::connect(hidden).await;
        let metadata = client
            .ask(MetadataRequest::default().with_topics(None), version)
            .await;
        assert!(metadata.brokers.is_empty());
        let partition = &metadata.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.leader_id.0), (error.code(), -1));
    }
}
