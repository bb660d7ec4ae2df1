//! Requests of Kafka's protocol as bytes: the broker's to its peers, and the wire client's.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::RequestHeader;
use kafka_protocol::protocol::{Encodable, Request, StrBytes};

/// A request as it is sent: its length, its header, and itself.
///
/// # Errors
/// When that version cannot say what the request says, in the codec's words.
pub(crate) fn frame<Q: Request>(
    request: &Q,
    version: i16,
    correlation_id: i32,
    client_id: &StrBytes,
) -> Result<Bytes, String> {
    frame_under(Q::KEY, request, version, correlation_id, client_id)
}

/// The same under another key, for a request that the codec does not have but under the name of one like it.
///
/// # Errors
/// As [`frame`].
pub(crate) fn frame_under<Q: Request>(
    key: i16,
    request: &Q,
    version: i16,
    correlation_id: i32,
    client_id: &StrBytes,
) -> Result<Bytes, String> {
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    RequestHeader::default()
        .with_request_api_key(key)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(client_id.clone()))
        .encode(&mut frame, Q::header_version(version))
        .and_then(|()| request.encode(&mut frame, version))
        .map_err(|error| error.to_string())?;
    let length = i32::try_from(frame.len() - 4).map_err(|error| error.to_string())?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}
