//! From a frame to the frame that answers it.

use super::cluster::api_versions;
use super::doors::Doors;
use super::envelope::{self, Opened};
use super::parts::{LocalController, Metadata};
use super::refusal::Refusal;
use super::run::{Checked, run};
use super::table::{Api, Work, advertised, find};
use super::{Reply, RequestContext};
use crate::broker::security::Session;
use crate::decode;
use bytes::{Buf, Bytes};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, EnvelopeRequest, EnvelopeResponse, RequestHeader,
};
use std::future::ready;
use std::sync::Arc;

/// Answers one frame. `None` means that nothing is to be sent.
///
/// # Errors
/// [`Refusal`] when the connection must be closed.
pub async fn dispatch(
    doors: Doors,
    session: &Arc<Session>,
    mut frame: Bytes,
) -> Result<Option<Vec<Bytes>>, Refusal> {
    if frame.len() < 8 {
        return Err(Refusal::Malformed("it is too short".to_owned()));
    }
    let (key, version, correlation_id) = {
        let mut start = &frame[..8];
        (start.get_i16(), start.get_i16(), start.get_i32())
    };
    let api = find(key, session.listener()).ok_or(Refusal::UnknownApi(key))?;
    let mut ctx = RequestContext {
        api_version: version,
        correlation_id,
        client_id: String::new(),
        session: Arc::clone(session),
    };
    if version < api.min || version > api.max {
        if api.key == ApiKey::ApiVersions {
            ctx.api_version = 0;
            return Reply::Answer(api_versions::unsupported_version(advertised(session.listener())))
                .into_frame(&ctx);
        }
        return Err(Refusal::UnsupportedVersion {
            key: api.key,
            version,
        });
    }
    ctx.client_id = client_id(&mut frame, api.key.request_header_version(version))?;
    tracing::trace!(client_id = ctx.client_id, "{:?} {version} of {session}", api.key);
    let checked = may_be_done(&doors, session, api);
    match api.work {
        Work::Itself(handler) => handler(doors, ctx, checked, frame).await,
        Work::OfEnvelope => {
            let open = |controller: LocalController, ctx, request: EnvelopeRequest| {
                unwrap(doors.clone(), controller.is_some(), ctx, request)
            };
            run(doors.clone(), ctx, checked, frame, open).await
        }
        Work::OfTable => {
            let told = advertised(session.listener());
            let answer = |metadata: Metadata, ctx, request: ApiVersionsRequest| {
                ready(api_versions::answer(&metadata, &ctx, &request, told))
            };
            run(doors, ctx, checked, frame, answer).await
        }
    }
}

/// Answers what an envelope holds, which its client may ask of the controller.
async fn unwrap(
    doors: Doors,
    is_controller: bool,
    ctx: RequestContext,
    request: EnvelopeRequest,
) -> EnvelopeResponse {
    let refused = |error: ResponseError| EnvelopeResponse::default().with_error_code(error.code());
    if !is_controller {
        return refused(ResponseError::NotController);
    }
    let opened = match envelope::open(&ctx, request) {
        Ok(opened) => opened,
        Err(error) => return refused(error),
    };
    let Some((api, handler)) = find(opened.key, ctx.session.listener()).and_then(Api::in_envelope) else {
        return refused(ResponseError::InvalidRequest);
    };
    let Opened { ctx, body, .. } = opened;
    if ctx.api_version < api.min || ctx.api_version > api.max {
        return refused(ResponseError::UnsupportedVersion);
    }
    tracing::trace!(client_id = ctx.client_id, "{:?} of {}", api.key, ctx.session);
    let checked = may_be_done(&doors, &ctx.session, api);
    match handler(doors, ctx, checked, body).await {
        Ok(Some(frame)) => envelope::put_in(frame),
        // None of them is silent.
        Ok(None) => refused(ResponseError::UnknownServerError),
        Err(refusal) => {
            tracing::warn!("a broker passed on what is not answered: {refusal}");
            refused(match refusal {
                Refusal::Malformed(_) => ResponseError::UnsupportedVersion,
                _ => ResponseError::UnknownServerError,
            })
        }
    }
}

/// The one place where a request is denied, before its handler sees it: to those who may not ask for it, and to those who have
/// left and must not find later that it was done.
fn may_be_done(doors: &Doors, session: &Session, api: &Api) -> Checked {
    if api.may_be_withdrawn() && session.peer_gone().is_told() {
        return Err(ResponseError::RequestTimedOut);
    }
    doors.authorizer().check(session, api.asks)
}

/// Whether what a frame asks for is not begun once its client has hung up. All else is done as in Kafka: producers and groups
/// may send and close without waiting.
pub fn may_be_withdrawn(session: &Session, frame: &[u8]) -> bool {
    let key = frame.first_chunk().map(|key| i16::from_be_bytes(*key));
    key.and_then(|key| find(key, session.listener()))
        .is_some_and(Api::may_be_withdrawn)
}

/// Reads the header and keeps a copy of the one thing that handlers want of it, so that the frame's memory goes with the
/// request, however long the handler waits.
fn client_id(frame: &mut Bytes, header_version: i16) -> Result<String, Refusal> {
    let header: RequestHeader = decode::decode(frame, header_version, decode::REQUEST_FIELDS)
        .map_err(|error| Refusal::Malformed(error.to_string()))?;
    Ok(header.client_id.map(|id| id.to_string()).unwrap_or_default())
}
