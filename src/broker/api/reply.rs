//! What a handler answers, and its way into frames.

use super::RequestContext;
use super::refusal::Refusal;
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::{Encodable, HeaderVersion};

/// What a handler answers.
#[derive(Debug)]
pub enum Reply<T> {
    /// A response to encode.
    Answer(T),
    /// A response body that is already encoded in the request's version; the pieces are written without copying.
    Encoded(Vec<Bytes>),
    /// Nothing is sent.
    Silence,
    /// Nothing is sent and the connection is closed, for the reason given: how a peer that wants no answer learns of an
    /// error.
    Hangup(String),
}

impl<T> From<T> for Reply<T> {
    fn from(response: T) -> Self {
        Reply::Answer(response)
    }
}

impl<T: Encodable + HeaderVersion> Reply<T> {
    /// The whole frame in pieces to be written one after another, length first; `None` for silence.
    ///
    /// # Errors
    /// [`Refusal`] when the connection must be closed: asked for by the handler, or because the response holds what its
    /// version cannot say.
    pub(super) fn into_frame(self, ctx: &RequestContext) -> Result<Option<Vec<Bytes>>, Refusal> {
        let mut head = BytesMut::new();
        head.put_i32(0);
        ResponseHeader::default()
            .with_correlation_id(ctx.correlation_id)
            .encode(&mut head, T::header_version(ctx.api_version))
            .map_err(|error| Refusal::Unanswerable(error.to_string()))?;
        let mut pieces = match self {
            Reply::Silence => return Ok(None),
            Reply::Hangup(reason) => return Err(Refusal::Hangup(reason)),
            Reply::Encoded(pieces) => pieces,
            Reply::Answer(response) => {
                response
                    .encode(&mut head, ctx.api_version)
                    .map_err(|error| Refusal::Unanswerable(error.to_string()))?;
                Vec::new()
            }
        };
        let length = head.len() - 4 + pieces.iter().map(Bytes::len).sum::<usize>();
        let length = i32::try_from(length)
            .map_err(|_| Refusal::Unanswerable("the response is over 2 GiB".to_owned()))?;
        head[..4].copy_from_slice(&length.to_be_bytes());
        pieces.insert(0, head.freeze());
        Ok(Some(pieces))
    }
}
