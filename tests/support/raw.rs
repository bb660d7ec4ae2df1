//! A client that says what it is told to, right or wrong.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Nothing in a test takes longer.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// One connection.
pub struct RawClient {
    stream: TcpStream,
    correlation_id: i32,
}

impl RawClient {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        RawClient {
            stream: TcpStream::connect(address).await.unwrap(),
            correlation_id: 0,
        }
    }

    /// Sends a request and reads its answer.
    pub async fn ask<Q: Request>(&mut self, request: Q, version: i16) -> Q::Response {
        self.send(&request, version).await;
        self.receive::<Q>(version).await
    }

    /// Sends a request.
    pub async fn send<Q: Request>(&mut self, request: &Q, version: i16) {
        self.correlation_id += 1;
        let bytes = encode_request(request, version, self.correlation_id);
        self.send_bytes(&bytes).await;
    }

    /// Reads the answer of the oldest request sent.
    pub async fn receive<Q: Request>(&mut self, version: i16) -> Q::Response {
        let mut frame = self.receive_frame().await.expect("the connection was closed");
        ResponseHeader::decode(&mut frame, Q::Response::header_version(version)).unwrap();
        let response = Q::Response::decode(&mut frame, version).unwrap();
        assert!(frame.is_empty(), "bytes after the response");
        response
    }

    /// Sends bytes as they are.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends bytes as far as the broker takes them.
    pub async fn try_send_bytes(&mut self, bytes: &[u8]) {
        // The broker may close the connection at any time; that is what some tests are about.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Says that nothing more will come.
    pub async fn shut_down_sending(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads one frame; `None` when the broker closed the connection.
    pub async fn receive_frame(&mut self) -> Option<Bytes> {
        let mut length = [0; 4];
        let read = tokio::time::timeout(DEADLINE, self.stream.read_exact(&mut length));
        read.await.expect("no answer in time").ok()?;
        let mut frame = vec![0; usize::try_from((&length[..]).get_i32()).unwrap()];
        let read = tokio::time::timeout(DEADLINE, self.stream.read_exact(&mut frame));
        read.await.expect("no whole answer in time").ok()?;
        Some(frame.into())
    }

    /// Waits until the broker closes the connection without a further answer.
    pub async fn assert_closed(&mut self) {
        assert_eq!(self.receive_frame().await, None, "expected a closed connection");
    }
}

/// A whole frame: length, header, body.
pub fn encode_request<Q: Request>(request: &Q, version: i16, correlation_id: i32) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    RequestHeader::default()
        .with_request_api_key(Q::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(StrBytes::from_static_str("raw")))
        .encode(&mut frame, Q::header_version(version))
        .unwrap();
    request.encode(&mut frame, version).unwrap();
    let length = i32::try_from(frame.len() - 4).unwrap();
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame.freeze()
}

/// One request to the cluster at `HOST:PORT`, on a connection of its own, from a test that is not asynchronous.
pub fn ask_at<Q: Request>(bootstrap: &str, request: Q, version: i16) -> Q::Response {
    let address = bootstrap
        .to_socket_addrs()
        .unwrap()
        .next()
        .expect("an address of the cluster");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { RawClient::connect(address).await.ask(request, version).await })
}
