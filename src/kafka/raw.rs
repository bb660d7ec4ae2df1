//! A request that librdkafka lacks, over a plain socket of our own: one frame out, one frame in.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a broker may take to connect, and to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than the answer for ten thousands of partitions takes.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Sends a frame to a broker and answers what it sends back, without the length.
///
/// # Errors
/// When the broker cannot be reached in plain text, or answers no frame.
pub(super) fn ask(broker: (&str, u16), frame: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = None;
    let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in broker.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(connected) => {
                stream = Some(connected);
                break;
            }
            Err(error) => refused = error,
        }
    }
    let mut stream = stream.ok_or(refused)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.write_all(frame)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST_ANSWER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// A request in the making.
pub(super) struct Request(Vec<u8>);

impl Request {
    /// The header: API key, version, correlation id, client id.
    pub fn new(key: i16, version: i16) -> Self {
        let mut body = Vec::new();
        body.extend(key.to_be_bytes());
        body.extend(version.to_be_bytes());
        body.extend(1_i32.to_be_bytes());
        put_string(&mut body, "velo");
        Request(body)
    }

    /// The length of an array.
    pub fn count(&mut self, count: usize) {
        put_count(&mut self.0, count);
    }

    /// A text.
    pub fn string(&mut self, text: &str) {
        put_string(&mut self.0, text);
    }

    /// Anything else.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// The whole, behind its length.
    pub fn frame(self) -> Vec<u8> {
        let mut frame = Vec::new();
        put_count(&mut frame, self.0.len());
        frame.extend(self.0);
        frame
    }
}

pub(super) fn put_count(buffer: &mut Vec<u8>, count: usize) {
    buffer.extend(i32::try_from(count).unwrap_or(i32::MAX).to_be_bytes());
}

pub(super) fn put_string(buffer: &mut Vec<u8>, text: &str) {
    // What is longer than the protocol's lengths is cut: no name in Kafka is.
    let length = i16::try_from(text.len()).unwrap_or(i16::MAX);
    buffer.extend(length.to_be_bytes());
    buffer.extend(text.as_bytes().iter().take(usize::from(length.unsigned_abs())));
}

/// Reads an answer; `None` past its end.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    /// So many bytes.
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    /// An int16.
    pub fn int16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    /// An int32.
    pub fn int32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    /// An int64.
    pub fn int64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    /// A text.
    pub fn string(&mut self) -> Option<String> {
        let length = usize::try_from(self.int16()?).ok()?;
        let (text, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}
