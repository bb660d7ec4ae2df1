//! One connection to one node: frames, correlation ids, and the versions both sides know.

use super::security::Security;
use super::{check, java_name, sasl};
use crate::decode::{ANY_FIELDS, DecodeError, decode};
use crate::frame::frame_under;
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::probe;
use bytes::Bytes;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, ResponseHeader};
use kafka_protocol::protocol::{HeaderVersion, Message, Request, StrBytes};
use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long the handshakes and the first answer of a secured connection may take.
const GREETING: Duration = Duration::from_secs(8);
/// More than any answer to a request of administration takes.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// `UNSUPPORTED_VERSION`
const UNSUPPORTED_VERSION: i16 = 35;

/// What bytes go through: a socket, with or without TLS.
pub(super) trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// A connection on which one request waits for its answer at a time.
pub(super) struct Channel {
    address: String,
    stream: Box<dyn Stream>,
    client_id: StrBytes,
    correlation_id: i32,
    node: ApiVersionsResponse,
}

impl Channel {
    /// Connects, with TLS and a user's name where `security` says so, and asks which versions the node knows.
    pub fn open(host: &str, port: u16, security: &Security, patience: Duration) -> Answer<Self> {
        let address = format!("{host}:{port}");
        let here = |error: io::Error| failed(&address, &error);
        let greeting = if security.is_plaintext() {
            probe::PATIENCE
        } else {
            GREETING
        };
        let socket = connect(host, port).map_err(here)?;
        let clock = socket.try_clone().map_err(here)?;
        be_patient(&clock, greeting).map_err(here)?;
        let stream = security.secured(host, socket)?;
        let mut channel = Channel {
            address,
            stream,
            client_id: StrBytes::from_string(security.client_id().to_owned()),
            correlation_id: 0,
            node: ApiVersionsResponse::default(),
        };
        channel.node = channel.negotiate()?;
        if let Some(login) = security.login() {
            sasl::log_in(&mut channel, login)?;
        }
        be_patient(&clock, patience).map_err(|error| failed(&channel.address, &error))?;
        Ok(channel)
    }

    /// What the node says of itself: its APIs and features.
    pub fn node(&self) -> &ApiVersionsResponse {
        &self.node
    }

    /// Sends a request in the highest version both know, and waits for the answer.
    pub fn ask<Q: Request>(&mut self, request: &Q) -> Answer<Q::Response> {
        self.ask_under(Q::KEY, request)
    }

    /// The same in version `newest` at most; `request` makes what that version is asked with.
    pub fn ask_in_at_most<Q: Request>(
        &mut self,
        newest: i16,
        request: impl FnOnce(i16) -> Q,
    ) -> Answer<Q::Response> {
        let version = self.version::<Q>(Q::KEY)?.min(newest);
        self.ask_in(Q::KEY, version, &request(version))
    }

    /// The same under another key: for a request that the codec lacks and whose bodies are those of `Q`.
    pub fn ask_under<Q: Request>(&mut self, key: i16, request: &Q) -> Answer<Q::Response> {
        let version = self.version::<Q>(key)?;
        self.ask_in(key, version, request)
    }

    /// The highest version of a request that both know; Java's words when there is none.
    fn version<Q: Request>(&self, key: i16) -> Answer<i16> {
        let name = || java_name(key);
        let unsupported = |words: String| KafkaError::of_protocol(UNSUPPORTED_VERSION, words);
        let mut known = self.node.api_keys.iter();
        let Some(api) = known.find(|api| api.api_key == key) else {
            return Err(unsupported(format!("The node does not support {}", name())));
        };
        let ours = <Q as Message>::VERSIONS;
        let highest = api.max_version.min(ours.max);
        if highest < api.min_version.max(ours.min) {
            return Err(unsupported(format!(
                "The node does not support {} with version in range [{},{}]. The supported range is [{},{}].",
                name(),
                ours.min,
                ours.max,
                api.min_version,
                api.max_version
            )));
        }
        Ok(highest)
    }

    /// Asks with the newest version; a node that does not know it answers in version 0, with what it does know.
    fn negotiate(&mut self) -> Answer<ApiVersionsResponse> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("velo"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let newest = ApiVersionsRequest::VERSIONS.max;
        let (version, mut answer) = self.exchange(ApiVersionsRequest::KEY, newest, &request)?;
        // In every version the answer begins with its error code.
        if !answer.starts_with(&UNSUPPORTED_VERSION.to_be_bytes()) {
            let answer: ApiVersionsResponse = self.read(decode(&mut answer, version, ANY_FIELDS))?;
            return check(answer.error_code, None).map(|()| answer);
        }
        let told: ApiVersionsResponse = self.read(decode(&mut answer, 0, ANY_FIELDS))?;
        let mut apis = told.api_keys.iter();
        let theirs = apis.find(|api| api.api_key == ApiVersionsRequest::KEY);
        let version = theirs.map_or(0, |api| api.max_version.min(newest));
        let request = if version < 3 {
            ApiVersionsRequest::default()
        } else {
            request
        };
        let answer = self.ask_in(ApiVersionsRequest::KEY, version, &request)?;
        check(answer.error_code, None).map(|()| answer)
    }

    fn ask_in<Q: Request>(&mut self, key: i16, version: i16, request: &Q) -> Answer<Q::Response> {
        let (version, mut answer) = self.exchange(key, version, request)?;
        self.read(decode(&mut answer, version, ANY_FIELDS))
    }

    /// Sends a request; answers the body of the response, undecoded.
    fn exchange<Q: Request>(&mut self, key: i16, version: i16, request: &Q) -> Answer<(i16, Bytes)> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        // What an older version cannot say is an error here.
        let frame = frame_under(key, request, version, self.correlation_id, &self.client_id)
            .map_err(|words| KafkaError::of_protocol(UNSUPPORTED_VERSION, words))?;
        let answer = self.stream.write_all(&frame).and_then(|()| {
            self.stream.flush()?;
            read_frame(&mut self.stream)
        });
        let mut answer = answer.map_err(|error| failed(&self.address, &error))?;
        let header_version = Q::Response::header_version(version);
        let header: ResponseHeader = self.read(decode(&mut answer, header_version, ANY_FIELDS))?;
        if header.correlation_id != self.correlation_id {
            return Err(self.strange("the answer is to another request"));
        }
        Ok((version, answer))
    }

    /// What was read of an answer, whose lengths may lie.
    fn read<T>(&self, decoded: Result<T, DecodeError>) -> Answer<T> {
        decoded.map_err(|error| self.strange(error))
    }

    fn strange(&self, error: impl Display) -> KafkaError {
        KafkaError::new(ErrorCode::BadMessage, format!("{}: {error}", self.address))
    }
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut refused = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, probe::PATIENCE) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// How long whoever uses this socket waits, by whichever handle.
fn be_patient(socket: &TcpStream, patience: Duration) -> io::Result<()> {
    socket.set_read_timeout(Some(patience))?;
    socket.set_write_timeout(Some(patience))
}

/// What became of the socket.
fn failed(address: &str, error: &io::Error) -> KafkaError {
    let code = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => ErrorCode::OperationTimedOut,
        ErrorKind::InvalidData => ErrorCode::BadMessage,
        // OpenSSL's own: a broker looks at a client's certificate when the client is done with the handshake.
        ErrorKind::Other => ErrorCode::SSL,
        _ => ErrorCode::BrokerTransportFailure,
    };
    KafkaError::new(code, format!("{address}: {error}"))
}

fn read_frame(stream: &mut dyn Stream) -> io::Result<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST_ANSWER {
        let why = "the answer is longer than any of Kafka's";
        return Err(io::Error::new(ErrorKind::InvalidData, why));
    }
    let mut frame = Vec::new();
    stream.take(length as u64).read_to_end(&mut frame)?;
    if frame.len() < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(frame.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut, BytesMut};
    use std::collections::BTreeMap;
    use std::net::TcpListener;

    /// What a client says to a node that answers its first request with `body`, behind the correlation id.
    fn told_by(body: &'static [u8]) -> KafkaError {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let node = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut length = [0; 4];
            socket.read_exact(&mut length).unwrap();
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            socket.read_exact(&mut request).unwrap();
            let mut answer = BytesMut::new();
            answer.put_i32(i32::try_from(body.len()).unwrap() + 4);
            answer.put_slice(&request[4..8]);
            answer.put_slice(body);
            socket.write_all(&answer).unwrap();
        });
        let security = Security::of(&BTreeMap::new()).unwrap();
        let Err(error) = Channel::open("127.0.0.1", port, &security, Duration::from_secs(10)) else {
            panic!("such an answer was accepted");
        };
        node.join().unwrap();
        error
    }

    #[test]
    fn an_answer_whose_lengths_lie_is_an_error_and_takes_no_memory() {
        let compact: &[u8] = &[0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3];
        let fixed: &[u8] = &[0, 35, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3];
        for body in [compact, fixed] {
            assert_eq!(told_by(body).code(), ErrorCode::BadMessage);
        }
    }
}
