//! Metadata that this broker does not act on: a folder that holds some is refused as it lies there, and a controller that
//! sends some is not followed any further.

use crate::support::broker::TestBroker;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, LeaderIdAndEpoch, PartitionData};
use kafka_protocol::messages::{
    ApiKey, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationResponse, DescribeClusterResponse,
    FetchRequest, FetchResponse, RequestHeader,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use uuid::Uuid;
use velodrome::broker::batch::{BatchBuilder, BatchHeader};
use velodrome::broker::error::BrokerError;
use velodrome::broker::records::metadata::{
    AccessControlEntryRecord, FeatureLevelRecord, MetadataRecord, RegisterBrokerRecord,
};
use velodrome::broker::{Node, NodeConfig};
use velodrome::clock::Clock;

fn batch(first_offset: i64, records: &[MetadataRecord]) -> Bytes {
    let mut builder = BatchBuilder::default();
    for record in records {
        builder.push(None, Some(&record.encode(0).unwrap()));
    }
    let header = BatchHeader {
        base_offset: first_offset,
        leader_epoch: 1,
        ..BatchHeader::of_broker(1)
    };
    builder.build(header).unwrap().bytes
}

fn access_right() -> MetadataRecord {
    MetadataRecord::AccessControlEntry(AccessControlEntryRecord::default())
}

/// Every file below a folder but the lock, with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != ".lock") {
                found.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// Stops a node, lets `add` change its metadata log, and starts it again; returns why that is refused.
async fn refused_after(add: impl FnOnce(&Path)) -> BrokerError {
    let mut broker = TestBroker::start().await;
    let log_dir = broker.log_dir().to_owned();
    broker.stop().await;
    add(&log_dir.join("__cluster_metadata-0"));
    let before = files(&log_dir);
    let refused = Node::start(broker.config(), Clock::system()).await.err().unwrap();
    let after = files(&log_dir);
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "a file was changed");
    refused
}

fn append(folder: &Path, batch: impl FnOnce(i64) -> Bytes) {
    let log = folder.join("00000000000000000000.log");
    let mut content = std::fs::read(&log).unwrap();
    let batches = velodrome::broker::batch::intact(content.clone().into()).unwrap();
    let end = batches.last().unwrap().header.next_offset();
    content.extend(&batch(end));
    std::fs::write(log, content).unwrap();
}

#[tokio::test]
async fn a_folder_with_access_rights_is_refused_and_left_as_it_is() {
    let refused = refused_after(|folder| append(folder, |end| batch(end, &[access_right()]))).await;
    assert!(matches!(refused, BrokerError::Unsupported(_)), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains("AccessControlEntryRecord (type 18)"), "{said}");
    assert!(said.contains("written at metadata.version 33"), "{said}");
}

#[tokio::test]
async fn a_snapshot_with_access_rights_is_refused_and_left_as_it_is() {
    let refused = refused_after(|folder| {
        let snapshot = folder.join("00000000000000001000-0000000009.checkpoint");
        std::fs::write(snapshot, batch(0, &[version(33), access_right()])).unwrap();
    })
    .await;
    let said = refused.to_string();
    assert!(said.contains("AccessControlEntryRecord (type 18)"), "{said}");
    assert!(
        said.contains("at offset 999, written at metadata.version 33"),
        "{said}"
    );
}

#[tokio::test]
async fn a_record_of_a_later_version_is_refused_and_left_as_it_is() {
    let refused = refused_after(|folder| {
        append(folder, |end| {
            let mut builder = BatchBuilder::default();
            builder.push(None, Some(b"\x01\x03\x09whatever"));
            let header = BatchHeader {
                base_offset: end,
                leader_epoch: 1,
                ..BatchHeader::of_broker(1)
            };
            builder.build(header).unwrap().bytes
        });
    })
    .await;
    let said = refused.to_string();
    assert!(said.contains("PartitionRecord in version 9"), "{said}");
}

fn version(level: i16) -> MetadataRecord {
    MetadataRecord::FeatureLevel(FeatureLevelRecord {
        name: "metadata.version".into(),
        feature_level: level,
    })
}

/// A controller that registers whoever comes, and has a log of two batches: the second is shown when `more` is rung.
struct Controller {
    batches: [Bytes; 2],
    more: Notify,
}

impl Controller {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).answer_all(stream));
        }
    }

    async fn answer_all(self: Arc<Self>, mut stream: TcpStream) {
        while let Ok(length) = stream.read_i32().await {
            let mut frame = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut frame).await.unwrap();
            let answer = self.answer(frame.into()).await;
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, mut frame: Bytes) -> Bytes {
        let (key, version) = ((&frame[..2]).get_i16(), (&frame[2..4]).get_i16());
        let key = ApiKey::try_from(key).unwrap();
        let header = RequestHeader::decode(&mut frame, key.request_header_version(version)).unwrap();
        let mut out = BytesMut::new();
        out.put_i32(header.correlation_id);
        match key {
            ApiKey::DescribeCluster => {
                let answer = DescribeClusterResponse::default().with_cluster_id("c".into());
                put(&answer, version, &mut out);
            }
            ApiKey::BrokerRegistration => {
                let answer = BrokerRegistrationResponse::default().with_broker_epoch(1);
                put(&answer, version, &mut out);
            }
            ApiKey::BrokerHeartbeat => put(&BrokerHeartbeatResponse::default(), version, &mut out),
            ApiKey::Fetch => {
                let request = FetchRequest::decode(&mut frame, version).unwrap();
                put(&self.fetch(&request).await, version, &mut out);
            }
            other => panic!("{other:?}"),
        }
        let mut answer = BytesMut::new();
        answer.put_i32(i32::try_from(out.len()).unwrap());
        answer.extend_from_slice(&out);
        answer.freeze()
    }

    async fn fetch(&self, request: &FetchRequest) -> FetchResponse {
        let topic = &request.topics[0];
        let (records, end) = match topic.partitions[0].fetch_offset {
            0 => (self.batches[0].clone(), 2),
            _ => {
                self.more.notified().await;
                (self.batches[1].clone(), 3)
            }
        };
        let partition = PartitionData::default()
            .with_high_watermark(end)
            .with_current_leader(LeaderIdAndEpoch::default().with_leader_id(BrokerId(9)))
            .with_records(Some(records));
        let topic = FetchableTopicResponse::default()
            .with_topic_id(topic.topic_id)
            .with_partitions(vec![partition]);
        FetchResponse::default().with_responses(vec![topic])
    }
}

/// The rest of the header, and the answer.
fn put<T: Encodable + HeaderVersion>(answer: &T, version: i16, out: &mut BytesMut) {
    if T::header_version(version) > 0 {
        out.put_u8(0);
    }
    answer.encode(out, version).unwrap();
}

/// A broker of a controller with that log.
async fn broker_of(batches: [Bytes; 2]) -> (TempDir, NodeConfig, Arc<Controller>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = TempDir::new().unwrap();
    let properties = [
        ("process.roles", "broker".to_owned()),
        ("node.id", "1".to_owned()),
        ("listeners", "PLAINTEXT://127.0.0.1:0".to_owned()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        (
            "controller.quorum.bootstrap.servers",
            listener.local_addr().unwrap().to_string(),
        ),
        ("log.dirs", folder.path().display().to_string()),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value));
    let config = NodeConfig::from_properties(properties.into()).unwrap();
    let controller = Arc::new(Controller {
        batches,
        more: Notify::new(),
    });
    tokio::spawn(Arc::clone(&controller).serve(listener));
    (folder, config, controller)
}

fn registered() -> MetadataRecord {
    MetadataRecord::RegisterBroker(RegisterBrokerRecord {
        broker_id: 1,
        incarnation_id: Uuid::from_u128(1),
        broker_epoch: 1,
        fenced: false,
        ..RegisterBrokerRecord::default()
    })
}

const WORDS: &str = "the metadata log holds AccessControlEntryRecord (type 18) at offset";

#[tokio::test]
async fn a_broker_does_not_start_on_metadata_that_it_does_not_act_on() {
    let log = batch(0, &[version(33), access_right()]);
    let (_folder, config, _controller) = broker_of([log.clone(), log]).await;
    let refused = Node::start(config, Clock::system()).await.err().unwrap();
    assert!(refused.to_string().starts_with(WORDS), "{refused}");
}

#[tokio::test]
async fn a_broker_ends_when_its_controller_sends_what_it_does_not_act_on() {
    let (first, second) = (
        batch(0, &[version(33), registered()]),
        batch(2, &[access_right()]),
    );
    let (_folder, config, controller) = broker_of([first, second]).await;
    let mut running = Node::start(config, Clock::system()).await.unwrap();
    controller.more.notify_one();
    let why = running.failed().await;
    assert!(why.starts_with(WORDS), "{why}");
    assert!(
        why.contains("at offset 2, written at metadata.version 33"),
        "{why}"
    );
    assert_eq!(
        running.node().metadata.load().offset,
        1,
        "the image is the one before it"
    );
    running.kill().await;
}
