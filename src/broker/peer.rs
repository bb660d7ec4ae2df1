//! A connection to another node of the cluster, in Kafka's own protocol.

use super::error::{BrokerError, Result};
use crate::frame::frame;
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request, StrBytes};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection on which one request waits for its answer at a time.
#[derive(Debug)]
pub struct Peer {
    address: String,
    client_id: StrBytes,
    stream: Option<TcpStream>,
    correlation_id: i32,
}

impl Peer {
    /// A connection to `host:port` that is made when it is first needed, and again after it failed.
    pub fn new(host: &str, port: u16, client_id: String) -> Self {
        Peer {
            address: format!("{host}:{port}"),
            client_id: StrBytes::from_string(client_id),
            stream: None,
            correlation_id: 0,
        }
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
        let asked = tokio::time::timeout(timeout, self.exchange(request, version)).await;
        let asked = asked.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        asked.map_err(|error| {
            self.stream = None;
            BrokerError::io(self.address.as_str())(error)
        })
    }

    async fn exchange<Q: Request>(&mut self, request: &Q, version: i16) -> std::io::Result<Q::Response> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = frame(request, version, self.correlation_id, &self.client_id).map_err(malformed)?;
        // Taken out, so that an answer nobody waited for is never taken for the next one's.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(&self.address).await?,
        };
        stream.write_all(&frame).await?;
        let mut answer = read_frame(&mut stream).await?;
        let header =
            ResponseHeader::decode(&mut answer, Q::Response::header_version(version)).map_err(malformed)?;
        if header.correlation_id != self.correlation_id {
            return Err(malformed("the answer is to another request"));
        }
        let response = Q::Response::decode(&mut answer, version).map_err(malformed)?;
        self.stream = Some(stream);
        Ok(response)
    }
}

fn malformed(error: impl std::fmt::Display) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string())
}

async fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn read_frame(stream: &mut TcpStream) -> std::io::Result<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from((&length[..]).get_i32()).map_err(malformed)?;
    let mut frame = BytesMut::new();
    while frame.len() < length {
        let left = length - frame.len();
        if (&mut *stream).take(left as u64).read_buf(&mut frame).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame.freeze())
}
