use super::super::api::{Doors, dispatch};
use super::super::security::{Ask, Authorizer, Operation, ResourceType, SecurityProtocol, Session};
use super::*;
use crate::broker::batch::{BatchBuilder, BatchHeader};
use crate::broker::world;
use crate::broker::world::disk::refusing::{Refused, Refusing};
use crate::clock::Clock;
use crate::frame::frame;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    CreateTopicsRequest, DescribeLogDirsRequest, MetadataRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing here takes longer.
const DEADLINE: Duration = Duration::from_secs(60);

mod slow_disk;

fn properties(folder: &Path) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("listeners".to_owned(), "PLAINTEXT://127.0.0.1:0".to_owned()),
        ("log.dirs".to_owned(), folder.display().to_string()),
    ])
}

fn config(folder: &Path) -> NodeConfig {
    NodeConfig::from_properties(properties(folder)).unwrap()
}

async fn start(folder: &Path) -> RunningNode {
    Node::start(config(folder), Clock::system()).await.unwrap()
}

fn client(node: &RunningNode) -> Peer {
    let address = node.address();
    Peer::new(
        &world::Net::default(),
        &address.ip().to_string(),
        address.port(),
        "test".to_owned(),
        1 << 20,
    )
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

async fn create(client: &mut Peer, topic: &str) -> Option<ResponseError> {
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    let answer = client.ask(&request, 7, DEADLINE).await.unwrap();
    ResponseError::try_from_code(answer.topics[0].error_code)
}

async fn topics(client: &mut Peer) -> Vec<String> {
    let request = MetadataRequest::default().with_topics(None);
    let answer = client.ask(&request, 9, DEADLINE).await.unwrap();
    let names = answer.topics.into_iter().filter_map(|topic| topic.name);
    names.map(|name| name.to_string()).collect()
}

/// Produces a record to partition 0; what the broker answers, if it does.
async fn produce(client: &mut Peer, topic: &str) -> Result<Option<ResponseError>> {
    let mut builder = BatchBuilder::default();
    builder.push(None, Some(b"value"));
    let header = BatchHeader::of_broker(Clock::system().now_ms());
    let records = builder.build(header)?.bytes;
    let partition = PartitionProduceData::default().with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(name(topic))
        .with_partition_data(vec![partition]);
    let request = ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic]);
    let answer = client.ask(&request, 9, DEADLINE).await?;
    let partition = &answer.responses[0].partition_responses[0];
    Ok(ResponseError::try_from_code(partition.error_code))
}

async fn produce_until_taken(client: &mut Peer, topic: &str) {
    let deadline = Instant::now() + DEADLINE;
    while let Some(error) = produce(client, topic).await.unwrap() {
        assert_eq!(error, ResponseError::KafkaStorageError);
        assert!(Instant::now() < deadline, "the log is never recovered");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_controller_whose_log_failed_takes_nothing_more_and_ends_its_node() {
    let folder = TempDir::new().unwrap();
    let mut node = start(folder.path()).await;
    let mut asking = client(&node);
    assert_eq!(create(&mut asking, "kept").await, None);
    let refusing = Refusing::new(&folder.path().join("__cluster_metadata-0"), Refused::Sync);
    let refused = Some(ResponseError::KafkaStorageError);
    assert_eq!(create(&mut asking, "refused").await, refused);
    drop(refusing);
    assert_eq!(
        create(&mut asking, "refused-too").await,
        refused,
        "it would publish both"
    );
    assert_eq!(topics(&mut asking).await, ["kept"]);
    let why = tokio::time::timeout(DEADLINE, node.failed()).await.unwrap();
    assert!(why.starts_with("the metadata log cannot be written: "), "{why}");
    node.shutdown().await;

    let node = start(folder.path()).await;
    let mut asking = client(&node);
    assert_eq!(topics(&mut asking).await, ["kept"]);
    assert_eq!(create(&mut asking, "after").await, None);
    node.shutdown().await;
}

#[tokio::test]
async fn a_change_of_the_metadata_that_panics_ends_the_node_as_well() {
    let folder = TempDir::new().unwrap();
    let mut node = start(folder.path()).await;
    let mut asking = client(&node);
    let panicking = Refusing::new(&folder.path().join("__cluster_metadata-0"), Refused::Panic);
    assert_eq!(
        create(&mut asking, "broken").await,
        Some(ResponseError::UnknownServerError)
    );
    drop(panicking);
    let why = tokio::time::timeout(DEADLINE, node.failed()).await.unwrap();
    assert_eq!(why, "a change of the metadata broke off half-way");
    node.kill().await;
}

#[tokio::test]
async fn who_may_not_do_what_an_api_asks_for_is_refused_before_its_handler_sees_it() {
    let folder = TempDir::new().unwrap();
    let config = config(folder.path());
    let world = World::from(Clock::system());
    let log_dir = LogDir::open(&config, &world).unwrap();
    let nowhere = ToController::new(world.net().clone(), Vec::new(), "test".to_owned(), 0);
    let mut node = build(config, world, "c".to_owned(), Vec::new(), None, &log_dir, nowhere);
    let describe = Ask {
        operation: Operation::Describe,
        on: ResourceType::Cluster,
    };
    node.authorizer = Arc::new(Authorizer::AllBut(vec![describe]));
    let node = Arc::new(node);
    let plain = SecurityProtocol::Plaintext;
    let peer = ([127, 0, 0, 1], 1).into();
    let session = Session::new(peer, 1, ListenerKind::Broker, "PLAINTEXT".into(), plain);
    let session = Arc::new(session);
    let client_id = StrBytes::from_static_str("test");
    let frame = frame(&DescribeLogDirsRequest::default(), 4, 7, &client_id).unwrap();
    let answer = dispatch(Doors::of(&node), &session, frame.slice(4..))
        .await
        .unwrap();
    // Length, correlation id, no tagged fields, throttle time, and the error.
    let answer = answer.unwrap().concat();
    assert_eq!(answer[4..15], [0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 31]);
}

#[tokio::test]
async fn a_full_disk_ends_no_topic_for_ever() {
    let folder = TempDir::new().unwrap();
    let node = start(folder.path()).await;
    let mut asking = client(&node);
    assert_eq!(create(&mut asking, "t").await, None);
    assert_eq!(create(&mut asking, "other").await, None);
    let full = Refusing::new(&folder.path().join("t-0"), Refused::Write);
    assert_eq!(
        produce(&mut asking, "t").await.unwrap(),
        Some(ResponseError::KafkaStorageError)
    );
    assert_eq!(produce(&mut asking, "other").await.unwrap(), None);
    drop(full);
    produce_until_taken(&mut asking, "t").await;
    let log = &node.node().replicas.partition("t", 0).unwrap().log;
    assert_eq!(log.log_end_offset(), 1, "what was refused was not written");
    node.shutdown().await;
}

#[tokio::test]
async fn a_request_that_panics_ends_its_connection_only() {
    let folder = TempDir::new().unwrap();
    let node = start(folder.path()).await;
    let (mut panicking, mut other) = (client(&node), client(&node));
    assert_eq!(create(&mut panicking, "t").await, None);
    assert_eq!(topics(&mut other).await, ["t"]);
    let broken = Refusing::new(&folder.path().join("t-0"), Refused::Panic);
    produce(&mut panicking, "t").await.unwrap_err();
    drop(broken);
    assert_eq!(topics(&mut other).await, ["t"], "another connection goes on");
    assert_eq!(
        topics(&mut panicking).await,
        ["t"],
        "and who was cut off comes again"
    );
    assert_eq!(node.failed_requests(), 1);
    produce_until_taken(&mut panicking, "t").await;
    node.shutdown().await;
}
