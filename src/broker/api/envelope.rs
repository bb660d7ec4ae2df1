//! Envelope (KIP-590): a client's request that a broker passes on to the controller, with who asked and from where, in the
//! client's own version. Versions and bytes are Apache Kafka's.

use super::{Refuse, RequestContext};
use crate::broker::security::{Principal, Session};
use crate::decode;
use crate::frame::frame;
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::{ApiKey, EnvelopeRequest, EnvelopeResponse, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{HeaderVersion, Request, StrBytes};
use std::net::IpAddr;
use std::sync::Arc;

/// Bytes before what a frame holds: its length.
const LENGTH: usize = 4;

/// What an envelope held.
pub(super) struct Opened {
    /// Of what the client asked.
    pub(super) key: i16,
    /// Who asks, in which version, and under which number.
    pub(super) ctx: RequestContext,
    /// What is asked.
    pub(super) body: Bytes,
}

/// A client's request in its envelope.
///
/// # Errors
/// `UNKNOWN_SERVER_ERROR` for what cannot be said, a mistake of ours.
pub(super) fn seal<Q: Request>(ctx: &RequestContext, request: &Q) -> Result<EnvelopeRequest, ResponseError> {
    let client_id = StrBytes::from_string(ctx.client_id.clone());
    let framed = frame(request, ctx.api_version, ctx.correlation_id, &client_id);
    let mut framed = framed.map_err(|error| {
        tracing::error!("a request cannot be passed on: {error}");
        ResponseError::UnknownServerError
    })?;
    framed.advance(LENGTH);
    Ok(EnvelopeRequest::default()
        .with_request_data(framed)
        .with_request_principal(ctx.session.principal().to_bytes())
        .with_client_host_address(address_bytes(ctx.session.peer().ip())))
}

fn address_bytes(address: IpAddr) -> Bytes {
    match address {
        IpAddr::V4(address) => Bytes::copy_from_slice(&address.octets()),
        IpAddr::V6(address) => Bytes::copy_from_slice(&address.octets()),
    }
}

/// The controller's answer to a client's request, taken out of its envelope.
///
/// # Errors
/// What a client is told of an envelope that was not opened: not its own mistake, so `UNKNOWN_SERVER_ERROR`, unless the
/// controller does not know that version.
pub(super) fn answer<Q: Request>(
    ctx: &RequestContext,
    envelope: EnvelopeResponse,
) -> Result<Q::Response, ResponseError> {
    let refused = |why: &str| {
        tracing::warn!("the controller did not answer a request that was passed on: {why}");
        ResponseError::UnknownServerError
    };
    match envelope.error_code.err() {
        None => {}
        Some(ResponseError::UnsupportedVersion) => return Err(ResponseError::UnsupportedVersion),
        Some(error) => return Err(refused(&error.to_string())),
    }
    let mut data = envelope
        .response_data
        .ok_or_else(|| refused("the envelope is empty"))?;
    let header_version = Q::Response::header_version(ctx.api_version);
    let header: ResponseHeader = decode::decode(&mut data, header_version, decode::ANY_FIELDS)
        .map_err(|error| refused(&error.to_string()))?;
    if header.correlation_id != ctx.correlation_id {
        return Err(refused("it answered another request"));
    }
    decode::decode(&mut data, ctx.api_version, decode::ANY_FIELDS)
        .map_err(|error| refused(&error.to_string()))
}

/// Whether who was asked is not the controller: nothing was done.
pub(super) fn came_to_another(envelope: &EnvelopeResponse) -> bool {
    envelope.error_code == ResponseError::NotController.code()
}

/// Takes a client's request out of the envelope that came in a broker's session.
///
/// # Errors
/// `PRINCIPAL_DESERIALIZATION_FAILURE`, `INVALID_REQUEST` for an address that is none, and `UNSUPPORTED_VERSION` for a request
/// of which not even the header can be read: as in Kafka, for the envelope itself was well.
pub(super) fn open(ctx: &RequestContext, envelope: EnvelopeRequest) -> Result<Opened, ResponseError> {
    let principal = envelope.request_principal.as_deref();
    let principal = principal
        .and_then(Principal::from_bytes)
        .ok_or(ResponseError::PrincipalDeserializationFailure)?;
    let address = address(&envelope.client_host_address).ok_or(ResponseError::InvalidRequest)?;
    let session: Session = ctx.session.on_behalf_of(principal, address);
    let mut body = envelope.request_data;
    let mut start = body.slice(..body.len().min(LENGTH));
    if start.len() < LENGTH {
        return Err(ResponseError::UnsupportedVersion);
    }
    let (key, version) = (start.get_i16(), start.get_i16());
    let api = ApiKey::try_from(key).map_err(|()| ResponseError::UnsupportedVersion)?;
    let header_version = api.request_header_version(version);
    let header: RequestHeader = decode::decode(&mut body, header_version, decode::REQUEST_FIELDS)
        .map_err(|_| ResponseError::UnsupportedVersion)?;
    let ctx = RequestContext {
        api_version: version,
        correlation_id: header.correlation_id,
        client_id: header.client_id.map(|id| id.to_string()).unwrap_or_default(),
        session: Arc::new(session),
    };
    Ok(Opened { key, ctx, body })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// The frame of an answer, put into an envelope.
pub(super) fn put_in(frame: Vec<Bytes>) -> EnvelopeResponse {
    let mut data = BytesMut::with_capacity(frame.iter().map(Bytes::len).sum());
    frame.iter().for_each(|piece| data.extend_from_slice(piece));
    // An answer begins with its length, which the envelope says already.
    data.advance(LENGTH.min(data.len()));
    EnvelopeResponse::default().with_response_data(Some(data.freeze()))
}

impl Refuse for EnvelopeRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> EnvelopeResponse {
        EnvelopeResponse::default().with_error_code(error.code())
    }
}

#[cfg(test)]
mod tests;
