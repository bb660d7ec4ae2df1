//! A connection to another node of the cluster, in Kafka's own protocol.

use super::error::{BrokerError, Result};
use super::world::Net;
use super::world::net::Stream;
use super::world::time;
use crate::decode::{ANY_FIELDS, decode};
use crate::frame::frame;
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::{HeaderVersion, Request, StrBytes};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};

/// A connection on which one request waits for its answer at a time.
#[derive(Debug)]
pub struct Peer {
    net: Net,
    /// Where it may be; the one at `place` is asked first.
    addresses: Vec<String>,
    place: usize,
    client_id: StrBytes,
    stream: Option<Stream>,
    correlation_id: i32,
    longest_answer: usize,
}

impl Peer {
    /// A connection to `host:port` that is made when it is first needed, and again after it failed. An answer of more
    /// than `longest_answer` bytes is refused.
    pub fn new(net: &Net, host: &str, port: u16, client_id: String, longest_answer: usize) -> Self {
        let address = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        Peer::any_of(net, vec![address], client_id, longest_answer)
    }

    /// The same to whoever answers at one of these addresses; the next is tried when one fails.
    pub fn any_of(net: &Net, addresses: Vec<String>, client_id: String, longest_answer: usize) -> Self {
        Peer {
            net: net.clone(),
            addresses,
            place: 0,
            client_id: StrBytes::from_string(client_id),
            stream: None,
            correlation_id: 0,
            longest_answer,
        }
    }

    /// Has a connection that is open, as far as can be known; the next address is tried when one fails.
    ///
    /// # Errors
    /// [`BrokerError::Io`] naming the address.
    pub async fn reach(&mut self) -> Result<()> {
        if self.stream.as_mut().is_some_and(is_silent) {
            return Ok(());
        }
        self.stream = None;
        match self.net.connect(self.address()).await {
            Ok(stream) => {
                self.stream = Some(stream);
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Completes when the other side has closed the connection, or talks unasked; never where there is none.
    pub async fn closed(&mut self) {
        let Some(stream) = &mut self.stream else {
            return std::future::pending().await;
        };
        // Whatever it was: it is not the answer to what will be asked next.
        let _ = stream.read(&mut [0]).await;
        self.stream = None;
    }

    /// Sends a request and waits for the answer, for as long as it takes. Who stops waiting ends the connection.
    ///
    /// # Errors
    /// As [`Peer::ask`].
    pub async fn ask_patiently<Q: Request>(&mut self, request: &Q, version: i16) -> Result<Q::Response> {
        let asked = self.exchange(request, version).await;
        asked.map_err(|error| self.failed(error))
    }

    /// Sends a request and waits for the answer, at most for `timeout`.
    ///
    /// # Errors
    /// [`BrokerError::Io`] naming the address; the next request connects anew.
    pub async fn ask<Q: Request>(
        &mut self,
        request: &Q,
        version: i16,
        timeout: Duration,
    ) -> Result<Q::Response> {
        let asked = time::timeout(timeout, self.exchange(request, version)).await;
        let asked = asked.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        asked.map_err(|error| self.failed(error))
    }

    fn failed(&mut self, error: std::io::Error) -> BrokerError {
        let address = self.address().to_owned();
        self.pass_on();
        BrokerError::io(address)(error)
    }

    /// The address that is asked.
    pub fn address(&self) -> &str {
        self.addresses.get(self.place).map_or("nowhere", String::as_str)
    }

    /// Gives up the one that was asked: the next request goes to the next address.
    pub fn pass_on(&mut self) {
        self.stream = None;
        self.place = (self.place + 1) % self.addresses.len().max(1);
    }

    async fn exchange<Q: Request>(&mut self, request: &Q, version: i16) -> std::io::Result<Q::Response> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = frame(request, version, self.correlation_id, &self.client_id).map_err(malformed)?;
        // Taken out, so that an answer nobody waited for is never taken for the next one's.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.net.connect(self.address()).await?,
        };
        stream.write_all(&frame).await?;
        let response =
            read_answer::<Q>(&mut stream, version, self.correlation_id, self.longest_answer).await?;
        self.stream = Some(stream);
        Ok(response)
    }
}

fn malformed(error: impl std::fmt::Display) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string())
}

/// Whether a connection on which nothing is awaited is open and says nothing: who has closed it, or talks unasked, is not
/// asked by it again.
fn is_silent(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut byte = [0];
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(stream)
        .poll_read(&mut context, &mut ReadBuf::new(&mut byte))
        .is_pending()
}

/// Reads the answer to the request of type `Q` that was sent with that version and correlation id. The peer may be
/// anybody: neither its frame's length nor the lengths inside are taken at their word.
///
/// # Errors
/// [`std::io::ErrorKind::InvalidData`] for a frame over `longest` bytes, an answer to another request, or bytes that are
/// no such answer; what the stream fails with.
pub async fn read_answer<Q: Request>(
    stream: &mut (impl AsyncRead + Unpin),
    version: i16,
    correlation_id: i32,
    longest: usize,
) -> std::io::Result<Q::Response> {
    let mut answer = read_frame(stream, longest).await?;
    let header_version = Q::Response::header_version(version);
    let header: ResponseHeader = decode(&mut answer, header_version, ANY_FIELDS).map_err(malformed)?;
    if header.correlation_id != correlation_id {
        return Err(malformed("the answer is to another request"));
    }
    decode(&mut answer, version, ANY_FIELDS).map_err(malformed)
}

async fn read_frame(stream: &mut (impl AsyncRead + Unpin), longest: usize) -> std::io::Result<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from((&length[..]).get_i32()).map_err(malformed)?;
    if length > longest {
        return Err(malformed(format!(
            "the answer has {length} bytes, the limit is {longest}"
        )));
    }
    // Grows by what has come, not by what was announced.
    let mut frame = BytesMut::new();
    while frame.len() < length {
        let left = length - frame.len();
        if (&mut *stream).take(left as u64).read_buf(&mut frame).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;
    use kafka_protocol::messages::{DescribeClusterRequest, FetchRequest};
    use proptest::prelude::*;

    /// A frame that answers request 7 with `body` behind a header without tagged fields.
    fn answer(body: &[u8]) -> Vec<u8> {
        let mut frame = BytesMut::new();
        frame.put_i32(i32::try_from(5 + body.len()).unwrap());
        frame.put_i32(7);
        frame.put_u8(0);
        frame.put_slice(body);
        frame.to_vec()
    }

    async fn refused<Q: Request>(mut bytes: &[u8], version: i16) -> String {
        match read_answer::<Q>(&mut bytes, version, 7, 1000).await {
            Err(error) => error.to_string(),
            Ok(_) => panic!("such an answer was accepted"),
        }
    }

    #[tokio::test]
    async fn an_answer_over_the_limit_is_refused_before_it_is_read() {
        let announced = 1001i32.to_be_bytes();
        let why = refused::<DescribeClusterRequest>(&announced, 0).await;
        assert_eq!(why, "the answer has 1001 bytes, the limit is 1000");
        assert!(
            !refused::<DescribeClusterRequest>(&(-1i32).to_be_bytes(), 0)
                .await
                .is_empty()
        );
    }

    #[tokio::test]
    async fn lengths_that_lie_take_no_memory() {
        // Of the array of topics, 4,294,967,294 of them; of the tagged fields.
        let many = [0xff, 0xff, 0xff, 0xff, 0x0f];
        let topics = [&[0; 10][..], &many, &[1, 2, 3]].concat();
        let tagged = [&[0; 10][..], &[1], &many, &[1, 2, 3]].concat();
        for body in [topics, tagged] {
            assert!(!refused::<FetchRequest>(&answer(&body), 17).await.is_empty());
        }
    }

    #[tokio::test]
    async fn an_answer_to_another_request_is_refused() {
        let mut bytes = answer(&[0; 40]);
        bytes[7] = 8;
        let why = refused::<FetchRequest>(&bytes, 17).await;
        assert_eq!(why, "the answer is to another request");
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), version in 4i16..=17) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let framed = answer(&bytes);
            let _ = runtime.block_on(read_answer::<FetchRequest>(&mut &framed[..], version, 7, 1000));
            let _ = runtime.block_on(read_answer::<FetchRequest>(&mut &bytes[..], version, 7, 1000));
        }
    }
}
