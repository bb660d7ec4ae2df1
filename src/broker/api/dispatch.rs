//! From a frame to the frame that answers it.

use super::{ListenerKind, PeerGone, Reply, RequestContext, api_versions, find};
use crate::broker::node::Node;
use crate::decode;
use bytes::{Buf, Bytes};
use kafka_protocol::messages::{ApiKey, RequestHeader};
use kafka_protocol::protocol::{Encodable, HeaderVersion, Request};
use std::net::SocketAddr;
use std::sync::Arc;

/// Why a request got no answer: the connection is closed, as Kafka does.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such API on this listener.
    #[error("it asked for API {0}, which this listener does not serve")]
    UnknownApi(i16),
    /// No such version.
    #[error("it asked for version {version} of {key:?}")]
    UnsupportedVersion {
        /// The API.
        key: ApiKey,
        /// The version it wants.
        version: i16,
    },
    /// The bytes are no such request.
    #[error("its request can't be read: {0}")]
    Malformed(String),
    /// The answer could not be encoded: a mistake of ours.
    #[error("the answer can't be encoded: {0}")]
    Unanswerable(String),
    /// The request failed and its answer is not wanted.
    #[error("a request that wants no answer failed: {0}")]
    Hangup(String),
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Address of the peer.
    pub peer: SocketAddr,
    /// Unique among the connections of this process.
    pub connection_id: u64,
    /// The listener it came in by.
    pub listener: ListenerKind,
    /// The name of that listener.
    pub listener_name: Arc<str>,
    /// Tells when it has hung up.
    pub peer_gone: PeerGone,
}

/// Answers one frame. `None` means that nothing is to be sent.
///
/// # Errors
/// [`Refusal`] when the connection must be closed.
pub async fn dispatch(
    node: Arc<Node>,
    sender: &Sender,
    mut frame: Bytes,
) -> Result<Option<Vec<Bytes>>, Refusal> {
    if frame.len() < 8 {
        return Err(Refusal::Malformed("it is too short".to_owned()));
    }
    let (key, version, correlation_id) = {
        let mut start = &frame[..8];
        (start.get_i16(), start.get_i16(), start.get_i32())
    };
    let api = find(key, sender.listener).ok_or(Refusal::UnknownApi(key))?;
    let mut ctx = RequestContext {
        api_version: version,
        client_id: String::new(),
        peer: sender.peer,
        connection_id: sender.connection_id,
        listener: sender.listener,
        listener_name: Arc::clone(&sender.listener_name),
        peer_gone: sender.peer_gone.clone(),
    };
    if version < api.min || version > api.max {
        if api.key == ApiKey::ApiVersions {
            ctx.api_version = 0;
            return Reply::Answer(api_versions::unsupported_version(&ctx)).into_frame(&ctx, correlation_id);
        }
        return Err(Refusal::UnsupportedVersion {
            key: api.key,
            version,
        });
    }
    ctx.client_id = client_id(&mut frame, api.key.request_header_version(version))?;
    (api.handler)(node, ctx, correlation_id, frame).await
}

/// Reads the header and keeps a copy of the one thing that handlers want of it, so that the frame's memory goes with the
/// request, however long the handler waits.
fn client_id(frame: &mut Bytes, header_version: i16) -> Result<String, Refusal> {
    let header: RequestHeader = decode::decode(frame, header_version, decode::REQUEST_FIELDS)
        .map_err(|error| Refusal::Malformed(error.to_string()))?;
    Ok(header.client_id.map(|id| id.to_string()).unwrap_or_default())
}

/// Decodes, handles, encodes; the table's entries are made of it.
pub(super) async fn run<Q, H, F, A>(
    node: Arc<Node>,
    ctx: RequestContext,
    correlation_id: i32,
    mut body: Bytes,
    handle: H,
) -> Result<Option<Vec<Bytes>>, Refusal>
where
    Q: Request,
    Q::Response: Encodable + HeaderVersion,
    H: FnOnce(Arc<Node>, RequestContext, Q) -> F,
    F: Future<Output = A>,
    A: Into<Reply<Q::Response>>,
{
    let request: Q = decode::decode(&mut body, ctx.api_version, decode::REQUEST_FIELDS)
        .map_err(|error| Refusal::Malformed(error.to_string()))?;
    drop(body);
    let reply: Reply<Q::Response> = handle(node, ctx.clone(), request).await.into();
    reply.into_frame(&ctx, correlation_id)
}
