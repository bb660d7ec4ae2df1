//! Any bytes as the answer of another node: read or refused, never a panic, never more memory than the bytes are worth.
//!
//! The first byte chooses the request, the second whether the frame is made well before it is read.
#![no_main]

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{
    AllocateProducerIdsRequest, AlterPartitionRequest, BrokerHeartbeatRequest, BrokerRegistrationRequest,
    CreateTopicsRequest, DescribeClusterRequest, DescribeQuorumRequest, FetchRequest, FetchSnapshotRequest,
};
use kafka_protocol::protocol::Request;
use libfuzzer_sys::fuzz_target;
use velodrome::broker::batch::{self, Records};
use velodrome::broker::metadata::{MetadataImage, MetadataRecord, replay_batches, replay_snapshot};
use velodrome::broker::peer::read_answer;

/// The most bytes that an answer may have here.
const LONGEST: usize = 1 << 20;
const CORRELATION_ID: i32 = 7;

async fn answer<Q: Request>(frame: &[u8], version: i16) -> Option<Q::Response> {
    let mut stream = frame;
    read_answer::<Q>(&mut stream, version, CORRELATION_ID, LONGEST).await.ok()
}

/// Where a snapshot ends, if the records are one.
const END: i64 = 1_000;

/// Records of the metadata log, or a piece of a snapshot; also those of batches whose checksum is wrong, which are refused.
fn metadata(records: Bytes) {
    for batch in batch::split(records.clone()).unwrap_or_default() {
        let body = batch::records_of(&batch).unwrap_or_default();
        for record in Records::new(&body).flatten() {
            let _ = MetadataRecord::decode(record.value.unwrap_or_default());
        }
    }
    let _ = replay_batches(records.clone(), &mut MetadataImage::default());
    let _ = replay_snapshot(records, END, &mut MetadataImage::default());
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(body.len() + 5).unwrap_or(i32::MAX));
    frame.put_i32(CORRELATION_ID);
    frame.put_u8(0);
    frame.put_slice(body);
    frame.to_vec()
}

async fn ask(kind: u8, frame: &[u8]) {
    match kind % 10 {
        0 => drop(answer::<AllocateProducerIdsRequest>(frame, 0).await),
        1 => drop(answer::<AlterPartitionRequest>(frame, 3).await),
        2 => drop(answer::<BrokerHeartbeatRequest>(frame, 1).await),
        3 => drop(answer::<BrokerRegistrationRequest>(frame, 3).await),
        4 => drop(answer::<CreateTopicsRequest>(frame, 7).await),
        5 => drop(answer::<DescribeClusterRequest>(frame, 1).await),
        6 => drop(answer::<DescribeQuorumRequest>(frame, 2).await),
        7 => {
            let pieces = answer::<FetchSnapshotRequest>(frame, 0).await;
            let topics = pieces.into_iter().flat_map(|answer| answer.topics);
            for piece in topics.flat_map(|topic| topic.partitions) {
                metadata(piece.unaligned_records);
            }
        }
        fetch => {
            let version = if fetch == 8 { 15 } else { 17 };
            let data = answer::<FetchRequest>(frame, version).await;
            let topics = data.into_iter().flat_map(|answer| answer.responses);
            for data in topics.flat_map(|topic| topic.partitions) {
                metadata(data.records.unwrap_or_default());
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, whole, body @ ..] = bytes else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let frame = if whole % 4 == 0 { body.to_vec() } else { framed(body) };
    runtime.block_on(ask(*kind, &frame));
});
