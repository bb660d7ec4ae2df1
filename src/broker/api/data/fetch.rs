//! Fetch (key 1): record batches from many partitions at once, waiting for them if need be.

use super::fetch_encoding;
use super::fetch_reading::{Fetching, Pass, Read, Reader};
use crate::broker::api::{Refuse, Reply, RequestContext};
use crate::broker::replication::fetch_session::{FetchKey, SessionRequest};
use crate::broker::replication::{FetchWaiter, PartitionFetch, Partitions, TopicKey, Waiting};
use crate::broker::wanted::PeerGone;
use crate::broker::world::time::{after, sleep_until};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, NodeEndpoint, PartitionData};
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use kafka_protocol::protocol::StrBytes;
use std::sync::Arc;
use std::time::Duration;

/// From this version on topics are named by id.
const BY_ID: i16 = 13;
/// From this version on a client is told where the leader listens (KIP-951).
const TELLS_ENDPOINTS: i16 = 16;

/// Reads from each partition; answers as soon as `min_bytes` are there, something is wrong, or `max_wait_ms` passed.
pub async fn handle(given: Fetching, ctx: RequestContext, request: FetchRequest) -> Reply<FetchResponse> {
    let version = ctx.api_version;
    let response = fetch(&given, ctx, request).await;
    fetch_encoding::encode(response, version).map_or_else(Reply::Hangup, Reply::Encoded)
}

async fn fetch(given: &Fetching, ctx: RequestContext, mut request: FetchRequest) -> FetchResponse {
    let now_ms = given.clock.now_ms();
    let sessions = given.partitions.replicas().fetch_sessions();
    let session = session_request(&ctx, &mut request);
    let context = match sessions.begin(session, now_ms) {
        Ok(context) => context,
        Err(error) => return FetchResponse::default().with_error_code(error.code()),
    };
    let reader = Reader::new(given, &ctx, &request);
    let pass = read_or_wait(&reader, &request, &context.fetches, ctx.session.peer_gone()).await;
    let reads = context.fetches.iter().zip(pass.reads);
    let mut answers = reads.map(|((key, _), read)| (key.clone(), read.data)).collect();
    let finished = sessions.finish(context, &mut answers, now_ms);
    let mut response = match finished {
        Ok(session_id) => FetchResponse::default().with_session_id(session_id),
        Err(error) => return FetchResponse::default().with_error_code(error.code()),
    };
    if ctx.api_version >= TELLS_ENDPOINTS {
        response.node_endpoints = endpoints(&given.partitions, ctx.session.listener_name(), &answers);
    }
    response.responses = by_topic(answers);
    response
}

/// Takes the topics out of the request.
fn session_request(ctx: &RequestContext, request: &mut FetchRequest) -> SessionRequest {
    let by_id = ctx.api_version >= BY_ID;
    let key = |name, id| {
        if by_id {
            TopicKey::Id(id)
        } else {
            TopicKey::Name(name)
        }
    };
    let mut fetches: Vec<(FetchKey, PartitionFetch)> = Vec::new();
    for topic in std::mem::take(&mut request.topics) {
        let key = key(topic.topic, topic.topic_id);
        fetches.extend(topic.partitions.iter().map(|partition| {
            let fetch = PartitionFetch {
                offset: partition.fetch_offset,
                max_bytes: partition.partition_max_bytes,
                current_leader_epoch: partition.current_leader_epoch,
                last_fetched_epoch: partition.last_fetched_epoch,
            };
            ((key.clone(), partition.partition), fetch)
        }));
    }
    let mut forgotten = Vec::new();
    for topic in std::mem::take(&mut request.forgotten_topics_data) {
        let key = key(topic.topic, topic.topic_id);
        forgotten.extend(topic.partitions.into_iter().map(|index| (key.clone(), index)));
    }
    SessionRequest {
        id: request.session_id,
        epoch: request.session_epoch,
        by_id,
        fetches,
        forgotten,
    }
}

/// Reads at once, and if that is not enough, again whenever an append brings enough, for as long as the peer is there.
async fn read_or_wait(
    reader: &Reader<'_>,
    request: &FetchRequest,
    fetches: &[(FetchKey, PartitionFetch)],
    peer_gone: &PeerGone,
) -> Pass {
    let wanted = i64::from(request.min_bytes.max(0));
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let pass = reader.read_all(fetches);
    if pass.must_answer || pass.bytes >= wanted || wait.is_zero() || fetches.is_empty() {
        return pass;
    }
    let deadline = after(wait);
    let waiter = FetchWaiter::new(wanted - pass.bytes, reader.is_follower());
    let partitions = pass.reads.iter().filter_map(|read: &Read| read.partition.clone());
    let _waiting = Waiting::register(Arc::clone(&waiter), partitions.collect());
    drop(pass);
    loop {
        // What came between the last look and the registration, or while this was being read, is seen now.
        let pass = reader.read_all(fetches);
        if pass.must_answer || pass.bytes >= wanted {
            return pass;
        }
        waiter.set_missing(wanted - pass.bytes);
        tokio::select! {
            biased;
            () = peer_gone.told() => return pass,
            () = waiter.woken() => {}
            () = sleep_until(deadline) => return reader.read_all(fetches),
        }
    }
}

/// Groups the answers by topic, keeping their order.
fn by_topic(answers: Vec<(FetchKey, PartitionData)>) -> Vec<FetchableTopicResponse> {
    let mut topics: Vec<FetchableTopicResponse> = Vec::new();
    for ((key, _), data) in answers {
        let (name, id) = match key {
            TopicKey::Name(name) => (name, uuid::Uuid::nil()),
            TopicKey::Id(id) => (Default::default(), id),
        };
        match topics.last_mut() {
            Some(last) if last.topic == name && last.topic_id == id => last.partitions.push(data),
            _ => topics.push(
                FetchableTopicResponse::default()
                    .with_topic(name)
                    .with_topic_id(id)
                    .with_partitions(vec![data]),
            ),
        }
    }
    topics
}

/// Where the leaders listen that the answers name.
fn endpoints(
    partitions: &Partitions,
    listener: &str,
    answers: &[(FetchKey, PartitionData)],
) -> Vec<NodeEndpoint> {
    let moved = [
        ResponseError::NotLeaderOrFollower.code(),
        ResponseError::FencedLeaderEpoch.code(),
    ];
    let mut named: Vec<i32> = answers
        .iter()
        .filter(|(_, data)| moved.contains(&data.error_code))
        .map(|(_, data)| data.current_leader.leader_id.0)
        .collect();
    named.sort_unstable();
    named.dedup();
    let endpoint = |leader: i32| {
        let (host, port, rack) = partitions.endpoint(leader, listener)?;
        let endpoint = NodeEndpoint::default()
            .with_node_id(leader.into())
            .with_host(StrBytes::from_string(host))
            .with_port(port)
            .with_rack(rack.map(StrBytes::from_string));
        Some(endpoint)
    };
    named.into_iter().filter_map(endpoint).collect()
}

impl Refuse for FetchRequest {
    fn refused(&self, version: i16, error: ResponseError) -> FetchResponse {
        let response = FetchResponse::default().with_error_code(error.code());
        if version >= BY_ID {
            return response;
        }
        // Versions before 7 have no other place for it.
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                PartitionData::default()
                    .with_partition_index(partition.partition)
                    .with_error_code(error.code())
                    .with_high_watermark(-1)
                    .with_records(Some(Bytes::new()))
            });
            FetchableTopicResponse::default()
                .with_topic(topic.topic.clone())
                .with_partitions(partitions.collect())
        });
        response.with_responses(topics.collect())
    }
}
