//! From the body of a request to the frame of its answer, by one handler.

use super::doors::{Door, Doors};
use super::refusal::Refusal;
use super::{Refuse, Reply, RequestContext};
use crate::decode;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::{Encodable, HeaderVersion};

/// Whether what is asked for may be done.
pub(super) type Checked = Result<(), ResponseError>;

/// Decodes, hands the handler its door, handles what may be asked and refuses what may not, encodes; the table's entries are made of it.
pub(super) async fn run<D, Q, H, F, A>(
    doors: Doors,
    ctx: RequestContext,
    checked: Checked,
    mut body: Bytes,
    handle: H,
) -> Result<Option<Vec<Bytes>>, Refusal>
where
    D: Door,
    Q: Refuse,
    Q::Response: Encodable + HeaderVersion,
    H: FnOnce(D, RequestContext, Q) -> F,
    F: Future<Output = A>,
    A: Into<Reply<Q::Response>>,
{
    let request: Q = decode::decode(&mut body, ctx.api_version, decode::REQUEST_FIELDS)
        .map_err(|error| Refusal::Malformed(error.to_string()))?;
    drop(body);
    let reply: Reply<Q::Response> = match checked {
        Ok(()) => handle(doors.give(), ctx.clone(), request).await.into(),
        Err(denied) if request.wants_answer() => Reply::Answer(request.refused(ctx.api_version, denied)),
        Err(denied) => Reply::Hangup(denied.to_string()),
    };
    reply.into_frame(&ctx)
}
