//! A controller as a broker sees it, of which a test decides what it says.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, LeaderIdAndEpoch, PartitionData};
use kafka_protocol::messages::{
    ApiKey, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationRequest, BrokerRegistrationResponse,
    DescribeClusterResponse, FetchRequest, FetchResponse, RequestHeader,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use uuid::Uuid;
use velodrome::broker::NodeConfig;
use velodrome::broker::batch::{BatchBuilder, BatchHeader};
use velodrome::broker::records::metadata::{MetadataRecord, RegisterBrokerRecord};

/// Records of the metadata log.
pub fn batch(first_offset: i64, records: &[MetadataRecord]) -> Bytes {
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

/// A controller that registers whoever comes, and has a log of two batches: the second is shown when `more` is rung.
pub struct FakeController {
    batches: [Bytes; 2],
    pub more: Notify,
    /// How many heartbeats it has heard.
    pub heartbeats: watch::Sender<usize>,
    /// Of each registration the epoch that the broker had before, -1 where it does not say.
    pub previous_epochs: Mutex<Vec<i64>>,
}

impl FakeController {
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
                let request = BrokerRegistrationRequest::decode(&mut frame, version).unwrap();
                self.previous_epochs
                    .lock()
                    .unwrap()
                    .push(request.previous_broker_epoch);
                let answer = BrokerRegistrationResponse::default().with_broker_epoch(1);
                put(&answer, version, &mut out);
            }
            ApiKey::BrokerHeartbeat => {
                self.heartbeats.send_modify(|heard| *heard += 1);
                put(&BrokerHeartbeatResponse::default(), version, &mut out);
            }
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
pub async fn broker_of(batches: [Bytes; 2]) -> (TempDir, NodeConfig, Arc<FakeController>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = TempDir::new().unwrap();
    let properties = [
        ("process.roles", "broker".to_owned()),
        ("node.id", "1".to_owned()),
        ("listeners", "PLAINTEXT://127.0.0.1:0".to_owned()),
        ("broker.heartbeat.interval.ms", "50".to_owned()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        (
            "controller.quorum.bootstrap.servers",
            listener.local_addr().unwrap().to_string(),
        ),
        ("log.dirs", folder.path().display().to_string()),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value));
    let config = NodeConfig::from_properties(properties.into()).unwrap();
    let controller = Arc::new(FakeController {
        batches,
        more: Notify::new(),
        heartbeats: watch::Sender::default(),
        previous_epochs: Mutex::default(),
    });
    tokio::spawn(Arc::clone(&controller).serve(listener));
    (folder, config, controller)
}

/// Broker 1 is registered in epoch 1, and serves.
pub fn registered() -> MetadataRecord {
    registration(false)
}

/// The same, and serves unless it is `fenced`.
pub fn registration(fenced: bool) -> MetadataRecord {
    MetadataRecord::RegisterBroker(RegisterBrokerRecord {
        broker_id: 1,
        incarnation_id: Uuid::from_u128(1),
        broker_epoch: 1,
        fenced,
        ..RegisterBrokerRecord::default()
    })
}
