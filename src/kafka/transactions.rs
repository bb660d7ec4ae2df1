//! Whether a cluster has a coordinator for a `transactional.id`. librdkafka looks for one until its time is up, whatever
//! the cluster answers.

use super::Connection;
use super::errors::{ErrorCode, KafkaError};
use super::raw::{self, Reader, Request};

/// API key and version of FindCoordinator: the oldest that asks for transactions.
const FIND_COORDINATOR: (i16, i16) = (10, 1);
/// The kind of coordinator that is looked for.
const TRANSACTION: u8 = 1;

/// The cluster's refusal to name a coordinator, if it is one that will not pass. A cluster that cannot be asked in
/// plain text is not asked.
pub fn no_coordinator(connection: &Connection, transactional_id: &str) -> Option<KafkaError> {
    if !connection.is_plain() {
        return None;
    }
    let mut request = Request::new(FIND_COORDINATOR.0, FIND_COORDINATOR.1);
    request.string(transactional_id);
    request.bytes(&[TRANSACTION]);
    let frame = request.frame();
    let servers = connection.servers().unwrap_or_default();
    // Whoever cannot be asked is no refusal: the producer itself reports what keeps it from the cluster.
    let answer = servers
        .iter()
        .find_map(|(host, port)| raw::ask((host.as_str(), *port), &frame).ok())?;
    refusal(&answer)
}

fn refusal(answer: &[u8]) -> Option<KafkaError> {
    let mut rest = Reader(answer);
    let _correlation_id = rest.int32()?;
    let _throttle_ms = rest.int32()?;
    let code = i32::from(rest.int16()?);
    let words = rest.string().unwrap_or_default();
    let code =
        rdkafka::bindings::rd_kafka_resp_err_t::try_from(code).map_or(ErrorCode::Unknown, ErrorCode::from);
    match code {
        ErrorCode::NoError
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::NotCoordinator
        | ErrorCode::RequestTimedOut => None,
        code => Some(KafkaError::new(code, words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_that_does_not_pass_counts() {
        let answer = |code: u8| {
            let mut answer = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, code];
            raw::put_string(&mut answer, "none here");
            answer
        };
        let refused = refusal(&answer(35)).unwrap();
        assert_eq!(
            (refused.code(), refused.broker_words()),
            (ErrorCode::UnsupportedVersion, Some("none here"))
        );
        assert_eq!(refusal(&answer(15)), None);
        assert_eq!(refusal(&[0, 0]), None);
    }
}
