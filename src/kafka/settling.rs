//! Asking again while a cluster settles.
//!
//! A topic just made has no leader yet, and a group's first coordinator waits for the groups' topic. Apache Kafka's
//! clients ask again meanwhile, for these errors are retriable; so does this one.

use super::errors::{Answer, ErrorCode, KafkaError};
use std::time::{Duration, Instant};

/// How long a cluster may take to settle.
const SETTLING: Duration = Duration::from_secs(10);
/// How often it is asked meanwhile.
const SETTLE_EVERY: Duration = Duration::from_millis(100);

/// Whether a leader or coordinator is still being found.
pub(super) fn is_settling(error: &KafkaError) -> bool {
    matches!(
        error.code(),
        ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::NotCoordinator
            | ErrorCode::LeaderNotAvailable
            | ErrorCode::NotLeaderForPartition
    )
}

/// Asks until the answer is not that a leader or coordinator is still being found, ten seconds at most.
pub(super) fn settled<T>(mut ask: impl FnMut() -> Answer<T>) -> Answer<T> {
    ask_until(
        &mut ask,
        |answer| matches!(answer, Err(error) if is_settling(error)),
    )
}

/// The same, of several things asked at once: until none of them waits for its leader or coordinator.
pub(super) fn all_settled<K, T>(
    mut ask: impl FnMut() -> Answer<Vec<(K, Answer<T>)>>,
) -> Answer<Vec<(K, Answer<T>)>> {
    let waits = |answer: &Answer<Vec<(K, Answer<T>)>>| match answer {
        Ok(each) => each
            .iter()
            .any(|(_, one)| matches!(one, Err(error) if is_settling(error))),
        Err(error) => is_settling(error),
    };
    ask_until(&mut ask, waits)
}

fn ask_until<T>(ask: &mut impl FnMut() -> T, waits: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + SETTLING;
    loop {
        let answer = ask();
        if !waits(&answer) || Instant::now() >= deadline {
            return answer;
        }
        std::thread::sleep(SETTLE_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: ErrorCode) -> KafkaError {
        KafkaError::new(code, "")
    }

    #[test]
    fn a_leader_still_being_elected_is_asked_again() {
        let mut answers = vec![Ok(7), Err(refused(ErrorCode::LeaderNotAvailable))];
        assert_eq!(settled(|| answers.pop().unwrap()), Ok(7));
    }

    #[test]
    fn another_refusal_is_told_at_once() {
        let mut asked = 0;
        let answer: Answer = settled(|| {
            asked += 1;
            Err(refused(ErrorCode::UnknownTopicOrPartition))
        });
        assert!(answer.is_err());
        assert_eq!(asked, 1);
    }

    #[test]
    fn one_unsettled_among_several_asks_for_all_again() {
        let mut answers = vec![
            vec![("a", Ok(1)), ("b", Ok(2))],
            vec![("a", Ok(1)), ("b", Err(refused(ErrorCode::NotCoordinator)))],
        ];
        assert_eq!(
            all_settled(|| Ok(answers.pop().unwrap())),
            Ok(vec![("a", Ok(1)), ("b", Ok(2))])
        );
    }
}
