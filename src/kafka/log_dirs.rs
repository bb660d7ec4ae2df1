//! How large partitions are on disk: DescribeLogDirs (KIP-113), which librdkafka lacks, over a socket of our own.

use super::raw::{self, Reader, Request};
use super::types::{Broker, TopicPartition};
use std::io;

/// API key and version: version 1 is the oldest that Kafka 4 speaks, and has all that is needed.
const DESCRIBE_LOG_DIRS: (i16, i16) = (35, 1);

/// Asks `broker` how many bytes its replicas of these partitions take.
///
/// # Errors
/// When the broker cannot be reached in plain text, or answers something else.
pub(super) fn sizes(
    broker: &Broker,
    partitions: &[TopicPartition],
) -> io::Result<Vec<(TopicPartition, i64)>> {
    let answer = raw::ask((broker.host.as_str(), broker.port), &request(partitions))?;
    parse(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn request(partitions: &[TopicPartition]) -> Vec<u8> {
    let mut request = Request::new(DESCRIBE_LOG_DIRS.0, DESCRIBE_LOG_DIRS.1);
    request.count(partitions.len());
    for partition in partitions {
        request.string(&partition.topic);
        request.count(1);
        request.bytes(&partition.partition.to_be_bytes());
    }
    request.frame()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end_and_a_torn_one_refused() {
        let mut answer = Vec::new();
        answer.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
        raw::put_string(&mut answer, "/data");
        raw::put_count(&mut answer, 1);
        raw::put_string(&mut answer, "trips");
        raw::put_count(&mut answer, 1);
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
