//! A disk that stands still holds up those who wait for it, and nobody else. The tests run in one thread, which serves: if it
//! waited itself, nothing at all would be answered.

use super::*;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_quorum_request as quorum;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    DeleteRecordsRequest, DescribeQuorumRequest, FetchRequest, FindCoordinatorRequest, GroupId,
    ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest,
};
use tokio::task::JoinHandle;

/// A node that syncs each record before it is acknowledged, and the clients of a test.
struct Bench {
    folder: TempDir,
    node: RunningNode,
    client: Peer,
}

impl Bench {
    /// With two topics, each with a record.
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut properties = properties(folder.path());
        for (name, value) in [
            ("log.flush.interval.messages", "1"),
            ("offsets.topic.num.partitions", "1"),
        ] {
            properties.insert(name.to_owned(), value.to_owned());
        }
        let config = NodeConfig::from_properties(properties).unwrap();
        let node = Node::start(config, Clock::system()).await.unwrap();
        let mut client = client(&node);
        for topic in ["slow", "other"] {
            assert_eq!(create(&mut client, topic).await, None);
            assert_eq!(produce(&mut client, topic).await.unwrap(), None);
        }
        Bench { folder, node, client }
    }

    /// From now on the disk stands still below that folder.
    fn stalls(&self, folder: &str) -> Refusing {
        Refusing::new(&self.folder.path().join(folder), Refused::Stall)
    }

    /// Asks by a connection of its own.
    fn beside<T: Send + 'static, F: Future<Output = T> + Send>(
        &self,
        ask: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> JoinHandle<T> {
        let peer = client(&self.node);
        tokio::spawn(async move { ask(peer).await })
    }
}

/// Waits until somebody waits for the disk.
async fn met(stall: Refusing) -> Refusing {
    let met = tokio::task::spawn_blocking(move || {
        stall.is_met();
        stall
    });
    met.await.unwrap()
}

async fn told<T>(asked: JoinHandle<T>) -> T {
    tokio::time::timeout(DEADLINE, asked).await.unwrap().unwrap()
}

/// The high watermark, and how many bytes come from the start on.
async fn fetch(client: &mut Peer, topic: &str) -> (i64, usize) {
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(name(topic))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let answer = client.ask(&request, 12, DEADLINE).await.unwrap();
    let partition = &answer.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    let bytes = partition.records.as_ref().map_or(0, |records| records.len());
    (partition.high_watermark, bytes)
}

async fn end_of(client: &mut Peer, topic: &str) -> i64 {
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let topic = ListOffsetsTopic::default()
        .with_name(name(topic))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_topics(vec![topic]);
    let answer = client.ask(&request, 5, DEADLINE).await.unwrap();
    answer.topics[0].partitions[0].offset
}

fn group(id: &str) -> GroupId {
    GroupId(StrBytes::from_string(id.to_owned()))
}

async fn commit(client: &mut Peer, id: &str) -> Option<ResponseError> {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(1);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(name("other"))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group(id))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let answer = client.ask(&request, 8, DEADLINE).await.unwrap();
    ResponseError::try_from_code(answer.topics[0].partitions[0].error_code)
}

async fn commit_until_taken(client: &mut Peer, id: &str) {
    let find = FindCoordinatorRequest::default().with_key(StrBytes::from_string(id.to_owned()));
    client.ask(&find, 3, DEADLINE).await.unwrap();
    let deadline = Instant::now() + DEADLINE;
    while let Some(error) = commit(client, id).await {
        assert!(
            Instant::now() < deadline,
            "the coordinator is never there: {error}"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_produce_that_waits_for_the_disk_holds_up_no_other_request() {
    let mut bench = Bench::new().await;
    let (_, bytes) = fetch(&mut bench.client, "slow").await;
    let stall = bench.stalls("slow-0");
    let held = bench.beside(|mut peer| async move { produce(&mut peer, "slow").await.unwrap() });
    let stall = met(stall).await;
    let client = &mut bench.client;
    assert_eq!(
        fetch(client, "slow").await,
        (1, bytes),
        "what is on the disk is served"
    );
    assert_eq!(end_of(client, "slow").await, 1);
    assert_eq!(produce(client, "other").await.unwrap(), None);
    assert_eq!(topics(client).await, ["other", "slow"]);
    assert_eq!(create(client, "new").await, None);
    assert!(!held.is_finished());
    drop(stall);
    assert_eq!(told(held).await, None);
    assert_eq!(fetch(&mut bench.client, "slow").await, (2, 2 * bytes));
    bench.node.shutdown().await;
}

#[tokio::test]
async fn records_that_are_deleted_while_the_disk_stands_still_hold_up_nobody_else() {
    let mut bench = Bench::new().await;
    let stall = bench.stalls("slow-0");
    let held = bench.beside(|mut peer| async move {
        let partition = DeleteRecordsPartition::default().with_offset(1);
        let topic = DeleteRecordsTopic::default()
            .with_name(name("slow"))
            .with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default()
            .with_timeout_ms(60_000)
            .with_topics(vec![topic]);
        let answer = peer.ask(&request, 2, DEADLINE).await.unwrap();
        answer.topics[0].partitions[0].low_watermark
    });
    let stall = met(stall).await;
    let client = &mut bench.client;
    assert_eq!(end_of(client, "slow").await, 1);
    assert_eq!(produce(client, "other").await.unwrap(), None);
    assert!(!held.is_finished());
    drop(stall);
    assert_eq!(told(held).await, 1);
    bench.node.shutdown().await;
}

#[tokio::test]
async fn a_commit_that_waits_for_the_disk_holds_up_no_other_group() {
    let mut bench = Bench::new().await;
    commit_until_taken(&mut bench.client, "first").await;
    let stall = bench.stalls("__consumer_offsets-0");
    let held = bench.beside(|mut peer| async move { commit(&mut peer, "first").await });
    let stall = met(stall).await;
    let request = OffsetFetchRequest::default()
        .with_group_id(group("second"))
        .with_topics(None);
    let answer = bench.client.ask(&request, 7, DEADLINE).await.unwrap();
    assert_eq!((answer.error_code, answer.topics.len()), (0, 0));
    assert_eq!(produce(&mut bench.client, "other").await.unwrap(), None);
    assert!(!held.is_finished(), "a commit is answered when it is on the disk");
    drop(stall);
    assert_eq!(told(held).await, None);
    bench.node.shutdown().await;
}

#[tokio::test]
async fn a_commit_that_the_disk_refused_is_not_known_afterwards() {
    let mut bench = Bench::new().await;
    commit_until_taken(&mut bench.client, "kept").await;
    let refusing = Refusing::new(&bench.folder.path().join("__consumer_offsets-0"), Refused::Sync);
    assert!(commit(&mut bench.client, "refused").await.is_some());
    drop(refusing);
    let deadline = Instant::now() + DEADLINE;
    loop {
        let request = OffsetFetchRequest::default()
            .with_group_id(group("refused"))
            .with_topics(None);
        let answer = bench.client.ask(&request, 7, DEADLINE).await.unwrap();
        assert_eq!(answer.topics.len(), 0, "it was refused");
        if answer.error_code == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "the coordinator is never there again");
        tokio::task::yield_now().await;
    }
    commit_until_taken(&mut bench.client, "refused").await;
    bench.node.shutdown().await;
}

#[tokio::test]
async fn a_change_of_the_metadata_that_waits_for_the_disk_holds_up_no_question() {
    let mut bench = Bench::new().await;
    let stall = bench.stalls("__cluster_metadata-0");
    let held = bench.beside(|mut peer| async move { create(&mut peer, "new").await });
    let stall = met(stall).await;
    let client = &mut bench.client;
    assert_eq!(topics(client).await, ["other", "slow"]);
    let partition = quorum::PartitionData::default();
    let topic = quorum::TopicData::default()
        .with_topic_name(name("__cluster_metadata"))
        .with_partitions(vec![partition]);
    let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
    let answer = client.ask(&request, 1, DEADLINE).await.unwrap();
    assert_eq!(answer.topics[0].partitions[0].error_code, 0);
    assert_eq!(produce(client, "slow").await.unwrap(), None);
    assert!(!held.is_finished());
    drop(stall);
    assert_eq!(told(held).await, None);
    bench.node.shutdown().await;
}
