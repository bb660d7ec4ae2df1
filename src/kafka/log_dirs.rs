//! How large partitions are on disk: DescribeLogDirs (KIP-113), which librdkafka lacks, over a socket of our own.

use super::types::{Broker, TopicPartition};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a broker may take to connect, and to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// API key and version: version 1 is the oldest that Kafka 4 speaks, and has all that is needed.
const DESCRIBE_LOG_DIRS: (i16, i16) = (35, 1);
/// More than the answer for ten thousands of partitions takes.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Asks `broker` how many bytes its replicas of these partitions take.
///
/// # Errors
/// When the broker cannot be reached in plain text, or answers something else.
pub(super) fn sizes(
    broker: &Broker,
    partitions: &[TopicPartition],
) -> io::Result<Vec<(TopicPartition, i64)>> {
    let addresses = (broker.host.as_str(), broker.port).to_socket_addrs()?;
    let mut stream = None;
    let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
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
    stream.write_all(&request(partitions))?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST_ANSWER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    parse(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A frame: length, header (key, version, correlation id, client id), then topics with their partitions.
fn request(partitions: &[TopicPartition]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(DESCRIBE_LOG_DIRS.0.to_be_bytes());
    body.extend(DESCRIBE_LOG_DIRS.1.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    put_string(&mut body, "velo");
    put_count(&mut body, partitions.len());
    for partition in partitions {
        put_string(&mut body, &partition.topic);
        put_count(&mut body, 1);
        body.extend(partition.partition.to_be_bytes());
    }
    let mut frame = Vec::new();
    put_count(&mut frame, body.len());
    frame.extend(body);
    frame
}

fn put_count(buffer: &mut Vec<u8>, count: usize) {
    buffer.extend(i32::try_from(count).unwrap_or(i32::MAX).to_be_bytes());
}

fn put_string(buffer: &mut Vec<u8>, text: &str) {
    // Kafka's names have at most 249 bytes.
    buffer.extend(i16::try_from(text.len()).unwrap_or(i16::MAX).to_be_bytes());
    buffer.extend(text.as_bytes());
}

/// Sums up the folders of an answer; a replica that is being moved between folders counts where it is, not where it goes.
fn parse(answer: &[u8]) -> Option<Vec<(TopicPartition, i64)>> {
    let mut rest = Reader(answer);
    let _correlation_id = rest.int32()?;
    let _throttle_ms = rest.int32()?;
    let mut found = Vec::new();
    for _ in 0..rest.int32()? {
        let _error = rest.int16()?;
        let _folder = rest.string()?;
        for _ in 0..rest.int32()? {
            let topic = rest.string()?;
            for _ in 0..rest.int32()? {
                let partition = rest.int32()?;
                let size = rest.int64()?;
                let _offset_lag = rest.int64()?;
                let [being_moved] = rest.take()?;
                if being_moved == 0 {
                    found.push((TopicPartition::new(topic.clone(), partition), size));
                }
            }
        }
    }
    Some(found)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn int16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn int32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn int64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn string(&mut self) -> Option<String> {
        let length = usize::try_from(self.int16()?).ok()?;
        let (text, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end_and_a_torn_one_refused() {
        let mut answer = Vec::new();
        answer.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
        put_string(&mut answer, "/data");
        put_count(&mut answer, 1);
        put_string(&mut answer, "trips");
        put_count(&mut answer, 1);
        answer.extend(2_i32.to_be_bytes());
        answer.extend(4096_i64.to_be_bytes());
        answer.extend(0_i64.to_be_bytes());
        answer.push(0);
        assert_eq!(
            parse(&answer),
            Some(vec![(TopicPartition::new("trips", 2), 4096)])
        );
        assert_eq!(parse(&answer[..answer.len() - 1]), None);
    }
}
